#include "dial/stream.h"

#include "core/buffer.h"
#include "dial/layers.h"
#include "dial/stream_buffers.h"
#include "dial/tls.h"

#include <stdlib.h>

enum state {
    SECURING, /* the TLS handshake at the top is under way; OPEN or ENDED follows */
    OPEN,
    BROKEN, /* a write failed: what the peer sent before can still be read; ENDED follows */
    ENDED,  /* `ended` was called; the owner has to free the stream */
};

struct steady_stream {
    struct steady_ready ready; /* the first member */
    struct steady_resident resident;
    enum state state;
    struct steady_watch *watch; /* NULL when the socket is broken */
    struct steady_layers layers;
    struct steady_loop *loop;
    const struct steady_stream_buffers *buffers;
    const struct steady_stream_owner *calls;
    void *owner;                 /* NULL when the stream has been freed */
    struct steady_buffer unsent; /* the part of a write that the system did not take at once */
    size_t unsent_sent;          /* bytes of `unsent` that the system has taken since */
    bool paused;
    bool wanted; /* whether the owner wants to write */
};

/* ------------------------------------------------------------------------- events */

/* Asks the loop for the calls that the stream needs now. A broken stream that is paused cannot get
 * any more bytes, so it ends in the next turn. */
static void update(struct steady_stream *s)
{
    if (!s->owner || s->state == ENDED)
        return;
    bool hopeless = s->state == BROKEN && s->paused;
    if (hopeless || (steady_layers_have_more(&s->layers) && !s->paused))
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
    struct steady_tls *tls = steady_layers_tls(&s->layers);
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
    ptrdiff_t size = steady_layers_read(&s->layers, s->buffers->read, STEADY_READ_SIZE);
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

/* Sends the part of a write that is left. The buffer's memory is kept while the system takes only
 * part of each write. */
static void send_unsent(struct steady_stream *s)
{
    ptrdiff_t sent =
        steady_layers_write(&s->layers, s->unsent.data + s->unsent_sent, steady_stream_buffered(s));
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

/* The socket is about to be closed, so everything that the peer sent before is kept. The loop also
 * calls this while it is halted, so the calls to the owner follow in a later turn. */
static void broken(void *owner)
{
    struct steady_stream *s = owner;
    steady_layers_lose_socket(&s->layers);
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
    else if (!s->paused && steady_layers_have_more(&s->layers))
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
    struct steady_stream *s = malloc(sizeof *s);
    const struct steady_stream_buffers *buffers = steady_stream_buffers(loop);
    if (!s || !buffers) {
        free(s);
        steady_watch_stop(watch);
        return NULL;
    }
    *s = (struct steady_stream){.ready.run = turn,
                                .resident.close = close_stream,
                                .state = OPEN,
                                .watch = watch,
                                .loop = loop,
                                .buffers = buffers,
                                .calls = calls,
                                .owner = owner};
    steady_layers_init(&s->layers, socket);
    steady_watch_give(watch, &watch_calls, s);
    steady_resident_add(&loop->residents, &s->resident);
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

/* Closes the connection at once. The memory of the struct stays until the next turn, because a call
 * of the stream may still be running. */
void steady_stream_free(struct steady_stream *s)
{
    if (!s)
        return;
    s->owner = NULL;
    steady_layers_free(&s->layers);
    steady_watch_stop(s->watch);
    s->watch = NULL;
    steady_buffer_free(&s->unsent);
    s->resident.close = free_memory;
    steady_resident_remove(&s->resident);
    steady_resident_add(&s->loop->residents, &s->resident);
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
    if (!steady_layers_secure(&s->layers, context, host, port, verify))
        return false;
    s->state = SECURING;
    if (s->watch)
        steady_watch_write(s->watch);
    return true;
}

bool steady_stream_put_back(struct steady_stream *s, const uint8_t *bytes, size_t size)
{
    if (!size)
        return true;
    if (!steady_layers_put_back(&s->layers, bytes, size))
        return false;
    update(s);
    return true;
}

void steady_stream_describe(const struct steady_stream *s, char *text, size_t size)
{
    steady_tls_describe(steady_layers_tls(&s->layers), text, size);
}

void steady_stream_explain(const struct steady_stream *s, struct steady_cause *cause)
{
    steady_layers_explain(&s->layers, cause);
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
    ptrdiff_t sent = steady_layers_write(&s->layers, bytes, size);
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
