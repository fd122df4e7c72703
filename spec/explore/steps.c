/* What may happen next, from outside of the client; and how a run ends. */
#include "explore.h"

#include <stdlib.h>

#define LONG      60  /* seconds, longer than anything may take */
#define TURNS_MAX 200 /* of a finale, more than any needs */

enum step {
    STEP_TURN = ACTS,
    STEP_WAIT,
    STEP_ACCEPT,
    STEP_ACCEPT_AND_SAY,
    STEP_REFUSE,
    STEP_BUSY,
    STEP_REDIRECT,
    STEP_CROWD,
    STEP_MAKE_PLACE,
    STEP_END,
    STEP_WRITABLE,
    STEP_FREE,
    STEP_SILENCE,
    STEP_PEACE,
    STEP_SAY, /* the last one: and the peer's word */
};

static const char *const words[] = {
    [PEER_MESSAGE] = "a message comes",
    [PEER_TWO] = "two messages come",
    [PEER_HALF] = "half a message comes",
    [PEER_PING] = "a ping comes",
    [PEER_PINGS] = "600 pings come",
    [PEER_PONG] = "the last ping is answered",
    [PEER_CLOSE] = "a close frame comes",
    [PEER_LAST] = "a message and a close frame come",
    [PEER_BAD] = "a frame comes that breaks the protocol",
};

static enum peer_word word;

static void say(void)
{
    peer_says(word);
}

static void refuse(void)
{
    upgrade_fails(false);
}

static void busy(void)
{
    upgrade_fails(true);
}

/* ------------------------------------------------------------------------- finales */

/* The user wants to hear of everything. */
static void hear_all(void)
{
    while (!world.gone && world.client.inbox.waiting_messages)
        act_do(ACT_TAKE);
    if (!world.gone && world.client.paused)
        act_do(ACT_RESUME);
}

static bool is_at_rest(void)
{
    return world.gone || (!steady_session_active(&world.client.session) && !loop_has_ready());
}

/* Turns that are due, without an end of time; then, until the timer. */
static void pass(void)
{
    for (int turns = 0; loop_has_ready(); turns++) {
        if (turns == TURNS_MAX)
            judge_fail("the loop spins");
        loop_turn(NULL);
    }
    if (loop_has_timer())
        loop_wait();
}

/* Each of the others has a deadline. */
static void let_time_pass(void)
{
    double end = world.clock + LONG;
    if (world.crowded)
        loop_turn(upgrade_make_place);
    for (int turns = 0; world.clock < end && !is_at_rest(); turns++) {
        if (turns == TURNS_MAX)
            judge_fail("the loop spins");
        pass();
        if (!loop_has_timer() && !loop_has_ready())
            return;
    }
}

/* The peer and the network are silent from now on. Every state has an end, but for being open
 * without a heartbeat. */
static void finish_in_silence(void)
{
    const struct steady_stream *stream = world.stream;
    const struct steady_client *c = &world.client;
    let_time_pass();
    if (world.gone)
        return;
    if (c->paused) {
        hear_all();
        let_time_pass();
    }
    hear_all();
    if (stream && stream == world.stream && c->options.heartbeat.on)
        let_time_pass();
    if (!world.gone && stream && stream == world.stream && c->options.heartbeat.on)
        judge_fail("a silent peer is not found out");
    if (world.gone)
        return;
    act_do(ACT_CLOSE);
    let_time_pass();
    if (!is_at_rest())
        judge_fail("close() has no end");
}

/* Has a turn in which the peer says the next word, if it can. */
static bool says(enum peer_word next)
{
    if (!peer_can(next))
        return false;
    word = next;
    loop_turn(say);
    return true;
}

static bool goes_on(void (*event)(void), bool possible)
{
    if (possible)
        loop_turn(event);
    return possible;
}

/* What a good peer does next; false: it has nothing to do. */
static bool peer_acts(void)
{
    bool over = peer_has_ended() || !world.stream || !steady_stream_can_write(world.stream);
    return goes_on(upgrade_make_place, world.crowded) || goes_on(peer_accepts, world.upgrade) ||
           goes_on(stream_takes, stream_is_blocked()) ||
           goes_on(stream_ends, over && stream_can_end()) || (peer_has_half() && says(PEER_HALF)) ||
           says(PEER_PONG) || (wire_peer_has_close() && says(PEER_CLOSE));
}

