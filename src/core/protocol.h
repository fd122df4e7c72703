/* RFC 6455 on an open connection, for a client, without any I/O: bytes in, events out, bytes to
 * send out. One struct a connection, from the 101 answer to its end.
 *
 * Receiving is a pull parser: give bytes with steady_protocol_input, then call steady_protocol_next
 * until it returns STEADY_PROTOCOL_NONE. Each ping is answered, in order, by itself; so is a close
 * frame. What breaks the protocol yields one STEADY_PROTOCOL_FAILURE, and the close frame for it is
 * among the bytes to send. After a close or a failure, what still comes is ignored.
 *
 * Sending: steady_protocol_output fills a buffer with control frames and a queue's messages. */
#ifndef STEADY_CORE_PROTOCOL_H
#define STEADY_CORE_PROTOCOL_H

#include "core/buffer.h"
#include "core/deflate.h"
#include "core/frame.h"
#include "core/queue.h"
#include "core/utf8.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Close codes, RFC 6455 section 7.4.1. */
enum {
    STEADY_CLOSE_NORMAL = 1000,
    STEADY_CLOSE_PROTOCOL_ERROR = 1002,
    STEADY_CLOSE_NO_STATUS = 1005, /* never on the wire: the close frame had no code */
    STEADY_CLOSE_ABNORMAL = 1006,  /* never on the wire: there was no close frame */
    STEADY_CLOSE_INVALID_DATA = 1007,
    STEADY_CLOSE_TOO_LARGE = 1009,
    STEADY_CLOSE_INTERNAL_ERROR = 1011,
};

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

/* Where masking keys come from: a pool that `refill` fills with bytes nobody can predict (RFC 6455
 * section 10.3). One pool serves all connections of a loop. */
struct steady_random {
    void (*refill)(void *context, uint8_t *bytes, size_t size);
    void *context;
    size_t left; /* unused bytes, at the end of pool */
    uint8_t pool[4096];
};

struct steady_protocol;

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

/* Append a control frame: a ping or a pong (by hand: each ping is answered without that), of at
 * most STEADY_CONTROL_MAX bytes; or a close frame: code 0 for none, the reason at most 123 bytes of
 * UTF-8. After the close frame no message is begun any more; a second one is not sent. False: out
 * of memory; a close frame then counts as sent, since all that is left is to end the connection. */
bool steady_protocol_ping(struct steady_protocol *protocol, const uint8_t *data, size_t size);
bool steady_protocol_pong(struct steady_protocol *protocol, const uint8_t *data, size_t size);
bool steady_protocol_close(struct steady_protocol *protocol, uint16_t code, const char *reason,
                           size_t size);

/* Appends a text message that goes out with the control frames, ahead of the queue; after our close
 * frame it is left out. False: out of memory. */
bool steady_protocol_text(struct steady_protocol *protocol, const uint8_t *data, size_t size);

/* Fills out with masked frames, control frames first, then as many messages of the queue as fit, a
 * large one in pieces over several calls, with nothing in between; messages that are through have
 * left the queue, or are kept in it with keep. Returns the bytes written, 0 when there is nothing
 * to send. capacity must be at least 256. `now` is for messages that have expired: they are dropped
 * and counted in expired. Always the same queue; it is not to be cleared meanwhile (see
 * steady_queue_clear). */
size_t steady_protocol_output(struct steady_protocol *protocol, struct steady_queue *queue,
                              bool keep, double now, uint8_t *out, size_t capacity);

/* Bytes of control frames (pongs above all) that wait to go out. A caller that cannot write stops
 * reading when this grows, so that a peer's pings cannot fill its memory. */
size_t steady_protocol_backlog(const struct steady_protocol *protocol);

/* Whether what was handed out by steady_protocol_output so far ends with a whole frame. */
bool steady_protocol_is_between_frames(const struct steady_protocol *protocol);

/* Whether our close frame has been handed out by steady_protocol_output. */
bool steady_protocol_close_sent(const struct steady_protocol *protocol);

/* The fields are the implementation's, expired and message_sent apart, which are for reading. */
struct steady_protocol {
    struct steady_random *random;
    size_t max_message_size;
    uint64_t expired;              /* messages that steady_protocol_output dropped */
    struct steady_deflate deflate; /* all zero: not in use */

    /* Receiving. */
    const uint8_t *cursor, *end; /* input not yet looked at */
    struct steady_buffer held;   /* where it lives after steady_protocol_hold */
    uint64_t payload_left;       /* of the frame that is under way, bytes */
    bool in_payload;             /* its header is complete */
    uint8_t header_size;
    uint8_t header[STEADY_FRAME_HEADER_MAX]; /* of that frame, as far as it came */
    uint8_t control_size;
    uint8_t control[STEADY_CONTROL_MAX]; /* payload of a control frame that was cut by the input */
    uint8_t message_opcode;              /* text or binary; 0: no message is under way */
    bool message_compressed;             /* when one is under way */
    struct steady_utf8 utf8;             /* of its text; at the beginning between messages */
    struct steady_buffer message;        /* unless it can be handed out from the input */

    /* Sending. */
    struct steady_buffer control_frames; /* encoded */
    bool control_cut;                    /* the last output ended inside of one of them */
    size_t message_sent;                 /* bytes of the payload that is part-way out; else 0 */
    uint8_t key[4];                      /* its masking key */
    struct steady_buffer compressed;     /* that payload, unless it goes out as it is: then empty */

    /* Closing. */
    bool closing; /* our close frame was appended */
    bool close_received, failed;
};

#endif
