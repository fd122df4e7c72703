/* URLs: what is taken apart fits together again, and nothing dangerous is left in its parts. */
#include "core/url.h"
#include "core/reference.h"
#include "core/url_parts.h"
#include "fuzz.h"

typedef const char *parser(struct steady_url *url, const char *text, size_t size);

static bool is_printable(const char *text)
{
    for (; *text; text++)
        if ((unsigned char)*text <= ' ' || (unsigned char)*text >= 127)
            return false;
    return true;
}

static void try_parser(parser *parse, const char *text, size_t size)
{
    struct steady_url url, again;
    const char *problem = parse(&url, text, size);
    if (problem) {
        CHECK(*problem);
        return;
    }
    CHECK(*url.host && url.port > 0 && *url.path == '/');
    CHECK(is_printable(url.host) && is_printable(url.authority));
    CHECK(is_printable(url.path) && is_printable(url.text));
    CHECK(!url.user || !strchr(url.user, ':'));
    CHECK(!parse(&again, url.text, strlen(url.text)));
    CHECK(!strcmp(again.host, url.host) && !strcmp(again.authority, url.authority));
    CHECK(!strcmp(again.path, url.path) && !strcmp(again.text, url.text));
    CHECK(!url.socket == !again.socket && (!url.socket || !strcmp(again.socket, url.socket)));
    CHECK(!url.socket || (*url.socket == '/' && strlen(url.socket) <= STEADY_SOCKET_MAX));
    CHECK(again.port == url.port && again.secure == url.secure && again.ipv6 == url.ipv6);
    CHECK(again.scheme == url.scheme && !url.zone == !again.zone);
    CHECK(!url.zone || (*url.zone && url.ipv6 && !strcmp(again.zone, url.zone)));
    CHECK(!again.user && !again.password);
    steady_url_free(&again);
    steady_url_free(&url);
}

static const char *parse_proxy(struct steady_url *url, const char *text, size_t size)
{
    static char room[STEADY_PROXY_PROBLEM_SIZE];
    return steady_url_parse_proxy(url, text, size, room);
}

static void try_reference(const char *reference)
{
    static const char text[] = "wss://me:secret@h:1/a/b?c";
    struct steady_url base, url;
    CHECK(!steady_url_parse(&base, text, sizeof text - 1));
    const char *problem = steady_reference_resolve(&url, &base, reference);
    if (!problem) {
        CHECK(*url.path == '/' && is_printable(url.text));
        CHECK(!url.password || strcmp(url.password, "secret") ||
              (url.secure && url.port == 1 && !strcmp(url.host, "h")));
        steady_url_free(&url);
    }
    steady_url_free(&base);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input input = {data, data + size};
    uint8_t *text = input_copy(&input, size, &size);
    try_parser(steady_url_parse, (char *)text, size);
    try_parser(parse_proxy, (char *)text, size);
    char *reference = strndup((char *)text, size); /* of a header's value, which has no NUL */
    if (reference)
        try_reference(reference);
    free(reference);
    free(text);
    return 0;
}
