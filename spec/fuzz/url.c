/* URLs: what is taken apart fits together again, and nothing dangerous is left in its parts. */
#include "core/url.h"
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

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input input = {data, data + size};
    uint8_t *text = input_copy(&input, size, &size);
    try_parser(steady_url_parse, (char *)text, size);
    try_parser(parse_proxy, (char *)text, size);
    free(text);
    return 0;
}
