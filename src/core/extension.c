#include "core/extension.h"

#include "core/ascii.h"
#include "core/number.h"
#include "core/token.h"

#include <string.h>

#define NAME "permessage-deflate"

enum parameter {
    SERVER_NO_CONTEXT_TAKEOVER,
    CLIENT_NO_CONTEXT_TAKEOVER,
    SERVER_MAX_WINDOW_BITS,
    CLIENT_MAX_WINDOW_BITS,
    PARAMETERS
};

static const char *const names[PARAMETERS] = {
    "server_no_context_takeover",
    "client_no_context_takeover",
    "server_max_window_bits",
    "client_max_window_bits",
};

/* --- the offer ------------------------------------------------------------------------------- */

static bool append_flag(struct steady_buffer *out, enum parameter parameter)
{
    return steady_buffer_append_texts(out, "; ", names[parameter]);
}

static bool append_bits(struct steady_buffer *out, enum parameter parameter, double bits)
{
    return steady_buffer_printf(out, "; %s=%d", names[parameter], steady_int(bits));
}

static bool is_limit(double window_bits)
{
    return window_bits < STEADY_WINDOW_BITS_MAX;
}

/* client_max_window_bits is always offered, with or without a value, since that allows the server
 * to ask for a smaller window. */
bool steady_extension_offer(struct steady_buffer *out, const struct steady_deflate_options *options)
{
    const double client = options->client_max_window_bits, server = options->server_max_window_bits;
    bool ok = steady_buffer_append_texts(out, NAME);
    ok = ok && (is_limit(client) ? append_bits(out, CLIENT_MAX_WINDOW_BITS, client)
                                 : append_flag(out, CLIENT_MAX_WINDOW_BITS));
    if (is_limit(server))
        ok = ok && append_bits(out, SERVER_MAX_WINDOW_BITS, server);
    if (options->client_no_context_takeover)
        ok = ok && append_flag(out, CLIENT_NO_CONTEXT_TAKEOVER);
    if (options->server_no_context_takeover)
        ok = ok && append_flag(out, SERVER_NO_CONTEXT_TAKEOVER);
    return ok;
}

/* --- the answer's grammar -------------------------------------------------------------------- */

/* A token of the answer. When the token was quoted, this is the text between the quotes. */
struct word {
    const char *text;
    size_t size;
};

static bool is_word(struct word word, const char *expected)
{
    return word.size == strlen(expected) && memcmp(word.text, expected, word.size) == 0;
}

static void skip_blanks(const char **at)
{
    while (steady_is_blank(**at))
        ++*at;
}

/* Returns whether the next character is c. If it is, skips it and the blanks on both sides. */
static bool take(const char **at, char c)
{
    skip_blanks(at);
    if (**at != c)
        return false;
    ++*at;
    skip_blanks(at);
    return true;
}

/* Skips commas, and with them the empty members of a list (RFC 9110 section 5.6.1.2). */
static void skip_commas(const char **at)
{
    while (take(at, ','))
        ;
}

/* Returns the next token, or an empty one when there is none. */
static struct word take_token(const char **at)
{
    struct word word = {*at, 0};
    while (steady_is_token_char(**at))
        ++*at;
    word.size = (size_t)(*at - word.text);
    return word;
}

/* Returns the value of a parameter. Even a quoted value must be a token (RFC 6455 section 9.1). All
 * values are numbers, which need no backslash, so escapes are not supported. */
static struct word take_value(const char **at)
{
    if (**at != '"')
        return take_token(at);
    ++*at;
    struct word word = take_token(at);
    if (**at == '"')
        ++*at;
    else
        word.size = 0;
    return word;
}

/* --- its parameters -------------------------------------------------------------------------- */

/* The parameters in the server's answer. */
struct given {
    bool flags[PARAMETERS];
    uint8_t bits[PARAMETERS];
};

static enum parameter find(struct word name)
{
    enum parameter parameter = 0;
    while (parameter < PARAMETERS && !is_word(name, names[parameter]))
        parameter++;
    return parameter;
}

/* Returns a number from 8 to 15 that has no leading zero, or 0 for anything else. */
static uint8_t window_bits(struct word value)
{
    static const char *const valid[] = {"8", "9", "10", "11", "12", "13", "14", "15"};
    for (uint8_t i = 0; i < sizeof valid / sizeof *valid; i++)
        if (is_word(value, valid[i]))
            return (uint8_t)(STEADY_WINDOW_BITS_MIN + i);
    return 0;
}

