/* What a user can set, as one struct with defaults, and a table that says what each option is, so
 * that reading, checking and naming them in errors is one piece of code. */
#ifndef STEADY_CORE_OPTIONS_H
#define STEADY_CORE_OPTIONS_H

#include "core/extension.h"
#include "core/handshake.h"
#include "core/heartbeat.h"
#include "core/session.h"
#include "core/url.h"

#include <stdbool.h>
#include <stddef.h>

#define STEADY_MAX_SECONDS                                                                         \
    1e9 /* 31 years: what is longer is meant as never, and has a way to say so */

enum steady_overflow { STEADY_OVERFLOW_REFUSE, STEADY_OVERFLOW_DROP_OLDEST };

struct steady_queue_options {
    double max_bytes, max_messages; /* payload bytes; either may be infinite */
    int overflow;                   /* enum steady_overflow */
    double ttl; /* seconds a message waits before it is dropped; may be infinite */
};

struct steady_inbox_options {
    double max_bytes; /* payload bytes, and 32 for each message */
};

struct steady_tls_options {
    char *ca_file;                             /* PEM; NULL: the system's authorities */
    char *cert_file, *key_file, *key_password; /* PEM; of the client; NULL: none */
    char *server_name; /* for SNI and the certificate; NULL: the URL's host */
    bool verify;
};

struct steady_options {
    char *name;
    struct steady_url *urls; /* tried in turn */
    size_t url_count;
    struct steady_header *headers;
    size_t header_count;
    char **protocols;
    size_t protocol_count;
    char *origin;
    struct steady_session_options session;
    struct steady_heartbeat_options heartbeat;
    struct steady_queue_options queue;
    struct steady_inbox_options inbox;
    struct steady_deflate_options compression;
    struct steady_tls_options tls;
    struct steady_url proxy; /* host NULL: none */
    bool proxy_of_environment;
    double max_message_size;      /* bytes */
    double high_water, low_water; /* payload bytes that wait */
    bool confirm;
};

enum steady_option_type {
    STEADY_OPTION_NUMBER,  /* double, from min to max */
    STEADY_OPTION_INTEGER, /* double with an integral value, from min to max; infinity where max is
                            */
    STEADY_OPTION_BOOLEAN, /* bool */
    STEADY_OPTION_STRING,  /* char *; see steady_option_set_string */
    STEADY_OPTION_CHOICE,  /* int: the index of one of choices */
    STEADY_OPTION_GROUP, /* a table of fields; where offset is not STEADY_NO_SWITCH, false and true
                          * set the int there */
};

#define STEADY_NO_SWITCH ((size_t)-1)

struct steady_option {
    const char *name;
    enum steady_option_type type;
    size_t offset; /* in struct steady_options */
    double min, max;
    const char *const *choices;         /* ends with NULL */
    const struct steady_option *fields; /* ends with a NULL name */
    /* What is wrong with a string that has no NUL byte inside, as a static text, or NULL. Where
     * there is no such function every string will do. */
    const char *(*problem)(const char *text, size_t size);
};

/* All options of plain data; ends with a NULL name. The url, headers, protocols and origin, which
 * have rules of their own, and the handlers are not among them. */
extern const struct steady_option steady_option_list[];

/* Sets the defaults. Allocates nothing. */
void steady_options_init(struct steady_options *options);
void steady_options_free(struct steady_options *options);

/* Finds an option that the table does not have by the nearest name in a list that ends with NULL:
 * what the user may have meant, or NULL when nothing is near. */
const char *steady_nearest_name(const char *name, const char *const *names);

/* Sets an option of type STEADY_OPTION_STRING to a copy of what is given. NULL, or a static text
 * that says what is wrong with it; then nothing is changed. */
const char *steady_option_set_string(struct steady_options *options,
                                     const struct steady_option *option, const char *text,
                                     size_t size);

/* Empties a list. */
void steady_options_clear_urls(struct steady_options *options);
void steady_options_clear_headers(struct steady_options *options);

/* Adding to the lists: copies what is given. NULL, or a static text that says what is wrong with
 * it. */
const char *steady_options_add_url(struct steady_options *options, const char *text, size_t size);
const char *steady_options_add_header(struct steady_options *options, const char *name,
                                      size_t name_size, const char *value, size_t value_size);
const char *steady_options_add_protocol(struct steady_options *options, const char *protocol,
                                        size_t size);
const char *steady_options_set_origin(struct steady_options *options, const char *origin,
                                      size_t size);

/* "http://…" or "env". */
const char *steady_options_set_proxy(struct steady_options *options, const char *proxy,
                                     size_t size);

/* Options that contradict each other: NULL, or a static text that names them. */
const char *steady_options_check(const struct steady_options *options);

#endif
