/* RFC 6455: from bytes to messages. */
#ifndef BENCH_FRAMES_H
#define BENCH_FRAMES_H

#include "connection.h"

/* Takes all whole frames from the input. */
void frames_take(struct connection *c);

#endif
