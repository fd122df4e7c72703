/* Checks the options that are strings. Each function returns NULL, or a static text that says what
 * is wrong and goes on behind the option's name. `text` has `size` bytes, ends with a NUL byte, and
 * has none inside. */
#ifndef STEADY_CORE_OPTION_CHECKS_H
#define STEADY_CORE_OPTION_CHECKS_H

#include <stddef.h>

/* Checks the name of a client, which is part of its messages and its log. */
const char *steady_check_name(const char *text, size_t size);
const char *steady_check_utf8(const char *text, size_t size);
/* Checks the path of a file, which must not be empty. */
const char *steady_check_path(const char *text, size_t size);
/* Checks pins as curl writes them. Each is the SHA-256 of a public key in base64, with ';' between
 * them. */
const char *steady_check_pin(const char *text, size_t size);
/* Checks the name of a host, or a literal address. */
const char *steady_check_host(const char *text, size_t size);
/* Checks a literal address. */
const char *steady_check_address(const char *text, size_t size);

#endif
