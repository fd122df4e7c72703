/* What receiving (protocol) and sending (protocol_output) share: the state of a connection. */
#ifndef STEADY_CORE_PROTOCOL_STATE_H
#define STEADY_CORE_PROTOCOL_STATE_H

#include "core/buffer.h"
#include "core/close_code.h"
#include "core/deflate.h"
#include "core/frame.h"
#include "core/utf8.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Where masking keys come from: a pool that `refill` fills with bytes nobody can predict (RFC 6455
 * section 10.3). One pool serves all connections of a loop. */
struct steady_random {
    void (*refill)(void *context, uint8_t *bytes, size_t size);
    void *context;
    size_t left; /* unused bytes, at the end of pool */
    uint8_t pool[4096];
};

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

/* Whether the frame whose header is being read, or was read last, is a control frame. */
static inline bool steady_protocol_in_control_frame(const struct steady_protocol *protocol)
{
    return protocol->header[0] & STEADY_FRAME_CONTROL;
}

#endif
