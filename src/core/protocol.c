/* The receiving half of the protocol. protocol_output.c has the sending half. */
#include "core/protocol.h"

#include "core/fault.h"
#include "core/number.h"

#include <string.h>

#define KEPT_MAX 65536 /* bytes of the message buffer that stay allocated for the next message */

#define OUT_OF_MEMORY "out of memory for what the peer sent (RFC 6455 section 7.4.1, code 1011)"
#define TOO_LARGE     "a message over max_message_size (RFC 6455 section 7.4.1, code 1009)"
#define NOT_UTF8      "a text message that is not UTF-8 (RFC 6455 section 8.1)"

typedef enum steady_protocol_event_type event_type;

void steady_protocol_init(struct steady_protocol *protocol, struct steady_random *random,
                          size_t max_message_size)
{
    *protocol = (struct steady_protocol){.random = random, .max_message_size = max_message_size};
}

void steady_protocol_deflate(struct steady_protocol *protocol,
                             const struct steady_deflate_parameters *parameters)
{
    steady_deflate_init(&protocol->deflate, parameters);
}

void steady_protocol_free(struct steady_protocol *protocol)
{
    steady_deflate_free(&protocol->deflate);
    steady_buffer_free(&protocol->held);
    steady_buffer_free(&protocol->message);
    steady_buffer_free(&protocol->control_frames);
    steady_buffer_free(&protocol->compressed);
    protocol->cursor = protocol->end = NULL;
}

void steady_protocol_input(struct steady_protocol *protocol, const uint8_t *bytes, size_t size)
{
    if (protocol->close_received || protocol->failed)
        return;
    protocol->cursor = bytes;
    protocol->end = bytes + size;
    steady_buffer_free(&protocol->held);
}

size_t steady_protocol_pending(const struct steady_protocol *protocol)
{
    return (size_t)(protocol->end - protocol->cursor);
}

bool steady_protocol_hold(struct steady_protocol *protocol)
{
    size_t pending = steady_protocol_pending(protocol);
    if (pending == 0 || protocol->held.size > 0)
        return true;
    if (!steady_buffer_append(&protocol->held, protocol->cursor, pending))
        return false;
    protocol->cursor = protocol->held.data;
    protocol->end = protocol->cursor + pending;
    return true;
}

void steady_protocol_forget(struct steady_protocol *protocol)
{
    steady_buffer_free(&protocol->held);
    protocol->cursor = protocol->end = NULL;
}

static event_type fail(struct steady_protocol *protocol, struct steady_protocol_event *event,
                       uint16_t code, const char *text)
{
    protocol->failed = true;
    steady_protocol_forget(protocol);
    steady_protocol_close(protocol, code, NULL, 0);
    *event = (struct steady_protocol_event){(const uint8_t *)text, strlen(text), code, false};
    return STEADY_PROTOCOL_FAILURE;
}

/* Takes input until the header has `wanted` bytes. Returns whether it has. */
static bool gather_header(struct steady_protocol *protocol, size_t wanted)
{
    while (protocol->header_size < wanted && protocol->cursor < protocol->end)
        protocol->header[protocol->header_size++] = *protocol->cursor++;
    return protocol->header_size >= wanted;
}

static event_type begin_payload(struct steady_protocol *protocol,
                                struct steady_protocol_event *event, uint64_t length)
{
    const uint8_t opcode = protocol->header[0] & STEADY_FRAME_OPCODE;
    if (!steady_protocol_in_control_frame(protocol)) {
        if (opcode != STEADY_OPCODE_CONTINUATION) {
            protocol->message_opcode = opcode;
            protocol->message_compressed = protocol->header[0] & STEADY_FRAME_RSV1;
        }
        if (steady_fault_is_too_large(protocol, length))
            return fail(protocol, event, STEADY_CLOSE_TOO_LARGE, TOO_LARGE);
    }
    protocol->payload_left = length;
    protocol->in_payload = true;
    return STEADY_PROTOCOL_NONE;
}

static event_type read_header(struct steady_protocol *protocol, struct steady_protocol_event *event)
{
    const char *fault = NULL;
    if (protocol->header_size < 2 && gather_header(protocol, 2))
        fault = steady_fault_of_start(protocol);
    if (fault)
        return fail(protocol, event, STEADY_CLOSE_PROTOCOL_ERROR, fault);
    if (protocol->header_size < 2 ||
        !gather_header(protocol, 2 + steady_frame_length_bytes(protocol->header[1])))
        return STEADY_PROTOCOL_NONE;
    uint64_t length = steady_frame_length(protocol->header);
    if ((fault = steady_fault_of_length(protocol->header[1], length)))
        return fail(protocol, event, STEADY_CLOSE_PROTOCOL_ERROR, fault);
    return begin_payload(protocol, event, length);
}

