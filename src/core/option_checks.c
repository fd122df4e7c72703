#include "core/option_checks.h"

#include "core/ascii.h"
#include "core/utf8.h"

#include <arpa/inet.h>
#include <string.h>

#define HOST_MAX  253 /* bytes */
#define LABEL_MAX 63
#define PIN_SIZE  52 /* characters of a pin */
#define SCOPE_MAX 17 /* bytes of the scope of an IPv6 address, with its % */

/* The name is part of each message and of each line of the log, where control characters are not
 * allowed. */
const char *steady_check_name(const char *text, size_t size)
{
    for (size_t i = 0; i < size; i++)
        if (steady_is_control(text[i]))
            return "has a control character";
    return NULL;
}

const char *steady_check_utf8(const char *text, size_t size)
{
    return steady_utf8_valid((const uint8_t *)text, size) ? NULL : "is not UTF-8";
}

const char *steady_check_path(const char *text, size_t size)
{
    (void)text;
    return size ? NULL : "is empty, where the name of a file is needed";
}

static bool is_base64_char(char c)
{
    return steady_is_digit(c) || steady_is_letter(c) || steady_is_one_of(c, "+/");
}

const char *steady_check_pin(const char *text, size_t size)
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
const char *steady_check_host(const char *text, size_t size)
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

const char *steady_check_address(const char *text, size_t size)
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
