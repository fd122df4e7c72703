#include "dial/proxy.h"

#include "core/buffer.h"
#include "core/no_proxy.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *first_set(const char *const *names, const char **found)
{
    for (; *names; names++) {
        const char *value = getenv(*names);
        *found = *names;
        if (value && *value)
            return value;
    }
    return NULL;
}

static bool is_exempt(const struct steady_url *target)
{
    static const char *const names[] = {"no_proxy", "NO_PROXY", NULL};
    const char *name, *list = first_set(names, &name);
    return list && steady_no_proxy_covers(list, target->host, target->port);
}

static const char *parse(struct steady_url *proxy, const char *value,
                         char room[STEADY_PROXY_PROBLEM_SIZE])
{
    struct steady_buffer text = {0};
    const char *scheme = strstr(value, "://") ? "" : "http://";
    const char *problem = steady_buffer_append_texts(&text, scheme, value)
                              ? steady_url_parse_proxy(proxy, (char *)text.data, text.size, room)
                              : "takes too much memory";
    steady_buffer_free(&text);
    return problem;
}

bool steady_proxy_of_environment(const struct steady_url *target, struct steady_url *proxy,
                                 char *message, size_t size)
{
    static const char *const plain[] = {"ws_proxy",  "WS_PROXY",  "http_proxy",
                                        "all_proxy", "ALL_PROXY", NULL};
    static const char *const secure[] = {"wss_proxy", "WSS_PROXY", "https_proxy", "HTTPS_PROXY",
                                         "all_proxy", "ALL_PROXY", NULL};
    char room[STEADY_PROXY_PROBLEM_SIZE];
    const char *name, *value = first_set(target->secure ? secure : plain, &name);
    if (!value || is_exempt(target))
        return true;
    const char *problem = parse(proxy, value, room);
    if (problem)
        snprintf(message, size, "the proxy in %s cannot be used: the URL %s", name, problem);
    return !problem;
}
