/* The owner: its handlers, and the program around them, call whatever they may. */
#include "explore.h"

#include "client/inbox.h"
#include "core/close_code.h"

#include <stdio.h>
#include <string.h>

#define SET(act) (1u << (act))

static const char *const names[2][ACTS] = {
    {
        [ACT_CONNECT] = "connect()",
        [ACT_CONNECT_WITH] = "connect(data)",
        [ACT_SEND] = "send()",
        [ACT_SEND_LARGE] = "send(large)",
        [ACT_CLOSE] = "close()",
        [ACT_RECONNECT] = "reconnect()",
        [ACT_PAUSE] = "pause()",
        [ACT_RESUME] = "resume()",
        [ACT_PING] = "ping()",
        [ACT_DISCARD] = "discard()",
        [ACT_TAKE] = "takes a message",
        [ACT_BLOCK] = "the program does something else for 10 s",
    },
    {
        [ACT_CONNECT] = "        the handler calls connect()",
        [ACT_CONNECT_WITH] = "        the handler calls connect(data)",
        [ACT_SEND] = "        the handler calls send()",
        [ACT_SEND_LARGE] = "        the handler calls send(large)",
        [ACT_CLOSE] = "        the handler calls close()",
        [ACT_RECONNECT] = "        the handler calls reconnect()",
        [ACT_PAUSE] = "        the handler calls pause()",
        [ACT_RESUME] = "        the handler calls resume()",
        [ACT_PING] = "        the handler calls ping()",
        [ACT_DISCARD] = "        the handler calls discard()",
        [ACT_TAKE] = "        the handler takes a message",
        [ACT_BLOCK] = "        the handler takes 10 s",
        [ACT_HALT] = "        the handler raises an error",
    },
};

static bool makes_sense(enum act act)
{
    const struct steady_client *c = &world.client;
    enum steady_status status = c->session.status;
    bool active = steady_session_active(&c->session), closing = status == STEADY_STATUS_CLOSING;
    switch (act) {
    case ACT_CONNECT:
    case ACT_CONNECT_WITH:
        return !active;
    case ACT_SEND:
    case ACT_SEND_LARGE:
    case ACT_CLOSE:
        return !closing && status != STEADY_STATUS_CLOSED;
    case ACT_RECONNECT:
        return active && !closing;
    case ACT_PAUSE:
        return !c->paused;
    case ACT_RESUME:
        return c->paused;
    case ACT_PING:
        return status == STEADY_STATUS_OPEN;
    case ACT_DISCARD:
        return c->queue.waiting_messages + c->greetings.waiting_messages;
    case ACT_TAKE:
        return c->inbox.waiting_messages;
    case ACT_BLOCK:
        return active && world.clock - world.loop.absence.polled_until < BLOCKED / 2;
    default:
        return true;
    }
}

void acts_add(struct menu *menu, unsigned set)
{
    bool inside = steady_loop_is_turning(&world.loop);
    for (int act = 0; act < ACTS; act++)
        menu_add(menu, set & SET(act) && makes_sense((enum act)act), act, names[inside][act]);
}

/* ------------------------------------------------------------------------- calls */

static size_t write_text(char text[1200], int id, bool large)
{
    memset(text, '.', 1200);
    text[0] = 'm';
    for (int i = 4; i > 0; i--, id /= 10)
        text[i] = (char)('0' + id % 10);
    return large ? 1200 : 5;
}

/* It may go out at once, so it is in the books before. */
static void send_message(bool large)
{
    struct steady_client *c = &world.client;
    char text[1200];
    int id = messages_next();
    size_t size = write_text(text, id, large);
    if (c->link.state == STEADY_LINK_GREETING)
        messages_accepted_in_greeting(id);
    else
        messages_accepted(id);
    if (steady_client_send(c, (const uint8_t *)text, size, false))
        messages_refused(id);
}

static void connect_client(bool with)
{
    char text[1200];
    int id = messages_next();
    size_t size = write_text(text, id, false);
    if (steady_client_connect(&world.client, with ? (const uint8_t *)text : NULL, size, false))
        return;
    judge_connect();
    if (with)
        messages_accepted_first(id);
}

static void take(void)
{
    if (steady_inbox_peek(&world.client))
        steady_client_taken(&world.client);
}

