#include "core/options.h"

#include "core/ascii.h"
#include "core/utf8.h"

#include <arpa/inet.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define MAX_BYTES 0x1p48
#define HOST_MAX  253 /* bytes */
#define LABEL_MAX 63
#define PIN_SIZE  52 /* characters of a pin */
#define SCOPE_MAX 17 /* of an IPv6 address, with its % */

/* --- strings: each returns what is wrong, or NULL -------------------------------------------- */

/* The name is part of each message and of each line of the log, which must not have control
 * characters. */
static const char *bad_name(const char *text, size_t size)
{
    for (size_t i = 0; i < size; i++)
        if (steady_is_control(text[i]))
            return "has a control character";
    return NULL;
}

static const char *bad_utf8(const char *text, size_t size)
{
    return steady_utf8_valid((const uint8_t *)text, size) ? NULL : "is not UTF-8";
}

static const char *bad_path(const char *text, size_t size)
{
    (void)text;
    return size ? NULL : "is empty, where the name of a file is needed";
}

static bool is_base64_char(char c)
{
    return steady_is_digit(c) || steady_is_letter(c) || steady_is_one_of(c, "+/");
}

/* Pins as curl has them: each the SHA-256 of a public key, in base64, with ';' between them. */
static const char *bad_pin(const char *text, size_t size)
{
    static const char problem[] = "is no pin: one is written as \"sha256//\", 43 characters of "
                                  "base64, and \"=\"";
    static const char prefix[] = "sha256//";
    size_t at = 0;
    do {
        size_t end = at + PIN_SIZE;
        if (end > size || memcmp(text + at, prefix, sizeof prefix - 1) != 0 || text[end - 1] != '=')
            return problem;
        for (at += sizeof prefix - 1; at < end - 1; at++)
            if (!is_base64_char(text[at]))
                return problem;
        at = end + 1;
        if (end < size && text[end] != ';')
            return problem;
    } while (at <= size);
    return NULL;
}

static bool is_host_char(char c)
{
    return steady_is_letter(c) || steady_is_digit(c) || c == '-' || c == '_';
}

/* A host name has labels of at most 63 bytes with dots between them, and at most 253 bytes in all
 * (RFC 1035 section 2.3.4). IPv4 addresses have that form, too. IPv6 addresses are accepted as
 * well. */
static const char *bad_host(const char *text, size_t size)
{
    struct in6_addr address;
    size_t label = 0;
    if (inet_pton(AF_INET6, text, &address) == 1)
        return NULL;
    if (size > HOST_MAX)
        return "has more than 253 bytes, as no host name has";
    for (size_t i = 0; i <= size; i++) {
        if (i == size || text[i] == '.') {
            if (label == 0 || label > LABEL_MAX)
                return "is no host name: between its dots have to be 1 to 63 bytes";
            label = 0;
        } else if (is_host_char(text[i])) {
            label++;
        } else {
            return "is no host name: only letters, digits, '-', '_' and '.' can be in one";
        }
    }
    return NULL;
}

static const char *bad_address(const char *text, size_t size)
{
    struct in6_addr address;
    char without_scope[INET6_ADDRSTRLEN] = "";
    size_t length = strcspn(text, "%");
    if (length < sizeof without_scope && size < sizeof without_scope + SCOPE_MAX)
        memcpy(without_scope, text, length);
    if (inet_pton(AF_INET, text, &address) == 1 ||
        inet_pton(AF_INET6, without_scope, &address) == 1)
        return NULL;
    return "is no literal IPv4 or IPv6 address, as 192.0.2.1 or 2001:db8::1 is";
}

/* --- the table ------------------------------------------------------------------------------- */

/* One macro for each type of option. member: the member of struct steady_options that it sets. */
#define AT(member) offsetof(struct steady_options, member)
#define NUMBER(name, member, min, max)                                                             \
    {                                                                                              \
        name, STEADY_OPTION_NUMBER, AT(member), min, max, NULL, NULL, NULL                         \
    }
