#include "loop/descriptor.h"

#include "loop/process.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>
#include <uv.h>

/* More descriptors than libuv needs for a loop, or libwebsockets for a context. */
#define SPARE_DESCRIPTORS 8

int steady_descriptor_socket(int family, int type)
{
#ifdef SOCK_CLOEXEC
    return socket(family, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
#else
    steady_lock(STEADY_LOCK_SOCKETS); /* a fork waits for this lock */
    int fd = socket(family, type, 0);
    if (fd >= 0) {
        fcntl(fd, F_SETFD, FD_CLOEXEC);
        fcntl(fd, F_SETFL, O_NONBLOCK);
    }
    steady_unlock(STEADY_LOCK_SOCKETS);
    return fd;
#endif
}

int steady_descriptor_check(void)
{
    int spare[SPARE_DESCRIPTORS], count = 0, error = 0;
    while (count < SPARE_DESCRIPTORS && !error) {
        int fd = steady_descriptor_socket(AF_UNIX, SOCK_DGRAM);
        if (fd < 0)
            error = uv_translate_sys_error(errno);
        else
            spare[count++] = fd;
    }
    while (count > 0)
        close(spare[--count]);
    return error;
}
