#include "client/client.h"

#include "client/attempt.h"
#include "client/change.h"
#include "client/deadlines.h"
#include "client/door.h"
#include "client/inbox.h"
#include "client/link.h"
#include "client/opening.h"
#include "client/outbox.h"
#include "client/receiving.h"
#include "client/sending.h"
#include "client/trace.h"
#include "core/utf8.h"
#include "dial/mask.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ------------------------------------------------------------------------- shared by a loop */

static bool open_shared(struct steady_service *service)
{
    struct steady_client_shared *shared = (struct steady_client_shared *)service;
    steady_mask_init(&shared->random);
    steady_lobby_init(&shared->lobby);
    return true;
}

static void close_shared(struct steady_service *service)
{
    steady_queue_pool_free(&((struct steady_client_shared *)service)->queue_pool);
}

static const struct steady_service_kind shared_kind = {
    .size = sizeof(struct steady_client_shared), .open = open_shared, .close = close_shared};

/* ------------------------------------------------------------------------- calls from the loop */

static void turn(struct steady_ready *ready)
{
    struct steady_client *c = (struct steady_client *)ready; /* its first member */
    bool first = steady_door_enter(c);
    if (c->attempt.state == STEADY_ATTEMPT_DUE)
        steady_opening_start(c);
    steady_door_leave(c, first);
}

/* The loop has polled since the deadline passed, so everything that arrived in time has been
 * handled. */
static void timer_due(void *owner)
{
    struct steady_client *c = owner;
    bool first = steady_door_enter(c);
    c->armed = INFINITY;
    steady_deadlines_check(c);
    steady_door_leave(c, first);
}

/* ------------------------------------------------------------------------- calls from outside */

bool steady_client_init(struct steady_client *c, struct steady_loop *loop,
                        const struct steady_client_owner *owner)
{
    c->shared = steady_loop_service(loop, &shared_kind);
    if (!c->shared)
        return false;
    c->ready.run = turn;
    c->loop = loop;
    c->queue.pool = c->greetings.pool = &c->shared->queue_pool;
    c->owner = owner;
    c->session.options = &c->options.session;
    c->session.deadline = INFINITY;
    c->armed = INFINITY;
    c->latency = -1;
    return true;
}

void steady_client_free(struct steady_client *c)
{
    steady_attempt_free(c);
    steady_link_free(c);
    steady_ready_remove(&c->ready);
    steady_timer_free(c->timer);
    free(c->subprotocol);
    free(c->close_reason);
    free(c->last_error);
    steady_queue_rewind(&c->queue);
    steady_queue_clear(&c->queue);
    steady_queue_clear(&c->greetings);
    steady_queue_clear(&c->inbox);
    steady_events_clear(&c->events);
    steady_options_free(&c->options);
    if (c->alive)
        c->loop->alive--;
    c->alive = false;
}

enum steady_status steady_client_status(const struct steady_client *c)
{
    enum steady_status status = c->session.status;
    bool untold = status == STEADY_STATUS_CLOSED && c->told_status != STEADY_STATUS_CLOSED &&
                  !(c->entered && c->telling_end);
    return untold ? STEADY_STATUS_CLOSING : status;
}

static void keep_alive(struct steady_client *c)
{
    if (c->alive)
        return;
    c->alive = true;
    c->loop->alive++;
}

static bool need_timer(struct steady_client *c)
{
    if (!c->timer)
        c->timer = steady_timer_new(c->loop, timer_due, c);
    return c->timer;
}

enum steady_error steady_client_connect(struct steady_client *c, const uint8_t *data, size_t size,
                                        bool binary)
{
    struct steady_queue first = {0};
    if (steady_session_active(&c->session))
        return STEADY_ALREADY_CONNECTED;
    if (data && !binary && !steady_utf8_valid(data, size))
        return STEADY_INVALID;
    if (!need_timer(c))
        return STEADY_NETWORK;
    const struct steady_message message = {
        .data = data, .size = size, .binary = binary, .expires = INFINITY, .stays = true};
    if (data && !steady_queue_push(&first, &message))
        return STEADY_NETWORK;
    steady_queue_prepend(&c->queue, &first);
    c->stats.accepted += data != NULL;
    c->user_closed = c->was_tried = c->was_open = false;
    keep_alive(c);
    steady_client_change(c, STEADY_SESSION_CONNECT, -1);
    return STEADY_OK;
}

