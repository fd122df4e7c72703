#include "core/options.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define MAX_BYTES 0x1p48

#define AT(member) offsetof(struct steady_options, member)

static const char *const overflows[] = {"refuse", "drop_oldest", NULL};

static const struct steady_option reconnect_fields[] = {
    {"min_delay", STEADY_OPTION_NUMBER, AT(session.backoff.min_delay), 0, STEADY_MAX_SECONDS, 0, 0},
    {"max_delay", STEADY_OPTION_NUMBER, AT(session.backoff.max_delay), 0, STEADY_MAX_SECONDS, 0, 0},
    {"factor", STEADY_OPTION_NUMBER, AT(session.backoff.factor), 1, 1e6, 0, 0},
    {"jitter", STEADY_OPTION_NUMBER, AT(session.backoff.jitter), 0, 1, 0, 0},
    {"min_uptime", STEADY_OPTION_NUMBER, AT(session.min_uptime), 0, STEADY_MAX_SECONDS, 0, 0},
    {"max_attempts", STEADY_OPTION_INTEGER, AT(session.max_attempts), 1, INFINITY, 0, 0},
    {0},
};

static const struct steady_option queue_fields[] = {
    {"max_bytes", STEADY_OPTION_INTEGER, AT(queue.max_bytes), 0, INFINITY, 0, 0},
    {"max_messages", STEADY_OPTION_INTEGER, AT(queue.max_messages), 0, INFINITY, 0, 0},
    {"overflow", STEADY_OPTION_CHOICE, AT(queue.overflow), 0, 0, overflows, 0},
    {"ttl", STEADY_OPTION_NUMBER, AT(queue.ttl), 0, INFINITY, 0, 0},
    {0},
};

static const struct steady_option heartbeat_fields[] = {
    {"interval", STEADY_OPTION_NUMBER, AT(heartbeat.interval), 0.001, STEADY_MAX_SECONDS, 0, 0},
    {"timeout", STEADY_OPTION_NUMBER, AT(heartbeat.timeout), 0.001, STEADY_MAX_SECONDS, 0, 0},
    {"message", STEADY_OPTION_TEXT, AT(heartbeat.message), 0, 0, 0, 0},
    {"reply", STEADY_OPTION_TEXT, AT(heartbeat.reply), 0, 0, 0, 0},
    {0},
};

static const struct steady_option inbox_fields[] = {
    {"max_bytes", STEADY_OPTION_INTEGER, AT(inbox.max_bytes), 1, INFINITY, 0, 0},
    {0},
};

static const struct steady_option compression_fields[] = {
    {"threshold", STEADY_OPTION_INTEGER, AT(compression.threshold), 0, INFINITY, 0, 0},
    {"level", STEADY_OPTION_INTEGER, AT(compression.level), 1, 9, 0, 0},
    {"client_no_context_takeover", STEADY_OPTION_BOOLEAN,
     AT(compression.client_no_context_takeover), 0, 0, 0, 0},
    {"server_no_context_takeover", STEADY_OPTION_BOOLEAN,
     AT(compression.server_no_context_takeover), 0, 0, 0, 0},
    {"client_max_window_bits", STEADY_OPTION_INTEGER, AT(compression.client_max_window_bits),
     STEADY_WINDOW_BITS_MIN, STEADY_WINDOW_BITS_MAX, 0, 0},
    {"server_max_window_bits", STEADY_OPTION_INTEGER, AT(compression.server_max_window_bits),
     STEADY_WINDOW_BITS_MIN, STEADY_WINDOW_BITS_MAX, 0, 0},
    {0},
};

static const struct steady_option tls_fields[] = {
    {"ca_file", STEADY_OPTION_STRING, AT(tls.ca_file), 0, 0, 0, 0},
    {"cert_file", STEADY_OPTION_STRING, AT(tls.cert_file), 0, 0, 0, 0},
    {"key_file", STEADY_OPTION_STRING, AT(tls.key_file), 0, 0, 0, 0},
    {"key_password", STEADY_OPTION_STRING, AT(tls.key_password), 0, 0, 0, 0},
    {"server_name", STEADY_OPTION_STRING, AT(tls.server_name), 0, 0, 0, 0},
    {"verify", STEADY_OPTION_BOOLEAN, AT(tls.verify), 0, 0, 0, 0},
    {0},
};

