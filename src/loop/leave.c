#define _GNU_SOURCE /* dup3 */
#include "loop/leave.h"

#include "loop/descriptor.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

/* A child has its parent's descriptors. It must not read or write, say goodbye, or tell the epoll
 * instance, which both have, to forget a socket: the parent would lose its connection.
 *
 * So a socket that is connected to nobody takes the place of each: nothing comes, and whatever is
 * sent, here or by libwebsockets or OpenSSL, fails. It is one for datagrams, since those for
 * streams would tell of an end, and libwebsockets crashes at the end of its event pipe. */
static void replace_socket(uv_handle_t *handle, void *unused)
{
    int fd;
    (void)unused;
    if (handle->type != UV_POLL || uv_fileno(handle, &fd))
        return;
    close(fd); /* first, so that there is a number for the new one */
    int nobody = steady_descriptor_socket(AF_UNIX, SOCK_DGRAM);
    if (nobody < 0)
        abort(); /* rather than go on with a stranger's descriptor */
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
