#include "loop/loop.h"

#include "core/number.h"
#include "loop/descriptor.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define SLICE 5000000 /* nanoseconds after which a part of a turn ends */

/* The loop that this thread is running. It is not _Thread_local, because LeakSanitizer then takes
 * the memory in front of a module's thread-local memory for a header of the C library's, and
 * crashes. */
static uv_key_t innermost;

/* ------------------------------------------------------------------------- what is ready */

bool steady_loop_has_time(struct steady_loop *loop)
{
    if (loop->slice != 0)
        return uv_hrtime() < loop->slice;
    loop->slice = uv_now(&loop->uv) * 1000000 + SLICE; /* libuv has just read the clock */
    return true;
}

bool steady_loop_is_behind(const struct steady_loop *loop)
{
    return steady_ready_list_is_behind(&loop->ready);
}

double steady_loop_handled_until(struct steady_loop *loop)
{
    return fmin(steady_loop_exact_time(loop), steady_ready_list_run_until(&loop->ready));
}

/* Runs what waits in a list, as long as there is time. */
static void run_list(struct steady_loop *loop, struct steady_ready_list *list)
{
    struct steady_ready *ready;
    loop->slice = 0;
    steady_ready_list_begin(list, steady_loop_exact_time(loop));
    while (!steady_loop_is_halted(loop) && steady_loop_has_time(loop) &&
           (ready = steady_ready_list_take(list))) {
        loop->happened = true;
        ready->run(ready);
    }
}

static void run_ready(uv_idle_t *turn)
{
    struct steady_loop *loop = turn->data;
    run_list(loop, &loop->ready);
    if (steady_ready_list_is_empty(&loop->ready))
        uv_idle_stop(turn);
}

void steady_ready_add(struct steady_loop *loop, struct steady_ready *ready)
{
    if (ready->next)
        return;
    steady_loop_changed(loop);
    steady_ready_list_add(&loop->ready, ready);
    if (!uv_is_closing((uv_handle_t *)&loop->turn))
        uv_idle_start(&loop->turn, run_ready);
}

void steady_due_add(struct steady_loop *loop, struct steady_ready *ready)
{
    steady_ready_list_add(&loop->due, ready);
}

double steady_loop_absent(const struct steady_loop *loop)
{
    return steady_absence_total(&loop->absence);
}

void steady_loop_promise(struct steady_loop *loop, double seconds)
{
    steady_absence_promise(&loop->absence, seconds);
}

void steady_loop_changed(struct steady_loop *loop)
{
    loop->changed = true;
    if (!steady_loop_is_turning(loop))
        steady_absence_end_promise(&loop->absence);
}

/* Keeps libuv from waiting in its poll when something has just happened in its timers, or in the
 * code that was ready. */
static void before_poll(uv_prepare_t *prepare)
{
    struct steady_loop *loop = prepare->data;
    loop->slice = 0;
    if (loop->happened || !loop->alive || !steady_ready_list_is_empty(&loop->due))
        uv_stop(&loop->uv);
    steady_absence_before_poll(&loop->absence, uv_backend_timeout(&loop->uv));
}

static void after_poll(uv_check_t *check)
{
    struct steady_loop *loop = check->data;
    steady_absence_after_poll(&loop->absence, steady_loop_now(loop));
}

void *steady_loop_service(struct steady_loop *loop, const struct steady_service_kind *kind)
{
    return steady_residents_service(&loop->residents, loop, kind);
}

/* ------------------------------------------------------------------------- life cycle */

/* Halts the loops that are running. The child keeps their descriptors until its program uses one of
 * these loops again, which a child that runs another program never does. */
static void halt_in_child(void)
{
    for (struct steady_loop *loop = uv_key_get(&innermost); loop; loop = loop->outer)
        steady_loop_halt(loop);
}

static bool has_key;

static void set_up_process(void)
{
    if (uv_key_create(&innermost))
        abort(); /* cannot happen: a process has hundreds of keys */
    has_key = true;
    steady_process_watch_forks();
    steady_process_at_fork(STEADY_LOCK_LIBRARY, NULL, halt_in_child);
}

/* Runs when Lua unloads the module. */
__attribute__((destructor)) static void give_key_back(void)
{
    if (has_key)
        uv_key_delete(&innermost);
}

static void init_handles(struct steady_loop *loop)
{
    uv_idle_init(&loop->uv, &loop->turn);
    uv_timer_init(&loop->uv, &loop->limit);
    uv_prepare_init(&loop->uv, &loop->before_poll);
    uv_check_init(&loop->uv, &loop->after_poll);
    loop->turn.data = loop->before_poll.data = loop->after_poll.data = loop;
    uv_prepare_start(&loop->before_poll, before_poll);
    uv_check_start(&loop->after_poll, after_poll);
    uv_unref((uv_handle_t *)&loop->before_poll);
    uv_unref((uv_handle_t *)&loop->after_poll);
}

