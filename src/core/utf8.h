/* Checks UTF-8 (RFC 3629) as the bytes arrive, in pieces that may end inside a character. */
#ifndef STEADY_CORE_UTF8_H
#define STEADY_CORE_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A zeroed struct is at the beginning of a text. */
struct steady_utf8 {
    uint8_t state;
};

/* Takes the next piece. Returns false as soon as nothing that follows could make the text valid,
 * and for every later piece. Overlong forms, surrogates and code points over U+10FFFF are not
 * valid. */
bool steady_utf8_feed(struct steady_utf8 *utf8, const uint8_t *bytes, size_t size);

/* Returns whether the text so far ends with a complete character. */
bool steady_utf8_complete(const struct steady_utf8 *utf8);

/* Returns whether a whole text is valid. */
bool steady_utf8_valid(const uint8_t *bytes, size_t size);

#endif
