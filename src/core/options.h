/* The options of a client: a struct with their values, and a table that describes each option. With
 * the table one piece of code can read, check and name all of them. */
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
    1e9 /* 31 years; for a longer time, options that may be infinite take math.huge */

enum steady_overflow { STEADY_OVERFLOW_REFUSE, STEADY_OVERFLOW_DROP_OLDEST };

struct steady_queue_options {
    double max_bytes, max_messages; /* max_bytes counts payload; each may be infinite */
    int overflow;                   /* enum steady_overflow */
    double ttl; /* seconds after which a message that still waits is dropped; may be infinite */
};

struct steady_inbox_options {
    double max_bytes; /* counts bytes of payload, and 32 for each message */
};

struct steady_tls_options {
    char *ca_file, *ca;     /* PEM, as a file or a text; both NULL for the system's authorities */
    char *cert_file, *cert; /* the client's certificate, in the same way; both NULL for none */
    char *key_file, *key;
    char *key_password;
    char *server_name; /* the name for SNI and the check of the certificate; NULL for the URL's host
                        */
    char *pin;         /* sha256//BASE64 of public keys, with ';' between them; NULL for any key */
    char *keylog;      /* a file; NULL for none */
    int min_version;   /* 0 for TLS 1.2, 1 for TLS 1.3 */
    bool verify;
};

struct steady_options {
    char *name;
    struct steady_url *urls; /* each attempt uses the next one */
    size_t url_count;
    double redirects; /* how many redirects an attempt follows at most */
    struct steady_header *headers;
    size_t header_count;
    char **protocols;
    size_t protocol_count;
    bool require_protocol; /* whether the server has to choose one of the protocols */
    char *origin;
    struct steady_session_options session;
    struct steady_heartbeat_options heartbeat;
    struct steady_queue_options queue;
    struct steady_inbox_options inbox;
    struct steady_deflate_options compression;
    struct steady_tls_options tls;
    struct steady_url proxy; /* its host is NULL when there is no proxy */
    bool proxy_of_environment;
    struct steady_url connect_to; /* its host is NULL when the client connects to the URL's host */
    char *local_address;          /* a literal address; NULL for any */
    double max_message_size;      /* bytes */
    double high_water, low_water; /* bytes of payload in the queue */
    bool confirm;
};

enum steady_option_type {
    STEADY_OPTION_NUMBER,  /* a double from min to max */
    STEADY_OPTION_INTEGER, /* a double with an integral value from min to max, or infinity when max
                              is infinite */
    STEADY_OPTION_BOOLEAN, /* a bool */
    STEADY_OPTION_STRING,  /* a char *; see steady_option_set_string */
    STEADY_OPTION_STRINGS, /* a char *, for one string or several; see steady_option_add_string */
    STEADY_OPTION_CHOICE,  /* an int, the index of one of `choices` */
    STEADY_OPTION_GROUP,   /* a table of `fields`; unless offset is STEADY_NO_SWITCH, the user may
                              also give false or true, which sets the int there */
};

#define STEADY_NO_SWITCH ((size_t)-1)

struct steady_option {
    const char *name;
    enum steady_option_type type;
    size_t offset; /* the place of the member in struct steady_options */
    double min, max;
    const char *const *choices;         /* ends with NULL */
    const struct steady_option *fields; /* ends with a NULL name */
    /* Returns NULL, or a static text that says what is wrong with a string. The string ends with a
     * NUL byte and has none inside. When this function is NULL, the option takes every string. */
    const char *(*problem)(const char *text, size_t size);
};

/* All options that the table describes. The list ends with a NULL name. It does not have the
 * handlers, and not url, headers, protocols, origin, proxy and connect_to, which have rules of
 * their own. */
extern const struct steady_option steady_option_list[];

/* Sets the defaults. This function allocates no memory. */
void steady_options_init(struct steady_options *options);
void steady_options_free(struct steady_options *options);

/* These functions empty a list. */
void steady_options_clear_urls(struct steady_options *options);
void steady_options_clear_headers(struct steady_options *options);
void steady_options_clear_protocols(struct steady_options *options);

/* Returns NULL, or a static text that says which options contradict each other. */
const char *steady_options_check(const struct steady_options *options);

#endif
