/* The BIO from which OpenSSL reads and to which it writes. It passes the bytes on to the session's
 * carrier, and bounds what a server may send. The constants are in tls_carrier.c. */
#ifndef STEADY_DIAL_TLS_CARRIER_H
#define STEADY_DIAL_TLS_CARRIER_H

struct bio_st; /* OpenSSL's BIO */
struct ssl_st; /* OpenSSL's SSL */
struct steady_tls;

/* Makes the BIO of a session. Returns NULL when memory is out. */
struct bio_st *steady_tls_carrier_new(struct steady_tls *tls);

/* Returns the session to which an SSL of OpenSSL's belongs. It is found by the SSL's BIO. */
struct steady_tls *steady_tls_of(const struct ssl_st *openssl);

#endif
