/* Reads values of header fields, which consist of tokens and lists of tokens (RFC 9110 section
 * 5.6). */
#ifndef STEADY_CORE_TOKEN_H
#define STEADY_CORE_TOKEN_H

#include <stdbool.h>
#include <stddef.h>

bool steady_is_token_char(char c);

/* Returns whether the text is one token; an empty text is not a token. */
bool steady_is_token(const char *text, size_t size);

/* The value of a header, or a part of one. It does not end with a NUL byte. */
struct steady_value {
    const char *text;
    size_t size;
};

/* Returns the text without the blanks around it. */
struct steady_value steady_trim(const char *text, size_t size);

/* Returns whether the value is this text, without regard to case. */
bool steady_value_is(struct steady_value value, const char *expected);
bool steady_value_begins(struct steady_value value, const char *prefix);

/* Returns whether a list such as "keep-alive, Upgrade" has the token, without regard to case. NULL
 * is an empty list. */
bool steady_lists(const char *list, const char *token);

#endif
