/* Asks the peer on an open connection whether it is alive, and how far it has read. A question is a
 * ping with a number, or a text when the user has chosen one. A pong with that number, or with a
 * later one, proves that the peer's WebSocket layer has read everything that was sent before the
 * ping: a peer answers pings in order, but may answer only the last of several (RFC 6455 section
 * 5.5.3). Confirmed delivery relies on this. */
#ifndef STEADY_CORE_HEARTBEAT_H
#define STEADY_CORE_HEARTBEAT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct steady_heartbeat_options {
    int on;
    double interval, timeout; /* seconds */
    char *message, *reply; /* the texts of the question and the answer; NULL when pings are used */
};

/* The state of one connection. It has to be zeroed when the connection opens, and `heard` and
 * `texted` have to be set. Times are seconds on any clock that does not go back. */
struct steady_heartbeat {
    double heard;      /* when the last bytes arrived */
    double asked;      /* when the question went out by which a silent peer is judged: the first one
                          since `heard`. With `message`, pings are no such questions. */
    double texted;     /* when the last question went out that was a text */
    double put_off;    /* seconds by which the deadline for the answer has been put off */
    uint64_t number;   /* the number of the last question that was a ping */
    double pinged;     /* when that ping went out; 0 when it has been answered */
    double wait;       /* seconds from then until it is asked again what confirms messages */
    double latency;    /* seconds that the last pong took; 0 when none has come */
    uint64_t covering; /* the number of the question whose answer will confirm messages */
    size_t covers; /* how many messages that answer will confirm: those that were sent before the
                      question and are not confirmed; 0 when there is no such question */
    bool program_pinged; /* whether the program has sent a ping of its own after that question */
};

enum steady_heartbeat_verdict {
    STEADY_HEARTBEAT_ALIVE,
    STEADY_HEARTBEAT_ASK,  /* nothing arrived for `interval` seconds, or the last text went out so
                              long ago: ask a question */
    STEADY_HEARTBEAT_DEAD, /* nothing arrived for `timeout` seconds after the question */
};

/* The payload of our pings: "steady" and the number in 8 bytes, the most significant one first. */
#define STEADY_HEARTBEAT_PING 14 /* bytes */

/* Returns what has to be done about the heartbeat at the time `now`. */
enum steady_heartbeat_verdict steady_heartbeat_check(const struct steady_heartbeat *heartbeat,
                                                     const struct steady_heartbeat_options *options,
                                                     double now);

/* Returns the time at which the next check is due, or INFINITY when there is none. */
double steady_heartbeat_deadline(const struct steady_heartbeat *heartbeat,
                                 const struct steady_heartbeat_options *options);

/* Puts off the deadline for the answer to an open question by this many seconds, because the client
 * could not hear the peer for so long. */
void steady_heartbeat_put_off(struct steady_heartbeat *heartbeat, double seconds);

/* Notes that a question goes out now, and that it is a text. */
void steady_heartbeat_ask_by_text(struct steady_heartbeat *heartbeat, double now);

/* Notes that a question goes out now, and writes the ping's payload. `covers` is how many messages
 * were sent before the question and are not confirmed. While an earlier question is there to
 * confirm messages, the answer confirms those which that one covers, and no others. */
void steady_heartbeat_ask(struct steady_heartbeat *heartbeat,
                          const struct steady_heartbeat_options *options, size_t covers, double now,
                          uint8_t payload[STEADY_HEARTBEAT_PING]);

/* Returns the time at which a question that confirms messages has to be asked again, because the
 * peer may have dropped the ping; INFINITY when there is none. Some servers drop a ping that
 * arrives while a pong of their own waits to go out (RFC 6455 section 5.5.3 lets them answer the
 * last ping only). The time is the longer of one second and four times the latency after the first
 * ping, and grows twofold up to the heartbeat's interval. */
double steady_heartbeat_repetition(const struct steady_heartbeat *heartbeat);

/* Handles a pong. Returns false when the pong answers no question of ours. Otherwise sets
 * *confirmed to the number of messages that the pong confirms, and *latency to the seconds between
 * question and pong. *latency is negative when the pong does not answer the last question. */
bool steady_heartbeat_pong(struct steady_heartbeat *heartbeat, const uint8_t *payload, size_t size,
                           double now, double *latency, size_t *confirmed);

#endif
