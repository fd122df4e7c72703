/* The characters of tokens (RFC 9110 section 5.6.2) and of blanks (section 5.6.3) in headers, and
 * lower case for ASCII. */
#ifndef STEADY_CORE_TOKEN_H
#define STEADY_CORE_TOKEN_H

#include <stdbool.h>
#include <string.h>

static inline char steady_lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static inline bool steady_is_blank(char c)
{
    return c == ' ' || c == '\t';
}

static inline bool steady_is_token_char(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           (c != '\0' && strchr("!#$%&'*+-.^_`|~", c));
}

#endif
