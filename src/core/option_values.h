/* Sets options to values that a program gives, after checking them. Each function returns NULL, or
 * says in a static text what is wrong with the value. */
#ifndef STEADY_CORE_OPTION_VALUES_H
#define STEADY_CORE_OPTION_VALUES_H

#include "core/options.h"

#include <stddef.h>

/* Sets an option of type STEADY_OPTION_STRING to a copy of `text`. When the text is wrong, nothing
 * changes. */
const char *steady_option_set_string(struct steady_options *options,
                                     const struct steady_option *option, const char *text,
                                     size_t size);

/* Adds a text to an option of type STEADY_OPTION_STRINGS, behind the texts that are there, with ';'
 * between them. */
const char *steady_option_add_string(struct steady_options *options,
                                     const struct steady_option *option, const char *text,
                                     size_t size);

/* These functions add a copy to a list, or set the origin to a copy. */
const char *steady_options_add_url(struct steady_options *options, const char *text, size_t size);
const char *steady_options_add_header(struct steady_options *options, const char *name,
                                      size_t name_size, const char *value, size_t value_size);
const char *steady_options_add_protocol(struct steady_options *options, const char *protocol,
                                        size_t size);
const char *steady_options_set_origin(struct steady_options *options, const char *origin,
                                      size_t size);

/* Sets the proxy to the URL of one, or, for "env", to the one that the environment names. The text
 * that says what is wrong may be in `room`. */
const char *steady_options_set_proxy(struct steady_options *options, const char *proxy, size_t size,
                                     char room[STEADY_PROXY_PROBLEM_SIZE]);

/* Sets the address to connect to, which has the form "host:port". */
const char *steady_options_set_connect_to(struct steady_options *options, const char *text,
                                          size_t size);

#endif
