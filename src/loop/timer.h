/* A timer on the loop. A timer does not keep the loop running. */
#ifndef STEADY_LOOP_TIMER_H
#define STEADY_LOOP_TIMER_H

#include "loop/loop.h"

struct steady_timer;

/* Returns NULL when memory is out. */
struct steady_timer *steady_timer_new(struct steady_loop *loop, void (*due)(void *owner),
                                      void *owner);

/* Has `due` called once, `seconds` from now (0 or less: in the next turn), and after the loop has
 * polled. This replaces an earlier setting. */
void steady_timer_start(struct steady_timer *timer, double seconds);
void steady_timer_stop(struct steady_timer *timer);

/* Frees the timer. It may be called inside `due`, and with NULL. */
void steady_timer_free(struct steady_timer *timer);

#endif
