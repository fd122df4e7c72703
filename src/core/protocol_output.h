/* Sending and closing on an open connection: steady_protocol_output fills a buffer with control
 * frames and a queue's messages. */
#ifndef STEADY_CORE_PROTOCOL_OUTPUT_H
#define STEADY_CORE_PROTOCOL_OUTPUT_H

#include "core/protocol_state.h"
#include "core/queue.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* These functions append a control frame. A ping or a pong has at most STEADY_CONTROL_MAX bytes;
 * pings of the peer are answered without a call of steady_protocol_pong. A close frame has the
 * code, or none when it is 0, and a reason of at most 123 bytes of UTF-8. After a close frame no
 * new message begins, and a second close frame is not sent. The functions return false when memory
 * is out; a close frame then counts as sent, since the connection has to end anyway. */
bool steady_protocol_ping(struct steady_protocol *protocol, const uint8_t *data, size_t size);
bool steady_protocol_pong(struct steady_protocol *protocol, const uint8_t *data, size_t size);
bool steady_protocol_close(struct steady_protocol *protocol, uint16_t code, const char *reason,
                           size_t size);

/* Appends a text message that goes out with the control frames, ahead of the queue. After our close
 * frame it is left out. Returns false when memory is out. */
bool steady_protocol_text(struct steady_protocol *protocol, const uint8_t *data, size_t size);

/* Fills `out` with masked frames: first the control frames, then as many messages of the queue as
 * fit. A large message goes out in pieces over several calls, with no other frame in between. A
 * message that has gone out as a whole leaves the queue, or stays in it as a sent one with `keep`.
 * Returns the number of bytes written, or 0 when there is nothing to send. `capacity` must be at
 * least 256 bytes. Messages that have expired at the time `now` are dropped and counted in
 * protocol->expired. Until a message has gone out as a whole, all calls must be given its queue,
 * which must not be cleared meanwhile (see steady_queue_clear). */
size_t steady_protocol_output(struct steady_protocol *protocol, struct steady_queue *queue,
                              bool keep, double now, uint8_t *out, size_t capacity);

/* Returns how many bytes of control frames, mostly pongs, wait to go out. When this number grows, a
 * caller that cannot write stops reading, so that a peer's pings cannot fill its memory. */
size_t steady_protocol_backlog(const struct steady_protocol *protocol);

/* Returns whether the bytes that steady_protocol_output has handed out so far end with a whole
 * frame. */
bool steady_protocol_is_between_frames(const struct steady_protocol *protocol);

/* Returns whether steady_protocol_output has handed out our close frame. */
bool steady_protocol_close_sent(const struct steady_protocol *protocol);

#endif