/* Reads the parameter that begins at *at, behind a semicolon. Returns NULL, or a static text that
 * says what is wrong. */
static const char *read_parameter(const char **at, struct given *given)
{
    const enum parameter parameter = find(take_token(at));
    if (parameter == PARAMETERS)
        return "has a parameter that " NAME " does not have";
    if (given->flags[parameter])
        return "has a parameter twice";
    given->flags[parameter] = true;
    const bool has_value = take(at, '=');
    if (parameter < SERVER_MAX_WINDOW_BITS)
        return has_value ? "has a value for a parameter that takes none" : NULL;
    given->bits[parameter] = has_value ? window_bits(take_value(at)) : 0;
    return given->bits[parameter] ? NULL : "has window bits that are not a number from 8 to 15";
}

static const char not_offered[] = "has an extension that we did not offer";

/* Reads the whole answer. `at` is the first character of the first extension. Returns NULL, or a
 * static text that says what is wrong. */
static const char *read_extensions(const char *at, struct given *given)
{
    if (!is_word(take_token(&at), NAME))
        return not_offered;
    while (take(&at, ';')) {
        const char *fault = read_parameter(&at, given);
        if (fault)
            return fault;
    }
    skip_commas(&at);
    if (!*at)
        return NULL;
    return is_word(take_token(&at), NAME) ? "has " NAME " twice" : not_offered;
}

/* --- the agreement --------------------------------------------------------------------------- */

/* Returns a text that says what is wrong, or NULL. It is wrong when the server has accepted our
 * offer but not server_no_context_takeover or server_max_window_bits, for which we asked. A server
 * that does not want those has to decline the whole offer (RFC 7692 sections 7.1.1.1 and 7.1.2.1).
 */
static const char *broken_promise(const struct given *given,
                                  const struct steady_deflate_options *offered)
{
    const uint8_t bits = given->bits[SERVER_MAX_WINDOW_BITS];
    if (offered->server_no_context_takeover && !given->flags[SERVER_NO_CONTEXT_TAKEOVER])
        return "leaves out the server_no_context_takeover that we asked for";
    if (!is_limit(offered->server_max_window_bits))
        return NULL;
    if (!bits)
        return "leaves out the server_max_window_bits that we asked for";
    return bits > offered->server_max_window_bits
               ? "has more server_max_window_bits than we asked for"
               : NULL;
}

/* Returns the parameters with which the client compresses: of those that the client offered and
 * those for which the server asks, the stricter ones (RFC 7692 sections 7.1.1.2 and 7.1.2.2). */
static struct steady_deflate_side client_side(const struct given *given,
                                              const struct steady_deflate_options *offered)
{
    const uint8_t wanted = (uint8_t)steady_int(offered->client_max_window_bits);
    const uint8_t bits = given->bits[CLIENT_MAX_WINDOW_BITS];
    return (struct steady_deflate_side){bits && bits < wanted ? bits : wanted,
                                        offered->client_no_context_takeover ||
                                            given->flags[CLIENT_NO_CONTEXT_TAKEOVER]};
}

static struct steady_deflate_side server_side(const struct given *given)
{
    const uint8_t bits = given->bits[SERVER_MAX_WINDOW_BITS];
    return (struct steady_deflate_side){bits ? bits : STEADY_WINDOW_BITS_MAX,
                                        given->flags[SERVER_NO_CONTEXT_TAKEOVER]};
}

const char *steady_extension_read(const char *answer, const struct steady_deflate_options *offered,
                                  struct steady_deflate_parameters *agreed)
{
    struct given given = {0};
    *agreed = (struct steady_deflate_parameters){0};
    const char *at = answer ? answer : "";
    skip_commas(&at);
    if (!*at)
        return NULL;
    if (!offered || !offered->on)
        return "has an extension, we offered none";
    const char *fault = read_extensions(at, &given);
    if (!fault)
        fault = broken_promise(&given, offered);
    if (fault)
        return fault;
    *agreed = (struct steady_deflate_parameters){
        .on = true,
        .client = client_side(&given, offered),
        .server = server_side(&given),
        .threshold = steady_size(offered->threshold),
        .level = steady_int(offered->level),
    };
    return NULL;
}
