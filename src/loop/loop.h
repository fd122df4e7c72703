/* The event loop of one Lua state: a libuv loop of our own. It runs turns, and knows nobody who
 * lives on it. Not thread-safe; several loops in several threads are independent of each other.
 *
 * A turn polls once. Within it, in this order: what was ready before is run, sockets are polled and
 * their events handled, and timers that are due are called. So a deadline is judged after what had
 * come by then was heard, also when a handler has blocked the loop for long. */
#ifndef STEADY_LOOP_LOOP_H
#define STEADY_LOOP_LOOP_H

#include "loop/absence.h"
#include "loop/process.h"
#include "loop/resident.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

struct steady_loop;

/* Something to be run in a turn. Zeroed, with `run` set, it is in no list. */
struct steady_ready {
    struct steady_ready *next, *previous; /* in a ring; next is NULL when it is in none */
    void (*run)(struct steady_ready *ready);
};

enum steady_loop_mode {
    STEADY_LOOP_RESTS, /* neither run nor step is under way */
    STEADY_LOOP_RUNS,
    STEADY_LOOP_HALTED, /* by steady_loop_halt: hands nothing more to Lua, and ends */
};

struct steady_loop {
    uv_loop_t uv;
    uv_idle_t turn;   /* active while anything is ready, so that polling does not block */
    uv_timer_t limit; /* of steady_loop_step */
    uv_prepare_t before_poll;
    uv_check_t after_poll;

    struct steady_ready ready; /* head of the ring of what is to be run in the next turn */
    struct steady_ready due;   /* head of the ring of timers that are due, see loop/timer */
    struct steady_ready last;  /* marks the end of what is run now, in one of both */
    struct steady_residents residents;

    enum steady_loop_mode mode;
    bool stopped;  /* steady_loop_stop was called since the last run or step began */
    bool happened; /* something was called in this turn, so there is no need to wait any more */
    bool changed;  /* something was added to do since the last run or step */
    size_t alive;  /* clients, timers and tasks that keep steady_loop_run going */

    struct steady_absence absence;
    unsigned process;          /* steady_process when it was made */
    bool left;                 /* see loop/leave */
    struct steady_loop *outer; /* what this thread was running when this one began to run */
};

/* Returns 0, or a negative libuv error; then there is nothing to close. */
int steady_loop_init(struct steady_loop *loop);

/* Ends everything on the loop without a callback to any client, then frees it. */
void steady_loop_close(struct steady_loop *loop);

/* Whether the loop was made by a process of which this one is a fork. Everything on it belongs to
 * that process: it is neither to be used nor to be run here any more. A fork inside of its run or
 * step halts it. */
static inline bool steady_loop_is_foreign(const struct steady_loop *loop)
{
    return loop->process != steady_process;
}

static inline bool steady_loop_is_running(const struct steady_loop *loop)
{
    return loop->mode != STEADY_LOOP_RESTS;
}

static inline bool steady_loop_is_halted(const struct steady_loop *loop)
{
    return loop->mode == STEADY_LOOP_HALTED;
}

/* Runs until nothing is alive, steady_loop_stop, or steady_loop_halt. */
void steady_loop_run(struct steady_loop *loop);

/* One turn; waits at most `seconds` for something to happen, for ever if negative. Returns whether
 * anything is alive afterwards; when nothing is, it does not wait. */
bool steady_loop_step(struct steady_loop *loop, double seconds);

/* Something was given to the loop to do. */
void steady_loop_changed(struct steady_loop *loop);

/* Ends the run or step that is under way after its turn; without one, does nothing. */
void steady_loop_stop(struct steady_loop *loop);

/* Stops, and hands nothing more to Lua in this turn: a handler has failed. The next run or step
 * goes on with what was not handed over. */
void steady_loop_halt(struct steady_loop *loop);

/* For another event loop: a descriptor to poll for reading, and how long to wait at most before the
 * next step: seconds from now, negative for ever. */
int steady_loop_fd(const struct steady_loop *loop);
double steady_loop_timeout(struct steady_loop *loop);

/* Another event loop polls the descriptor for so many seconds, negative for ever: that time is no
 * absence. The promise ends with the next turn, and when somebody gives the loop something to do.
 */
void steady_loop_promise(struct steady_loop *loop, double seconds);

/* Seconds on the loop's clock, which is monotonic: as of this turn's beginning, or exactly. */
double steady_loop_now(const struct steady_loop *loop);
double steady_loop_time(struct steady_loop *loop);

/* Seconds, in all, during which the loop was kept from polling: by a handler that took long, by a
 * program that did something else between two steps, or since the process was stopped. Who waits
 * for a peer has not waited meanwhile. Of each turn the first tenth of a second does not count. */
double steady_loop_absent(const struct steady_loop *loop);

/* Adds something to what is run in the next turn; once is enough. */
void steady_ready_add(struct steady_loop *loop, struct steady_ready *ready);
void steady_ready_remove(struct steady_ready *ready);

/* The same for a timer that is due: it is run after the loop has polled. For loop/timer. */
void steady_due_add(struct steady_loop *loop, struct steady_ready *ready);

/* The loop's service of a kind, opened when there is none yet. NULL: out of memory. */
void *steady_loop_service(struct steady_loop *loop, const struct steady_service_kind *kind);

#endif
