/* What OpenSSL reads from and writes to: the session's carrier, with bounds on what a server may
 * send. The constants are in tls_carrier.c. */
#ifndef STEADY_DIAL_TLS_CARRIER_H
#define STEADY_DIAL_TLS_CARRIER_H

struct bio_st; /* OpenSSL's BIO */
struct steady_tls;

/* NULL: out of memory. */
struct bio_st *steady_tls_carrier_new(struct steady_tls *tls);

#endif