/* Takes as much of the frame's payload as the input has. Returns its size. */
static size_t take_payload(struct steady_protocol *protocol)
{
    const size_t size = steady_at_most(steady_protocol_pending(protocol), protocol->payload_left);
    protocol->cursor += size;
    protocol->payload_left -= size;
    if (protocol->payload_left == 0) {
        protocol->in_payload = false;
        protocol->header_size = 0;
    }
    return size;
}

static event_type end_message(struct steady_protocol *protocol, struct steady_protocol_event *event,
                              const uint8_t *data, size_t size)
{
    bool binary = protocol->message_opcode == STEADY_OPCODE_BINARY;
    if (!binary && !steady_utf8_complete(&protocol->utf8))
        return fail(protocol, event, STEADY_CLOSE_INVALID_DATA,
                    "a text message that ends inside a character (RFC 6455 section 8.1)");
    protocol->message_opcode = 0;
    *event = (struct steady_protocol_event){data, size, 0, binary};
    return STEADY_PROTOCOL_MESSAGE;
}

static event_type read_data(struct steady_protocol *protocol, struct steady_protocol_event *event)
{
    struct steady_buffer *message = &protocol->message;
    const uint8_t *piece = protocol->cursor;
    const size_t frame_left = steady_at_most(SIZE_MAX, protocol->payload_left);
    const size_t size = take_payload(protocol);
    const bool last = !protocol->in_payload && (protocol->header[0] & STEADY_FRAME_FIN);
    if (protocol->message_opcode == STEADY_OPCODE_TEXT &&
        !steady_utf8_feed(&protocol->utf8, piece, size))
        return fail(protocol, event, STEADY_CLOSE_INVALID_DATA, NOT_UTF8);
    if (last && message->size == 0)
        return end_message(protocol, event, piece, size);
    if (size > 0 && (!steady_buffer_reserve(message, frame_left) ||
                     !steady_buffer_append(message, piece, size)))
        return fail(protocol, event, STEADY_CLOSE_INTERNAL_ERROR, OUT_OF_MEMORY);
    return last ? end_message(protocol, event, message->data, message->size) : STEADY_PROTOCOL_NONE;
}

static event_type fail_inflating(struct steady_protocol *protocol,
                                 struct steady_protocol_event *event,
                                 enum steady_inflate_result result)
{
    if (result == STEADY_INFLATE_TOO_LARGE)
        return fail(protocol, event, STEADY_CLOSE_TOO_LARGE, TOO_LARGE);
    if (result == STEADY_INFLATE_OUT_OF_MEMORY)
        return fail(protocol, event, STEADY_CLOSE_INTERNAL_ERROR, OUT_OF_MEMORY);
    return fail(protocol, event, STEADY_CLOSE_INVALID_DATA,
                "a compressed message that is not DEFLATE data (RFC 7692 section 7.2.2)");
}

static event_type read_compressed(struct steady_protocol *protocol,
                                  struct steady_protocol_event *event)
{
    struct steady_buffer *message = &protocol->message;
    const uint8_t *piece = protocol->cursor;
    const size_t size = take_payload(protocol);
    const bool last = !protocol->in_payload && (protocol->header[0] & STEADY_FRAME_FIN);
    const size_t before = message->size;
    enum steady_inflate_result result = steady_inflate_piece(&protocol->deflate, piece, size, last,
                                                             protocol->max_message_size, message);
    if (result != STEADY_INFLATED)
        return fail_inflating(protocol, event, result);
    if (protocol->message_opcode == STEADY_OPCODE_TEXT && message->size > before &&
        !steady_utf8_feed(&protocol->utf8, message->data + before, message->size - before))
        return fail(protocol, event, STEADY_CLOSE_INVALID_DATA, NOT_UTF8);
    if (!last)
        return STEADY_PROTOCOL_NONE;
    const uint8_t *data = message->size > 0 ? message->data : piece; /* never NULL */
    return end_message(protocol, event, data, message->size);
}

