#include "dial/proxy.h"

#include "core/ascii.h"

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

/* Whether an entry of no_proxy, as "example.com" or ".example.com" or "*", covers a host. */
static bool covers(const char *entry, size_t size, const char *host)
{
    size_t length = strlen(host);
    if (size == 1 && *entry == '*')
        return true;
    if (size && *entry == '.') {
        entry++;
        size--;
    }
    if (!size || size > length || !steady_is_same_text(host + length - size, entry, size))
        return false;
    return size == length || host[length - size - 1] == '.';
}

static bool is_exempt(const char *host)
{
    static const char *const names[] = {"no_proxy", "NO_PROXY", NULL};
    const char *name, *list = first_set(names, &name);
    while (list && *list) {
        list += strspn(list, ", ");
        size_t size = strcspn(list, ", ");
        if (covers(list, size, host))
            return true;
        list += size;
    }
    return false;
}

bool steady_proxy_of_environment(const struct steady_url *target, struct steady_url *proxy,
                                 char *message, size_t size)
{
    static const char *const plain[] = {"http_proxy", "all_proxy", "ALL_PROXY", NULL};
    static const char *const secure[] = {"https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY",
                                         NULL};
    const char *name, *value = first_set(target->secure ? secure : plain, &name);
    if (!value || is_exempt(target->host))
        return true;
    const char *problem = steady_url_parse_proxy(proxy, value, strlen(value));
    if (problem)
        snprintf(message, size, "the proxy in %s cannot be used: the URL %s", name, problem);
    return !problem;
}
