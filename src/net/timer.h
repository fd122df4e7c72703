/* A timer on the loop. It keeps nothing alive by itself. */
#ifndef STEADY_NET_TIMER_H
#define STEADY_NET_TIMER_H

#include "net/loop.h"

struct steady_timer;

/* NULL when out of memory. */
struct steady_timer *steady_timer_new(struct steady_loop *loop, void (*due)(void *owner),
                                      void *owner);
/* Calls due once, `seconds` from now (0 or less: in the next turn), instead of any earlier setting.
 */
void steady_timer_start(struct steady_timer *timer, double seconds);
void steady_timer_stop(struct steady_timer *timer);
void steady_timer_free(struct steady_timer *timer); /* also inside due; NULL is fine */

/* All that nobody freed: those that were made while their owners' world came to its end. For the
 * loop, which is being closed. */
void steady_timers_close(struct steady_loop *loop);

#endif
