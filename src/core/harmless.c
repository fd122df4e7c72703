#include "core/harmless.h"

#include "core/utf8.h"

#include <stdbool.h>
#include <string.h>

/* Returns the size in bytes of the character that begins with this byte of a valid text. */
static size_t length_of(uint8_t first)
{
    return first < 0x80 ? 1 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
}

static uint32_t code_point(const uint8_t *at, size_t length)
{
    uint32_t code = length == 1 ? *at : *at & (0x7Fu >> length);
    for (size_t i = 1; i < length; i++)
        code = code << 6 | (at[i] & 0x3Fu);
    return code;
}

static bool is_visible(uint32_t code)
{
    static const struct {
        uint32_t first, last;
    } invisible[] = {
        {0x00, 0x1F},       {0x7F, 0x9F},                       /* control characters */
        {0xAD, 0xAD},       {0x61C, 0x61C},   {0x180E, 0x180E}, /* the soft hyphen, marks */
        {0x200B, 0x200F},   {0x2028, 0x202E}, {0x2060, 0x206F}, /* width 0, direction */
        {0xFE00, 0xFE0F},   {0xFEFF, 0xFEFF}, {0xFFF0, 0xFFFB}, /* variants, the byte order mark */
        {0xE0000, 0xE0FFF},                                     /* tags */
    };
    for (size_t i = 0; i < sizeof invisible / sizeof *invisible; i++)
        if (code >= invisible[i].first && code <= invisible[i].last)
            return false;
    return true;
}

/* Returns the size of the visible character that a text begins with, or 0 when the text begins with
 * something else. */
static size_t visible(const uint8_t *text, size_t size)
{
    size_t length = length_of(*text);
    bool whole = length <= size && steady_utf8_valid(text, length);
    return whole && is_visible(code_point(text, length)) ? length : 0;
}

size_t steady_harmless(char *out, const uint8_t *text, size_t size)
{
    static const char digits[] = "0123456789abcdef";
    char *const start = out;
    while (size > 0) {
        size_t length = visible(text, size), taken = length ? length : 1;
        if (length) {
            memcpy(out, text, length);
            out += length;
        } else {
            *out++ = '\\';
            *out++ = 'x';
            *out++ = digits[*text >> 4];
            *out++ = digits[*text & 0xF];
        }
        text += taken;
        size -= taken;
    }
    *out = 0;
    return (size_t)(out - start);
}
