/* RFC 6455 on an open connection, for a client, without any I/O: bytes in, events out, bytes to
 * send out. One struct a connection, from the 101 answer to its end.
 *
 * Receiving is a pull parser: give bytes with steady_protocol_input, then call steady_protocol_next
 * until it returns STEADY_PROTOCOL_NONE. Each ping is answered, in order, by itself; so is a close
 * frame. What breaks the protocol yields one STEADY_PROTOCOL_FAILURE, and the close frame for it is
 * among the bytes to send. After a close or a failure, what still comes is ignored.
 *
 * Sending is in protocol_output. */
#ifndef STEADY_CORE_PROTOCOL_H
#define STEADY_CORE_PROTOCOL_H

#include "core/protocol_output.h"
#include "core/protocol_state.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum steady_protocol_event_type {
    STEADY_PROTOCOL_NONE,    /* all input is used up: more bytes are needed */
    STEADY_PROTOCOL_MESSAGE, /* a whole message: data, size, binary; text has been checked */
    STEADY_PROTOCOL_PING,    /* data, size; its pong is among the bytes to send */
    STEADY_PROTOCOL_PONG,    /* data, size */
    STEADY_PROTOCOL_CLOSE,   /* the peer's close frame: code (1005: none); data, size: the reason */
    STEADY_PROTOCOL_FAILURE, /* code: 1002, 1007, 1009, or 1011 when out of memory; data is a static
                              * C string: what was wrong, and the section of the RFC */
};

struct steady_protocol_event {
    const uint8_t *data; /* good until the next call of any function here */
    size_t size;         /* bytes */
    uint16_t code;
    bool binary;
};

/* max_message_size: bytes; checked on what frame headers announce, before anything is stored. For a
 * compressed message it bounds what that inflates to, while inflating, and headers may announce an
 * eighth and 1 KiB more: DEFLATE never needs that much for what is within the bound. */
void steady_protocol_init(struct steady_protocol *protocol, struct steady_random *random,
                          size_t max_message_size);

/* permessage-deflate was agreed on in the handshake: to be called before anything comes in or goes
 * out. Messages of the queue are compressed where that is worth it, each as a whole when it is
 * begun; the queue keeps what was given to it. */
void steady_protocol_deflate(struct steady_protocol *protocol,
                             const struct steady_deflate_parameters *parameters);

void steady_protocol_free(struct steady_protocol *protocol);

/* The bytes are borrowed: they must stay where they are until steady_protocol_next has returned
 * STEADY_PROTOCOL_NONE, or steady_protocol_hold was called. Call it only when all earlier input is
 * used up (steady_protocol_pending is 0). */
void steady_protocol_input(struct steady_protocol *protocol, const uint8_t *bytes, size_t size);
enum steady_protocol_event_type steady_protocol_next(struct steady_protocol *protocol,
                                                     struct steady_protocol_event *event);

/* Input not yet looked at, in bytes; steady_protocol_hold copies it into memory of our own, so that
 * the caller's buffer is free and steady_protocol_next can go on later. False: out of memory. */
size_t steady_protocol_pending(const struct steady_protocol *protocol);
bool steady_protocol_hold(struct steady_protocol *protocol);

/* Gives that input up: the connection is of no more use. */
void steady_protocol_forget(struct steady_protocol *protocol);

#endif
