/* The target of a connection: the server, the proxy, and the options for the way there. */
#ifndef STEADY_DIAL_TARGET_H
#define STEADY_DIAL_TARGET_H

#include "core/trace.h"
#include "core/url.h"
#include "dial/tls_context.h"

#include <stdbool.h>

/* Everything that the struct points to must stay unchanged until the dial has ended or is dropped.
 */
struct steady_target {
    const struct steady_url *url;
    const struct steady_url *connect_to;  /* replaces the URL's host and port, unless it is NULL */
    const char *local_address;            /* a literal address to connect from; NULL for any */
    const struct steady_url *proxy;       /* NULL for none */
    const struct steady_tls_context *tls; /* NULL when the URL's scheme is ws */
    const char *server_name; /* the name for SNI and for the check of the certificate */
    bool verify;             /* whether certificates are checked */
    const struct steady_tls_context *proxy_tls; /* NULL unless the proxy's scheme is https */
    struct steady_trace *trace;                 /* gets the log lines of the dial */
};

/* Returns the URL whose host and port lead to the server. */
static inline const struct steady_url *steady_target_server(const struct steady_target *target)
{
    return target->connect_to ? target->connect_to : target->url;
}

/* Returns the URL whose host and port this machine connects to: the proxy's, if there is one. */
static inline const struct steady_url *steady_target_first(const struct steady_target *target)
{
    return target->proxy ? target->proxy : steady_target_server(target);
}

#endif