static event_type read_close(struct steady_protocol *protocol, struct steady_protocol_event *event,
                             const uint8_t *data, size_t size)
{
    unsigned code = size >= 2 ? (unsigned)data[0] << 8 | data[1] : STEADY_CLOSE_NO_STATUS;
    if (size > 0 && !steady_close_code_may_be_sent(code))
        return fail(protocol, event, STEADY_CLOSE_PROTOCOL_ERROR,
                    size == 1 ? "a close frame with half a code (RFC 6455 section 5.5.1)"
                              : "a close code that must not be sent (RFC 6455 section 7.4)");
    if (size > 2 && !steady_utf8_valid(data + 2, size - 2))
        return fail(protocol, event, STEADY_CLOSE_INVALID_DATA,
                    "a close reason that is not UTF-8 (RFC 6455 section 5.5.1)");
    protocol->close_received = true;
    protocol->cursor = protocol->end;
    /* Answers the close frame, unless ours was first. */
    steady_protocol_close(protocol, size > 0 ? (uint16_t)code : 0, NULL, 0);
    const size_t code_size = size > 0 ? 2 : 0;
    *event =
        (struct steady_protocol_event){data + code_size, size - code_size, (uint16_t)code, false};
    return STEADY_PROTOCOL_CLOSE;
}

static event_type read_control(struct steady_protocol *protocol,
                               struct steady_protocol_event *event)
{
    const uint8_t *data = protocol->cursor;
    size_t size = take_payload(protocol);
    if (protocol->in_payload || protocol->control_size > 0) {
        memcpy(protocol->control + protocol->control_size, data, size);
        data = protocol->control;
        size = protocol->control_size = (uint8_t)(protocol->control_size + size);
    }
    if (protocol->in_payload)
        return STEADY_PROTOCOL_NONE;
    protocol->control_size = 0;
    uint8_t opcode = protocol->header[0] & STEADY_FRAME_OPCODE;
    if (opcode == STEADY_OPCODE_CLOSE)
        return read_close(protocol, event, data, size);
    if (opcode == STEADY_OPCODE_PING && !steady_protocol_pong(protocol, data, size))
        return fail(protocol, event, STEADY_CLOSE_INTERNAL_ERROR, OUT_OF_MEMORY);
    *event = (struct steady_protocol_event){data, size, 0, false};
    return opcode == STEADY_OPCODE_PING ? STEADY_PROTOCOL_PING : STEADY_PROTOCOL_PONG;
}

static event_type read_frame(struct steady_protocol *protocol, struct steady_protocol_event *event)
{
    if (!protocol->in_payload) {
        event_type failure = read_header(protocol, event);
        if (!protocol->in_payload)
            return failure;
    }
    if (steady_protocol_in_control_frame(protocol))
        return read_control(protocol, event);
    return protocol->message_compressed ? read_compressed(protocol, event)
                                        : read_data(protocol, event);
}

/* A fast path for a message that is one small, complete frame. Returns false in every other case,
 * which read_frame then handles. */
static bool read_small_message(struct steady_protocol *protocol,
                               struct steady_protocol_event *event)
{
    const uint8_t *frame = protocol->cursor;
    const size_t available = steady_protocol_pending(protocol);
    if (protocol->header_size > 0 || protocol->message_opcode || available < 2)
        return false;
    const bool text = frame[0] == (STEADY_FRAME_FIN | STEADY_OPCODE_TEXT);
    if (!text && frame[0] != (STEADY_FRAME_FIN | STEADY_OPCODE_BINARY))
        return false;
    const size_t size = frame[1];
    if (size >= STEADY_FRAME_LENGTH_16 || size > available - 2 || size > protocol->max_message_size)
        return false;
    if (text && !steady_utf8_valid(frame + 2, size))
        return false;
    protocol->cursor = frame + 2 + size;
    *event = (struct steady_protocol_event){frame + 2, size, 0, !text};
    return true;
}

event_type steady_protocol_next(struct steady_protocol *protocol,
                                struct steady_protocol_event *event)
{
    if (protocol->message.size > 0 && !protocol->message_opcode)
        steady_buffer_clear(&protocol->message, KEPT_MAX);
    while (protocol->cursor < protocol->end) {
        if (read_small_message(protocol, event))
            return STEADY_PROTOCOL_MESSAGE;
        event_type type = read_frame(protocol, event);
        if (type != STEADY_PROTOCOL_NONE)
            return type;
    }
    steady_protocol_forget(protocol);
    return STEADY_PROTOCOL_NONE;
}
