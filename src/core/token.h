/* What the values of header fields are made of: tokens and lists of them (RFC 9110 section 5.6). */
#ifndef STEADY_CORE_TOKEN_H
#define STEADY_CORE_TOKEN_H

#include <stdbool.h>
#include <stddef.h>

bool steady_is_token_char(char c);

/* Whether the text is one token; an empty text is none. */
bool steady_is_token(const char *text, size_t size);

/* A header's value, or a part of one. Not ended by a NUL. */
struct steady_value {
    const char *text;
    size_t size;
};

/* The value without the blanks around it. */
struct steady_value steady_trim(const char *text, size_t size);

/* Without regard to case. */
bool steady_value_is(struct steady_value value, const char *expected);
bool steady_value_begins(struct steady_value value, const char *prefix);

/* Whether a list such as "keep-alive, Upgrade" has the token, without regard to case. NULL is an
 * empty list. */
bool steady_lists(const char *list, const char *token);

#endif
