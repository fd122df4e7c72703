/* Makes text from other people harmless for terminals and log files. */
#ifndef STEADY_CORE_HARMLESS_H
#define STEADY_CORE_HARMLESS_H

#include <stddef.h>
#include <stdint.h>

#define STEADY_HARMLESS_MAX 4 /* bytes that one byte becomes at most */

/* Copies a text and ends it with a NUL byte. Every byte that is not part of a visible character is
 * written as `\x1b`: control characters, bytes that are not UTF-8, and characters that are
 * invisible or change the direction of the text behind them. So no text can begin a new line,
 * command a terminal, or look like another text. Everything else is copied unchanged. `out` has
 * room for STEADY_HARMLESS_MAX * size + 1 bytes. Returns the size of the copy. */
size_t steady_harmless(char *out, const uint8_t *text, size_t size);

#endif
