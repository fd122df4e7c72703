/* TLS sessions that can be resumed (RFC 8446 section 2.2, RFC 5077): what servers have given, kept
 * until the next connection to the same name and port.
 *
 * A session is offered once, as RFC 8446 appendix C.4 recommends: a server that has sent two
 * tickets gets none a second time, and one that chokes on a resumption is met without it the next
 * time. */
#ifndef STEADY_DIAL_SESSIONS_H
#define STEADY_DIAL_SESSIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ssl_session_st; /* OpenSSL's SSL_SESSION */

#define STEADY_SESSIONS_MAX 32 /* of all names together: the oldest makes room for a new one */

/* Zeroed: none is kept. */
struct steady_sessions {
    struct steady_kept_session {
        char *name;
        uint16_t port;
        struct ssl_session_st *session; /* NULL: none shall be kept for that server */
    } kept[STEADY_SESSIONS_MAX];        /* the oldest first */
    size_t count;
};

/* Keeps a copy of a session with the server of that name and port: OpenSSL spoils the original when
 * its connection breaks. Without memory for it, or with a ticket of more than 16 KiB, it is not
 * kept.
 */
void steady_sessions_keep(struct steady_sessions *sessions, const char *name, uint16_t port,
                          struct ssl_session_st *session);

/* Takes the newest session with that server out of those that are kept, if its time and its
 * certificate's have not run out. NULL: there is none. The caller has to free it. */
struct ssl_session_st *steady_sessions_take(struct steady_sessions *sessions, const char *name,
                                            uint16_t port);

/* Forgets the sessions with that server, and keeps none from now on: it has refused one with an
 * alert instead of going on without it. */
void steady_sessions_give_up(struct steady_sessions *sessions, const char *name, uint16_t port);

void steady_sessions_free(struct steady_sessions *sessions);

#endif