#define INTEGER(name, member, min, max)                                                            \
    {                                                                                              \
        name, STEADY_OPTION_INTEGER, AT(member), min, max, NULL, NULL, NULL                        \
    }
#define BOOLEAN(name, member)                                                                      \
    {                                                                                              \
        name, STEADY_OPTION_BOOLEAN, AT(member), 0, 0, NULL, NULL, NULL                            \
    }
#define STRING(name, member, problem)                                                              \
    {                                                                                              \
        name, STEADY_OPTION_STRING, AT(member), 0, 0, NULL, NULL, problem                          \
    }
#define STRINGS(name, member, problem)                                                             \
    {                                                                                              \
        name, STEADY_OPTION_STRINGS, AT(member), 0, 0, NULL, NULL, problem                         \
    }
#define CHOICE(name, member, choices)                                                              \
    {                                                                                              \
        name, STEADY_OPTION_CHOICE, AT(member), 0, 0, choices, NULL, NULL                          \
    }
#define SWITCH(name, member, fields)                                                               \
    {                                                                                              \
        name, STEADY_OPTION_GROUP, AT(member), 0, 0, NULL, fields, NULL                            \
    }
#define GROUP(name, fields)                                                                        \
    {                                                                                              \
        name, STEADY_OPTION_GROUP, STEADY_NO_SWITCH, 0, 0, NULL, fields, NULL                      \
    }

static const char *const tls_versions[] = {"1.2", "1.3", NULL};
static const char *const overflows[] = {"refuse", "drop_oldest", NULL};

static const struct steady_option reconnect_fields[] = {
    NUMBER("min_delay", session.backoff.min_delay, 0, STEADY_MAX_SECONDS),
    NUMBER("max_delay", session.backoff.max_delay, 0, STEADY_MAX_SECONDS),
    NUMBER("factor", session.backoff.factor, 1, 1e6),
    NUMBER("jitter", session.backoff.jitter, 0, 1),
    NUMBER("min_uptime", session.min_uptime, 0, STEADY_MAX_SECONDS),
    INTEGER("max_attempts", session.max_attempts, 1, INFINITY),
    {0},
};

static const struct steady_option queue_fields[] = {
    INTEGER("max_bytes", queue.max_bytes, 0, INFINITY),
    INTEGER("max_messages", queue.max_messages, 0, INFINITY),
    CHOICE("overflow", queue.overflow, overflows),
    NUMBER("ttl", queue.ttl, 0, INFINITY),
    {0},
};

static const struct steady_option heartbeat_fields[] = {
    NUMBER("interval", heartbeat.interval, 0.001, STEADY_MAX_SECONDS),
    NUMBER("timeout", heartbeat.timeout, 0.001, STEADY_MAX_SECONDS),
    STRING("message", heartbeat.message, bad_utf8),
    STRING("reply", heartbeat.reply, bad_utf8),
    {0},
};

static const struct steady_option inbox_fields[] = {
    INTEGER("max_bytes", inbox.max_bytes, 1, INFINITY),
    {0},
};

static const struct steady_option compression_fields[] = {
    INTEGER("threshold", compression.threshold, 0, INFINITY),
    INTEGER("level", compression.level, 1, 9),
    BOOLEAN("client_no_context_takeover", compression.client_no_context_takeover),
    BOOLEAN("server_no_context_takeover", compression.server_no_context_takeover),
    INTEGER("client_max_window_bits", compression.client_max_window_bits, STEADY_WINDOW_BITS_MIN,
            STEADY_WINDOW_BITS_MAX),
    INTEGER("server_max_window_bits", compression.server_max_window_bits, STEADY_WINDOW_BITS_MIN,
            STEADY_WINDOW_BITS_MAX),
    {0},
};

