#include "connection.h"

#include "check.h"
#include "counters.h"
#include "poller.h"

#include <errno.h>
#include <openssl/err.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct connection *connection_new(int socket, SSL *ssl)
{
    struct connection *c = calloc(1, sizeof *c);
    check(c, "calloc");
    c->socket = socket;
    c->ssl = ssl;
    if (ssl) {
        SSL_set_fd(ssl, socket);
        SSL_set_accept_state(ssl);
    }
    return c;
}

/* Events for it may still be in the loop's hand, so the structure lives on until the next one that
 * dies after it: a turn has fewer events than are kept here. */
static void bury(struct connection *c)
{
    static struct connection *grave[1024];
    static unsigned next;
    free(grave[next]);
    grave[next] = c;
    next = (next + 1) % 1024;
}

/* Those of thousands whose client has ended would leave as many ports taken for a minute
 * (TIME_WAIT), and the next client's system would look for a free one longer and longer. */
static void reset(int socket)
{
    struct linger at_once = {.l_onoff = 1};
    setsockopt(socket, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
}

void connection_drop(struct connection *c)
{
    if (c->dead)
        return;
    c->dead = true;
    if (c->ssl)
        SSL_free(c->ssl);
    if (c->service == HOLD)
        reset(c->socket);
    close(c->socket);
    free(c->in.bytes);
    free(c->out.bytes);
    if (c->inflater)
        inflateEnd(c->inflater);
    free(c->inflater);
    bury(c);
}

static bool would_block(struct connection *c, ssize_t result)
{
    if (c->ssl) {
        int error = SSL_get_error(c->ssl, (int)result);
        return error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE;
    }
    return result < 0 && (errno == EAGAIN || errno == EINTR);
}

bool connection_accepted(struct connection *c)
{
    if (!c->ssl || c->accepted)
        return true;
    ERR_clear_error(); /* of other connections: SSL_get_error looks at it */
    int result = SSL_accept(c->ssl);
    c->accepted = result == 1;
    if (!c->accepted && !would_block(c, result))
        connection_drop(c);
    return c->accepted;
}

/* ------------------------------------------------------------------------- output */

size_t connection_write(struct connection *c, const void *bytes, size_t size)
{
    if (c->ssl)
        ERR_clear_error();
    ssize_t sent = c->ssl ? SSL_write(c->ssl, bytes, size < INT32_MAX ? (int)size : INT32_MAX)
                          : send(c->socket, bytes, size, 0);
    if (sent > 0)
        return (size_t)sent;
    if (!would_block(c, sent))
        connection_drop(c);
    return 0;
}

void connection_arm(struct connection *c)
{
    bool wanted = c->out.begin < c->out.end || c->frames_left > 0;
    if (c->dead || wanted == c->write_wanted)
        return;
    poller_want_write(c->socket, c, wanted);
    c->write_wanted = wanted;
}

void connection_send(struct connection *c, const void *bytes, size_t size)
{
    const uint8_t *at = bytes;
    if (c->service != REQUEST)
        counters.bytes_out += size;
    while (size > 0 && c->out.begin == c->out.end && !c->dead) {
        size_t sent = connection_write(c, at, size);
        at += sent;
        size -= sent;
        if (sent == 0)
            break;
    }
    if (size == 0 || c->dead)
        return;
    buffer_reserve(&c->out, 2 * (c->out.end - c->out.begin + size));
    memcpy(c->out.bytes + c->out.end, at, size);
    c->out.end += size;
    connection_arm(c);
}

bool connection_flush(struct connection *c)
{
    while (c->out.begin < c->out.end) {
        size_t sent = connection_write(c, c->out.bytes + c->out.begin, c->out.end - c->out.begin);
        c->out.begin += sent;
        if (c->dead || sent == 0)
            return false;
    }
    c->out.begin = c->out.end = 0;
    return true;
}

/* ------------------------------------------------------------------------- input */

/* The client is gone: answered with a reset, its socket does not stay in TIME_WAIT. Thousands of
 * them would leave the next client short of ports. */
static void forget(const struct connection *c)
{
    const struct linger at_once = {.l_onoff = 1};
    setsockopt(c->socket, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
}

size_t connection_read(struct connection *c, void *into, size_t size)
{
    if (c->ssl)
        ERR_clear_error();
    ssize_t got = c->ssl ? SSL_read(c->ssl, into, (int)size)
                         : recv(c->socket, into, size, into ? 0 : MSG_TRUNC);
    if (got > 0) {
        if (c->service != REQUEST)
            counters.bytes_in += (uint64_t)got;
        return (size_t)got;
    }
    if (!would_block(c, got)) {
        forget(c);
        connection_drop(c);
    }
    return 0;
}
