/* A timer on the loop. It keeps nothing alive by itself. */
#ifndef STEADY_LOOP_TIMER_H
#define STEADY_LOOP_TIMER_H

#include "loop/loop.h"

struct steady_timer;

/* NULL when out of memory. */
struct steady_timer *steady_timer_new(struct steady_loop *loop, void (*due)(void *owner),
                                      void *owner);

/* Has due called once, `seconds` from now (0 or less: in the next turn), instead of at any earlier
 * setting, and after the loop has polled. */
void steady_timer_start(struct steady_timer *timer, double seconds);
void steady_timer_stop(struct steady_timer *timer);

/* Also inside due; NULL is fine. */
void steady_timer_free(struct steady_timer *timer);

#endif
