#include "net/parts.h"

#include "net/proxy.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

void steady_attempt_drop(struct steady_client *c)
{
    steady_upgrade_drop(c->attempt.upgrade);
    c->attempt.upgrade = NULL;
    steady_dns_cancel(c->attempt.dns);
    c->attempt.dns = NULL;
    free(c->attempt.addresses);
    c->attempt.addresses = NULL;
}

/* The proxy of the present attempt, or NULL. */
static const struct steady_url *proxy_of(const struct steady_client *c)
{
    return c->options.proxy.host   ? &c->options.proxy
           : c->attempt.proxy.host ? &c->attempt.proxy
                                   : NULL;
}

static bool get_vhost(struct steady_client *c)
{
    char message[512];
    struct steady_proxy proxy = {proxy_of(c), c->attempt.addresses[c->attempt.current].text};
    struct steady_vhost *vhost =
        steady_vhost_get(c->loop, c->attempt.url->secure ? &c->options.tls : NULL,
                         proxy.url ? &proxy : NULL, message, sizeof message);
    steady_vhost_release(c->attempt.vhost); /* after, so that it stays if it is the same */
    c->attempt.vhost = vhost;
    if (!vhost)
        steady_client_fail_attempt(c, STEADY_TLS, NULL, "%s", message);
    return vhost != NULL;
}

static void try_address(struct steady_client *c)
{
    struct steady_attempt *attempt = &c->attempt;
    const struct steady_tls_options *tls = &c->options.tls;
    if (!get_vhost(c))
        return;
    struct steady_target target = {
        .address = &attempt->addresses[attempt->current],
        .server_name = tls->server_name ? tls->server_name : attempt->url->host,
        .verify = tls->verify,
        .vhost = attempt->vhost,
        .url = attempt->url,
        .proxy = proxy_of(c),
    };
    /* A silent address must leave time for the others. */
    double now = steady_loop_time(c->loop);
    attempt->deadline =
        now + (c->session.deadline - now) / (double)(attempt->count - attempt->current);
    attempt->upgrade =
        steady_upgrade_start(c->loop, &target, &c->options, &steady_client_upgrade_calls, c);
    if (!attempt->upgrade)
        steady_client_fail_attempt(c, STEADY_NETWORK, NULL, "out of memory");
}

bool steady_attempt_next_address(struct steady_client *c)
{
    if (c->attempt.current + 1 >= c->attempt.count)
        return false;
    c->attempt.current++;
    try_address(c);
    return true;
}

static void set_addresses(struct steady_client *c, const struct steady_address *addresses,
                          size_t count)
{
    c->attempt.addresses = malloc(count * sizeof *addresses);
    if (!c->attempt.addresses) {
        steady_client_fail_attempt(c, STEADY_NETWORK, NULL, "out of memory");
        return;
    }
    memcpy(c->attempt.addresses, addresses, count * sizeof *addresses);
    c->attempt.count = count;
    c->attempt.current = 0;
    try_address(c);
}

static const char *host_to_reach(const struct steady_client *c)
{
    return proxy_of(c) ? proxy_of(c)->host : c->attempt.url->host;
}

static void resolved(void *owner, const struct steady_address *addresses, size_t count,
                     const char *problem)
{
    struct steady_client *c = owner;
    c->attempt.dns = NULL;
    if (count)
        set_addresses(c, addresses, count);
    else if (proxy_of(c))
        steady_client_fail_attempt(c, STEADY_PROXY, NULL,
                                   "the proxy %s cannot be reached: cannot resolve \"%s\": %s",
                                   proxy_of(c)->text, proxy_of(c)->host, problem);
    else
        steady_client_fail_attempt(c, STEADY_DNS, NULL, "cannot resolve \"%s\": %s",
                                   host_to_reach(c), problem);
}

static void look_up(struct steady_client *c)
{
    struct steady_address address;
    const char *host = host_to_reach(c);
    uint16_t port = proxy_of(c) ? proxy_of(c)->port : c->attempt.url->port;
    if (steady_dns_literal(host, port, &address))
        set_addresses(c, &address, 1);
    else if (!(c->attempt.dns = steady_dns_resolve(c->loop, host, port, resolved, c)))
        steady_client_fail_attempt(c, STEADY_NETWORK, NULL, "out of memory");
}

void steady_attempt_start(struct steady_client *c)
{
    struct steady_attempt *attempt = &c->attempt;
    char message[512];
    attempt->start = false;
    attempt->deadline = INFINITY;
    attempt->url = NULL; /* the options' are about to change */
    c->stats.attempts++;
    c->stats.retries += c->was_open || c->session.attempt > 1;
    unsigned changes = c->changes;
    bool prepared = c->owner->prepare(c, message, sizeof message);
    if (c->changes != changes || c->loop->left) /* by a call of the owner's, or a fork */
        return;
    if (!prepared) {
        steady_client_fail_attempt(c, STEADY_PROVIDER, NULL, "%s", message);
        return;
    }
    attempt->url = &c->options.urls[(c->session.attempt - 1) % c->options.url_count];
    steady_url_free(&attempt->proxy);
    if (c->options.proxy_of_environment &&
        !steady_proxy_of_environment(attempt->url, &attempt->proxy, message, sizeof message))
        steady_client_fail_attempt(c, STEADY_PROXY, NULL, "%s", message);
    else
        look_up(c);
}

void steady_attempt_time_out(struct steady_client *c)
{
    double seconds = c->options.session.connect_timeout;
    if (c->attempt.upgrade)
        steady_upgrade_time_out(c->attempt.upgrade, seconds);
    else
        steady_client_fail_attempt(c, STEADY_TIMEOUT, NULL, "the name is not resolved within %g s",
                                   seconds);
}

/* This address has had its share of the time. If it has been reached, it is the one. */
void steady_attempt_leave_address(struct steady_client *c)
{
    struct steady_upgrade *upgrade = c->attempt.upgrade;
    c->attempt.deadline = INFINITY;
    if (upgrade && !steady_upgrade_reached(upgrade) && steady_attempt_next_address(c))
        steady_upgrade_drop(upgrade);
}
