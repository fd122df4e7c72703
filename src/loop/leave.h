/* Leaves a loop that was made before a fork, in the process that forked. */
#ifndef STEADY_LOOP_LEAVE_H
#define STEADY_LOOP_LEAVE_H

#include "loop/loop.h"

/* Gives up the descriptors of a foreign loop (see steady_loop_is_foreign). Afterwards everything on
 * the loop can be freed and the loop can be closed as usual, and the process that made the loop
 * does not notice that. Does nothing for a loop of this process, and nothing at a second call. */
void steady_loop_leave(struct steady_loop *loop);

#endif
