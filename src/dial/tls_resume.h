/* When sessions are kept and resumed; dial/sessions keeps them. */
#ifndef STEADY_DIAL_TLS_RESUME_H
#define STEADY_DIAL_TLS_RESUME_H

struct ssl_session_st; /* OpenSSL's SSL_SESSION */
struct ssl_st;         /* OpenSSL's SSL */
struct steady_tls;

/* OpenSSL's callback for a session that can be resumed. 0: the reference stays OpenSSL's. A server
 * that has asked for the client's certificate sees it on each connection: it may be revoked by
 * then. */
int steady_tls_hear_session(struct ssl_st *openssl, struct ssl_session_st *session);

/* Before the handshake: offers a session that was kept, if there is one. */
void steady_tls_offer_session(struct steady_tls *tls);

/* Behind the handshake. A session of TLS 1.2 that was resumed is as good as before, and the server
 * gives no other. */
void steady_tls_keep_old_session(const struct steady_tls *tls);

/* The handshake has failed. Where it began with an offer, and one side or the other has said in an
 * alert what is wrong, no more is offered to that server. */
void steady_tls_give_up_sessions(const struct steady_tls *tls);

#endif
