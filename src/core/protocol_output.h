/* Sending and closing on an open connection: steady_protocol_output fills a buffer with control
 * frames and a queue's messages. */
#ifndef STEADY_CORE_PROTOCOL_OUTPUT_H
#define STEADY_CORE_PROTOCOL_OUTPUT_H

#include "core/protocol_state.h"
#include "core/queue.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

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

#endif
