#include "dial/stream.h"

#include "core/buffer.h"
#include "dial/tls.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define SESSIONS_MAX 2 /* TLS to a proxy, and to the server through it */

enum state {
    SECURING, /* the handshake of the session on top is under way: ends with OPEN or ENDED */
    OPEN,
    BROKEN, /* a write failed: what the peer sent before can still be read, then it is ENDED */
    ENDED,  /* `ended` was called; the owner has to free it */
};

/* The buffers that all streams of a loop share. */
struct buffers {
    struct steady_service service; /* the first member */
    uint8_t *read, *write;
};

/* The bytes of the stream as they are at the bottom, where the socket is, or above a TLS session.
 */
struct level {
    struct steady_stream *stream;
    struct steady_tls *session; /* NULL at the bottom */
    struct steady_buffer held;  /* to be read before what comes from below */
    size_t held_taken;          /* bytes of it */
};

struct steady_stream {
    struct steady_ready ready; /* the first member */
    struct steady_resident resident;
    enum state state;
    int socket;
    struct steady_watch *watch; /* NULL: the socket is broken, and what it held is at the bottom */
    struct level levels[1 + SESSIONS_MAX];
    struct level *top; /* one of them */
    struct steady_loop *loop;
    struct buffers *buffers;
    const struct steady_stream_owner *calls;
    void *owner;                 /* NULL: freed */
    struct steady_buffer unsent; /* what the system did not take of a write */
    size_t unsent_sent;          /* bytes of it that have gone by now */
    bool paused;
    bool wanted; /* the owner wants to write */
};

/* ------------------------------------------------------------------------- shared buffers */

static bool open_buffers(struct steady_service *service)
{
    struct buffers *buffers = (struct buffers *)service; /* its first member */
    buffers->read = malloc(STEADY_READ_SIZE);
    buffers->write = malloc(STEADY_WRITE_SIZE);
    if (buffers->read && buffers->write)
        return true;
    free(buffers->read);
    free(buffers->write);
    return false;
}

static void close_buffers(struct steady_service *service)
{
    struct buffers *buffers = (struct buffers *)service; /* its first member */
    free(buffers->read);
    free(buffers->write);
}

static const struct steady_service_kind buffers_kind = {
    .size = sizeof(struct buffers), .open = open_buffers, .close = close_buffers};

/* ------------------------------------------------------------------------- the socket */

static ptrdiff_t read_socket(struct steady_stream *s, uint8_t *bytes, size_t size)
{
    if (!s->watch)
        return STEADY_BROKEN;
    ssize_t there = recv(s->socket, bytes, size, 0);
    if (there > 0)
        return there;
    if (there == 0)
        return STEADY_EOF;
    return errno == EAGAIN || errno == EINTR ? STEADY_WAIT : STEADY_BROKEN;
}

static ptrdiff_t write_socket(struct steady_stream *s, const uint8_t *bytes, size_t size)
{
    if (!s->watch)
        return STEADY_BROKEN;
    ssize_t sent = send(s->socket, bytes, size, MSG_NOSIGNAL);
    if (sent >= 0)
        return sent;
    return errno == EAGAIN || errno == EINTR ? STEADY_WAIT : STEADY_BROKEN;
}

/* ------------------------------------------------------------------------- the levels */

static ptrdiff_t take_held(struct level *level, uint8_t *bytes, size_t size)
{
    size_t left = level->held.size - level->held_taken, taken = left < size ? left : size;
    memcpy(bytes, level->held.data + level->held_taken, taken);
    level->held_taken += taken;
    if (level->held_taken == level->held.size) {
        steady_buffer_free(&level->held);
        level->held_taken = 0;
    }
    return (ptrdiff_t)taken;
}

static ptrdiff_t read_level(void *carrier, uint8_t *bytes, size_t size)
{
    struct level *level = carrier;
    if (level->held.size)
        return take_held(level, bytes, size);
    return level->session ? steady_tls_read(level->session, bytes, size)
                          : read_socket(level->stream, bytes, size);
}

static ptrdiff_t write_level(void *carrier, const uint8_t *bytes, size_t size)
{
    const struct level *level = carrier;
    return level->session ? steady_tls_write(level->session, bytes, size)
                          : write_socket(level->stream, bytes, size);
}

