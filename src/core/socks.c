#include "core/socks.h"

#include <stdio.h>
#include <string.h>

#define VERSION       5
#define LOGIN_VERSION 1 /* the version of RFC 1929's protocol */

enum method { NO_LOGIN = 0, PASSWORD = 2, NONE_ACCEPTABLE = 0xFF };
enum { CONNECT = 1 };
enum address_type { IPV4 = 1, NAME = 3, IPV6 = 4 };

/* Codes of a reply (RFC 1928 section 6). */
enum code {
    SUCCEEDED,
    GENERAL_FAILURE,
    NOT_ALLOWED,
    NETWORK_UNREACHABLE,
    HOST_UNREACHABLE,
    REFUSED,
    TTL_EXPIRED,
    COMMAND_UNKNOWN,
    ADDRESS_TYPE_UNKNOWN,
    CODES
};

static const char *const code_texts[CODES] = {
    [GENERAL_FAILURE] = "it says \"general failure\"",
    [NOT_ALLOWED] = "its rules do not allow that",
    [NETWORK_UNREACHABLE] = "it cannot reach the network of that host",
    [HOST_UNREACHABLE] = "it cannot reach that host",
    [REFUSED] = "nothing listens on that port",
    [TTL_EXPIRED] = "the way from it to that host is too long (the TTL expired), or takes too long",
    [COMMAND_UNKNOWN] = "it does not know the command CONNECT",
    [ADDRESS_TYPE_UNKNOWN] = "it does not know this type of address",
};

/* ------------------------------------------------------------------------- what is sent */

static bool append_byte(struct steady_buffer *out, size_t byte)
{
    uint8_t value = (uint8_t)byte;
    return steady_buffer_append(out, &value, 1);
}

static bool append_counted(struct steady_buffer *out, const char *text)
{
    size_t size = strlen(text);
    return append_byte(out, size) && steady_buffer_append(out, text, size);
}

static bool make_login(struct steady_buffer *out, const struct steady_url *proxy)
{
    return append_byte(out, LOGIN_VERSION) && append_counted(out, proxy->user) &&
           append_counted(out, proxy->password);
}

static bool make_request(struct steady_buffer *out, const struct steady_socks_target *target)
{
    size_t size = target->address_size;
    const uint8_t head[] = {VERSION, CONNECT, 0, size == 0 ? NAME : size == 4 ? IPV4 : IPV6};
    return steady_buffer_append(out, head, sizeof head) &&
           (size ? steady_buffer_append(out, target->address, size)
                 : append_counted(out, target->name)) &&
           append_byte(out, target->port >> 8) && append_byte(out, target->port & 0xFF);
}

bool steady_socks_start(struct steady_socks *socks, const struct steady_url *proxy,
                        const struct steady_socks_target *target, struct steady_buffer *out)
{
    const uint8_t open[] = {VERSION, 1, NO_LOGIN}, both[] = {VERSION, 2, NO_LOGIN, PASSWORD};
    bool log_in = proxy->user && proxy->password;
    return (!log_in || make_login(&socks->login, proxy)) && make_request(&socks->request, target) &&
           (log_in ? steady_buffer_append(out, both, sizeof both)
                   : steady_buffer_append(out, open, sizeof open));
}

void steady_socks_free(struct steady_socks *socks)
{
    steady_buffer_free(&socks->request);
    steady_buffer_free(&socks->login);
}

/* ------------------------------------------------------------------------- what comes */

static void end(struct steady_socks *socks, enum steady_socks_part how)
{
    socks->failed_at = socks->part;
    socks->part = how;
}

static void send_next(struct steady_socks *socks, enum steady_socks_part next,
                      const struct steady_buffer *what, struct steady_buffer *out)
{
    if (steady_buffer_append(out, what->data, what->size)) {
        socks->part = next;
        socks->size = 0;
    } else {
        socks->memory_is_out = true;
        end(socks, STEADY_SOCKS_BAD);
    }
}

/* Returns the size of the answer that is expected, as far as it is known from the bytes that have
 * arrived. */
static size_t expected_size(const struct steady_socks *socks)
{
    if (socks->part != STEADY_SOCKS_REPLY)
        return 2;
    /* The address begins with its size when it is a name. */
    size_t address = socks->size < 4            ? 1
                     : socks->answer[3] == IPV4 ? 4
                     : socks->answer[3] == IPV6 ? 16
                     : socks->size < 5          ? 1
                                                : (size_t)1 + socks->answer[4];
    return socks->size < 4 ? 4 : 4 + address + 2;
}

static bool first_byte_is_good(const struct steady_socks *socks)
{
    return socks->part == STEADY_SOCKS_LOGIN || socks->answer[0] == VERSION;
}

static void method_chosen(struct steady_socks *socks, struct steady_buffer *out)
{
    uint8_t method = socks->answer[1];
    if (method == NO_LOGIN)
        send_next(socks, STEADY_SOCKS_REPLY, &socks->request, out);
    else if (method == PASSWORD && socks->login.size)
        send_next(socks, STEADY_SOCKS_LOGIN, &socks->login, out);
    else
        end(socks, STEADY_SOCKS_REFUSED);
}

