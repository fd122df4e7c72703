/* What HTTP and WebSocket handshakes encode, by OpenSSL: base64 and SHA-1. */
#ifndef STEADY_DIAL_ENCODE_H
#define STEADY_DIAL_ENCODE_H

#include "core/url.h"

#include <stdbool.h>
#include <stddef.h>

/* Characters of base64 for `size` bytes, with the NUL at the end. */
#define STEADY_BASE64_SIZE(size) (((size) + 2) / 3 * 4 + 1)

/* Makes a fresh key and the answer to it, which a server has to give (RFC 6455 section 4.1). */
void steady_encode_keys(char key[STEADY_BASE64_SIZE(16)], char accept[STEADY_BASE64_SIZE(20)]);

/* Sets *value to "Basic …" for the user and password of a URL (RFC 7617), which the caller has to
 * free, or to NULL where the URL has neither. False: out of memory. */
bool steady_encode_basic(const struct steady_url *url, char **value);

#endif
