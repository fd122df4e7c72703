#include "dial/stream_buffers.h"

#include <stdlib.h>

static bool open_buffers(struct steady_service *service)
{
    struct steady_stream_buffers *buffers = (struct steady_stream_buffers *)service;
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
    struct steady_stream_buffers *buffers = (struct steady_stream_buffers *)service;
    free(buffers->read);
    free(buffers->write);
}

const struct steady_stream_buffers *steady_stream_buffers(struct steady_loop *loop)
{
    static const struct steady_service_kind kind = {
        .size = sizeof(struct steady_stream_buffers), .open = open_buffers, .close = close_buffers};
    return steady_loop_service(loop, &kind);
}