enum steady_error steady_client_send(struct steady_client *c, const uint8_t *data, size_t size,
                                     bool binary)
{
    if (c->session.status == STEADY_STATUS_CLOSING || c->session.status == STEADY_STATUS_CLOSED)
        return STEADY_CLOSED;
    if (!binary && !steady_utf8_valid(data, size))
        return STEADY_INVALID;
    enum steady_error error = steady_outbox_push(c, data, size, binary);
    if (error)
        return error;
    double ttl = c->options.queue.ttl;
    if (ttl == 0) /* now or never */
        steady_sending_flush(c);
    else
        steady_sending_flush_full(c);
    if (!isinf(ttl) && !c->entered && need_timer(c))
        steady_deadlines_arm(c);
    if (steady_client_has_link(c) && !c->entered)
        steady_ready_add(c->loop, &c->ready);
    return STEADY_OK;
}

enum steady_error steady_client_ping(struct steady_client *c, const uint8_t *data, size_t size)
{
    if (c->session.status != STEADY_STATUS_OPEN || c->link.state > STEADY_LINK_OPEN)
        return STEADY_NOT_CONNECTED;
    if (!steady_sending_ping(c, data, size))
        return STEADY_NETWORK;
    steady_ready_add(c->loop, &c->ready);
    return STEADY_OK;
}

enum steady_error steady_client_close(struct steady_client *c, uint16_t code, const char *reason,
                                      size_t size)
{
    if (c->session.status == STEADY_STATUS_CLOSING || c->session.status == STEADY_STATUS_CLOSED)
        return STEADY_OK;
    char *copy = size ? strndup(reason, size) : NULL;
    if (size && !copy)
        return STEADY_NETWORK;
    free(c->close_reason);
    c->close_reason = copy;
    c->close_code = code;
    c->user_closed = true;
    keep_alive(c);
    STEADY_DEBUG(&c->trace, "close(%u), with %zu messages to go out before", code,
                 steady_outbox_messages(c));
    steady_client_change(c, STEADY_SESSION_CLOSE, -1);
    return STEADY_OK;
}

enum steady_error steady_client_reconnect(struct steady_client *c, uint16_t code,
                                          const char *reason, size_t size)
{
    if (!steady_session_active(&c->session) || c->session.status == STEADY_STATUS_CLOSING)
        return STEADY_NOT_CONNECTED;
    STEADY_DEBUG(&c->trace, "reconnect(%u)", code);
    steady_sending_close_at_once(c, code, reason, size);
    steady_client_change(c, STEADY_SESSION_RECONNECT, 0);
    return STEADY_OK;
}

void steady_client_pause(struct steady_client *c, bool pause)
{
    if (c->paused != pause)
        STEADY_DEBUG(&c->trace, pause ? "pause()" : "resume()");
    if (c->paused && !pause) /* the client did not read, so silence says nothing about the peer */
        c->link.heartbeat.heard = steady_loop_exact_time(c->loop);
    c->paused = pause;
    steady_ready_add(c->loop, &c->ready);
}

size_t steady_client_discard(struct steady_client *c)
{
    return steady_outbox_discard(c);
}

void steady_client_taken(struct steady_client *c)
{
    bool was_full = !steady_receiving_can_deliver(c);
    steady_inbox_drop(c);
    if (was_full)
        steady_ready_add(c->loop, &c->ready);
}

size_t steady_client_buffered(const struct steady_client *c)
{
    return steady_outbox_bytes(c) + (c->link.stream ? steady_stream_buffered(c->link.stream) : 0);
}

struct steady_stats steady_client_stats(struct steady_client *c)
{
    struct steady_stats stats = c->stats;
    if (steady_client_has_link(c))
        stats.connected += steady_loop_exact_time(c->loop) - c->link.opened_at;
    return stats;
}
