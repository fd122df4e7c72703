/* The sending half of the protocol, and closing. protocol.c has the receiving half. */
#include "core/protocol_output.h"

#include "core/frame.h"

#include <string.h>

#define KEPT_MAX            1024 /* bytes of the control frames' buffer that stay allocated */
#define COMPRESSED_KEPT_MAX 4096 /* the same for the buffer of a compressed message */

static void draw_key(struct steady_random *random, uint8_t key[4])
{
    if (random->left < 4) {
        random->refill(random->context, random->pool, sizeof random->pool);
        random->left = sizeof random->pool;
    }
    memcpy(key, random->pool + sizeof random->pool - random->left, 4);
    random->left -= 4;
}

static bool append_frame(struct steady_protocol *protocol, enum steady_opcode opcode,
                         const uint8_t *data, size_t size)
{
    struct steady_buffer *frames = &protocol->control_frames;
    uint8_t key[4];
    if (!steady_buffer_reserve(frames, STEADY_FRAME_HEADER_MAX + size))
        return false;
    draw_key(protocol->random, key);
    frames->size += steady_frame_header(frames->data + frames->size,
                                        (uint8_t)(STEADY_FRAME_FIN | opcode), size, key);
    steady_frame_mask(frames->data + frames->size, data, size, key, 0);
    frames->size += size;
    return true;
}

static bool append_control(struct steady_protocol *protocol, enum steady_opcode opcode,
                           const uint8_t *data, size_t size)
{
    return size <= STEADY_CONTROL_MAX && append_frame(protocol, opcode, data, size);
}

bool steady_protocol_text(struct steady_protocol *protocol, const uint8_t *data, size_t size)
{
    return protocol->closing || append_frame(protocol, STEADY_OPCODE_TEXT, data, size);
}

bool steady_protocol_ping(struct steady_protocol *protocol, const uint8_t *data, size_t size)
{
    return append_control(protocol, STEADY_OPCODE_PING, data, size);
}

bool steady_protocol_pong(struct steady_protocol *protocol, const uint8_t *data, size_t size)
{
    return append_control(protocol, STEADY_OPCODE_PONG, data, size);
}

bool steady_protocol_close(struct steady_protocol *protocol, uint16_t code, const char *reason,
                           size_t size)
{
    uint8_t payload[STEADY_CONTROL_MAX] = {(uint8_t)(code >> 8), (uint8_t)code};
    if (protocol->closing)
        return true;
    protocol->closing = true;
    if (code == 0)
        return append_control(protocol, STEADY_OPCODE_CLOSE, payload, 0);
    if (size > sizeof payload - 2)
        return false;
    if (size > 0)
        memcpy(payload + 2, reason, size);
    return append_control(protocol, STEADY_OPCODE_CLOSE, payload, 2 + size);
}

static size_t write_control(struct steady_protocol *protocol, uint8_t *out, size_t room)
{
    struct steady_buffer *frames = &protocol->control_frames;
    size_t size = frames->size < room ? frames->size : room;
    if (size == 0)
        return 0;
    protocol->control_cut = size < frames->size;
    memcpy(out, frames->data, size);
    steady_buffer_consume(frames, size);
    if (frames->size == 0)
        steady_buffer_clear(frames, KEPT_MAX);
    return size;
}

struct payload {
    const uint8_t *data;
    size_t size;
};

/* Returns the payload to send for the message at the head of the queue, which may be compressed. */
static struct payload payload_of(const struct steady_protocol *protocol,
                                 const struct steady_message *message)
{
    const struct steady_buffer *compressed = &protocol->compressed;
    if (compressed->size > 0)
        return (struct payload){compressed->data, compressed->size};
    return (struct payload){message->data, message->size};
}

/* Writes the next piece of the message at the head of the queue. Returns its size. */
static size_t write_payload(struct steady_protocol *protocol, struct steady_queue *queue, bool keep,
                            const struct steady_message *message, uint8_t *out, size_t room)
{
    const struct payload payload = payload_of(protocol, message);
    const size_t left = payload.size - protocol->message_sent;
    const bool through = left <= room;
    const size_t size = through ? left : room;
    steady_frame_mask(out, payload.data + protocol->message_sent, size, protocol->key,
                      protocol->message_sent);
    protocol->message_sent += size;
    if (!through) {
        steady_queue_begin(queue);
        return size;
    }
    protocol->message_sent = 0;
    if (protocol->compressed.size > 0)
        steady_buffer_clear(&protocol->compressed, COMPRESSED_KEPT_MAX);
    steady_queue_sent(queue, keep);
    return size;
}

static bool compress(struct steady_protocol *protocol, const struct steady_message *message)
{
    return protocol->deflate.parameters.on &&
           message->size >= protocol->deflate.parameters.threshold &&
           steady_deflate_message(&protocol->deflate, message->data, message->size,
                                  &protocol->compressed);
}

static size_t write_message(struct steady_protocol *protocol, struct steady_queue *queue, bool keep,
                            const struct steady_message *message, uint8_t *out, size_t room)
{
    const uint8_t opcode = message->binary ? STEADY_OPCODE_BINARY : STEADY_OPCODE_TEXT;
    const uint8_t rsv = compress(protocol, message) ? STEADY_FRAME_RSV1 : 0;
    draw_key(protocol->random, protocol->key);
    size_t size = steady_frame_header(out, STEADY_FRAME_FIN | rsv | opcode,
                                      payload_of(protocol, message).size, protocol->key);
    return size + write_payload(protocol, queue, keep, message, out + size, room - size);
}

static const struct steady_message *next_message(struct steady_protocol *protocol,
                                                 struct steady_queue *queue, double now)
{
    const struct steady_message *message;
    while ((message = steady_queue_peek(queue)) && message->expires < now) {
        steady_queue_drop(queue);
        protocol->expired++;
    }
    return message;
}

size_t steady_protocol_output(struct steady_protocol *protocol, struct steady_queue *queue,
                              bool keep, double now, uint8_t *out, size_t capacity)
{
    const struct steady_message *message;
    size_t used = 0;
    if (protocol->message_sent > 0 && (message = steady_queue_peek(queue)))
        used = write_payload(protocol, queue, keep, message, out, capacity);
    if (protocol->message_sent > 0)
        return used;
    used += write_control(protocol, out + used, capacity - used);
    while (!protocol->closing && capacity - used > STEADY_FRAME_HEADER_MAX &&
           (message = next_message(protocol, queue, now)))
        used += write_message(protocol, queue, keep, message, out + used, capacity - used);
    return used;
}

size_t steady_protocol_backlog(const struct steady_protocol *protocol)
{
    return protocol->control_frames.size;
}

bool steady_protocol_is_between_frames(const struct steady_protocol *protocol)
{
    return !protocol->control_cut && protocol->message_sent == 0;
}

bool steady_protocol_close_sent(const struct steady_protocol *protocol)
{
    return protocol->closing && protocol->control_frames.size == 0;
}
