/* Keeps TLS sessions that servers have given and that can be resumed (RFC 8446 section 2.2, RFC
 * 5077), until the next connection to the same name and port.
 *
 * A session is offered once, as RFC 8446 appendix C.4 recommends. So no ticket is sent to a server
 * twice. When a server fails because of a resumption, the next connection does without one. */
#ifndef STEADY_DIAL_SESSIONS_H
#define STEADY_DIAL_SESSIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ssl_session_st; /* OpenSSL's SSL_SESSION */

/* The number of sessions that are kept for all names together. When there are more, the oldest one
 * is dropped. */
#define STEADY_SESSIONS_MAX 32

/* A zeroed struct has no sessions. */
struct steady_sessions {
    struct steady_kept_session {
        char *name;
        uint16_t port;
        struct ssl_session_st *session; /* NULL when no session may be kept for that server */
    } kept[STEADY_SESSIONS_MAX];        /* the oldest one first */
    size_t count;
};

/* Keeps a copy of a session with the server of that name and port. It has to be a copy, because
 * OpenSSL makes the original unusable when its connection breaks. A session is not kept when memory
 * is out, or when its ticket has more than 16 KiB. */
void steady_sessions_keep(struct steady_sessions *sessions, const char *name, uint16_t port,
                          struct ssl_session_st *session);

/* Removes the newest session with that server from those that are kept, and returns it, or NULL
 * when there is none. Sessions that have expired, or whose certificate has, are ignored. The caller
 * has to free the session. */
struct ssl_session_st *steady_sessions_take(struct steady_sessions *sessions, const char *name,
                                            uint16_t port);

/* Forgets the sessions with that server, and keeps none from now on. This is for a server that
 * answers a resumption with an alert, instead of going on without it. */
void steady_sessions_give_up(struct steady_sessions *sessions, const char *name, uint16_t port);

void steady_sessions_free(struct steady_sessions *sessions);

#endif
