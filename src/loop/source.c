#include "loop/source.h"

#include <fcntl.h>
#include <stdlib.h>

struct steady_source {
    union {
        uv_handle_t handle;
        uv_poll_t poll;
        uv_signal_t signal;
    } uv;                      /* unused for a file */
    struct steady_ready ready; /* used for a file */
    struct steady_resident resident;
    bool is_file;
    struct steady_loop *loop;
    void (*happened)(void *owner);
    void *owner;
};

static void close_source(struct steady_resident *resident)
{
    steady_source_free(
        (struct steady_source *)((char *)resident - offsetof(struct steady_source, resident)));
}

static struct steady_source *new_source(struct steady_loop *loop, void (*happened)(void *owner),
                                        void *owner, int *error)
{
    struct steady_source *source = calloc(1, sizeof *source);
    if (!source) {
        *error = UV_ENOMEM;
        return NULL;
    }
    source->loop = loop;
    source->happened = happened;
    source->owner = owner;
    source->resident.close = close_source;
    steady_resident_add(&loop->residents, &source->resident);
    return source;
}

static void readable(uv_poll_t *poll, int status, int events)
{
    struct steady_source *source = poll->data;
    (void)status; /* when there is an error, reading will show it */
    (void)events;
    source->loop->happened = true;
    source->happened(source->owner);
}

/* Adds the source to the list of what is ready again, before it calls the owner, which may free the
 * source. */
static void read_file(struct steady_ready *ready)
{
    struct steady_source *source =
        (struct steady_source *)((char *)ready - offsetof(struct steady_source, ready));
    steady_ready_add(source->loop, ready);
    source->happened(source->owner);
}

/* Prepares polling. libuv sets the descriptor to non-blocking, and with it all descriptors that
 * share its terminal or pipe. A program that writes to these does not expect that, so the setting
 * is restored. Reading does not block nevertheless, since we read only as much as is there. */
static int init_poll(struct steady_source *source, int descriptor)
{
    int flags = fcntl(descriptor, F_GETFL);
    int error = uv_poll_init(&source->loop->uv, &source->uv.poll, descriptor);
    if (flags >= 0)
        fcntl(descriptor, F_SETFL, flags);
    return error;
}

struct steady_source *steady_source_input(struct steady_loop *loop, int descriptor,
                                          void (*happened)(void *owner), void *owner, int *error)
{
    struct steady_source *source = new_source(loop, happened, owner, error);
    if (!source)
        return NULL;
    *error = init_poll(source, descriptor);
    source->is_file = *error == UV_EPERM;
    source->ready.run = read_file;
    if (*error && !source->is_file) {
        steady_resident_remove(&source->resident);
        free(source);
        return NULL;
    }
    source->uv.handle.data = source;
    steady_source_pause(source, false);
    return source;
}

void steady_source_pause(struct steady_source *source, bool pause)
{
    if (!source->is_file && pause)
        uv_poll_stop(&source->uv.poll);
    else if (!source->is_file)
        uv_poll_start(&source->uv.poll, UV_READABLE, readable);
    else if (pause)
        steady_ready_remove(&source->ready);
    else
        steady_ready_add(source->loop, &source->ready);
}

static void signalled(uv_signal_t *signal, int number)
{
    struct steady_source *source = signal->data;
    (void)number;
    source->loop->happened = true;
    source->happened(source->owner);
}

struct steady_source *steady_source_signal(struct steady_loop *loop, int number,
                                           void (*happened)(void *owner), void *owner, int *error)
{
    struct steady_source *source = new_source(loop, happened, owner, error);
    if (!source)
        return NULL;
    uv_signal_init(&loop->uv, &source->uv.signal);
    source->uv.handle.data = source;
    *error = uv_signal_start_oneshot(&source->uv.signal, signalled, number);
    if (*error) {
        steady_source_free(source);
        return NULL;
    }
    return source;
}

static void free_source(uv_handle_t *handle)
{
    free(handle->data);
}

void steady_source_free(struct steady_source *source)
{
    if (!source)
        return;
    steady_resident_remove(&source->resident);
    if (source->is_file) {
        steady_ready_remove(&source->ready);
        free(source);
    } else {
        uv_close(&source->uv.handle, free_source);
    }
}
