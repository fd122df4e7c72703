/* RFC 6455 on an open connection, for a client, without any I/O. The caller hands in the bytes that
 * arrive, gets events, and sends the bytes that come out. There is one struct for each connection,
 * from the 101 answer to the connection's end.
 *
 * Receiving works by pulling: the caller gives bytes with steady_protocol_input, then calls
 * steady_protocol_next until that returns STEADY_PROTOCOL_NONE. The protocol answers each ping, in
 * order, and the peer's close frame by itself. When the peer breaks the protocol, the caller gets
 * one STEADY_PROTOCOL_FAILURE, and the close frame for it is among the bytes to send. Bytes that
 * arrive after a close or a failure are ignored.
 *
 * protocol_output.h has the functions for sending. */
#ifndef STEADY_CORE_PROTOCOL_H
#define STEADY_CORE_PROTOCOL_H

#include "core/protocol_output.h"
#include "core/protocol_state.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum steady_protocol_event_type {
    STEADY_PROTOCOL_NONE,    /* all input is used up, and more bytes are needed */
    STEADY_PROTOCOL_MESSAGE, /* a whole message, in data, size and binary; text has been checked */
    STEADY_PROTOCOL_PING,  /* data and size are the payload; its pong is among the bytes to send */
    STEADY_PROTOCOL_PONG,  /* data and size are the payload */
    STEADY_PROTOCOL_CLOSE, /* the peer's close frame: its code (1005 for none), and its reason in
                              data and size */
    STEADY_PROTOCOL_FAILURE, /* code is 1002, 1007, 1009, or 1011 when memory is out; data is a
                                static C string with what was wrong and the section of the RFC */
};

struct steady_protocol_event {
    const uint8_t *data; /* valid until the next call of any function here */
    size_t size;         /* bytes */
    uint16_t code;
    bool binary;
};

/* Begins a connection. `max_message_size` is in bytes. It is compared with what frame headers
 * announce, before anything is stored. For a compressed message it is compared with the size while
 * inflating, and headers may announce an eighth and 1 KiB more, since DEFLATE never needs that much
 * for a message within the limit. `random` is the pool of masking keys. */
void steady_protocol_init(struct steady_protocol *protocol, struct steady_random *random,
                          size_t max_message_size);

/* Has to be called before any bytes come in or go out, when the handshake has agreed on
 * permessage-deflate. From then on messages of the queue are compressed if that makes them smaller.
 * A message is compressed as a whole when its sending begins, and the queue keeps the uncompressed
 * message. */
void steady_protocol_deflate(struct steady_protocol *protocol,
                             const struct steady_deflate_parameters *parameters);

void steady_protocol_free(struct steady_protocol *protocol);

/* steady_protocol_input gives the protocol bytes that have arrived. They must stay where they are
 * until steady_protocol_next has returned STEADY_PROTOCOL_NONE, or until steady_protocol_hold was
 * called. All earlier input has to be used up (steady_protocol_pending is 0). steady_protocol_next
 * returns the type of the next event and fills in *event. */
void steady_protocol_input(struct steady_protocol *protocol, const uint8_t *bytes, size_t size);
enum steady_protocol_event_type steady_protocol_next(struct steady_protocol *protocol,
                                                     struct steady_protocol_event *event);

/* steady_protocol_pending returns the number of input bytes that have not been read yet.
 * steady_protocol_hold copies these bytes into memory of the protocol's own, so that the caller's
 * buffer can be used for something else and steady_protocol_next can go on later. It returns false
 * when memory is out. */
size_t steady_protocol_pending(const struct steady_protocol *protocol);
bool steady_protocol_hold(struct steady_protocol *protocol);

/* Drops the input that has not been read yet, because the connection is of no more use. */
void steady_protocol_forget(struct steady_protocol *protocol);

#endif