const struct steady_option steady_option_list[] = {
    {"name", STEADY_OPTION_STRING, AT(name), 0, 0, 0, 0},
    {"reconnect", STEADY_OPTION_GROUP, AT(session.reconnect), 0, 0, 0, reconnect_fields},
    {"connect_timeout", STEADY_OPTION_NUMBER, AT(session.connect_timeout), 0.001,
     STEADY_MAX_SECONDS, 0, 0},
    {"close_timeout", STEADY_OPTION_NUMBER, AT(session.close_timeout), 0, STEADY_MAX_SECONDS, 0, 0},
    {"heartbeat", STEADY_OPTION_GROUP, AT(heartbeat.on), 0, 0, 0, heartbeat_fields},
    {"queue", STEADY_OPTION_GROUP, STEADY_NO_SWITCH, 0, 0, 0, queue_fields},
    {"confirm", STEADY_OPTION_BOOLEAN, AT(confirm), 0, 0, 0, 0},
    {"high_water", STEADY_OPTION_INTEGER, AT(high_water), 0, INFINITY, 0, 0},
    {"low_water", STEADY_OPTION_INTEGER, AT(low_water), 0, INFINITY, 0, 0},
    {"inbox", STEADY_OPTION_GROUP, STEADY_NO_SWITCH, 0, 0, 0, inbox_fields},
    {"compression", STEADY_OPTION_GROUP, AT(compression.on), 0, 0, 0, compression_fields},
    {"tls", STEADY_OPTION_GROUP, STEADY_NO_SWITCH, 0, 0, 0, tls_fields},
    {"max_message_size", STEADY_OPTION_INTEGER, AT(max_message_size), 1, MAX_BYTES, 0, 0},
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

void steady_options_free(struct steady_options *options)
{
    steady_options_clear_urls(options);
    steady_options_clear_headers(options);
    for (size_t i = 0; i < options->protocol_count; i++)
        free(options->protocols[i]);
    free(options->urls);
    free(options->headers);
    free(options->protocols);
    free(options->name);
    free(options->origin);
    steady_url_free(&options->proxy);
    free(options->heartbeat.message);
    free(options->heartbeat.reply);
    free(options->tls.ca_file);
    free(options->tls.cert_file);
    free(options->tls.key_file);
    free(options->tls.key_password);
    free(options->tls.server_name);
    *options = (struct steady_options){0};
}

const char *steady_options_check(const struct steady_options *options)
{
    if (options->session.backoff.min_delay > options->session.backoff.max_delay)
        return "reconnect.min_delay is greater than reconnect.max_delay";
    if (options->low_water > options->high_water)
        return "low_water is greater than high_water";
    if (!options->heartbeat.message != !options->heartbeat.reply)
        return "heartbeat.message and heartbeat.reply go together";
    if (!options->tls.cert_file != !options->tls.key_file)
        return "tls.cert_file and tls.key_file go together";
    if (options->tls.key_password && !options->tls.key_file)
        return "tls.key_password is of no use without tls.key_file";
    return NULL;
}

/* ------------------------------------------------------------------------- lists */

static const char out_of_memory[] = "out of memory";

/* Room for one more in a list; NULL: out of memory. */
static void *grow(void *list, size_t count, size_t element)
{
    return realloc(list, (count + 1) * element);
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

const char *steady_options_set_proxy(struct steady_options *options, const char *proxy, size_t size)
{
    steady_url_free(&options->proxy);
    options->proxy_of_environment = size == 3 && !memcmp(proxy, "env", 3);
    return options->proxy_of_environment ? NULL
                                         : steady_url_parse_proxy(&options->proxy, proxy, size);
}

/* ------------------------------------------------------------------------- near names */

#define LONGEST_NAME 32

/* Levenshtein distance; a row is enough, as only the last one counts. */
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
    size_t nearest_distance = size / 3 + 1; /* a typo or two, not another word */
    for (; size <= LONGEST_NAME && *names; names++) {
        size_t d = distance(name, size, *names, strlen(*names));
        if (d <= nearest_distance && (!nearest || d < nearest_distance)) {
            nearest = *names;
            nearest_distance = d;
        }
    }
    return nearest;
}
