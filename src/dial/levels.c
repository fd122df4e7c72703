#include "dial/levels.h"

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

static ptrdiff_t take_held(struct steady_level *level, uint8_t *bytes, size_t size)
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
    struct steady_level *level = carrier;
    if (level->held.size)
        return take_held(level, bytes, size);
    return level->session ? steady_tls_read(level->session, bytes, size)
                          : read_socket(level->levels->socket, bytes, size);
}

static ptrdiff_t write_level(void *carrier, const uint8_t *bytes, size_t size)
{
    const struct steady_level *level = carrier;
    return level->session ? steady_tls_write(level->session, bytes, size)
                          : write_socket(level->levels->socket, bytes, size);
}

void steady_levels_init(struct steady_levels *levels, int socket)
{
    *levels = (struct steady_levels){.socket = socket, .top = levels->list};
    levels->list[0].levels = levels;
}

bool steady_levels_secure(struct steady_levels *levels, struct ssl_ctx_st *context,
                          const char *host, uint16_t port, bool verify)
{
    static const struct steady_carrier calls = {read_level, write_level};
    struct steady_level *below = levels->top, *level = below + 1;
    if (below == levels->list + STEADY_TLS_LEVELS)
        return false;
    struct steady_tls *session = steady_tls_new(context, host, port, verify, &calls, below);
    if (!session)
        return false;
    *level = (struct steady_level){.levels = levels, .session = session};
    levels->top = level;
    return true;
}

struct steady_tls *steady_levels_session(const struct steady_levels *levels)
{
    return levels->top->session;
}

ptrdiff_t steady_levels_read(struct steady_levels *levels, uint8_t *bytes, size_t size)
{
    return read_level(levels->top, bytes, size);
}

ptrdiff_t steady_levels_write(struct steady_levels *levels, const uint8_t *bytes, size_t size)
{
    return write_level(levels->top, bytes, size);
}

bool steady_levels_put_back(struct steady_levels *levels, const uint8_t *bytes, size_t size)
{
    return steady_buffer_append(&levels->top->held, bytes, size);
}

bool steady_levels_have_more(const struct steady_levels *levels)
{
    bool more = levels->socket < 0;
    for (const struct steady_level *level = levels->list; level <= levels->top; level++)
        more = more || level->held.size || (level->session && steady_tls_has_more(level->session));
    return more;
}

void steady_levels_lose_socket(struct steady_levels *levels)
{
    struct steady_buffer *held = &levels->list[0].held;
    ssize_t size = 0;
    do {
        if (!steady_buffer_reserve(held, LAST_READ))
            break;
        size = recv(levels->socket, held->data + held->size, LAST_READ, 0);
        if (size > 0)
            held->size += (size_t)size;
    } while (size > 0 || (size < 0 && errno == EINTR));
    if (!held->size)
        steady_buffer_free(held);
    levels->socket = -1;
}

void steady_levels_explain(const struct steady_levels *levels, struct steady_cause *cause)
{
    for (const struct steady_level *level = levels->top; level > levels->list; level--)
        steady_tls_explain(level->session, cause);
}

void steady_levels_free(struct steady_levels *levels)
{
    for (struct steady_level *level = levels->top; level >= levels->list; level--) {
        steady_tls_free(level->session);
        steady_buffer_free(&level->held);
    }
}
