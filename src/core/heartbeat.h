/* Asking the peer on an open connection: is it alive, and how far has it read? A question is a ping
 * with a number, or a text where the user wants it so. A pong of that number, or of a later one,
 * says that the peer's WebSocket layer has read all that went before the ping (RFC 6455
 * section 5.5.3: a peer answers in order, and may leave out all pings but the last), which is what
 * confirmed delivery rests on. */
#ifndef STEADY_CORE_HEARTBEAT_H
#define STEADY_CORE_HEARTBEAT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct steady_heartbeat_options {
    int on;
    double interval, timeout; /* seconds */
    char *message, *reply;    /* texts to ask with and to be answered with; NULL: pings */
};

/* Of one connection; zeroed at its beginning, with heard set. Times are seconds on any clock that
 * does not go back. */
struct steady_heartbeat {
    double heard;      /* when bytes last came */
    double asked;      /* when the last question went out; 0: it has been answered */
    uint64_t number;   /* of the last question */
    uint64_t covering; /* the number of the one whose answer confirms messages */
    size_t covers;     /* how many: sent before it and not confirmed then; 0: there is none */
    bool overtaken;    /* a ping that is no question of ours has gone out behind that one */
};

enum steady_heartbeat_verdict {
    STEADY_HEARTBEAT_ALIVE,
    STEADY_HEARTBEAT_ASK,  /* nothing came for `interval`: ask */
    STEADY_HEARTBEAT_DEAD, /* nor for `timeout` after the question */
};

/* A ping of ours: "steady" and the number, 8 bytes, most significant first. */
#define STEADY_HEARTBEAT_PING 14 /* bytes */

enum steady_heartbeat_verdict steady_heartbeat_check(const struct steady_heartbeat *heartbeat,
                                                     const struct steady_heartbeat_options *options,
                                                     double now);

/* When to check next; INFINITY: not at all. */
double steady_heartbeat_deadline(const struct steady_heartbeat *heartbeat,
                                 const struct steady_heartbeat_options *options);

/* A question goes out now, behind `covers` messages that are not confirmed. While an earlier one
 * covers messages, that one still decides. Writes the ping's payload. */
void steady_heartbeat_ask(struct steady_heartbeat *heartbeat, size_t covers, double now,
                          uint8_t payload[STEADY_HEARTBEAT_PING]);

/* A pong has come. False: it answers no question of ours. True: ours; then *confirmed is how many
 * messages have arrived, and *latency the seconds it took, negative when it does not answer the
 * last question. */
bool steady_heartbeat_pong(struct steady_heartbeat *heartbeat, const uint8_t *payload, size_t size,
                           double now, double *latency, size_t *confirmed);

#endif
