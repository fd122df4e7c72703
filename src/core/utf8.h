/* UTF-8 (RFC 3629) checked as the bytes arrive, in pieces cut anywhere. */
#ifndef STEADY_CORE_UTF8_H
#define STEADY_CORE_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A zeroed struct stands at the beginning of a text. */
struct steady_utf8 {
    uint8_t state;
};

/* Takes the next piece. False as soon as no continuation could make the text valid (overlong forms,
 * surrogates and code points over U+10FFFF included); from then on always false. */
bool steady_utf8_feed(struct steady_utf8 *utf8, const uint8_t *bytes, size_t size);

/* Whether the text so far ends at the end of a character. */
bool steady_utf8_complete(const struct steady_utf8 *utf8);

/* A whole text in one call. */
bool steady_utf8_valid(const uint8_t *bytes, size_t size);

#endif
