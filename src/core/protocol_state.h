/* The state of a connection, which the code for receiving (core/protocol) and the code for sending
 * (core/protocol_output) share. */
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

/* The source of masking keys: a pool that `refill` fills with unpredictable bytes (RFC 6455 section
 * 10.3). All connections of a loop share one pool. */
struct steady_random {
    void (*refill)(void *context, uint8_t *bytes, size_t size);
    void *context;
    size_t left; /* unused bytes, at the end of pool */
    uint8_t pool[4096];
};

/* The state of a connection. Only core/protocol and core/protocol_output use the members. Others
 * may read `expired` and `message_sent`. */
struct steady_protocol {
    struct steady_random *random;
    size_t max_message_size;
    uint64_t expired;              /* messages that steady_protocol_output dropped */
    struct steady_deflate deflate; /* all zero when messages are not compressed */

    /* These members are for receiving. */
    const uint8_t *cursor, *end; /* the input that has not been read yet */
    struct steady_buffer held;   /* has the unread input after steady_protocol_hold */
    uint64_t payload_left;       /* bytes of the present frame that have not arrived */
    bool in_payload;             /* whether the header of the present frame is complete */
    uint8_t header_size;
    uint8_t header[STEADY_FRAME_HEADER_MAX]; /* the part of that frame's header that has arrived */
    uint8_t control_size;
    uint8_t control[STEADY_CONTROL_MAX]; /* payload of a control frame that arrives in pieces */
    uint8_t message_opcode;              /* text or binary, or 0 between two messages */
    bool message_compressed;             /* whether the present message is compressed */
    struct steady_utf8 utf8;             /* checks the text of the present message */
    /* The present message, unless it can be handed out of the input. */
    struct steady_buffer message;

    /* These members are for sending. */
    struct steady_buffer control_frames; /* frames that are ready to be sent */
    bool control_cut;                    /* whether the last output ended inside one of them */
    size_t message_sent; /* how many bytes of the present payload have gone out; 0 between two
                            messages */
    uint8_t key[4];      /* the masking key of that payload */
    struct steady_buffer compressed; /* that payload when it is compressed; otherwise empty */

    /* These members are for closing. */
    bool closing; /* whether our close frame was appended */
    bool close_received, failed;
};

/* Returns whether the frame whose header is being read, or was read last, is a control frame. */
static inline bool steady_protocol_in_control_frame(const struct steady_protocol *protocol)
{
    return protocol->header[0] & STEADY_FRAME_CONTROL;
}

#endif