/* Whether there may be something to read that the socket does not tell of. */
static bool has_more(const struct steady_stream *s)
{
    bool more = !s->watch;
    for (const struct level *level = s->levels; level <= s->top; level++)
        more = more || level->held.size || (level->session && steady_tls_has_more(level->session));
    return more;
}

/* ------------------------------------------------------------------------- events */

/* Looks at the socket for what matters now. From a broken connection that may not be read nothing
 * comes any more: it ends in the next turn. */
static void update(struct steady_stream *s)
{
    if (!s->owner || s->state == ENDED)
        return;
    bool hopeless = s->state == BROKEN && s->paused;
    if (hopeless || (has_more(s) && !s->paused))
        steady_ready_add(s->loop, &s->ready);
    if (s->watch && s->unsent.size && s->state == OPEN)
        steady_watch_write(s->watch);
}

static void end(struct steady_stream *s)
{
    s->state = ENDED;
    if (s->watch)
        steady_watch_read(s->watch, false);
    s->calls->ended(s->owner);
}

static void shake_hands(struct steady_stream *s)
{
    struct steady_tls *tls = s->top->session;
    ptrdiff_t result = steady_tls_handshake(tls);
    if (result == STEADY_WAIT) {
        if (s->watch && steady_tls_wants_write(tls))
            steady_watch_write(s->watch);
        update(s);
    } else if (result < 0) {
        end(s);
    } else {
        s->state = OPEN;
        update(s);
        s->calls->secured(s->owner);
    }
}

static void receive(struct steady_stream *s)
{
    if (s->state == SECURING) {
        shake_hands(s);
        return;
    }
    ptrdiff_t size = read_level(s->top, s->buffers->read, STEADY_READ_SIZE);
    if (size >= 0)
        update(s);
    if (size > 0)
        s->calls->received(s->owner, s->buffers->read, (size_t)size);
    else if (size < 0)
        end(s);
}

static void readable(void *owner)
{
    struct steady_stream *s = owner;
    if (!s->paused && s->state != ENDED)
        receive(s);
}

/* The memory stays while one write after the other is taken in part only. */
static void send_unsent(struct steady_stream *s)
{
    ptrdiff_t sent =
        write_level(s->top, s->unsent.data + s->unsent_sent, steady_stream_buffered(s));
    if (sent < 0)
        s->state = BROKEN;
    else
        s->unsent_sent += (size_t)sent;
    bool done = !steady_stream_buffered(s);
    if (done)
        s->unsent.size = s->unsent_sent = 0;
    update(s);
    if (!done)
        return;
    s->calls->writable(s->owner);
    if (!s->unsent.size)
        steady_buffer_free(&s->unsent);
}

static void writable(void *owner)
{
    struct steady_stream *s = owner;
    if (s->state == SECURING)
        shake_hands(s);
    else if (s->unsent.size && s->state == OPEN)
        send_unsent(s);
}

/* The socket is about to be gone, with all that the peer sent before: so that is kept. It happens
 * also while the loop is halted; what follows has a turn of its own. */
static void broken(void *owner)
{
    struct steady_stream *s = owner;
    struct steady_buffer *held = &s->levels[0].held;
    ssize_t size = 0;
    do {
        if (!steady_buffer_reserve(held, STEADY_READ_SIZE))
            break;
        size = recv(s->socket, held->data + held->size, STEADY_READ_SIZE, 0);
        if (size > 0)
            held->size += (size_t)size;
    } while (size > 0 || (size < 0 && errno == EINTR));
    if (!held->size)
        steady_buffer_free(held);
    steady_watch_stop(s->watch);
    s->watch = NULL;
    if (s->state == OPEN)
        s->state = BROKEN;
    update(s);
}

static void turn(struct steady_ready *ready)
{
    struct steady_stream *s = (struct steady_stream *)ready; /* its first member */
    if (s->wanted && steady_stream_can_write(s)) {
        s->wanted = false;
        s->calls->writable(s->owner);
    }
    if (!s->owner || s->state == ENDED)
        return;
    if (s->state == BROKEN && s->paused)
        end(s);
    else if (!s->paused && has_more(s))
        receive(s);
}

/* ------------------------------------------------------------------------- for the owner */

static void close_stream(struct steady_resident *resident)
{
    steady_stream_free(
        (struct steady_stream *)((char *)resident - offsetof(struct steady_stream, resident)));
}

