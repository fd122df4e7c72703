/* Leaves a loop that belongs to the process of which this one is a fork. */
#ifndef STEADY_LOOP_LEAVE_H
#define STEADY_LOOP_LEAVE_H

#include "loop/loop.h"

/* Gives up the descriptors of a foreign loop. Afterwards everything on the loop can be freed and
 * the loop can be closed as usual, and the process that made it does not notice that. Does nothing
 * for a loop of this process, and nothing at the second call. */
void steady_loop_leave(struct steady_loop *loop);

#endif
