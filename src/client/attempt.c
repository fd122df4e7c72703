#include "client/attempt.h"

#include "dial/proxy.h"

#include <stdio.h>

/* Sets the URL at which the attempt begins, or NULL when it is not known yet. */
static void set_url(struct steady_client *c, const struct steady_url *url)
{
    steady_trail_begin(&c->attempt.trail, url);
    c->attempt.url = url;
}

static void admitted(struct steady_ready *guest)
{
    struct steady_client *c =
        (struct steady_client *)((char *)guest - offsetof(struct steady_client, attempt.guest));
    c->attempt.state = STEADY_ATTEMPT_DUE;
    steady_ready_add(c->loop, &c->ready);
}

void steady_attempt_queue(struct steady_client *c)
{
    if (c->attempt.state == STEADY_ATTEMPT_QUEUED) /* it keeps its place in the lobby */
        return;
    steady_attempt_drop(c);
    c->attempt.state = STEADY_ATTEMPT_QUEUED;
    c->attempt.guest.run = admitted;
    steady_lobby_enter(&c->shared->lobby, &c->attempt.guest);
    if (c->attempt.state == STEADY_ATTEMPT_QUEUED)
        STEADY_DEBUG(&c->trace, "the attempt waits for its turn, since %d others are under way",
                     STEADY_ATTEMPTS_MAX);
}

void steady_attempt_end(struct steady_client *c)
{
    c->attempt.upgrade = NULL;
    if (c->attempt.state == STEADY_ATTEMPT_NONE)
        return;
    c->attempt.state = STEADY_ATTEMPT_NONE;
    steady_lobby_leave(&c->shared->lobby, &c->attempt.guest);
}

void steady_attempt_drop(struct steady_client *c)
{
    steady_upgrade_drop(c->attempt.upgrade);
    steady_attempt_end(c);
}

void steady_attempt_free(struct steady_client *c)
{
    steady_attempt_drop(c);
    set_url(c, NULL);
    steady_url_free(&c->attempt.proxy);
    steady_holds_free(&c->attempt.holds);
    steady_tls_context_release(c->attempt.tls);
    steady_tls_context_release(c->attempt.proxy_tls);
    c->attempt.tls = c->attempt.proxy_tls = NULL;
}

/* Returns the proxy of the present attempt, or NULL when there is none. A server on a socket of
 * this machine is reached without a proxy. */
static const struct steady_url *proxy_of(const struct steady_client *c)
{
    return c->attempt.url->socket  ? NULL
           : c->options.proxy.host ? &c->options.proxy
           : c->attempt.proxy.host ? &c->attempt.proxy
                                   : NULL;
}

/* Sets *tls to the context for these options. Takes the new context before it gives the old one
 * back, so that the context is not freed when both are the same. Returns false, with a text in
 * `message`, when there is no context. */
static bool get_tls(struct steady_client *c, struct steady_tls_context **tls,
                    const struct steady_tls_options *options, char *message, size_t size)
{
    struct steady_tls_context *old = *tls;
    *tls = steady_tls_context_get(c->loop, options, message, size);
    steady_tls_context_release(old);
    return *tls != NULL;
}

/* Gets the context for the server. When a redirect has led to another server, the client's
 * certificate is not shown to that server. */
static bool get_server_tls(struct steady_client *c, char *message, size_t size)
{
    struct steady_tls_options options = c->options.tls;
    if (steady_trail_is_abroad(&c->attempt.trail))
        options.cert_file = options.cert = options.key_file = options.key = options.key_password =
            NULL;
    return get_tls(c, &c->attempt.tls, &options, message, size);
}

/* Gets the context for the proxy. The proxy's certificate is checked with the same authorities as
 * the server's. The other options, above all the client's certificate, are for the server alone. */
static bool get_proxy_tls(struct steady_client *c, char *message, size_t size)
{
    struct steady_tls_options options = {
        .ca_file = c->options.tls.ca_file,
        .ca = c->options.tls.ca,
        .min_version = c->options.tls.min_version,
        .keylog = c->options.tls.keylog,
        .verify = c->options.tls.verify,
    };
    return get_tls(c, &c->attempt.proxy_tls, &options, message, size);
}

/* Returns the index of an attempt's URL. When no URL is held back by its server, the index is turn
 * % url_count. */
static size_t next_url(const struct steady_client *c, size_t turn, double now)
{
    return steady_holds_choose(&c->attempt.holds, c->options.urls, c->options.url_count, turn, now);
}

