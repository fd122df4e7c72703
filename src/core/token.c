#include "core/token.h"

#include "core/ascii.h"

#include <string.h>

bool steady_is_token_char(char c)
{
    return steady_is_letter(c) || steady_is_digit(c) || steady_is_one_of(c, "!#$%&'*+-.^_`|~");
}

bool steady_is_token(const char *text, size_t size)
{
    for (size_t i = 0; i < size; i++)
        if (!steady_is_token_char(text[i]))
            return false;
    return size > 0;
}

struct steady_value steady_trim(const char *text, size_t size)
{
    while (size > 0 && steady_is_blank(*text)) {
        text++;
        size--;
    }
    while (size > 0 && steady_is_blank(text[size - 1]))
        size--;
    return (struct steady_value){text, size};
}

bool steady_value_begins(struct steady_value value, const char *prefix)
{
    const size_t size = strlen(prefix);
    return value.size >= size && steady_is_same_text(value.text, prefix, size);
}

bool steady_value_is(struct steady_value value, const char *expected)
{
    return value.size == strlen(expected) && steady_value_begins(value, expected);
}

bool steady_lists(const char *list, const char *token)
{
    while (list) {
        const char *comma = strchr(list, ',');
        const size_t size = comma ? (size_t)(comma - list) : strlen(list);
        if (steady_value_is(steady_trim(list, size), token))
            return true;
        list = comma ? comma + 1 : NULL;
    }
    return false;
}
