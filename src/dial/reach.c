#include "dial/reach.h"

#include "core/buffer.h"
#include "dial/dns.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* The server's addresses, for a proxy that has to be given an address. When the proxy cannot reach
 * an address, it is given the next one. */
struct steady_servers {
    struct steady_address list[STEADY_ADDRESSES_MAX];
    size_t count, at;
};

static void run_out_of_memory(struct steady_reach *r)
{
    steady_cause_note(r->cause, STEADY_NETWORK, "out of memory");
    r->calls->failed(r->owner);
}

/* ------------------------------------------------------------------------- no connection */

/* Notes that the peer has accepted the connection, and ended it before this machine had noticed. */
static void explain_hang_up(const struct steady_target *target, struct steady_cause *cause)
{
    if (target->proxy)
        steady_cause_note(cause, STEADY_PROXY, "the proxy %s ended the connection",
                          target->proxy->text);
    else if (target->tls)
        steady_cause_note(cause, STEADY_TLS,
                          "the TLS handshake failed: the server ended the connection");
    else
        steady_cause_note(cause, STEADY_HANDSHAKE, STEADY_HUNG_UP);
}

static bool is_socket(const char *path)
{
    struct stat status;
    return !stat(path, &status) && S_ISSOCK(status.st_mode);
}

/* Notes why a server on a socket of this machine cannot be reached. */
static void explain_socket(const char *path, int status, struct steady_cause *cause)
{
    if (status == UV_ENOENT)
        steady_cause_note(cause, STEADY_UNREACHABLE,
                          "there is no socket %s: the server does not run, or has another path",
                          path);
    else if (status == UV_ECONNREFUSED && !is_socket(path))
        steady_cause_note(cause, STEADY_UNREACHABLE, "%s is no socket", path);
    else if (status == UV_ECONNREFUSED)
        steady_cause_note(cause, STEADY_REFUSED,
                          "connection refused: nothing listens on the socket %s", path);
    else
        steady_cause_note(cause, STEADY_UNREACHABLE, "the socket %s cannot be reached: %s", path,
                          uv_strerror(status));
}

/* Notes that the local address was the reason, if it was. Returns whether it was. */
static bool explain_local_address(const struct steady_target *target, int status,
                                  struct steady_cause *cause)
{
    const char *local = target->local_address;
    if (local && status == UV_EADDRNOTAVAIL)
        steady_cause_note(
            cause, STEADY_NETWORK,
            "no connection from local_address %s: it is no address of this machine, or "
            "has no port left",
            local);
    else if (local && status == UV_EAFNOSUPPORT)
        steady_cause_note(cause, STEADY_NETWORK,
                          "no connection from local_address %s to %s, which has no address of that "
                          "family",
                          local, steady_target_first(target)->host);
    return cause->error != STEADY_OK;
}

static void explain_refusal(const struct steady_url *connect_to, struct steady_cause *cause)
{
    if (connect_to)
        steady_cause_note(cause, STEADY_REFUSED,
                          "connection refused: nothing listens on %s:%u, as connect_to has it",
                          connect_to->host, (unsigned)connect_to->port);
    else
        steady_cause_note(cause, STEADY_REFUSED,
                          "connection refused: nothing listens on that port");
}

/* A link-local address (RFC 4291 section 2.5.6: fe80::/10, which is fe8, fe9, fea or feb and a
 * fourth digit) exists on every network of a machine. */
static bool is_link_local(const char *host)
{
    return !strncmp(host, "fe", 2) && strspn(host + 2, "89ab") > 0 &&
           strspn(host + 3, "0123456789abcdef") > 0;
}

static const char *why_unreachable(const struct steady_url *url, int status)
{
    if (status == UV_EINVAL && url->ipv6 && !url->zone && is_link_local(url->host))
        return "a link-local address needs its network interface, as in [fe80::1%eth0]";
    return uv_strerror(status);
}

/* Notes why there is no connection. `status` is libuv's error. */
static void explain(const struct steady_target *target, int status, struct steady_cause *cause)
{
    const char *why = why_unreachable(steady_target_first(target), status);
    if (explain_local_address(target, status, cause))
        return;
    if (status == UV_ECONNRESET || status == UV_EPIPE)
        explain_hang_up(target, cause);
    else if (status == UV_EMFILE || status == UV_ENFILE || status == UV_ENOMEM ||
             status == UV_ENOBUFS)
        steady_cause_note(cause, STEADY_NETWORK, "no socket can be made: %s", uv_strerror(status));
    else if (target->proxy)
        steady_cause_note(cause, STEADY_PROXY, "the proxy %s cannot be reached: %s",
                          target->proxy->text, why);
    else if (target->url->socket)
        explain_socket(target->url->socket, status, cause);
    else if (status == UV_ECONNREFUSED)
        explain_refusal(target->connect_to, cause);
    else
        steady_cause_note(cause, STEADY_UNREACHABLE, "cannot be reached: %s", why);
}

/* ------------------------------------------------------------------------- TCP */

static void connected(void *owner, int socket, struct steady_watch *watch,
                      const struct steady_address *address)
{
    struct steady_reach *r = owner;
    r->race = NULL;
    r->address = *address;
    r->calls->connected(r->owner, socket, watch);
}

static void not_connected(void *owner, int status)
{
    struct steady_reach *r = owner;
    r->race = NULL;
    explain(r->target, status, r->cause);
    r->calls->failed(r->owner);
}

