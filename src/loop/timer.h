/* A timer on the loop. A timer does not keep the loop running. */
#ifndef STEADY_LOOP_TIMER_H
#define STEADY_LOOP_TIMER_H

#include "loop/loop.h"

struct steady_timer;

/* Makes a timer, which is not started yet. It calls `due` with `owner` as the argument. Returns
 * NULL when memory is out. */
struct steady_timer *steady_timer_new(struct steady_loop *loop, void (*due)(void *owner),
                                      void *owner);

/* Makes the timer call `due` once, `seconds` from now and after the loop has polled. When `seconds`
 * is 0 or less, the call is made in the next turn. This replaces an earlier setting. */
void steady_timer_start(struct steady_timer *timer, double seconds);
void steady_timer_stop(struct steady_timer *timer);

/* Frees the timer. This may be called inside `due`. NULL is allowed. */
void steady_timer_free(struct steady_timer *timer);

#endif
