/* The HTTP request: the handshake, the extension, the counters. */
#ifndef BENCH_UPGRADE_H
#define BENCH_UPGRADE_H

#include "connection.h"

#include <stdbool.h>

/* Takes a request from the input; false while it is not whole. */
bool upgrade_take(struct connection *c);

#endif
