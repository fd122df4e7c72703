/* What is done when a connection's socket is ready. */
#ifndef BENCH_EVENT_H
#define BENCH_EVENT_H

#include "connection.h"

void event_readable(struct connection *c);
void event_writable(struct connection *c);

#endif
