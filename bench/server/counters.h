/* What a client or bench/run asks for at /stats. */
#ifndef BENCH_COUNTERS_H
#define BENCH_COUNTERS_H

#include <stdint.h>

extern struct counters {
    uint64_t connections, messages;
    uint64_t bytes_in, bytes_out; /* of WebSocket connections, handshakes left out, before TLS */
} counters;

#endif