double steady_attempt_held(const struct steady_client *c, double now)
{
    if (!c->options.url_count) /* the owner has given no URL */
        return 0;
    const struct steady_url *url = &c->options.urls[next_url(c, 0, now)];
    return steady_holds_until(&c->attempt.holds, url) - now;
}

static enum steady_error start_upgrade(struct steady_client *c,
                                       const struct steady_upgrade_owner *calls, char *message,
                                       size_t size)
{
    struct steady_attempt *attempt = &c->attempt;
    const struct steady_tls_options *tls = &c->options.tls;
    bool abroad = steady_trail_is_abroad(&attempt->trail);
    bool has_place = c->options.connect_to.host && !abroad && !attempt->url->socket;
    struct steady_target target = {
        .url = attempt->url,
        .connect_to = has_place ? &c->options.connect_to : NULL,
        .local_address = c->options.local_address,
        .proxy = proxy_of(c),
        .tls = attempt->url->secure ? attempt->tls : NULL,
        .server_name = tls->server_name && !abroad ? tls->server_name : attempt->url->host,
        .verify = tls->verify,
        .trace = &c->trace,
    };
    if (target.proxy && target.proxy->secure)
        target.proxy_tls = attempt->proxy_tls;
    STEADY_DEBUG(&c->trace, "attempt %u: %s%s%s", c->session.attempt, attempt->url->text,
                 target.proxy ? " through the proxy " : "", target.proxy ? target.proxy->text : "");
    attempt->upgrade = steady_upgrade_start(c->loop, &target, &c->options, abroad, calls, c);
    if (attempt->upgrade)
        return STEADY_OK;
    snprintf(message, size, "out of memory");
    return STEADY_NETWORK;
}

/* Starts an upgrade to the trail's last URL. Returns STEADY_OK, or the kind of failure with a text
 * in `message`. */
static enum steady_error set_out(struct steady_client *c, const struct steady_upgrade_owner *calls,
                                 char *message, size_t size)
{
    struct steady_attempt *attempt = &c->attempt;
    attempt->state = STEADY_ATTEMPT_UNDER_WAY;
    attempt->url = steady_trail_end(&attempt->trail);
    steady_url_free(&attempt->proxy);
    if (c->options.proxy_of_environment && !attempt->url->socket &&
        !steady_proxy_of_environment(attempt->url, &attempt->proxy, message, size))
        return STEADY_PROXY;
    const struct steady_url *proxy = proxy_of(c);
    if (attempt->url->secure && !get_server_tls(c, message, size))
        return STEADY_TLS;
    if (proxy && proxy->secure && !get_proxy_tls(c, message, size))
        return STEADY_TLS;
    return start_upgrade(c, calls, message, size);
}

enum steady_error steady_attempt_start(struct steady_client *c,
                                       const struct steady_upgrade_owner *calls, char *message,
                                       size_t size)
{
    struct steady_attempt *attempt = &c->attempt;
    attempt->state = STEADY_ATTEMPT_UNDER_WAY;
    set_url(c, NULL); /* the call `prepare` may change the URLs of the options */
    c->stats.attempts++;
    c->stats.retries += c->was_tried;
    c->was_tried = true;
    unsigned changes = c->changes;
    bool prepared = c->owner->prepare(c, message, size);
    if (c->changes != changes || c->loop->left) /* the owner has closed, reconnected or forked */
        return STEADY_OK;
    if (!prepared)
        return STEADY_PROVIDER;
    size_t url = next_url(c, c->session.attempt - 1, steady_loop_exact_time(c->loop));
    set_url(c, &c->options.urls[url]);
    return set_out(c, calls, message, size);
}

enum steady_error steady_attempt_go_on(struct steady_client *c,
                                       const struct steady_failure *failure,
                                       const struct steady_upgrade_owner *calls, char *message,
                                       size_t size)
{
    bool late = c->attempt.state == STEADY_ATTEMPT_LATE;
    c->attempt.upgrade = NULL;
    if (late || !steady_trail_is_redirect(failure)) {
        snprintf(message, size, "%s", failure->message);
        return failure->error;
    }
    enum steady_error error =
        steady_trail_follow(&c->attempt.trail, failure, c->options.redirects, message, size);
    if (error)
        return error;
    STEADY_DEBUG(&c->trace, "%s: going on there", failure->message);
    return set_out(c, calls, message, size);
}

void steady_attempt_time_out(struct steady_client *c)
{
    c->attempt.state = STEADY_ATTEMPT_LATE;
    steady_upgrade_time_out(c->attempt.upgrade, c->options.session.connect_timeout);
}
