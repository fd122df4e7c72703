#include "loop/watch.h"

#include "loop/context.h"

#include <libwebsockets.h>
#include <stdlib.h>
#include <sys/socket.h>

/* The name of our callback in libwebsockets. It is not sent to anyone. */
#define PROTOCOL_NAME "steadysocket"

enum reading {
    READING_STOPPED, /* the owner has stopped reading */
    READING,
    READING_LATER, /* there is something to read, but the turn had no time left: the owner is called
                      in a later turn, and the library does not look at the socket until then */
};

enum writing {
    WRITING_UNWANTED,
    WRITING_WANTED, /* the owner waits until the socket takes bytes */
    WRITING_LATER,  /* the socket takes bytes; the owner is called in a later turn */
};

struct steady_watch {
    struct steady_ready ready; /* the first member; runs in a later turn */
    struct steady_loop *loop;
    struct lws *wsi; /* NULL when the connection is broken */
    const struct steady_watch_owner *calls;
    void *owner;
    int socket;
    enum reading reading;
    enum writing writing;
};

/* ------------------------------------------------------------------------- events */

/* Returns whether the owner may be called for an event now. Errors of the socket do not wait. */
static bool may_tell(const struct steady_watch *watch)
{
    return !steady_loop_is_halted(watch->loop) && !steady_loop_is_behind(watch->loop) &&
           steady_loop_has_time(watch->loop);
}

/* Puts reading off to a later turn. The library stops looking at the socket, since it would report
 * the socket again and again within this turn. */
static void read_later(struct steady_watch *watch)
{
    watch->reading = READING_LATER;
    lws_rx_flow_control(watch->wsi, 0);
    steady_ready_add(watch->loop, &watch->ready);
}

static void readable(struct steady_watch *watch)
{
    if (watch->reading != READING)
        return;
    if (!may_tell(watch)) {
        read_later(watch);
        return;
    }
    watch->loop->happened = true;
    watch->calls->readable(watch->owner);
}

static void writable(struct steady_watch *watch)
{
    if (watch->writing != WRITING_WANTED)
        return;
    if (!may_tell(watch)) {
        watch->writing = WRITING_LATER;
        steady_ready_add(watch->loop, &watch->ready);
        return;
    }
    watch->loop->happened = true;
    watch->writing = WRITING_UNWANTED;
    watch->calls->writable(watch->owner);
}

/* Handles a broken connection. The library may report it twice, so it loses its pointer to the
 * watch first. */
static void broken(struct steady_watch *watch)
{
    lws_set_opaque_user_data(watch->wsi, NULL);
    watch->wsi = NULL;
    steady_ready_remove(&watch->ready);
    watch->calls->broken(watch->owner);
}

static int event(struct lws *wsi, enum lws_callback_reasons reason, void *unused, void *in,
                 size_t size)
{
    struct steady_watch *watch = wsi ? lws_get_opaque_user_data(wsi) : NULL;
    (void)unused;
    (void)in;
    (void)size;
    if (!watch)
        return 0;
    switch (reason) {
    case LWS_CALLBACK_RAW_RX_FILE:
        readable(watch);
        break;
    case LWS_CALLBACK_RAW_WRITEABLE_FILE:
        writable(watch);
        break;
    case LWS_CALLBACK_RAW_CLOSE_FILE:
        broken(watch);
        break;
    default:
        break;
    }
    return 0;
}

/* ------------------------------------------------------------------------- for the owner */

const char *steady_watch_prepare(struct steady_loop *loop)
{
    static const struct lws_protocols protocols[] = {{.name = PROTOCOL_NAME, .callback = event},
                                                     {.name = NULL}};
    return steady_context_start(loop, protocols);
}

/* Does what was put off to this turn. It makes one call to the owner at most, because the owner may
 * stop the watch, which frees it. */
static void turn(struct steady_ready *ready)
{
    struct steady_watch *watch = (struct steady_watch *)ready; /* its first member */
    if (watch->writing == WRITING_LATER) {
        watch->writing = WRITING_UNWANTED;
        if (watch->reading == READING_LATER)
            steady_ready_add(watch->loop, &watch->ready);
        watch->calls->writable(watch->owner);
        return;
    }
    /* libwebsockets 4.1 loses a request that is made inside its WRITEABLE callback. */
    if (watch->writing == WRITING_WANTED)
        lws_callback_on_writable(watch->wsi);
    if (watch->reading == READING_LATER) {
        watch->reading = READING;
        lws_rx_flow_control(watch->wsi, 1);
        watch->calls->readable(watch->owner);
    }
}

/* Gives the socket to libwebsockets. When its number is too high for the library's table, the
 * library would leak memory now and crash at its end, so such a socket is refused. */
static struct lws *adopt(struct steady_loop *loop, int socket, int *error)
{
    struct lws_vhost *vhost = steady_context_vhost(loop);
    bool fits = socket < steady_context_descriptors(loop);
    *error = fits ? UV_ENOMEM : UV_EMFILE;
    return fits && vhost ? lws_adopt_descriptor_vhost(vhost, LWS_ADOPT_RAW_FILE_DESC,
                                                      (lws_sock_file_fd_type){.filefd = socket},
                                                      PROTOCOL_NAME, NULL)
                         : NULL;
}

struct steady_watch *steady_watch_start(struct steady_loop *loop, int socket,
                                        const struct steady_watch_owner *calls, void *owner,
                                        int *error)
{
    struct steady_watch *watch = calloc(1, sizeof *watch);
    *error = UV_ENOMEM;
    if (!watch)
        return NULL;
    watch->ready.run = turn;
    watch->reading = READING;
    watch->loop = loop;
    watch->calls = calls;
    watch->owner = owner;
    watch->socket = socket;
    watch->wsi = adopt(loop, socket, error);
    if (!watch->wsi) {
        free(watch);
        return NULL;
    }
    lws_set_opaque_user_data(watch->wsi, watch);
    watch->writing = WRITING_WANTED;
    lws_callback_on_writable(watch->wsi);
    return watch;
}

void steady_watch_give(struct steady_watch *watch, const struct steady_watch_owner *calls,
                       void *owner)
{
    watch->calls = calls;
    watch->owner = owner;
}

void steady_watch_read(struct steady_watch *watch, bool wanted)
{
    watch->reading = wanted ? READING : READING_STOPPED;
    if (watch->wsi)
        lws_rx_flow_control(watch->wsi, wanted);
}

void steady_watch_write(struct steady_watch *watch)
{
    if (watch->writing == WRITING_UNWANTED)
        watch->writing = WRITING_WANTED;
    if (watch->wsi)
        steady_ready_add(watch->loop, &watch->ready);
}

void steady_watch_stop(struct steady_watch *watch)
{
    if (!watch)
        return;
    steady_ready_remove(&watch->ready);
    if (watch->wsi) {
        lws_set_opaque_user_data(watch->wsi, NULL);
        shutdown(watch->socket, SHUT_RDWR);
        lws_set_timeout(watch->wsi, PENDING_TIMEOUT_USER_REASON_BASE, LWS_TO_KILL_SYNC);
    }
    free(watch);
}
