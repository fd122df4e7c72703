/* Input from a descriptor, and signals, which a program may wait for in addition to its
 * connections. A source does not keep the loop running. The command, bin/steadysocket, needs them.
 */
#ifndef STEADY_LOOP_SOURCE_H
#define STEADY_LOOP_SOURCE_H

#include "loop/loop.h"

#include <stdbool.h>

struct steady_source;

/* Makes a source of input, which calls `happened` whenever a read from the descriptor would not
 * block, because there is something to read or the input has ended. A file that cannot be polled
 * never blocks. Returns NULL, with a negative libuv error in *error, when the descriptor is not
 * valid or memory is out. */
struct steady_source *steady_source_input(struct steady_loop *loop, int descriptor,
                                          void (*happened)(void *owner), void *owner, int *error);

/* Makes a source that calls `happened` once, for the next signal with this number. From that signal
 * on, even before the call, another signal has its default effect. So a second interrupt ends the
 * program even when the program hangs. Returns NULL, with a negative libuv error in *error, when
 * that fails. */
struct steady_source *steady_source_signal(struct steady_loop *loop, int number,
                                           void (*happened)(void *owner), void *owner, int *error);

/* Stops reading input, or goes on with it. */
void steady_source_pause(struct steady_source *source, bool pause);

/* Frees the source. This may be called inside `happened`. NULL is allowed. */
void steady_source_free(struct steady_source *source);

#endif
