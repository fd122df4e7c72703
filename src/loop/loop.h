/* The event loop of one Lua state, which is a libuv loop of its own. It runs turns, and knows
 * nothing about the code that lives on it. A loop is not thread-safe; several loops in several
 * threads are independent of each other.
 *
 * A turn polls once. It does this in order: it runs what was ready before, polls the sockets and
 * handles their events, and calls the timers that are due. Each of the three parts ends after some
 * milliseconds, and what is left of it waits for the next turn. So a deadline is judged after
 * everything that had arrived by then was handled, even when a handler has blocked the loop for
 * long, and thousands of events at once do not keep the loop from polling. */
#ifndef STEADY_LOOP_LOOP_H
#define STEADY_LOOP_LOOP_H

#include "loop/absence.h"
#include "loop/process.h"
#include "loop/ready.h"
#include "loop/resident.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

struct steady_loop;

enum steady_loop_mode {
    STEADY_LOOP_RESTS, /* neither run nor step is under way */
    STEADY_LOOP_RUNS,
    STEADY_LOOP_HALTED, /* steady_loop_halt was called: nothing more is handed to Lua, and the run
                           or step ends */
};

struct steady_loop {
    uv_loop_t uv;
    uv_idle_t turn;   /* active while something is ready, so that polling does not block */
    uv_timer_t limit; /* the limit of steady_loop_step */
    uv_prepare_t before_poll;
    uv_check_t after_poll;

    struct steady_ready_list ready; /* runs in the next turn */
    struct steady_ready_list due;   /* the timers that are due, see loop/timer */
    struct steady_residents residents;

    enum steady_loop_mode mode;
    bool stopped;   /* whether steady_loop_stop was called since the last run or step began */
    bool happened;  /* whether something has run in this turn, so that there is no need to wait any
                       more */
    bool changed;   /* whether the loop has got something to do since the last run or step */
    uint64_t slice; /* when this part of a turn has to end, in uv_hrtime; 0 when it has not begun */
    size_t alive;   /* clients, timers and tasks that keep steady_loop_run going */

    struct steady_absence absence;
    unsigned process; /* the value of steady_process when the loop was made */
    bool left;        /* whether steady_loop_leave was called, see loop/leave */
    /* The loop that this thread was running when it began to run this one. */
    struct steady_loop *outer;
};

/* Makes a loop. Returns 0, or a negative libuv error; then there is nothing to close. */
int steady_loop_init(struct steady_loop *loop);

/* Ends everything on the loop, without any call to those who use it, and then frees what the loop
 * holds. */
void steady_loop_close(struct steady_loop *loop);

/* Returns whether the loop was made by a process of which this one is a fork. Everything on the
 * loop belongs to that process, and neither the loop nor anything on it may be used here any more.
 * A fork during a run or step halts the loop in the child. */
static inline bool steady_loop_is_foreign(const struct steady_loop *loop)
{
    return loop->process != steady_process;
}

static inline bool steady_loop_is_turning(const struct steady_loop *loop)
{
    return loop->mode != STEADY_LOOP_RESTS;
}

static inline bool steady_loop_is_halted(const struct steady_loop *loop)
{
    return loop->mode == STEADY_LOOP_HALTED;
}

/* Runs the loop until nothing is alive, or steady_loop_stop or steady_loop_halt is called. */
void steady_loop_run(struct steady_loop *loop);

/* Runs one turn, which waits at most `seconds` for something to happen, or without a limit when
 * `seconds` is negative. When nothing is alive, it does not wait. Returns whether anything is alive
 * afterwards. */
bool steady_loop_step(struct steady_loop *loop, double seconds);

/* Returns whether the present part of the turn may go on. If not, what is left of it has to wait
 * for the next turn. */
bool steady_loop_has_time(struct steady_loop *loop);

/* Returns whether the loop needs several turns for what is ready. An event of a socket then has to
 * wait behind all that, because otherwise one busy socket would come first in each turn. */
bool steady_loop_is_behind(const struct steady_loop *loop);

/* Returns a time of steady_loop_exact_time. Everything that had arrived by that time has been
 * handled, and a deadline that is later cannot be judged yet. */
double steady_loop_handled_until(struct steady_loop *loop);

/* Notes that the loop has got something to do. Outside of a run or step nobody polls for the loop
 * at that moment, so another loop's promise to poll ends. */
void steady_loop_changed(struct steady_loop *loop);

/* Ends the run or step that is under way after its present turn. Does nothing when none is under
 * way. */
void steady_loop_stop(struct steady_loop *loop);

/* Ends the run or step, and hands nothing more to Lua in this turn. This is for a handler that has
 * failed. The next run or step goes on with everything that was not handed over. */
void steady_loop_halt(struct steady_loop *loop);

/* These functions are for another event loop. steady_loop_fd returns a descriptor to poll for
 * reading. steady_loop_timeout returns after how many seconds the next step has to follow at the
 * latest, or a negative number when there is no limit. */
int steady_loop_fd(const struct steady_loop *loop);
double steady_loop_timeout(struct steady_loop *loop);

/* Notes that another event loop will poll the descriptor for so many seconds, or without a limit
 * when `seconds` is negative. That time is not an absence. The promise ends with the next turn, or
 * when somebody gives the loop something to do. */
void steady_loop_promise(struct steady_loop *loop, double seconds);

/* These functions return seconds on the loop's clock, which is monotonic: the time at the beginning
 * of this turn, and the exact time. */
double steady_loop_now(const struct steady_loop *loop);
double steady_loop_exact_time(struct steady_loop *loop);

/* Returns the total of the seconds during which the loop was kept from polling: by a handler that
 * took long, by a program that did something else between two steps, or because the process was
 * stopped. A client that waits for its peer does not count this time, since it could not hear the
 * peer. The first tenth of a second of each turn does not count as absence. */
double steady_loop_absent(const struct steady_loop *loop);

/* steady_ready_add adds something to run in the next turn. Adding it twice makes no difference.
 * steady_ready_remove removes it again. */
void steady_ready_add(struct steady_loop *loop, struct steady_ready *ready);
void steady_ready_remove(struct steady_ready *ready);

/* Adds a timer that is due, which runs after the loop has polled. Only loop/timer needs this
 * function. */
void steady_due_add(struct steady_loop *loop, struct steady_ready *ready);

/* Returns the loop's service of this kind, and makes one when there is none yet. Returns NULL when
 * memory is out. */
void *steady_loop_service(struct steady_loop *loop, const struct steady_service_kind *kind);

#endif
