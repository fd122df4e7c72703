/* Explores every order of events of a client, up to a number of events that grows until the time is
 * over:
 *
 *     explore [seconds [events]]
 *
 * An event is a call of the user's, something that the peer, the network or time does, and whatever
 * unusual happens inside of it: a call that a handler makes, an error that it raises, memory that
 * cannot be had, a write that is taken in part. */
#include "explore.h"

#include "client/trace.h"
#include "core/option_values.h"

#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct world world;

static unsigned long runs, steps;

/* ------------------------------------------------------------------------- ways */

static void set_plain(struct steady_options *options)
{
    options->heartbeat.on = 1;
}

static void set_confirm(struct steady_options *options)
{
    options->heartbeat.on = 1;
    options->confirm = true;
}

static void set_bounds(struct steady_options *options)
{
    options->queue.max_messages = 2;
    options->queue.overflow = STEADY_OVERFLOW_DROP_OLDEST;
    options->queue.ttl = 3;
    options->high_water = 4;
    options->low_water = 0;
}

static void set_inbox(struct steady_options *options)
{
    options->inbox.max_bytes = 40;
    options->confirm = true;
}

static void set_few(struct steady_options *options)
{
    options->session.max_attempts = 2;
}

static void set_text(struct steady_options *options)
{
    options->heartbeat.on = 1;
    options->heartbeat.message = explore_strdup("well?");
    options->heartbeat.reply = explore_strdup("ok");
}

const struct way ways[] = {
    {.name = "plain", .set = set_plain, .pings = true},
    {.name = "confirm", .set = set_confirm},
    {.name = "bounds", .set = set_bounds},
    {.name = "inbox", .set = set_inbox, .keeps = true, .watches = true},
    {.name = "few attempts", .set = set_few, .frees = true},
    {.name = "text heartbeat", .set = set_text, .watches = true},
    {.name = "traced", .set = set_confirm, .traces = true},
    {.name = "crowded", .set = set_plain, .crowded = true},
};

const int way_count = sizeof ways / sizeof *ways;

static void set_options(struct steady_options *options)
{
    steady_options_init(options);
    options->name = explore_strdup("explored");
    options->session = (struct steady_session_options){
        .backoff = {.min_delay = 1, .max_delay = 2, .factor = 2},
        .min_uptime = 3,
        .max_attempts = INFINITY,
        .connect_timeout = 4,
        .close_timeout = 2,
        .reconnect = 1,
    };
    options->redirects = 2;
    options->heartbeat = (struct steady_heartbeat_options){.interval = 5, .timeout = 3};
    if (steady_options_add_url(options, "ws://127.0.0.1/", 15))
        abort();
}

/* ------------------------------------------------------------------------- runs */

static void choose_way(void)
{
    struct menu menu = {0};
    for (int i = 0; i < way_count; i++)
        menu_add(&menu, true, i, ways[i].name);
    world.way = &ways[menu_choose(&menu)];
}

static void begin(int events)
{
    memset(&world, 0, sizeof world);
    path_begin(events);
    choose_way();
    loop_begin();
    judge_begin();
    messages_begin();
    set_options(&world.client.options);
    world.way->set(&world.client.options);
    if (!steady_client_init(&world.client, &world.loop, &owner_calls))
        abort();
    world.client.watched = world.way->watches;
    if (world.way->crowded)
        upgrade_crowd();
    if (world.way->traces)
        steady_client_trace(&world.client, STEADY_LEVEL_TRACE);
    world.started = true;
}

static void end(void)
{
    path_finale = true;
    if (!world.gone)
        steady_client_free(&world.client);
    loop_end();
    judge_end();
}

static void run(int events)
{
    enum novelty novelty;
    begin(events);
    do {
        steps++;
        novelty = path_is_replay() ? STATE_DEEPER : state_note(state_number(), path_left);
    } while (novelty != STATE_KNOWN && step_take(novelty == STATE_NEW));
    end();
    runs++;
}

static double seconds_since(const struct timespec *start)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)(now.tv_sec - start->tv_sec) + (double)(now.tv_nsec - start->tv_nsec) / 1e9;
}

/* The way to what went wrong, also when an assertion of the client's has failed. */
static void tell_path(int signal)
{
    (void)signal;
    fprintf(stderr, "after\n");
    path_print();
    _Exit(1);
}

int main(int argc, char **argv)
{
    double limit = argc > 1 ? atof(argv[1]) : 60;
    int most = argc > 2 ? atoi(argv[2]) : 100;
    struct timespec start;
    clock_gettime(CLOCK_MONOTONIC, &start);
    signal(SIGABRT, tell_path);
    for (int events = 1; events <= most; events++) {
        bool more = true;
        while (more) {
            run(events);
            more = path_next();
            if (runs % 1024 == 0 && seconds_since(&start) > limit)
                break;
        }
        printf("%d events%s: %lu sequences, %lu steps, %lu states, %.1f s\n", events,
               more ? ", in part" : "", runs, steps, state_count(), seconds_since(&start));
        fflush(stdout);
        if (more)
            break;
    }
    return 0;
}
