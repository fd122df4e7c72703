#include "core/scheme.h"

#include <string.h>

const struct steady_scheme_form steady_schemes_of_servers[] = {
    {STEADY_SCHEME_WS, "ws://", false, 80, false},
    {STEADY_SCHEME_WSS, "wss://", true, 443, false},
    {STEADY_SCHEME_WS, "ws+unix:", false, 80, true},
    {STEADY_SCHEME_WSS, "wss+unix:", true, 443, true},
    {0},
};

const struct steady_scheme_form steady_schemes_of_proxies[] = {
    {STEADY_SCHEME_HTTP, "http://", false, 80, false},
    {STEADY_SCHEME_HTTPS, "https://", true, 443, false},
    {STEADY_SCHEME_SOCKS5, "socks5://", false, 1080, false},
    {STEADY_SCHEME_SOCKS5H, "socks5h://", false, 1080, false},
    {0},
};

const struct steady_scheme_form *steady_scheme_take(const struct steady_scheme_form *list,
                                                    struct steady_slice *rest)
{
    while (list->prefix && !steady_slice_starts_with(*rest, list->prefix))
        list++;
    if (!list->prefix)
        return NULL;
    steady_slice_skip(rest, strlen(list->prefix));
    return list;
}

bool steady_scheme_is_socks(const struct steady_scheme_form *form)
{
    return form->scheme == STEADY_SCHEME_SOCKS5 || form->scheme == STEADY_SCHEME_SOCKS5H;
}
