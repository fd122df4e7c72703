/* Asking a proxy for a tunnel to a server: an HTTP proxy by CONNECT (RFC 9110 section 9.3.6), with
 * Basic authorization (RFC 7617) where its URL has a user, or a SOCKS proxy (core/socks.h). */
#ifndef STEADY_DIAL_TUNNEL_H
#define STEADY_DIAL_TUNNEL_H

#include "core/buffer.h"
#include "core/response.h"
#include "core/socks.h"
#include "core/trace.h"
#include "core/url.h"
#include "dial/address.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum steady_tunnel_state {
    STEADY_TUNNEL_ASKED,  /* the proxy has not answered, or not in full */
    STEADY_TUNNEL_OPEN,   /* the server is at the other end */
    STEADY_TUNNEL_FAILED, /* see steady_tunnel_explain */
    STEADY_TUNNEL_OUT_OF_MEMORY,
};

/* A zeroed struct, for steady_tunnel_start. */
struct steady_tunnel {
    enum steady_tunnel_state state;
    const struct steady_url *proxy, *target;
    struct steady_trace *trace;
    struct steady_response answer; /* of an HTTP proxy */
    struct steady_socks socks;
    bool begun;    /* an HTTP proxy's answer has */
    uint8_t first; /* its first byte */
};

/* Appends what has to be sent first. address: the server's, for a proxy that shall not resolve its
 * name, or NULL. False: out of memory. */
bool steady_tunnel_start(struct steady_tunnel *tunnel, const struct steady_url *target,
                         const struct steady_url *proxy, const struct steady_address *address,
                         struct steady_trace *trace, struct steady_buffer *out);

/* Reads what came, and appends what has to be sent now. Returns how many of the bytes are the
 * proxy's: all, unless the tunnel is there now. */
size_t steady_tunnel_input(struct steady_tunnel *tunnel, const uint8_t *bytes, size_t size,
                           struct steady_buffer *out);

/* Whether it answered with an HTTP status, whose reason may not be complete yet. */
bool steady_tunnel_has_answered(const struct steady_tunnel *tunnel);

/* Whether it refused, and may do otherwise with another address of the server's. */
bool steady_tunnel_may_try_another(const struct steady_tunnel *tunnel);

/* Writes why there is no tunnel, once it has failed or the connection has ended, as a sentence
 * about the proxy. */
void steady_tunnel_explain(const struct steady_tunnel *tunnel, char *text, size_t size);

/* Leaves a zeroed struct. */
void steady_tunnel_free(struct steady_tunnel *tunnel);

#endif
