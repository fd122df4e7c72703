/* What a program may wait for besides its connections: input on a descriptor, and signals. A source
 * does not keep the loop running. Made for the command, bin/steadysocket. */
#ifndef STEADY_LOOP_SOURCE_H
#define STEADY_LOOP_SOURCE_H

#include "loop/loop.h"

#include <stdbool.h>

struct steady_source;

/* Has `happened` called while a read from the descriptor would not wait: there is something, or the
 * end. A file that cannot be polled is always read without waiting. Returns NULL, with a negative
 * libuv error, when the descriptor is none or memory is short. */
struct steady_source *steady_source_input(struct steady_loop *loop, int descriptor,
                                          void (*happened)(void *owner), void *owner, int *error);

/* Has `happened` called for the next such signal, once. From that signal on, even before the call,
 * another one does what it does by default: a second interrupt ends also a program that hangs. */
struct steady_source *steady_source_signal(struct steady_loop *loop, int number,
                                           void (*happened)(void *owner), void *owner, int *error);

/* Stops and goes on with input. */
void steady_source_pause(struct steady_source *source, bool pause);

/* Also inside happened; NULL is fine. */
void steady_source_free(struct steady_source *source);

#endif
