#include "net/probe.h"

#include <stdlib.h>

struct steady_probe {
    uv_tcp_t tcp;
    uv_connect_t request;
    int status;
    steady_probe_done done;
    void *owner; /* NULL: cancelled */
};

static void closed(uv_handle_t *handle)
{
    struct steady_probe *probe = handle->data;
    if (probe->owner)
        probe->done(probe->owner, probe->status);
    free(probe);
}

static void end(struct steady_probe *probe, int status)
{
    if (uv_is_closing((uv_handle_t *)&probe->tcp))
        return;
    probe->status = status;
    uv_close((uv_handle_t *)&probe->tcp, closed);
}

static void connected(uv_connect_t *request, int status)
{
    end(request->data, status);
}

struct steady_probe *steady_probe_start(struct steady_loop *loop,
                                        const struct steady_address *address,
                                        steady_probe_done done, void *owner)
{
    struct steady_probe *probe = calloc(1, sizeof *probe);
    if (!probe)
        return NULL;
    if (uv_tcp_init(&loop->uv, &probe->tcp)) {
        free(probe);
        return NULL;
    }
    probe->tcp.data = probe->request.data = probe;
    probe->done = done;
    probe->owner = owner;
    int error = uv_tcp_connect(&probe->request, &probe->tcp, &address->socket.any, connected);
    if (error)
        end(probe, error);
    return probe;
}

void steady_probe_cancel(struct steady_probe *probe)
{
    if (!probe)
        return;
    probe->owner = NULL;
    end(probe, UV_ECANCELED);
}
