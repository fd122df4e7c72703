/* RFC 7692. */
#ifndef BENCH_DEFLATE_H
#define BENCH_DEFLATE_H

#include "connection.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <zlib.h>

/* Reads the offers; fills the answer's line, when there is one to take. */
void deflate_negotiate(struct connection *c, const char *offers, char *answer, size_t size);

/* A message as it is on the wire, in a stream of its own; returns its size. */
size_t deflate_message(z_stream *stream, bool takeover, const void *data, size_t size, uint8_t *out,
                       size_t capacity);

/* The size of what a frame's payload inflates to; `last`: the message ends with it. */
uint64_t deflate_inflated(struct connection *c, const uint8_t *payload, size_t size, bool last);

#endif
