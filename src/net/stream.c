#include "net/stream.h"

#include "core/buffer.h"
#include "net/tls.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

struct steady_stream {
    struct steady_ready ready; /* the first member */
    uv_poll_t poll;
    int events; /* what is polled for */
    int socket;
    struct ssl_st *tls; /* NULL: none */
    struct steady_loop *loop;
    const struct steady_stream_owner *calls;
    void *owner;                        /* NULL: freed */
    struct steady_stream *next, **link; /* in the loop's list */
    struct steady_buffer unsent;        /* what the system did not take of a write */
    size_t unsent_sent;                 /* bytes of it that have gone by now */
    bool paused;
    bool unread; /* TLS may hold what the socket no longer tells of */
    bool wanted; /* the owner wants to write */
    bool broken; /* a write failed: what the peer sent before can still be read */
    bool ended;
};

/* ------------------------------------------------------------------------- the socket */

/* Both return how many bytes went, 0 when that must wait, or a negative number when the connection
 * has ended or is broken. */
static ptrdiff_t read_bytes(struct steady_stream *s)
{
    uint8_t *buffer = s->loop->read_buffer;
    if (s->tls)
        return steady_tls_read(s->tls, buffer, STEADY_READ_SIZE, &s->unread);
    ssize_t size = recv(s->socket, buffer, STEADY_READ_SIZE, 0);
    if (size > 0)
        return size;
    return size < 0 && (errno == EAGAIN || errno == EINTR) ? 0 : -1;
}

static ptrdiff_t write_bytes(struct steady_stream *s, const uint8_t *bytes, size_t size)
{
    if (s->tls)
        return steady_tls_write(s->tls, bytes, size);
    ssize_t sent = send(s->socket, bytes, size, MSG_NOSIGNAL);
    if (sent >= 0)
        return sent;
    return errno == EAGAIN || errno == EINTR ? 0 : -1;
}

/* ------------------------------------------------------------------------- events */

static void polled(uv_poll_t *poll, int status, int events);

/* Has libuv poll for what matters now. A broken connection from which nothing may be read is not
 * polled: it ends in the next turn. */
static void watch(struct steady_stream *s)
{
    if (s->broken && s->paused && s->owner)
        steady_ready_add(s->loop, &s->ready);
    int events = (s->paused ? 0 : UV_READABLE) | (s->unsent.size && !s->broken ? UV_WRITABLE : 0);
    if (s->ended)
        events = 0;
    if (events == s->events || !s->owner)
        return;
    s->events = events;
    if (events)
        uv_poll_start(&s->poll, events, polled);
    else
        uv_poll_stop(&s->poll);
}

static void end(struct steady_stream *s)
{
    s->ended = true;
    watch(s);
    s->calls->ended(s->owner);
}

static void receive(struct steady_stream *s)
{
    ptrdiff_t size = read_bytes(s);
    if (s->unread)
        steady_ready_add(s->loop, &s->ready);
    if (size > 0) {
        s->calls->received(s->owner, s->loop->read_buffer, (size_t)size);
    } else if (size < 0) {
        end(s);
    }
}

/* The memory stays while one write after the other is taken in part only. */
static void send_unsent(struct steady_stream *s)
{
    ptrdiff_t sent = write_bytes(s, s->unsent.data + s->unsent_sent, steady_stream_buffered(s));
    if (sent < 0)
        s->broken = true;
    else
        s->unsent_sent += (size_t)sent;
    bool done = !steady_stream_buffered(s);
    if (done)
        s->unsent.size = s->unsent_sent = 0;
    watch(s);
    if (!done)
        return;
    s->calls->writable(s->owner);
    if (!s->unsent.size)
        steady_buffer_free(&s->unsent);
}

/* While a handler's error is on its way out, nothing is taken in; it comes again. */
static void polled(uv_poll_t *poll, int status, int events)
{
    struct steady_stream *s = poll->data;
    if (s->loop->halted)
        return;
    if (status < 0) { /* libuv says so of a socket with an error, and has stopped polling it */
        s->events = 0;
        events = UV_READABLE | UV_WRITABLE;
    }
    if (events & UV_WRITABLE && s->unsent.size && !s->broken)
        send_unsent(s);
    if (events & UV_READABLE && s->owner && !s->paused && !s->ended)
        receive(s);
    watch(s);
}

static void turn(struct steady_ready *ready)
{
    struct steady_stream *s = (struct steady_stream *)ready; /* its first member */
    if (s->wanted && steady_stream_can_write(s)) {
        s->wanted = false;
        s->calls->writable(s->owner);
    }
    if (!s->owner || s->ended)
        return;
    if (s->broken && s->paused)
        end(s);
    else if (s->unread && !s->paused)
        receive(s);
}

/* ------------------------------------------------------------------------- for the owner */

struct steady_stream *steady_stream_new(struct steady_loop *loop, int socket, struct ssl_st *tls,
                                        const struct steady_stream_owner *calls, void *owner)
{
    struct steady_stream *s = calloc(1, sizeof *s);
    if (!s || uv_poll_init(&loop->uv, &s->poll, socket)) {
        free(s);
        steady_tls_end(tls);
        close(socket);
        return NULL;
    }
    s->ready.run = turn;
    s->poll.data = s;
    s->socket = socket;
    s->tls = tls;
    s->loop = loop;
    s->calls = calls;
    s->owner = owner;
    s->unread = tls != NULL;
    s->link = &loop->streams;
    s->next = loop->streams;
    if (s->next)
        s->next->link = &s->next;
    loop->streams = s;
    if (s->unread)
        steady_ready_add(loop, &s->ready);
    watch(s);
    return s;
}

static void closed(uv_handle_t *handle)
{
    free(handle->data);
}

void steady_stream_free(struct steady_stream *s)
{
    if (!s)
        return;
    s->owner = NULL;
    *s->link = s->next;
    if (s->next)
        s->next->link = s->link;
    steady_ready_remove(s->loop, &s->ready);
    uv_close((uv_handle_t *)&s->poll, closed);
    steady_tls_end(s->tls);
    close(s->socket);
    steady_buffer_free(&s->unsent);
}

void steady_stream_give(struct steady_stream *s, const struct steady_stream_owner *calls,
                        void *owner)
{
    s->calls = calls;
    s->owner = owner;
}

const char *steady_stream_failure(struct steady_stream *s)
{
    return steady_tls_failure(s->tls);
}

bool steady_stream_can_write(const struct steady_stream *s)
{
    return !s->unsent.size && !s->broken && !s->ended;
}

bool steady_stream_write(struct steady_stream *s, size_t size)
{
    const uint8_t *bytes = s->loop->write_buffer;
    ptrdiff_t sent = write_bytes(s, bytes, size);
    if (sent >= 0 && (size_t)sent < size &&
        !steady_buffer_append(&s->unsent, bytes + sent, size - (size_t)sent))
        sent = -1;
    s->broken = sent < 0;
    watch(s);
    return !s->broken;
}

size_t steady_stream_buffered(const struct steady_stream *s)
{
    return s->unsent.size - s->unsent_sent;
}

void steady_stream_want_writable(struct steady_stream *s)
{
    s->wanted = true;
    steady_ready_add(s->loop, &s->ready);
}

void steady_stream_pause(struct steady_stream *s, bool pause)
{
    if (s->paused == pause)
        return;
    s->paused = pause;
    watch(s);
    if (!pause && s->unread)
        steady_ready_add(s->loop, &s->ready);
}

void steady_streams_free(struct steady_loop *loop)
{
    while (loop->streams)
        steady_stream_free(loop->streams);
}