static const struct steady_option tls_fields[] = {
    STRING("ca_file", tls.ca_file, bad_path),
    STRING("ca", tls.ca, NULL),
    STRING("cert_file", tls.cert_file, bad_path),
    STRING("cert", tls.cert, NULL),
    STRING("key_file", tls.key_file, bad_path),
    STRING("key", tls.key, NULL),
    STRING("key_password", tls.key_password, NULL),
    STRING("server_name", tls.server_name, bad_host),
    STRINGS("pin", tls.pin, bad_pin),
    CHOICE("min_version", tls.min_version, tls_versions),
    STRING("keylog", tls.keylog, bad_path),
    BOOLEAN("verify", tls.verify),
    {0},
};

const struct steady_option steady_option_list[] = {
    STRING("name", name, bad_name),
    SWITCH("reconnect", session.reconnect, reconnect_fields),
    NUMBER("connect_timeout", session.connect_timeout, 0.001, STEADY_MAX_SECONDS),
    INTEGER("redirects", redirects, 0, 20), /* as many as browsers follow */
    NUMBER("close_timeout", session.close_timeout, 0, STEADY_MAX_SECONDS),
    SWITCH("heartbeat", heartbeat.on, heartbeat_fields),
    GROUP("queue", queue_fields),
    BOOLEAN("confirm", confirm),
    BOOLEAN("require_protocol", require_protocol),
    INTEGER("high_water", high_water, 0, INFINITY),
    INTEGER("low_water", low_water, 0, INFINITY),
    GROUP("inbox", inbox_fields),
    SWITCH("compression", compression.on, compression_fields),
    GROUP("tls", tls_fields),
    STRING("local_address", local_address, bad_address),
    INTEGER("max_message_size", max_message_size, 1, MAX_BYTES),
    {0},
};

void steady_options_init(struct steady_options *options)
{
    *options = (struct steady_options){
        .session =
            {
                .backoff = {.min_delay = 0.5, .max_delay = 30, .factor = 2, .jitter = 1},
                .min_uptime = 5,
                .max_attempts = INFINITY,
                .connect_timeout = 10,
                .close_timeout = 5,
                .reconnect = 1,
            },
        .heartbeat = {.on = 1, .interval = 20, .timeout = 20},
        .queue = {.max_bytes = 16 << 20, .max_messages = INFINITY, .ttl = INFINITY},
        .inbox = {.max_bytes = 16 << 20},
        .compression = {.threshold = 1024,
                        .level = 6,
                        .client_max_window_bits = STEADY_WINDOW_BITS_MAX,
                        .server_max_window_bits = STEADY_WINDOW_BITS_MAX},
        .tls = {.verify = true},
        .max_message_size = 16 << 20,
        .high_water = 1 << 20,
        .low_water = 256 << 10,
    };
}

void steady_options_clear_urls(struct steady_options *options)
{
    for (size_t i = 0; i < options->url_count; i++)
        steady_url_free(&options->urls[i]);
    options->url_count = 0;
}

void steady_options_clear_headers(struct steady_options *options)
{
    for (size_t i = 0; i < options->header_count; i++) {
        free((char *)options->headers[i].name);
        free((char *)options->headers[i].value);
    }
    options->header_count = 0;
}

void steady_options_clear_protocols(struct steady_options *options)
{
    for (size_t i = 0; i < options->protocol_count; i++)
        free(options->protocols[i]);
    options->protocol_count = 0;
}

void steady_options_free(struct steady_options *options)
{
    steady_options_clear_urls(options);
    steady_options_clear_headers(options);
    steady_options_clear_protocols(options);
    free(options->urls);
    free(options->headers);
    free(options->protocols);
    free(options->name);
    free(options->origin);
    steady_url_free(&options->proxy);
    steady_url_free(&options->connect_to);
    free(options->local_address);
    free(options->heartbeat.message);
    free(options->heartbeat.reply);
    free(options->tls.ca_file);
    free(options->tls.ca);
    free(options->tls.cert_file);
    free(options->tls.cert);
    free(options->tls.key_file);
    free(options->tls.key);
    free(options->tls.key_password);
    free(options->tls.server_name);
    free(options->tls.pin);
    free(options->tls.keylog);
    *options = (struct steady_options){0};
}