void act_do(enum act act)
{
    struct steady_client *c = &world.client;
    switch (act) {
    case ACT_CONNECT:
    case ACT_CONNECT_WITH:
        connect_client(act == ACT_CONNECT_WITH);
        break;
    case ACT_SEND:
    case ACT_SEND_LARGE:
        send_message(act == ACT_SEND_LARGE);
        break;
    case ACT_CLOSE:
        if (makes_sense(ACT_CLOSE) && !steady_client_close(c, 1000, "bye", 3))
            judge_close();
        break;
    case ACT_RECONNECT:
        judge_cut();
        steady_client_reconnect(c, STEADY_CLOSE_NORMAL, NULL, 0);
        break;
    case ACT_PAUSE:
    case ACT_RESUME:
        steady_client_pause(c, act == ACT_PAUSE);
        break;
    case ACT_PING:
        steady_client_ping(c, (const uint8_t *)"hand", 4);
        break;
    case ACT_DISCARD:
        steady_client_discard(c);
        break;
    case ACT_TAKE:
        take();
        break;
    case ACT_BLOCK:
        world.clock += BLOCKED;
        break;
    case ACT_HALT:
        world.loop.mode = STEADY_LOOP_HALTED;
        break;
    default:
        break;
    }
}

static void act_inside(unsigned set)
{
    struct menu menu = {0};
    acts_add(&menu, SET(ACT_NONE) | set);
    act_do((enum act)menu_choose_inside(&menu));
}

/* ------------------------------------------------------------------------- handlers */

static unsigned acts_of(enum steady_event_type type)
{
    const unsigned any = SET(ACT_CLOSE) | SET(ACT_RECONNECT) | SET(ACT_HALT);
    switch (type) {
    case STEADY_EVENT_OPEN:
        return any | SET(ACT_SEND) | SET(ACT_SEND_LARGE) | SET(ACT_PAUSE) | SET(ACT_BLOCK) |
               SET(ACT_PING);
    case STEADY_EVENT_MESSAGE:
        return any | SET(ACT_SEND) | SET(ACT_PAUSE) | SET(ACT_BLOCK);
    case STEADY_EVENT_CLOSE:
        return any | SET(ACT_CONNECT) | SET(ACT_CONNECT_WITH) | SET(ACT_SEND) | SET(ACT_DISCARD);
    case STEADY_EVENT_ERROR:
    case STEADY_EVENT_STATUS:
        return any | SET(ACT_CONNECT) | SET(ACT_SEND) | SET(ACT_BLOCK);
    default:
        return any | SET(ACT_SEND);
    }
}

static void handle(const struct steady_event *event)
{
    judge_event(event);
    if (event->type == STEADY_EVENT_INCOMPLETE)
        world.loop.mode = STEADY_LOOP_HALTED;
    else if (event->type != STEADY_EVENT_MESSAGE || !world.way->keeps)
        act_inside(acts_of(event->type));
    else if (!steady_inbox_keep(&world.client, event))
        world.loop.mode = STEADY_LOOP_HALTED;
}

static void deliver(struct steady_client *c)
{
    struct steady_event event;
    world.deliveries++;
    while (!steady_loop_is_halted(&world.loop) && steady_client_next(c, &event))
        handle(&event);
    if (world.way->watches && !steady_loop_is_halted(&world.loop))
        act_inside(SET(ACT_SEND) | SET(ACT_CLOSE) | SET(ACT_CONNECT) | SET(ACT_TAKE));
}

static void release(struct steady_client *c)
{
    judge_release();
    if (!world.way->frees)
        return;
    steady_client_free(c);
    world.gone = true;
}

static bool prepare(struct steady_client *c, char *message, size_t size)
{
    struct menu menu = {0};
    (void)c;
    acts_add(&menu, SET(ACT_NONE) | SET(ACT_CLOSE) | SET(ACT_RECONNECT) | SET(ACT_BLOCK));
    menu_add(&menu, true, ACTS, "        the provider fails");
    int act = menu_choose_inside(&menu);
    if (act == ACTS)
        snprintf(message, size, "the provider fails");
    else
        act_do((enum act)act);
    return act != ACTS;
}

/* It is asked also when another handler has raised an error in this turn. */
static double decide(struct steady_client *c, const struct steady_event *event)
{
    struct menu menu = {0};
    (void)c;
    if (event->delay < 0)
        return event->delay;
    acts_add(&menu, SET(ACT_NONE) | SET(ACT_CLOSE) | SET(ACT_RECONNECT) | SET(ACT_HALT));
    menu_add(&menu, true, ACTS, "        should_reconnect says no");
    menu_add(&menu, true, ACTS + 1, "        should_reconnect says at once");
    int act = menu_choose_inside(&menu);
    if (act >= ACTS)
        return act == ACTS ? -1 : 0;
    act_do((enum act)act);
    return event->delay;
}

const struct steady_client_owner owner_calls = {deliver, release, prepare, decide};
