#include "dial/tls_resume.h"

#include "dial/tls_carrier.h"
#include "dial/tls_session.h"
#include "dial/tls_shared.h"

#include <openssl/ssl.h>

static void keep_session(SSL *openssl, SSL_SESSION *session)
{
    const struct steady_tls *tls = steady_tls_of(openssl);
    struct steady_tls_shared *shared = steady_tls_shared_of(SSL_get_SSL_CTX(openssl));
    steady_sessions_keep(&shared->sessions, tls->host, tls->port, session);
}

int steady_tls_on_new_session(struct ssl_st *openssl, struct ssl_session_st *session)
{
    if (!SSL_get_certificate(openssl))
        keep_session(openssl, session);
    return 0;
}

void steady_tls_keep_old_session(const struct steady_tls *tls)
{
    if (SSL_session_reused(tls->openssl) && SSL_version(tls->openssl) < TLS1_3_VERSION)
        keep_session(tls->openssl, SSL_get_session(tls->openssl));
}

void steady_tls_offer_session(struct steady_tls *tls)
{
    struct steady_tls_shared *shared = steady_tls_shared_of(SSL_get_SSL_CTX(tls->openssl));
    SSL_SESSION *session = steady_sessions_take(&shared->sessions, tls->host, tls->port);
    tls->offered = session && SSL_set_session(tls->openssl, session) == 1;
    SSL_SESSION_free(session);
}

void steady_tls_give_up_sessions(const struct steady_tls *tls)
{
    struct steady_tls_shared *shared = steady_tls_shared_of(SSL_get_SSL_CTX(tls->openssl));
    if (tls->offered && tls->reason)
        steady_sessions_give_up(&shared->sessions, tls->host, tls->port);
}