/* The version does not matter: some proxies answer with the version of SOCKS instead of that of RFC
 * 1929. */
static void login_answered(struct steady_socks *socks, struct steady_buffer *out)
{
    if (socks->answer[1] == 0)
        send_next(socks, STEADY_SOCKS_REPLY, &socks->request, out);
    else
        end(socks, STEADY_SOCKS_REFUSED);
}

/* A refusal counts as soon as its code has arrived, because many proxies end the connection without
 * sending the address. */
static void reply_goes_on(struct steady_socks *socks)
{
    socks->code = socks->answer[1];
    if (socks->code != SUCCEEDED)
        end(socks, STEADY_SOCKS_REFUSED);
    else if (socks->size >= 4 && socks->answer[3] != IPV4 && socks->answer[3] != NAME &&
             socks->answer[3] != IPV6)
        end(socks, STEADY_SOCKS_BAD);
    else if (socks->size >= 5 && socks->size == expected_size(socks))
        socks->part = STEADY_SOCKS_COMPLETE;
}

static void take(struct steady_socks *socks, uint8_t byte, struct steady_buffer *out)
{
    socks->answer[socks->size++] = byte;
    if (!first_byte_is_good(socks))
        end(socks, STEADY_SOCKS_BAD);
    else if (socks->size < 2)
        return;
    else if (socks->part == STEADY_SOCKS_METHOD)
        method_chosen(socks, out);
    else if (socks->part == STEADY_SOCKS_LOGIN)
        login_answered(socks, out);
    else
        reply_goes_on(socks);
}

size_t steady_socks_input(struct steady_socks *socks, const uint8_t *bytes, size_t size,
                          struct steady_buffer *out)
{
    size_t used = 0;
    while (used < size && socks->part < STEADY_SOCKS_COMPLETE)
        take(socks, bytes[used++], out);
    return used;
}

bool steady_socks_may_try_another(const struct steady_socks *socks)
{
    return socks->code == GENERAL_FAILURE || socks->code == NETWORK_UNREACHABLE ||
           socks->code == HOST_UNREACHABLE || socks->code == REFUSED ||
           socks->code == TTL_EXPIRED || socks->code == ADDRESS_TYPE_UNKNOWN;
}

/* ------------------------------------------------------------------------- what went wrong */

static void explain_method(const struct steady_socks *socks, char *text, size_t size)
{
    uint8_t method = socks->answer[1];
    const char *need = socks->login.size ? "it takes neither a user and password nor none at all"
                                         : "it wants to be logged in to, and the proxy's URL may "
                                           "name user:password";
    if (method == NONE_ACCEPTABLE || method == PASSWORD)
        snprintf(text, size, "%s", need);
    else
        snprintf(text, size, "it chose the log-in method %d, which was not offered", method);
}

static void explain_refusal(const struct steady_socks *socks, char *text, size_t size)
{
    if (socks->failed_at == STEADY_SOCKS_METHOD)
        explain_method(socks, text, size);
    else if (socks->failed_at == STEADY_SOCKS_LOGIN)
        snprintf(text, size, "it does not accept this user and password");
    else if (socks->code < CODES)
        snprintf(text, size, "%s", code_texts[socks->code]);
    else
        snprintf(text, size, "it gives the code %d, which SOCKS 5 does not know", socks->code);
}

/* Explains a wrong version. `first` is the byte at the place of the version. */
static void explain_version(uint8_t first, char *text, size_t size)
{
    if (first == 'H')
        snprintf(text, size, "it answers in HTTP: an HTTP proxy's URL begins with http://");
    else if (first == 0x15 || first == 0x16)
        snprintf(text, size, "it answers in TLS, which no SOCKS proxy speaks");
    else if (first == 0 || first == 4)
        snprintf(text, size, "it answers as SOCKS 4 does, and SOCKS 5 is needed");
    else
        snprintf(text, size, "it answers with version %d, and SOCKS 5 is needed", first);
}

static void explain_bad(const struct steady_socks *socks, char *text, size_t size)
{
    if (socks->failed_at != STEADY_SOCKS_REPLY || socks->answer[0] != VERSION)
        explain_version(socks->answer[0], text, size);
    else
        snprintf(text, size, "its reply has the address type %d, which SOCKS 5 does not know",
                 socks->answer[3]);
}

void steady_socks_explain(const struct steady_socks *socks, char *text, size_t size)
{
    static const char *const silent[] = {
        [STEADY_SOCKS_METHOD] = "instead of an answer to the greeting",
        [STEADY_SOCKS_LOGIN] = "instead of an answer to the user and password",
        [STEADY_SOCKS_REPLY] = "instead of a reply to CONNECT",
    };
    if (socks->part == STEADY_SOCKS_REFUSED)
        explain_refusal(socks, text, size);
    else if (socks->part == STEADY_SOCKS_BAD)
        explain_bad(socks, text, size);
    else if (socks->part < STEADY_SOCKS_COMPLETE)
        snprintf(text, size, "it ended the connection %s",
                 socks->size ? "in the middle of an answer" : silent[socks->part]);
    else
        snprintf(text, size, "it ended the connection");
}
