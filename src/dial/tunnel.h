/* Asks a proxy for a tunnel to a server. An HTTP proxy is asked by CONNECT (RFC 9110 section
 * 9.3.6), with Basic authorization (RFC 7617) when its URL has a user. A SOCKS proxy is asked as
 * core/socks.h says. */
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
    STEADY_TUNNEL_ASKED,  /* the proxy has not answered, or not completely */
    STEADY_TUNNEL_OPEN,   /* the server is at the other end of the tunnel */
    STEADY_TUNNEL_FAILED, /* see steady_tunnel_explain */
    STEADY_TUNNEL_OUT_OF_MEMORY,
};

/* The struct has to be zeroed before steady_tunnel_start. */
struct steady_tunnel {
    enum steady_tunnel_state state;
    const struct steady_url *proxy, *target;
    struct steady_trace *trace;
    struct steady_response answer; /* the answer of an HTTP proxy */
    struct steady_socks socks;
    bool begun;    /* whether an HTTP proxy has begun to answer */
    uint8_t first; /* the first byte of that answer */
};

/* Starts to ask `proxy` for a tunnel to `target`, and appends the bytes that have to be sent first
 * to `out`. `address` is the server's address, for a proxy that does not resolve its name, or NULL.
 * Returns false when memory is out. */
bool steady_tunnel_start(struct steady_tunnel *tunnel, const struct steady_url *target,
                         const struct steady_url *proxy, const struct steady_address *address,
                         struct steady_trace *trace, struct steady_buffer *out);

/* Reads the bytes that have arrived, and appends the bytes that have to be sent now to `out`.
 * Returns how many of the bytes belong to the proxy's answer: all of them, unless the tunnel has
 * just opened. */
size_t steady_tunnel_input(struct steady_tunnel *tunnel, const uint8_t *bytes, size_t size,
                           struct steady_buffer *out);

/* Returns whether the proxy has answered with an HTTP status. The body, which may have the reason,
 * may be incomplete. */
bool steady_tunnel_has_answered(const struct steady_tunnel *tunnel);

/* Returns whether the proxy has refused, and may accept another address of the server. */
bool steady_tunnel_may_try_another(const struct steady_tunnel *tunnel);

/* Writes why there is no tunnel, as a sentence about the proxy, in at most `size` bytes. The tunnel
 * must have failed, or the connection to the proxy must have ended. */
void steady_tunnel_explain(const struct steady_tunnel *tunnel, char *text, size_t size);

/* Frees what the struct holds, and zeroes it. */
void steady_tunnel_free(struct steady_tunnel *tunnel);

#endif
