/* Characters of ASCII. These functions give the same results in every locale, and whether `char` is
 * signed or not. So no other file compares plain `char` by size or computes with it; `make lint`
 * checks that. A byte of 128 or more belongs to none of these classes. */
#ifndef STEADY_CORE_ASCII_H
#define STEADY_CORE_ASCII_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

static inline bool steady_is_between(char c, char first, char last)
{
    return (unsigned char)c >= (unsigned char)first && (unsigned char)c <= (unsigned char)last;
}

static inline bool steady_is_digit(char c)
{
    return steady_is_between(c, '0', '9');
}

static inline bool steady_is_letter(char c)
{
    return steady_is_between(c, 'a', 'z') || steady_is_between(c, 'A', 'Z');
}

/* Returns whether c is a space or a tab. */
static inline bool steady_is_blank(char c)
{
    return c == ' ' || c == '\t';
}

/* Returns whether c is a control character; tab, CR and LF are control characters. */
static inline bool steady_is_control(char c)
{
    return steady_is_between(c, '\0', '\x1F') || c == '\x7F';
}

/* Returns whether c is printable; the space is printable. */
static inline bool steady_is_printable(char c)
{
    return steady_is_between(c, ' ', '~');
}

/* Returns whether c is one of the characters of a set. NUL is in no set. */
static inline bool steady_is_one_of(char c, const char *set)
{
    return c != '\0' && strchr(set, c);
}

static inline char steady_lower(char c)
{
    return steady_is_between(c, 'A', 'Z') ? (char)((unsigned char)c | 0x20) : c;
}

/* Returns the value of a hexadecimal digit, or -1 when c is none. */
static inline int steady_hex_value(char c)
{
    static const char digits[] = "0123456789abcdef";
    const char *found = c ? strchr(digits, steady_lower(c)) : NULL;
    return found ? (int)(found - digits) : -1;
}

/* Returns whether two texts of the same size are equal without regard to case. */
static inline bool steady_is_same_text(const char *a, const char *b, size_t size)
{
    for (size_t i = 0; i < size; i++)
        if (steady_lower(a[i]) != steady_lower(b[i]))
            return false;
    return true;
}

#endif