static bool is_settled(void)
{
    const struct steady_client *c = &world.client;
    return c->link.state == STEADY_LINK_OPEN && !c->queue.waiting_messages &&
           !c->queue.sent_messages && c->session.status == STEADY_STATUS_OPEN;
}

static void settle(void)
{
    for (int turns = 0; !is_at_rest(); turns++) {
        hear_all();
        if (turns == TURNS_MAX)
            judge_fail("the client does not settle");
        if (loop_has_ready())
            loop_turn(NULL);
        else if (!peer_acts()) {
            if (is_settled())
                return;
            if (!loop_has_timer())
                judge_fail("the client hangs");
            loop_wait();
        }
    }
}

/* From now on all goes well: what was accepted has to arrive. */
static void finish_in_peace(void)
{
    settle();
    if (world.gone)
        return;
    if (is_settled())
        messages_check_all();
    act_do(ACT_CLOSE);
    settle();
    if (!is_at_rest())
        judge_fail("close() has no end");
}

/* ------------------------------------------------------------------------- steps */

static void add_network(struct menu *menu)
{
    menu_add(menu, world.upgrade, STEP_ACCEPT, "the server accepts");
    menu_add(menu, world.upgrade, STEP_ACCEPT_AND_SAY,
             "the server accepts, and sends two messages");
    menu_add(menu, world.upgrade, STEP_REFUSE, "the server refuses");
    menu_add(menu, world.upgrade, STEP_BUSY, "the server answers 503");
    menu_add(menu, world.upgrade, STEP_REDIRECT, "the server redirects");
    menu_add(menu,
             world.way->crowded && !world.crowded &&
                 world.client.attempt.state == STEADY_ATTEMPT_NONE,
             STEP_CROWD, "others take all places");
    menu_add(menu, world.crowded, STEP_MAKE_PLACE, "one of the others ends");
    menu_add(menu, stream_can_end(), STEP_END, "the stream ends");
    menu_add(menu, stream_is_blocked(), STEP_WRITABLE, "the stream takes the rest");
    for (int i = PEER_MESSAGE; i <= PEER_BAD; i++)
        menu_add(menu, peer_can((enum peer_word)i), STEP_SAY + i, words[i]);
}

/* A turn is no event: what it does was added by one. */
static void add_steps(struct menu *menu)
{
    if (path_left) {
        menu_add(menu, loop_has_ready(), STEP_TURN, "a turn");
        menu_add(menu, !loop_has_ready() && loop_has_timer(), STEP_WAIT, "the timer is due");
        add_network(menu);
        acts_add(menu, ~(1u << ACT_NONE | 1u << ACT_HALT));
    }
    menu_add(menu, true, STEP_PEACE, "from here on all goes well");
    menu_add(menu, true, STEP_SILENCE, "from here on there is silence");
    menu_add(menu, true, STEP_FREE, "the client is freed");
}

static void take_turn(int step)
{
    static void (*const events[])(void) = {
        [STEP_ACCEPT] = peer_accepts,
        [STEP_ACCEPT_AND_SAY] = peer_accepts_and_says,
        [STEP_REFUSE] = refuse,
        [STEP_BUSY] = busy,
        [STEP_REDIRECT] = upgrade_redirects,
        [STEP_CROWD] = upgrade_crowd,
        [STEP_MAKE_PLACE] = upgrade_make_place,
        [STEP_END] = stream_ends,
        [STEP_WRITABLE] = stream_takes,
    };
    if (step == STEP_WAIT) {
        loop_wait();
    } else if (step >= STEP_SAY) {
        word = (enum peer_word)(step - STEP_SAY);
        loop_turn(say);
    } else {
        loop_turn(step == STEP_TURN ? NULL : events[step]);
    }
}

#define FINALES 3

static void finish(int step)
{
    path_finale = true;
    if (step == STEP_SILENCE)
        finish_in_silence();
    else if (step == STEP_PEACE)
        finish_in_peace();
}

bool step_take(bool finishes)
{
    struct menu menu = {0};
    if (world.gone)
        return false;
    add_steps(&menu);
    menu.skipped = finishes ? 0 : FINALES;
    int step = menu_choose(&menu);
    if (step >= STEP_FREE && step <= STEP_PEACE) {
        finish(step);
        return false;
    }
    path_left -= step != STEP_TURN;
    if (step >= ACTS) {
        take_turn(step);
    } else {
        act_do((enum act)step);
        judge_step(false);
    }
    return true;
}
