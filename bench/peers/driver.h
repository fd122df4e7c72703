/* What the drivers in C share: arguments, clocks, and the line that says what was measured.
 *
 *     driver MODE URL SIZE COUNT
 *
 *     rx      sends "go", receives COUNT messages of SIZE bytes, as the language's strings
 *     tx      sends COUNT messages of SIZE bytes, until the server says "end"
 *     rtt     COUNT round trips, one message in flight
 *     conn    opens COUNT connections, 64 handshakes at a time, and holds them
 *     busy    COUNT round trips on 100 connections, one message in flight on each, beside
 *             BENCH_IDLE open connections to BENCH_HOLD_URL
 *     open    COUNT connections, one after the other, behind one to BENCH_WARM_URL; says how many
 *             seconds each took to open. BENCH_PROXY: through that proxy. Only some have it.
 *
 * The environment: BENCH_CA, the authority to trust for wss; BENCH_TEXTS, a file with the messages
 * to send, a line each, instead of letters; BENCH_DEFLATE=1, permessage-deflate; BENCH_CONFIRM=1.
 * Every driver prints a line of JSON: seconds, from when the connection is open (in conn from the
 * start) until all is done; cpu, the process's seconds in that time; kib, the growth of its
 * resident memory. A message of the wrong size, or one too few, ends it with an error. */
#ifndef BENCH_DRIVER_H
#define BENCH_DRIVER_H

#include <stdbool.h>
#include <stddef.h>

#define HANDSHAKES 64  /* at a time */
#define BUSY       100 /* connections */

enum mode { RX, TX, RTT, CONN, BUSY_ };

struct target {
    char host[128], path[256];
    int port;
    bool tls;
};

struct driver {
    const char *name;
    enum mode mode;
    struct target target, hold;
    size_t size, count, idle;
    char *text; /* SIZE letters */
    const char *ca;
    double began, cpu;
    long resident;
};

void driver_start(struct driver *driver, const char *name, int argc, char **argv);
void driver_fail(const struct driver *driver, const char *what);
void driver_clock(struct driver *driver);
void driver_done(const struct driver *driver);

/* What the server says at the end of tx. */
void driver_expect_end(const struct driver *driver, const void *text, size_t size);

#endif
