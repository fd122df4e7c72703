#include "net/vhost.h"

#include "net/dial.h"

#include <libwebsockets.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct steady_vhost {
    struct steady_ready ready; /* the first member */
    struct steady_loop *loop;
    struct steady_vhost *next;
    struct lws_vhost *lws;
    struct ssl_ctx_st *tls;     /* NULL: a vhost without TLS */
    struct steady_buffer key;   /* all that it was made of, as one text */
    struct steady_buffer proxy; /* "user:password@address", which the library does not copy */
    size_t users;
};

struct lws_vhost *steady_vhost_lws(const struct steady_vhost *vhost)
{
    return vhost->lws;
}

static bool append(struct steady_buffer *text, const char *field)
{
    return steady_buffer_printf(text, "%c%s\n", field ? '+' : '-', field ? field : "");
}

static bool make_key(struct steady_buffer *key, const struct steady_tls_options *tls,
                     const struct steady_proxy *proxy)
{
    bool done = steady_buffer_printf(key, "%d %d %d\n", tls != NULL, tls && tls->verify,
                                     proxy ? proxy->url->port : 0);
    if (done && tls)
        done = append(key, tls->ca_file) && append(key, tls->cert_file) &&
               append(key, tls->key_file) && append(key, tls->key_password);
    if (done && proxy)
        done = append(key, proxy->address) && append(key, proxy->url->user) &&
               append(key, proxy->url->password);
    return done;
}

static bool make_proxy(struct steady_buffer *text, const struct steady_proxy *proxy)
{
    const char *user = proxy->url->user, *password = proxy->url->password;
    if (user && !steady_buffer_printf(text, "%s:%s@", user, password ? password : ""))
        return false;
    return steady_buffer_printf(text, strchr(proxy->address, ':') ? "[%s]" : "%s", proxy->address);
}

static void free_vhost(struct steady_vhost *vhost)
{
    steady_tls_free(vhost->tls);
    steady_buffer_free(&vhost->key);
    steady_buffer_free(&vhost->proxy);
    free(vhost);
}

static bool fill(struct steady_loop *loop, struct steady_vhost *vhost,
                 const struct steady_tls_options *tls, const struct steady_proxy *proxy,
                 char *message, size_t size)
{
    if (tls && !(vhost->tls = steady_tls_new(tls, message, size)))
        return false;
    if (proxy && !make_proxy(&vhost->proxy, proxy))
        return false;
    struct lws_context_creation_info info = {
        .port = CONTEXT_PORT_NO_LISTEN,
        .protocols = steady_dial_protocols(),
        .options = tls ? LWS_SERVER_OPTION_DO_SSL_GLOBAL_INIT : 0,
        .provided_client_ssl_ctx = vhost->tls,
        /* Empty, or the library takes one from the environment. */
        .http_proxy_address = proxy ? (char *)vhost->proxy.data : "",
        .http_proxy_port = proxy ? proxy->url->port : 0,
        .vhost_name = "steadysocket",
        .timeout_secs = 24 * 60 * 60,
        .connect_timeout_secs = 24 * 60 * 60,
    };
    vhost->lws = lws_create_vhost(loop->lws, &info);
    if (vhost->tls)
        steady_tls_forget_library(vhost->tls);
    return vhost->lws != NULL;
}

/* libwebsockets wants a vhost destroyed outside its callbacks, and once its last connection is
 * gone. */
static void reap(struct steady_ready *ready)
{
    struct steady_vhost *vhost = (struct steady_vhost *)ready;
    if (vhost->users)
        return;
    struct steady_vhost **link = &vhost->loop->vhosts;
    while (*link != vhost)
        link = &(*link)->next;
    *link = vhost->next;
    lws_vhost_destroy(vhost->lws);
    free_vhost(vhost);
}

static struct steady_vhost *find(struct steady_loop *loop, const struct steady_buffer *key)
{
    struct steady_vhost *vhost = loop->vhosts;
    while (vhost && strcmp((char *)vhost->key.data, (char *)key->data) != 0)
        vhost = vhost->next;
    return vhost;
}

static struct steady_vhost *make(struct steady_loop *loop, const struct steady_tls_options *tls,
                                 const struct steady_proxy *proxy, char *message, size_t size)
{
    struct steady_vhost *vhost = calloc(1, sizeof *vhost);
    if (!vhost)
        return NULL;
    if (!make_key(&vhost->key, tls, proxy) || !fill(loop, vhost, tls, proxy, message, size)) {
        free_vhost(vhost);
        return NULL;
    }
    vhost->ready.run = reap;
    vhost->loop = loop;
    vhost->next = loop->vhosts;
    loop->vhosts = vhost;
    return vhost;
}

struct steady_vhost *steady_vhost_get(struct steady_loop *loop,
                                      const struct steady_tls_options *tls,
                                      const struct steady_proxy *proxy, char *message, size_t size)
{
    struct steady_buffer key = {0};
    struct steady_vhost *vhost = NULL;
    snprintf(message, size, "out of memory");
    if (make_key(&key, tls, proxy) && !(vhost = find(loop, &key)))
        vhost = make(loop, tls, proxy, message, size);
    steady_buffer_free(&key);
    return vhost ? steady_vhost_share(vhost) : NULL;
}

struct steady_vhost *steady_vhost_share(struct steady_vhost *vhost)
{
    vhost->users++;
    return vhost;
}

void steady_vhost_release(struct steady_vhost *vhost)
{
    if (vhost && !--vhost->users)
        steady_ready_add(vhost->loop, &vhost->ready);
}

void steady_vhosts_free(struct steady_loop *loop)
{
    while (loop->vhosts) {
        struct steady_vhost *vhost = loop->vhosts;
        loop->vhosts = vhost->next;
        free_vhost(vhost);
    }
}