int steady_loop_init(struct steady_loop *loop)
{
    memset(loop, 0, sizeof *loop);
    int error = steady_descriptor_check();
    if (!error)
        error = uv_loop_init(&loop->uv);
    if (error)
        return error;
    static uv_once_t once = UV_ONCE_INIT;
    /* This follows uv_loop_init, since in a child libuv's own handler has to run first. */
    uv_once(&once, set_up_process);
    steady_ready_list_init(&loop->ready);
    steady_ready_list_init(&loop->due);
    steady_residents_init(&loop->residents);
    loop->process = steady_process;
    steady_absence_init(&loop->absence);
    loop->uv.data = loop;
    init_handles(loop);
    return 0;
}

void steady_loop_close(struct steady_loop *loop)
{
    loop->mode = STEADY_LOOP_HALTED;
    uv_close((uv_handle_t *)&loop->turn, NULL);
    uv_close((uv_handle_t *)&loop->limit, NULL);
    steady_residents_close(&loop->residents);
    uv_close((uv_handle_t *)&loop->before_poll, NULL);
    uv_close((uv_handle_t *)&loop->after_poll, NULL);
    while (uv_run(&loop->uv, UV_RUN_DEFAULT)) {
    }
    uv_loop_close(&loop->uv);
    steady_residents_free_services(&loop->residents);
}

/* ------------------------------------------------------------------------- running */

static void begin(struct steady_loop *loop)
{
    loop->outer = uv_key_get(&innermost);
    uv_key_set(&innermost, loop);
    loop->mode = STEADY_LOOP_RUNS;
    loop->stopped = false;
    if (!steady_ready_list_is_empty(&loop->ready))
        uv_idle_start(&loop->turn, run_ready);
}

static void end(struct steady_loop *loop)
{
    loop->mode = STEADY_LOOP_RESTS;
    loop->changed = false;
    uv_key_set(&innermost, loop->outer);
}

static void turn(struct steady_loop *loop, uv_run_mode mode)
{
    loop->happened = false;
    uv_run(&loop->uv, mode);
    if (!steady_ready_list_is_empty(&loop->due))
        run_list(loop, &loop->due);
}

void steady_loop_run(struct steady_loop *loop)
{
    begin(loop);
    while (loop->alive && !loop->stopped && !steady_loop_is_halted(loop))
        turn(loop, UV_RUN_ONCE);
    end(loop);
}

/* The only purpose of this timer is to end the poll. */
static void limit_reached(uv_timer_t *limit)
{
    (void)limit;
}

bool steady_loop_step(struct steady_loop *loop, double seconds)
{
    begin(loop);
    if (seconds == 0) {
        turn(loop, UV_RUN_NOWAIT);
    } else if (loop->alive) {
        uv_update_time(&loop->uv);
        if (seconds > 0)
            uv_timer_start(&loop->limit, limit_reached,
                           steady_uint64(ceil(fmin(seconds, 1e12) * 1000)), 0);
        turn(loop, UV_RUN_ONCE);
        uv_timer_stop(&loop->limit);
    }
    end(loop);
    return loop->alive > 0;
}

void steady_loop_stop(struct steady_loop *loop)
{
    loop->stopped = true;
    if (steady_loop_is_turning(loop)) /* otherwise libuv would apply it to the next turn */
        uv_stop(&loop->uv);
}

void steady_loop_halt(struct steady_loop *loop)
{
    loop->mode = STEADY_LOOP_HALTED;
    uv_idle_stop(&loop->turn);
    uv_stop(&loop->uv);
}

int steady_loop_fd(const struct steady_loop *loop)
{
    return uv_backend_fd(&loop->uv);
}

double steady_loop_timeout(struct steady_loop *loop)
{
    /* After a halt, libuv does not know that something is ready. */
    if (!steady_ready_list_is_empty(&loop->ready) || !steady_ready_list_is_empty(&loop->due))
        return 0;
    if (!loop->alive) /* libuv knows of nothing but the timers of libwebsockets then */
        return -1;
    uv_update_time(&loop->uv);
    int milliseconds = uv_backend_timeout(&loop->uv);
    return milliseconds < 0 ? -1 : milliseconds / 1000.0;
}

double steady_loop_now(const struct steady_loop *loop)
{
    return (double)uv_now(&loop->uv) / 1000;
}

double steady_loop_exact_time(struct steady_loop *loop)
{
    uv_update_time(&loop->uv);
    return steady_loop_now(loop);
}
