#include "dial/layers.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#define LAST_READ 65536 /* bytes that are read at a time from a socket that has broken */

static ptrdiff_t read_socket(int socket, uint8_t *bytes, size_t size)
{
    if (socket < 0)
        return STEADY_BROKEN;
    ssize_t there = recv(socket, bytes, size, 0);
    if (there > 0)
        return there;
    if (there == 0)
        return STEADY_EOF;
    return errno == EAGAIN || errno == EINTR ? STEADY_WAIT : STEADY_BROKEN;
}

static ptrdiff_t write_socket(int socket, const uint8_t *bytes, size_t size)
{
    if (socket < 0)
        return STEADY_BROKEN;
    ssize_t sent = send(socket, bytes, size, MSG_NOSIGNAL);
    if (sent >= 0)
        return sent;
    return errno == EAGAIN || errno == EINTR ? STEADY_WAIT : STEADY_BROKEN;
}

static ptrdiff_t take_held(struct steady_layer *layer, uint8_t *bytes, size_t size)
{
    size_t left = layer->held.size - layer->held_taken, taken = left < size ? left : size;
    memcpy(bytes, layer->held.data + layer->held_taken, taken);
    layer->held_taken += taken;
    if (layer->held_taken == layer->held.size) {
        steady_buffer_free(&layer->held);
        layer->held_taken = 0;
    }
    return (ptrdiff_t)taken;
}

static ptrdiff_t read_layer(void *carrier, uint8_t *bytes, size_t size)
{
    struct steady_layer *layer = carrier;
    if (layer->held.size)
        return take_held(layer, bytes, size);
    return layer->tls ? steady_tls_read(layer->tls, bytes, size)
                      : read_socket(layer->layers->socket, bytes, size);
}

static ptrdiff_t write_layer(void *carrier, const uint8_t *bytes, size_t size)
{
    const struct steady_layer *layer = carrier;
    return layer->tls ? steady_tls_write(layer->tls, bytes, size)
                      : write_socket(layer->layers->socket, bytes, size);
}

void steady_layers_init(struct steady_layers *layers, int socket)
{
    *layers = (struct steady_layers){.socket = socket, .top = layers->list};
    layers->list[0].layers = layers;
}

bool steady_layers_secure(struct steady_layers *layers, struct ssl_ctx_st *context,
                          const char *host, uint16_t port, bool verify)
{
    static const struct steady_carrier calls = {read_layer, write_layer};
    struct steady_layer *below = layers->top, *layer = below + 1;
    if (below == layers->list + STEADY_TLS_LAYERS)
        return false;
    struct steady_tls *tls = steady_tls_new(context, host, port, verify, &calls, below);
    if (!tls)
        return false;
    *layer = (struct steady_layer){.layers = layers, .tls = tls};
    layers->top = layer;
    return true;
}

struct steady_tls *steady_layers_tls(const struct steady_layers *layers)
{
    return layers->top->tls;
}

ptrdiff_t steady_layers_read(struct steady_layers *layers, uint8_t *bytes, size_t size)
{
    return read_layer(layers->top, bytes, size);
}

ptrdiff_t steady_layers_write(struct steady_layers *layers, const uint8_t *bytes, size_t size)
{
    return write_layer(layers->top, bytes, size);
}

bool steady_layers_put_back(struct steady_layers *layers, const uint8_t *bytes, size_t size)
{
    return steady_buffer_append(&layers->top->held, bytes, size);
}

bool steady_layers_have_more(const struct steady_layers *layers)
{
    bool more = layers->socket < 0;
    for (const struct steady_layer *layer = layers->list; layer <= layers->top; layer++)
        more = more || layer->held.size || (layer->tls && steady_tls_has_more(layer->tls));
    return more;
}

void steady_layers_lose_socket(struct steady_layers *layers)
{
    struct steady_buffer *held = &layers->list[0].held;
    ssize_t size = 0;
    do {
        if (!steady_buffer_reserve(held, LAST_READ))
            break;
        size = recv(layers->socket, held->data + held->size, LAST_READ, 0);
        if (size > 0)
            held->size += (size_t)size;
    } while (size > 0 || (size < 0 && errno == EINTR));
    if (!held->size)
        steady_buffer_free(held);
    layers->socket = -1;
}

void steady_layers_explain(const struct steady_layers *layers, struct steady_cause *cause)
{
    for (const struct steady_layer *layer = layers->top; layer > layers->list; layer--)
        steady_tls_explain(layer->tls, cause);
}

void steady_layers_free(struct steady_layers *layers)
{
    for (struct steady_layer *layer = layers->top; layer >= layers->list; layer--) {
        steady_tls_free(layer->tls);
        steady_buffer_free(&layer->held);
    }
}
