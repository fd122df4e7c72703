/* The loop: rings of what is ready and of timers that are due as in src/loop, a clock that goes on
 * only when it is told to, and a poll in which the event of the step happens. */
#include "explore.h"

#include <math.h>

struct steady_timer {
    struct steady_ready ready; /* the first member */
    double at;                 /* INFINITY: not armed */
    void (*due)(void *owner);
    void *owner;
};

/* Seconds of a turn that may go by outside of polling before the loop counts as absent. */
#define ABSENCE 0.1

unsigned steady_process;

/* ------------------------------------------------------------------------- what is ready */

void steady_ready_add(struct steady_loop *loop, struct steady_ready *ready)
{
    steady_ready_list_add(&loop->ready, ready);
}

static void run_list(struct steady_ready_list *list)
{
    struct steady_ready *ready;
    steady_ready_list_begin(list, world.clock);
    while (!steady_loop_is_halted(&world.loop) && (ready = steady_ready_list_take(list)))
        ready->run(ready);
}

/* ------------------------------------------------------------------------- services */

void *steady_loop_service(struct steady_loop *loop, const struct steady_service_kind *kind)
{
    struct steady_service *service = loop->residents.services;
    while (service && service->kind != kind)
        service = service->next;
    if (service || !(service = explore_calloc(1, kind->size)))
        return service;
    service->kind = kind;
    service->loop = loop;
    kind->open(service);
    service->next = loop->residents.services;
    loop->residents.services = service;
    return service;
}

/* ------------------------------------------------------------------------- time */

double steady_loop_now(const struct steady_loop *loop)
{
    (void)loop;
    return world.turned;
}

double steady_loop_exact_time(struct steady_loop *loop)
{
    (void)loop;
    return world.turned = world.clock;
}

double steady_loop_handled_until(struct steady_loop *loop)
{
    return steady_loop_exact_time(loop);
}

double steady_loop_absent(const struct steady_loop *loop)
{
    return loop->absence.seconds + fmax(world.clock - loop->absence.polled_until - ABSENCE, 0);
}

double steady_random_number(void)
{
    return 0.5;
}

struct steady_timer *steady_timer_new(struct steady_loop *loop, void (*due)(void *owner),
                                      void *owner)
{
    (void)loop;
    struct steady_timer *timer = explore_calloc(1, sizeof *timer);
    if (!timer)
        return NULL;
    *timer = (struct steady_timer){.at = INFINITY, .due = due, .owner = owner};
    if (world.timer)
        judge_fail("a client has two timers");
    world.timer = timer;
    return timer;
}

void steady_timer_start(struct steady_timer *timer, double seconds)
{
    steady_ready_remove(&timer->ready);
    timer->at = world.clock + fmax(seconds, 0);
}

void steady_timer_stop(struct steady_timer *timer)
{
    steady_ready_remove(&timer->ready);
    timer->at = INFINITY;
}

void steady_timer_free(struct steady_timer *timer)
{
    if (!timer)
        return;
    steady_timer_stop(timer);
    world.timer = NULL;
    explore_free(timer);
}

static void run_timer(struct steady_ready *ready)
{
    struct steady_timer *timer = (struct steady_timer *)ready; /* its first member */
    timer->due(timer->owner);
}

static void expire(void)
{
    struct steady_timer *timer = world.timer;
    world.turned = world.clock;
    if (!timer || timer->at > world.clock)
        return;
    timer->at = INFINITY;
    timer->ready.run = run_timer;
    steady_ready_list_add(&world.loop.due, &timer->ready);
}

bool loop_has_ready(void)
{
    return !steady_ready_list_is_empty(&world.loop.ready) ||
           !steady_ready_list_is_empty(&world.loop.due);
}

bool loop_has_timer(void)
{
    return world.timer && (!isinf(world.timer->at) || world.timer->ready.next);
}

/* ------------------------------------------------------------------------- turns */

static void count_absence(void)
{
    double away = world.clock - world.loop.absence.polled_until;
    world.loop.absence.seconds += fmax(away - ABSENCE, 0);
    world.waited += fmin(away, ABSENCE);
    world.loop.absence.polled_until = world.clock;
}

/* Until the timer, if that is what is waited for. */
static void poll(void (*event)(void), bool waits)
{
    count_absence();
    if (waits && world.timer && !isinf(world.timer->at) && world.timer->at > world.clock) {
        world.waited += world.timer->at - world.clock;
        world.loop.absence.polled_until = world.clock = world.timer->at;
    }
    world.turned = world.clock;
    if (event && !steady_loop_is_halted(&world.loop))
        event();
}

static void turn(void (*event)(void), bool waits)
{
    world.deliveries = 0;
    world.loop.mode = STEADY_LOOP_RUNS;
    expire();
    run_list(&world.loop.ready);
    poll(event, waits);
    expire();
    run_list(&world.loop.due);
    bool halted = steady_loop_is_halted(&world.loop);
    world.loop.mode = STEADY_LOOP_RESTS;
    judge_step(!halted);
}

void loop_turn(void (*event)(void))
{
    turn(event, false);
}

void loop_wait(void)
{
    turn(NULL, true);
}

/* ------------------------------------------------------------------------- life cycle */

void loop_begin(void)
{
    struct steady_loop *loop = &world.loop;
    world.clock = world.turned = loop->absence.polled_until = 1000;
    steady_ready_list_init(&loop->ready);
    steady_ready_list_init(&loop->due);
    loop->process = steady_process;
}

void loop_end(void)
{
    while (world.loop.residents.services) {
        struct steady_service *service = world.loop.residents.services;
        world.loop.residents.services = service->next;
        service->kind->close(service);
        explore_free(service);
    }
}
