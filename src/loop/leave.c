#define _GNU_SOURCE /* dup3 */
#include "loop/leave.h"

#include "loop/descriptor.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

/* Replaces the socket of a handle. A child has the descriptors of its parent. It must not read or
 * write, end a connection in the protocol, or remove a socket from the epoll instance, which both
 * processes share, because the parent would lose its connection.
 *
 * So each descriptor is replaced by a socket that is connected to nobody. It receives nothing, and
 * whatever is sent on it, here or by libwebsockets or OpenSSL, fails. It is a datagram socket,
 * since a stream socket would signal an end, and libwebsockets crashes when its event pipe ends. */
static void replace_socket(uv_handle_t *handle, void *unused)
{
    int fd;
    (void)unused;
    if (handle->type != UV_POLL || uv_fileno(handle, &fd))
        return;
    close(fd); /* first, so that there is a free number for the new socket */
    int nobody = steady_descriptor_socket(AF_UNIX, SOCK_DGRAM);
    if (nobody < 0)
        abort(); /* going on could use the descriptor of another connection */
    if (nobody == fd)
        return;
#ifdef __linux__
    dup3(nobody, fd, O_CLOEXEC);
#else
    dup2(nobody, fd);
    fcntl(fd, F_SETFD, FD_CLOEXEC);
#endif
    close(nobody);
}

void steady_loop_leave(struct steady_loop *loop)
{
    if (loop->left || !steady_loop_is_foreign(loop))
        return;
    loop->left = true;
    uv_walk(&loop->uv, replace_socket, NULL);
    if (uv_loop_fork(&loop->uv))
        abort();
}
