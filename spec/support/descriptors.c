/* For LD_PRELOAD: what makes a descriptor that is no file. Each one that is made without
 * close-on-exec is appended to the file that DESCRIPTORS_LOG names, if any, as "FUNCTION OBJECT",
 * with the name of the shared object that made it. With DESCRIPTORS_SLOW those of libwebsockets,
 * and what it opens, come without the flag, as in its versions for systems that have no eventfd,
 * and only after 5 ms. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#define REAL(type, name) ((type)dlsym(RTLD_NEXT, name))
#define CALLER           __builtin_return_address(0)

static const char *object_of(void *caller)
{
    Dl_info info;
    const char *slash = NULL;
    if (dladdr(caller, &info) && info.dli_fname)
        slash = strrchr(info.dli_fname, '/');
    return slash ? slash + 1 : "?";
}

/* Returns the descriptor as it was made. */
static int note(const char *function, void *caller, int fd)
{
    const char *path = getenv("DESCRIPTORS_LOG");
    int flags = fd < 0 ? FD_CLOEXEC : fcntl(fd, F_GETFD);
    FILE *file = path && !(flags & FD_CLOEXEC) ? fopen(path, "ae") : NULL;
    if (file) {
        fprintf(file, "%s %s\n", function, object_of(caller));
        fclose(file);
    }
    return fd;
}

static int slow_down(void *caller, int fd)
{
    if (fd < 0 || !getenv("DESCRIPTORS_SLOW") ||
        strncmp(object_of(caller), "libwebsockets", 13) != 0)
        return fd;
    fcntl(fd, F_SETFD, 0);
    usleep(5000);
    return fd;
}

int socket(int family, int type, int protocol)
{
    int fd = REAL(int (*)(int, int, int), "socket")(family, type, protocol);
    return note("socket", CALLER, slow_down(CALLER, fd));
}

int eventfd(unsigned count, int flags)
{
    int fd = REAL(int (*)(unsigned, int), "eventfd")(count, flags);
    return note("eventfd", CALLER, slow_down(CALLER, fd));
}

int epoll_create(int size)
{
    return note("epoll_create", CALLER, REAL(int (*)(int), "epoll_create")(size));
}

int epoll_create1(int flags)
{
    return note("epoll_create1", CALLER, REAL(int (*)(int), "epoll_create1")(flags));
}

int pipe(int fds[2])
{
    int result = REAL(int (*)(int *), "pipe")(fds);
    if (!result)
        note("pipe", CALLER, fds[0]);
    return result;
}

int pipe2(int fds[2], int flags)
{
    int result = REAL(int (*)(int *, int), "pipe2")(fds, flags);
    if (!result)
        note("pipe2", CALLER, fds[0]);
    return result;
}

int socketpair(int family, int type, int protocol, int fds[2])
{
    int result = REAL(int (*)(int, int, int, int *), "socketpair")(family, type, protocol, fds);
    if (!result)
        note("socketpair", CALLER, fds[0]);
    return result;
}

int accept4(int fd, struct sockaddr *address, socklen_t *size, int flags)
{
    return note("accept4", CALLER,
                REAL(int (*)(int, struct sockaddr *, socklen_t *, int), "accept4")(fd, address,
                                                                                   size, flags));
}

int dup(int fd)
{
    return note("dup", CALLER, REAL(int (*)(int), "dup")(fd));
}

int dup2(int fd, int to)
{
    return note("dup2", CALLER, REAL(int (*)(int, int), "dup2")(fd, to));
}

int dup3(int fd, int to, int flags)
{
    return note("dup3", CALLER, REAL(int (*)(int, int, int), "dup3")(fd, to, flags));
}

/* What is no file may be opened as well: /dev/urandom. */
int open(const char *path, int flags, ...)
{
    __builtin_va_list list;
    __builtin_va_start(list, flags);
    int mode = (flags & (O_CREAT | O_TMPFILE)) ? __builtin_va_arg(list, int) : 0;
    __builtin_va_end(list);
    return slow_down(CALLER, REAL(int (*)(const char *, int, ...), "open")(path, flags, mode));
}

int open64(const char *path, int flags, ...) __attribute__((alias("open")));
