#include "dial/sessions.h"

#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define TICKET_MAX (16 * 1024) /* bytes; a ticket usually has about 200 */

static void remove_at(struct steady_sessions *sessions, size_t at)
{
    free(sessions->kept[at].name);
    sessions->count--;
    memmove(&sessions->kept[at], &sessions->kept[at + 1],
            (sessions->count - at) * sizeof sessions->kept[0]);
}

static void drop_at(struct steady_sessions *sessions, size_t at)
{
    SSL_SESSION_free(sessions->kept[at].session);
    remove_at(sessions, at);
}

static bool is_for(const struct steady_kept_session *kept, const char *name, uint16_t port)
{
    return kept->port == port && !strcmp(kept->name, name);
}

static bool has_given_up(const struct steady_sessions *sessions, const char *name, uint16_t port)
{
    for (size_t at = 0; at < sessions->count; at++)
        if (!sessions->kept[at].session && is_for(&sessions->kept[at], name, port))
            return true;
    return false;
}

/* Adds a session, which belongs to the list from now on, or NULL for a server whose sessions are
 * not kept. */
static void add(struct steady_sessions *sessions, const char *name, uint16_t port,
                SSL_SESSION *session)
{
    char *copy = strdup(name);
    if (!copy) {
        SSL_SESSION_free(session);
        return;
    }
    if (sessions->count == STEADY_SESSIONS_MAX)
        drop_at(sessions, 0);
    sessions->kept[sessions->count++] = (struct steady_kept_session){copy, port, session};
}

void steady_sessions_keep(struct steady_sessions *sessions, const char *name, uint16_t port,
                          struct ssl_session_st *session)
{
    const unsigned char *ticket;
    size_t size;
    SSL_SESSION_get0_ticket(session, &ticket, &size);
    SSL_SESSION *copy = NULL;
    if (size <= TICKET_MAX && !has_given_up(sessions, name, port))
        copy = SSL_SESSION_dup(session);
    if (copy)
        add(sessions, name, port, copy);
}

void steady_sessions_give_up(struct steady_sessions *sessions, const char *name, uint16_t port)
{
    for (size_t at = sessions->count; at-- > 0;)
        if (is_for(&sessions->kept[at], name, port))
            drop_at(sessions, at);
    add(sessions, name, port, NULL);
}

static time_t begin_of(const SSL_SESSION *session)
{
#if OPENSSL_VERSION_NUMBER >= 0x30300000L
    return SSL_SESSION_get_time_ex(session);
#else
    return (time_t)SSL_SESSION_get_time(session);
#endif
}

/* Returns whether the session may still be used. A server does not send its certificate again when
 * a session is resumed, so the expiry of the certificate that it sent last still counts. */
static bool is_fresh(const SSL_SESSION *session)
{
    X509 *certificate = SSL_SESSION_get0_peer((SSL_SESSION *)session);
    time_t begun = begin_of(session);
    time_t now = time(NULL);
    return SSL_SESSION_is_resumable(session) && now >= begun &&
           now - begun < (time_t)SSL_SESSION_get_timeout(session) && certificate &&
           X509_cmp_current_time(X509_get0_notAfter(certificate)) > 0;
}

struct ssl_session_st *steady_sessions_take(struct steady_sessions *sessions, const char *name,
                                            uint16_t port)
{
    for (size_t at = sessions->count; at-- > 0;) {
        SSL_SESSION *session = sessions->kept[at].session;
        if (!session || !is_for(&sessions->kept[at], name, port))
            continue;
        if (is_fresh(session)) {
            remove_at(sessions, at);
            return session;
        }
        drop_at(sessions, at);
    }
    return NULL;
}

void steady_sessions_free(struct steady_sessions *sessions)
{
    while (sessions->count)
        drop_at(sessions, sessions->count - 1);
}
