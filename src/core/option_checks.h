/* Checks of the options that are strings. Each returns NULL, or a static text that says what is
 * wrong and goes on behind the option's name. The text ends with a NUL byte and has none inside. */
#ifndef STEADY_CORE_OPTION_CHECKS_H
#define STEADY_CORE_OPTION_CHECKS_H

#include <stddef.h>

/* The name of a client, which is part of its messages and its log. */
const char *steady_check_name(const char *text, size_t size);
const char *steady_check_utf8(const char *text, size_t size);
/* The path of a file. */
const char *steady_check_path(const char *text, size_t size);
/* Pins as curl writes them: each is the SHA-256 of a public key in base64, with ';' between them.
 */
const char *steady_check_pin(const char *text, size_t size);
/* The name of a host, or a literal address. */
const char *steady_check_host(const char *text, size_t size);
/* A literal address. */
const char *steady_check_address(const char *text, size_t size);

#endif
