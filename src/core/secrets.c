#include "core/secrets.h"

#include "core/ascii.h"

#include <string.h>

/* ------------------------------------------------------------------------- names */

bool steady_secrets_is_name(const char *name, size_t size)
{
    static const char *const parts[] = {"auth", "bearer", "code",   "cookie", "cred",   "jwt",
                                        "key",  "otp",    "pass",   "pw",     "secret", "session",
                                        "sid",  "sig",    "ticket", "token",  NULL};
    for (const char *const *part = parts; *part; part++) {
        size_t length = strlen(*part);
        for (size_t at = 0; at + length <= size; at++)
            if (steady_is_same_text(name + at, *part, length))
                return true;
    }
    return false;
}

bool steady_secrets_may_show(const char *header, size_t size)
{
    static const char *const shown[] = {
        "accept",
        "accept-encoding",
        "accept-language",
        "age",
        "allow",
        "alt-svc",
        "cache-control",
        "connection",
        "content-encoding",
        "content-length",
        "content-type",
        "date",
        "expires",
        "host",
        "keep-alive",
        "location",
        "origin",
        "pragma",
        "proxy-authenticate",
        "proxy-connection",
        "retry-after",
        "sec-websocket-accept",
        "sec-websocket-extensions",
        "sec-websocket-key",
        "sec-websocket-protocol",
        "sec-websocket-version",
        "server",
        "strict-transport-security",
        "transfer-encoding",
        "upgrade",
        "user-agent",
        "vary",
        "via",
        "www-authenticate",
        NULL,
    };
    for (const char *const *name = shown; *name; name++)
        if (strlen(*name) == size && steady_is_same_text(header, *name, size))
            return true;
    return false;
}

/* ------------------------------------------------------------------------- URLs in a line */

/* A line that is being copied: where it is read, and where it is written. */
struct copy {
    const char *at;
    char *out;
};

static void keep(struct copy *copy, size_t size)
{
    memcpy(copy->out, copy->at, size);
    copy->at += size;
    copy->out += size;
}

static void hide(struct copy *copy, size_t size)
{
    memcpy(copy->out, STEADY_HIDDEN, sizeof STEADY_HIDDEN - 1);
    copy->at += size;
    copy->out += sizeof STEADY_HIDDEN - 1;
}

/* Copies the part of a URL behind "://", where a user and password may be. They end with the last
 * "@" in front of the path, since some programs do not escape an "@" in a password. */
static void copy_authority(struct copy *copy)
{
    size_t size = strcspn(copy->at, "/?# \t"), credentials = size;
    while (credentials > 0 && copy->at[credentials - 1] != '@')
        credentials--;
    if (credentials > 1)
        hide(copy, credentials - 1);
    keep(copy, size - (credentials > 1 ? credentials - 1 : 0));
}

/* Works like steady_secrets_is_name for a name in a URL, where a character may be percent-escaped,
 * such as "%74". */
static bool is_secret_name(const char *name, size_t size)
{
    char decoded[STEADY_WORD_MAX * 3];
    size_t length = 0;
    for (size_t i = 0; i < size && length < sizeof decoded; i++) {
        int high = name[i] == '%' && i + 2 < size ? steady_hex_value(name[i + 1]) : -1;
        int low = high >= 0 ? steady_hex_value(name[i + 2]) : -1;
        decoded[length++] = low >= 0 ? (char)(high * 16 + low) : name[i];
        i += low >= 0 ? 2 : 0;
    }
    return steady_secrets_is_name(decoded, length);
}

/* Copies one "name=value", or a word alone. Some servers take ";" for "&", others take it for a
 * part of the value. So a ";" ends a value that is shown, but does not end a value that is hidden.
 */
static void copy_parameter(struct copy *copy)
{
    const size_t name = strcspn(copy->at, "=&;?# \t"), whole = strcspn(copy->at, "&# \t");
    const size_t size = strcspn(copy->at, "&;?# \t");
    const bool has_value = copy->at[name] == '=' && size > name + 1;
    const bool secret = has_value && is_secret_name(copy->at, name);
    if (secret || (has_value && size - name - 1 > STEADY_WORD_MAX)) {
        keep(copy, name + 1);
        hide(copy, whole - name - 1);
    } else if (!has_value && size > STEADY_WORD_MAX) {
        hide(copy, whole);
    } else {
        keep(copy, size);
    }
}

static void copy_query(struct copy *copy)
{
    copy_parameter(copy);
    while (*copy->at == '&' || *copy->at == ';' || *copy->at == '?') {
        keep(copy, 1);
        copy_parameter(copy);
    }
}

void steady_secrets_hide(char *out, const char *line)
{
    struct copy copy = {line, out};
    while (*copy.at) {
        bool authority = !strncmp(copy.at, "://", 3);
        /* The parameters of a path, such as a session's number, are behind a ";". */
        bool query = *copy.at == '?' || *copy.at == '#' || *copy.at == ';';
        keep(&copy, authority ? 3 : 1);
        if (authority)
            copy_authority(&copy);
        else if (query)
            copy_query(&copy);
    }
    *copy.out = 0;
}
