#include "core/options.h"

#include "core/option_checks.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define MAX_BYTES 0x1p48

/* --- the table ------------------------------------------------------------------------------- */

/* There is one macro for each type of option. `member` is the member of struct steady_options that
 * the option sets. */
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
    STRING("message", heartbeat.message, steady_check_utf8),
    STRING("reply", heartbeat.reply, steady_check_utf8),
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
    STRING("ca_file", tls.ca_file, steady_check_path),
    STRING("ca", tls.ca, NULL),
    STRING("cert_file", tls.cert_file, steady_check_path),
    STRING("cert", tls.cert, NULL),
    STRING("key_file", tls.key_file, steady_check_path),
    STRING("key", tls.key, NULL),
    STRING("key_password", tls.key_password, NULL),
    STRING("server_name", tls.server_name, steady_check_host),
    STRINGS("pin", tls.pin, steady_check_pin),
    CHOICE("min_version", tls.min_version, tls_versions),
    STRING("keylog", tls.keylog, steady_check_path),
    BOOLEAN("verify", tls.verify),
    {0},
};

const struct steady_option steady_option_list[] = {
    STRING("name", name, steady_check_name),
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
    STRING("local_address", local_address, steady_check_address),
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