struct steady_stream *steady_stream_new(struct steady_loop *loop, int socket,
                                        struct steady_watch *watch,
                                        const struct steady_stream_owner *calls, void *owner)
{
    static const struct steady_watch_owner watch_calls = {readable, writable, broken};
    struct steady_stream *s = calloc(1, sizeof *s);
    struct buffers *buffers = steady_loop_service(loop, &buffers_kind);
    if (!s || !buffers) {
        free(s);
        steady_watch_stop(watch);
        return NULL;
    }
    s->ready.run = turn;
    s->resident.close = close_stream;
    s->state = OPEN;
    s->socket = socket;
    s->watch = watch;
    s->top = s->levels;
    s->levels[0].stream = s;
    s->loop = loop;
    s->buffers = buffers;
    s->calls = calls;
    s->owner = owner;
    steady_watch_give(watch, &watch_calls, s);
    steady_resident_add(loop, &s->resident);
    return s;
}

static void free_memory(struct steady_resident *resident)
{
    struct steady_stream *s =
        (struct steady_stream *)((char *)resident - offsetof(struct steady_stream, resident));
    steady_ready_remove(&s->ready);
    steady_resident_remove(&s->resident);
    free(s);
}

static void free_later(struct steady_ready *ready)
{
    free_memory(&((struct steady_stream *)ready)->resident); /* its first member */
}

static void free_levels(struct steady_stream *s)
{
    for (struct level *level = s->top; level >= s->levels; level--) {
        steady_tls_free(level->session);
        steady_buffer_free(&level->held);
    }
}

/* Its memory stays until the next turn, for the call that may be under way. */
void steady_stream_free(struct steady_stream *s)
{
    if (!s)
        return;
    s->owner = NULL;
    free_levels(s);
    steady_watch_stop(s->watch);
    s->watch = NULL;
    steady_buffer_free(&s->unsent);
    s->resident.close = free_memory;
    steady_resident_remove(&s->resident);
    steady_resident_add(s->loop, &s->resident);
    s->ready.run = free_later;
    steady_ready_add(s->loop, &s->ready);
}

void steady_stream_give(struct steady_stream *s, const struct steady_stream_owner *calls,
                        void *owner)
{
    s->calls = calls;
    s->owner = owner;
}

bool steady_stream_secure(struct steady_stream *s, struct ssl_ctx_st *context, const char *host,
                          uint16_t port, bool verify)
{
    static const struct steady_carrier calls = {read_level, write_level};
    struct level *below = s->top, *level = below + 1;
    if (below == s->levels + SESSIONS_MAX)
        return false;
    struct steady_tls *tls = steady_tls_new(context, host, port, verify, &calls, below);
    if (!tls)
        return false;
    *level = (struct level){.stream = s, .session = tls};
    s->top = level;
    s->state = SECURING;
    if (s->watch)
        steady_watch_write(s->watch);
    return true;
}

bool steady_stream_put_back(struct steady_stream *s, const uint8_t *bytes, size_t size)
{
    if (!size)
        return true;
    if (!steady_buffer_append(&s->top->held, bytes, size))
        return false;
    update(s);
    return true;
}

bool steady_stream_is_securing(const struct steady_stream *s)
{
    return s->state == SECURING;
}

void steady_stream_describe(const struct steady_stream *s, char *text, size_t size)
{
    steady_tls_describe(s->top->session, text, size);
}

void steady_stream_explain(const struct steady_stream *s, struct steady_cause *cause)
{
    for (const struct level *level = s->top; level > s->levels; level--)
        steady_tls_explain(level->session, cause);
}

bool steady_stream_can_write(const struct steady_stream *s)
{
    return s->state == OPEN && !s->unsent.size;
}

uint8_t *steady_stream_room(const struct steady_stream *s)
{
    return s->buffers->write;
}

bool steady_stream_write(struct steady_stream *s, size_t size)
{
    const uint8_t *bytes = s->buffers->write;
    ptrdiff_t sent = write_level(s->top, bytes, size);
    if (sent >= 0 && (size_t)sent < size &&
        !steady_buffer_append(&s->unsent, bytes + sent, size - (size_t)sent))
        sent = -1;
    if (sent < 0)
        s->state = BROKEN;
    update(s);
    return s->state != BROKEN;
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
    if (s->watch && s->state != ENDED)
        steady_watch_read(s->watch, !pause);
    update(s);
}