static const char *check_tls(const struct steady_tls_options *tls)
{
    bool certificate = tls->cert_file || tls->cert, key = tls->key_file || tls->key;
    if (tls->ca_file && tls->ca)
        return "of tls.ca_file and tls.ca only one can be given";
    if (tls->cert_file && tls->cert)
        return "of tls.cert_file and tls.cert only one can be given";
    if (tls->key_file && tls->key)
        return "of tls.key_file and tls.key only one can be given";
    if (certificate != key)
        return "tls.cert_file and tls.key_file go together, as do tls.cert and tls.key";
    if (tls->key_password && !key)
        return "tls.key_password is of no use without tls.key_file or tls.key";
    return NULL;
}

const char *steady_options_check(const struct steady_options *options)
{
    if (options->session.backoff.min_delay > options->session.backoff.max_delay)
        return "reconnect.min_delay is greater than reconnect.max_delay";
    if (options->low_water > options->high_water)
        return "low_water is greater than high_water";
    if (!options->heartbeat.message != !options->heartbeat.reply)
        return "heartbeat.message and heartbeat.reply go together";
    return check_tls(&options->tls);
}

/* ------------------------------------------------------------------------- lists */

static const char out_of_memory[] = "out of memory";

/* Makes room for one more element in a list, whose capacity is always the next power of two.
 * Returns the list, or NULL when memory is out. */
static void *grow(void *list, size_t count, size_t element)
{
    bool full = (count & (count - 1)) == 0;
    return full ? realloc(list, (count ? 2 * count : 1) * element) : list;
}

static char *copy(const char *text, size_t size)
{
    char *result = malloc(size + 1);
    if (!result)
        return NULL;
    memcpy(result, text, size);
    result[size] = 0;
    return result;
}

const char *steady_option_set_string(struct steady_options *options,
                                     const struct steady_option *option, const char *text,
                                     size_t size)
{
    if (memchr(text, 0, size))
        return "has a NUL byte inside";
    char *new = copy(text, size);
    if (!new)
        return out_of_memory;
    const char *problem = option->problem ? option->problem(new, size) : NULL;
    char **member = (char **)((char *)options + option->offset);
    free(problem ? new : *member);
    if (!problem)
        *member = new;
    return problem;
}

const char *steady_option_add_string(struct steady_options *options,
                                     const struct steady_option *option, const char *text,
                                     size_t size)
{
    const char *before = *(char **)((char *)options + option->offset);
    if (!before)
        return steady_option_set_string(options, option, text, size);
    size_t start = strlen(before) + 1;
    char *joined = malloc(start + size);
    if (!joined)
        return out_of_memory;
    memcpy(joined, before, start - 1);
    joined[start - 1] = ';';
    memcpy(joined + start, text, size);
    const char *problem = steady_option_set_string(options, option, joined, start + size);
    free(joined);
    return problem;
}

const char *steady_options_add_url(struct steady_options *options, const char *text, size_t size)
{
    struct steady_url *urls = grow(options->urls, options->url_count, sizeof *urls);
    if (!urls)
        return out_of_memory;
    options->urls = urls;
    const char *problem = steady_url_parse(&urls[options->url_count], text, size);
    if (!problem)
        options->url_count++;
    return problem;
}

const char *steady_options_add_header(struct steady_options *options, const char *name,
                                      size_t name_size, const char *value, size_t value_size)
{
    const char *problem = steady_handshake_bad_name(name, name_size);
    if (!problem)
        problem = steady_handshake_bad_value(value, value_size);
    if (problem)
        return problem;
    struct steady_header *headers = grow(options->headers, options->header_count, sizeof *headers);
    if (!headers)
        return out_of_memory;
    options->headers = headers;
    struct steady_header *header = &headers[options->header_count];
    header->name = copy(name, name_size);
    header->value = copy(value, value_size);
    options->header_count++;
    return header->name && header->value ? NULL : out_of_memory;
}

