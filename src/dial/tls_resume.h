/* Decides when sessions are kept and resumed. dial/sessions keeps them. */
#ifndef STEADY_DIAL_TLS_RESUME_H
#define STEADY_DIAL_TLS_RESUME_H

struct ssl_session_st; /* OpenSSL's SSL_SESSION */
struct ssl_st;         /* OpenSSL's SSL */
struct steady_tls;

/* OpenSSL calls this function for a session that can be resumed. It keeps a copy of the session,
 * and returns 0, which means that the session still belongs to OpenSSL. A session in which the
 * client has shown a certificate is not kept, because the server has to see the certificate on each
 * connection: it may have been revoked since. */
int steady_tls_on_new_session(struct ssl_st *openssl, struct ssl_session_st *session);

/* Offers to the server to resume a session that was kept, if there is one. Has to be called before
 * the handshake. */
void steady_tls_offer_session(struct steady_tls *tls);

/* Keeps a session of TLS 1.2 that was resumed, because it can be resumed again and the server gives
 * no other. Has to be called after the handshake. */
void steady_tls_keep_old_session(const struct steady_tls *tls);

/* Has to be called when the handshake has failed. If a session was offered and one side has sent an
 * alert, no session is offered to that server any more. */
void steady_tls_give_up_sessions(const struct steady_tls *tls);

#endif
