/* Leaving a loop that belongs to the process of which this one is a fork. */
#ifndef STEADY_LOOP_LEAVE_H
#define STEADY_LOOP_LEAVE_H

#include "loop/loop.h"

/* Of a foreign loop: gives its descriptors up, after which what lives on it can be freed and it can
 * be closed as any other, and the process that made it does not notice. Once is enough; of a loop
 * of our own nothing happens. */
void steady_loop_leave(struct steady_loop *loop);

#endif