const char *steady_options_add_protocol(struct steady_options *options, const char *protocol,
                                        size_t size)
{
    const char *problem = steady_handshake_bad_protocol(protocol, size);
    if (problem)
        return problem;
    for (size_t i = 0; i < options->protocol_count; i++)
        if (strlen(options->protocols[i]) == size && !memcmp(options->protocols[i], protocol, size))
            return "is offered twice";
    char **protocols = grow(options->protocols, options->protocol_count, sizeof *protocols);
    if (!protocols)
        return out_of_memory;
    options->protocols = protocols;
    protocols[options->protocol_count] = copy(protocol, size);
    return protocols[options->protocol_count++] ? NULL : out_of_memory;
}

const char *steady_options_set_origin(struct steady_options *options, const char *origin,
                                      size_t size)
{
    const char *problem = steady_handshake_bad_value(origin, size);
    if (problem)
        return problem;
    free(options->origin);
    options->origin = copy(origin, size);
    return options->origin ? NULL : out_of_memory;
}

const char *steady_options_set_proxy(struct steady_options *options, const char *proxy, size_t size,
                                     char room[STEADY_PROXY_PROBLEM_SIZE])
{
    steady_url_free(&options->proxy);
    options->proxy_of_environment = size == 3 && !memcmp(proxy, "env", 3);
    return options->proxy_of_environment
               ? NULL
               : steady_url_parse_proxy(&options->proxy, proxy, size, room);
}

/* "host:port" and what goes around it in a URL. The port is not left out: its default would be that
 * of ws, whatever the URL says. */
const char *steady_options_set_connect_to(struct steady_options *options, const char *text,
                                          size_t size)
{
    static const char scheme[] = "ws://";
    struct steady_buffer url = {0};
    steady_url_free(&options->connect_to);
    bool port = size > 0 && steady_is_digit(text[size - 1]) && memchr(text, ':', size);
    if (!port || memchr(text, '/', size) || memchr(text, '@', size) || memchr(text, '?', size))
        return "is not of the form host:port";
    bool done = steady_buffer_append(&url, scheme, sizeof scheme - 1) &&
                steady_buffer_append(&url, text, size);
    const char *problem =
        done ? steady_url_parse(&options->connect_to, (char *)url.data, url.size) : out_of_memory;
    steady_buffer_free(&url);
    return problem;
}

/* ------------------------------------------------------------------------- near names */

#define LONGEST_NAME 32

/* Returns the Levenshtein distance. One row of the table is enough, since each needs only the row
 * before it. */
static size_t distance(const char *a, size_t a_size, const char *b, size_t b_size)
{
    size_t row[LONGEST_NAME + 1];
    for (size_t j = 0; j <= b_size; j++)
        row[j] = j;
    for (size_t i = 1; i <= a_size; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= b_size; j++) {
            size_t replaced = diagonal + (a[i - 1] != b[j - 1]);
            size_t inserted = (row[j] < row[j - 1] ? row[j] : row[j - 1]) + 1;
            diagonal = row[j];
            row[j] = replaced < inserted ? replaced : inserted;
        }
    }
    return row[b_size];
}

const char *steady_nearest_name(const char *name, const char *const *names)
{
    size_t size = strlen(name);
    const char *nearest = NULL;
    size_t nearest_distance = size / 3 + 1; /* a typing error or two, but not another word */
    for (; size <= LONGEST_NAME && *names; names++) {
        size_t d = distance(name, size, *names, strlen(*names));
        if (d <= nearest_distance && (!nearest || d < nearest_distance)) {
            nearest = *names;
            nearest_distance = d;
        }
    }
    return nearest;
}