static void race(struct steady_reach *r, const struct steady_address *addresses, size_t count)
{
    static const struct steady_race_owner calls = {connected, not_connected};
    const char *local = r->target->local_address, *problem = NULL;
    struct steady_address from;
    bool bound = local && steady_address_literal(local, NULL, 0, &from, &problem);
    r->race = steady_race_start(r->loop, addresses, count, bound ? &from : NULL, r->target->trace,
                                &calls, r);
    if (!r->race)
        run_out_of_memory(r);
}

/* ------------------------------------------------------------------------- names */

static void trace_addresses(struct steady_trace *trace, const struct steady_url *url,
                            const struct steady_address *addresses, size_t count)
{
    struct steady_buffer list = {0};
    if (!steady_traces(trace, STEADY_LEVEL_DEBUG))
        return;
    for (size_t i = 0; i < count; i++)
        steady_buffer_append_texts(&list, i ? ", " : "", addresses[i].text);
    steady_trace_line(trace, STEADY_LEVEL_DEBUG, "%s has %s %s", url->host,
                      count == 1 ? "the address" : "the addresses",
                      list.data ? (const char *)list.data : "");
    steady_buffer_free(&list);
}

/* Traces the resolver's answer for the name of this URL. Does nothing when the address was known
 * without asking the resolver. */
static void take_answer(struct steady_reach *r, const struct steady_url *url,
                        const struct steady_address *addresses, size_t count, const char *problem)
{
    if (!r->dns)
        return;
    r->dns = NULL;
    if (count)
        trace_addresses(r->target->trace, url, addresses, count);
    else
        STEADY_DEBUG(r->target->trace, "%s has no address: %s", url->host, problem);
}

static void cannot_resolve_server(struct steady_reach *r, const char *problem)
{
    const struct steady_url *url = steady_target_server(r->target);
    steady_cause_note(r->cause, STEADY_DNS, "cannot resolve \"%s%s%s\": %s", url->host,
                      url->zone ? "%" : "", url->zone ? url->zone : "", problem);
    r->calls->failed(r->owner);
}

static void resolved(void *owner, const struct steady_address *addresses, size_t count,
                     const char *problem)
{
    struct steady_reach *r = owner;
    const struct steady_url *proxy = r->target->proxy;
    take_answer(r, steady_target_first(r->target), addresses, count, problem);
    if (count) {
        race(r, addresses, count);
    } else if (proxy) {
        steady_cause_note(r->cause, STEADY_PROXY,
                          "the proxy %s cannot be reached: cannot resolve \"%s\": %s", proxy->text,
                          proxy->host, problem);
        r->calls->failed(r->owner);
    } else {
        cannot_resolve_server(r, problem);
    }
}

static void look_up(struct steady_reach *r, const struct steady_url *url, steady_dns_done done)
{
    struct steady_address address;
    const char *problem = NULL;
    size_t count = 1;
    if (url->socket)
        steady_address_of_socket(url->socket, &address);
    else
        count = steady_address_literal(url->host, url->zone, url->port, &address, &problem);
    if (count || problem) {
        done(r, &address, count, problem);
        return;
    }
    STEADY_DEBUG(r->target->trace, "looking up %s", url->host);
    if (!(r->dns = steady_dns_resolve(r->loop, url->host, url->port, done, r)))
        run_out_of_memory(r);
}

static void server_resolved(void *owner, const struct steady_address *addresses, size_t count,
                            const char *problem)
{
    struct steady_reach *r = owner;
    take_answer(r, steady_target_server(r->target), addresses, count, problem);
    if (!count) {
        cannot_resolve_server(r, problem);
    } else if ((r->servers = calloc(1, sizeof *r->servers))) {
        memcpy(r->servers->list, addresses, count * sizeof *addresses);
        r->servers->count = count;
        look_up(r, r->target->proxy, resolved);
    } else {
        run_out_of_memory(r);
    }
}

/* ------------------------------------------------------------------------- for the owner */

void steady_reach_start(struct steady_reach *r, struct steady_loop *loop,
                        const struct steady_target *target, struct steady_cause *cause,
                        const struct steady_reach_owner *calls, void *owner)
{
    *r = (struct steady_reach){
        .loop = loop, .target = target, .cause = cause, .calls = calls, .owner = owner};
    if (target->proxy && target->proxy->scheme == STEADY_SCHEME_SOCKS5)
        look_up(r, steady_target_server(target), server_resolved);
    else
        look_up(r, steady_target_first(target), resolved);
}

bool steady_reach_is_resolving(const struct steady_reach *r)
{
    return r->dns != NULL;
}

const struct steady_address *steady_reach_server(const struct steady_reach *r)
{
    return r->servers ? &r->servers->list[r->servers->at] : NULL;
}

bool steady_reach_has_next_server(const struct steady_reach *r)
{
    return r->servers && r->servers->at + 1 < r->servers->count;
}

void steady_reach_try_next_server(struct steady_reach *r)
{
    struct steady_address proxy = r->address;
    r->servers->at++;
    race(r, &proxy, 1);
}

void steady_reach_drop(struct steady_reach *r)
{
    steady_dns_cancel(r->dns);
    steady_race_drop(r->race);
    free(r->servers);
    *r = (struct steady_reach){0};
}
