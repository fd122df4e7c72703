/* Encodes the values of headers in handshakes, by OpenSSL: base64 and SHA-1. */
#ifndef STEADY_DIAL_ENCODE_H
#define STEADY_DIAL_ENCODE_H

#include "core/url.h"
#include "loop/loop.h"

#include <stdbool.h>
#include <stddef.h>

/* The number of bytes for `size` bytes in base64, with the NUL byte at the end. */
#define STEADY_BASE64_SIZE(size) (((size) + 2) / 3 * 4 + 1)

/* Makes a new key and the value with which a server has to answer it (RFC 6455 sections 4.1 and
 * 4.2.2). Returns false when OpenSSL has no memory, or no SHA-1. */
bool steady_encode_keys(struct steady_loop *loop, char key[STEADY_BASE64_SIZE(16)],
                        char accept[STEADY_BASE64_SIZE(20)]);

/* Sets *value to "Basic …" with the user and password of a URL (RFC 7617), or to NULL when the URL
 * has neither. The caller has to free the value. Returns false when memory is out. */
bool steady_encode_basic(const struct steady_url *url, char **value);

#endif
