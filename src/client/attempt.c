#include "client/attempt.h"

#include "dial/proxy.h"

#include <stdio.h>

void steady_attempt_end(struct steady_client *c)
{
    c->attempt.upgrade = NULL;
    c->attempt.state = STEADY_ATTEMPT_NONE;
}

void steady_attempt_drop(struct steady_client *c)
{
    steady_upgrade_drop(c->attempt.upgrade);
    steady_attempt_end(c);
}

void steady_attempt_free(struct steady_client *c)
{
    steady_attempt_drop(c);
    steady_url_free(&c->attempt.proxy);
    steady_tls_context_release(c->attempt.tls);
    c->attempt.tls = NULL;
}

/* The proxy of the present attempt, or NULL. */
static const struct steady_url *proxy_of(const struct steady_client *c)
{
    return c->options.proxy.host   ? &c->options.proxy
           : c->attempt.proxy.host ? &c->attempt.proxy
                                   : NULL;
}

/* The new context before the old one is given back, so that it stays if it is the same. */
static bool get_tls(struct steady_client *c, char *message, size_t size)
{
    struct steady_tls_context *tls =
        steady_tls_context_get(c->loop, &c->options.tls, message, size);
    steady_tls_context_release(c->attempt.tls);
    c->attempt.tls = tls;
    return tls != NULL;
}

static enum steady_error connect_to(struct steady_client *c,
                                    const struct steady_upgrade_owner *calls, char *message,
                                    size_t size)
{
    struct steady_attempt *attempt = &c->attempt;
    const struct steady_tls_options *tls = &c->options.tls;
    struct steady_target target = {
        .url = attempt->url,
        .proxy = proxy_of(c),
        .tls = attempt->url->secure ? attempt->tls : NULL,
        .server_name = tls->server_name ? tls->server_name : attempt->url->host,
        .verify = tls->verify,
        .trace = &c->trace,
    };
    STEADY_DEBUG(&c->trace, "attempt %u: %s%s%s", c->session.attempt, attempt->url->text,
                 target.proxy ? " through the proxy " : "", target.proxy ? target.proxy->text : "");
    attempt->upgrade = steady_upgrade_start(c->loop, &target, &c->options, calls, c);
    if (attempt->upgrade)
        return STEADY_OK;
    snprintf(message, size, "out of memory");
    return STEADY_NETWORK;
}

enum steady_error steady_attempt_start(struct steady_client *c,
                                       const struct steady_upgrade_owner *calls, char *message,
                                       size_t size)
{
    struct steady_attempt *attempt = &c->attempt;
    attempt->state = STEADY_ATTEMPT_UNDER_WAY;
    attempt->url = NULL; /* the options' are about to change */
    c->stats.attempts++;
    c->stats.retries += c->was_open || c->session.attempt > 1;
    unsigned changes = c->changes;
    bool prepared = c->owner->prepare(c, message, size);
    if (c->changes != changes || c->loop->left) /* by a call of the owner's, or a fork */
        return STEADY_OK;
    if (!prepared)
        return STEADY_PROVIDER;
    attempt->url = &c->options.urls[(c->session.attempt - 1) % c->options.url_count];
    steady_url_free(&attempt->proxy);
    if (c->options.proxy_of_environment &&
        !steady_proxy_of_environment(attempt->url, &attempt->proxy, message, size))
        return STEADY_PROXY;
    if (attempt->url->secure && !get_tls(c, message, size))
        return STEADY_TLS;
    return connect_to(c, calls, message, size);
}

void steady_attempt_time_out(struct steady_client *c)
{
    if (c->attempt.upgrade)
        steady_upgrade_time_out(c->attempt.upgrade, c->options.session.connect_timeout);
}
