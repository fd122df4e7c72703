/* RFC 6455: frames to be sent. */
#ifndef BENCH_FRAME_H
#define BENCH_FRAME_H

#include "connection.h"

#include <stddef.h>
#include <stdint.h>

enum { FIN = 0x80, RSV1 = 0x40, TEXT = 1, CONTROL = 8, CLOSE = 8, PING = 9, PONG = 10 };
enum { LONGEST_HEADER = 14 };

/* Writes a header, without a mask; returns its size. */
size_t frame_header(uint8_t *out, uint8_t first, uint64_t size);

/* A payload of at most 256 bytes. */
void frame_send(struct connection *c, uint8_t first, const void *payload, size_t size);

#endif
