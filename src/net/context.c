#include "net/context.h"

#include <fcntl.h>
#include <libwebsockets.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

/* The library keeps process-wide state while a context is made or destroyed. */
static pthread_mutex_t library = PTHREAD_MUTEX_INITIALIZER;

/* See create. */
#define HIGH_DESCRIPTOR   512
#define SPARE_DESCRIPTORS 8 /* more than the library needs for a context */

/* Turns of the loop in which the library closes its handles; it needs two. */
#define CLOSING_ROUNDS 8

void steady_context_lock(void)
{
    pthread_mutex_lock(&library);
}

void steady_context_unlock(void)
{
    pthread_mutex_unlock(&library);
}

const char *steady_context_library(void)
{
    return lws_get_library_version();
}

/* Where its own asserts are compiled in, as in Debian's 4.1.6, the library closes the descriptor
 * of its event pipe twice, the second time when it may have become another thread's. So that one
 * gets a number that is not given to others soon: all below it are taken meanwhile. */
static struct lws_context *create(struct steady_loop *loop,
                                  const struct lws_context_creation_info *info)
{
    static int taken[HIGH_DESCRIPTOR]; /* by whoever holds the mutex */
    int count = 0, highest = HIGH_DESCRIPTOR - 1;
    struct rlimit limit;
    if (!getrlimit(RLIMIT_NOFILE, &limit) && limit.rlim_cur / 2 < HIGH_DESCRIPTOR)
        highest = (int)limit.rlim_cur / 2;
    for (int fd = 0; fd < highest && count < HIGH_DESCRIPTOR; count++) {
        fd = fcntl(steady_loop_fd(loop), F_DUPFD_CLOEXEC, 0);
        if (fd < 0) { /* the last of them are for the library */
            for (int spare = 0; spare < SPARE_DESCRIPTORS && count > 0; spare++)
                close(taken[--count]);
            break;
        }
        taken[count] = fd;
    }
    struct lws_context *context = lws_create_context(info);
    while (count > 0)
        close(taken[--count]);
    return context;
}

/* With its Secure Streams, as in 4.5.8, the library would ask connectivitycheck.android.com whether
 * there is an Internet, and wait for the name's address meanwhile. */
static int decline(struct lws_context *context)
{
    (void)context;
    return 0;
}

static const lws_system_ops_t system_ops = {.captive_portal_detect_request = decline};

/* Later versions have a netlink socket, which other programs would inherit. */
static void close_on_exec(uv_handle_t *handle, void *unused)
{
    uv_os_fd_t fd;
    (void)unused;
    if (handle->type == UV_POLL && !uv_fileno(handle, &fd))
        fcntl(fd, F_SETFD, FD_CLOEXEC);
}

/* Where no context can be made, the library says why in its log alone. All versions name the
 * plug-in by which they use libuv in the line about it. */
static _Thread_local bool plugin_failed;

static void hear(int level, const char *line)
{
    (void)level;
    if (strstr(line, "evlib"))
        plugin_failed = true;
}

const char *steady_context_create(struct steady_loop *loop)
{
    void *foreign[] = {&loop->uv};
    struct lws_context_creation_info info = {
        .port = CONTEXT_PORT_NO_LISTEN,
        .options = LWS_SERVER_OPTION_LIBUV | LWS_SERVER_OPTION_EXPLICIT_VHOSTS,
        .foreign_loops = foreign,
        .pcontext = &loop->lws,
        .system_ops = &system_ops,
        /* Time is kept by our own timers; the library's must never come first. */
        .timeout_secs = 24 * 60 * 60,
        .connect_timeout_secs = 24 * 60 * 60,
    };
    steady_context_lock();
    plugin_failed = false;
    lws_set_log_level(LLL_ERR, hear);
    struct lws_context *context = create(loop, &info);
    lws_set_log_level(0, NULL); /* what fails is told through our own events */
    const bool no_plugin = plugin_failed;
    steady_context_unlock();
    loop->lws = context;
    uv_walk(&loop->uv, close_on_exec, NULL);
    if (context)
        return NULL;
    return no_plugin
               ? "libwebsockets cannot use libuv, since its event plug-in is missing or cannot "
                 "be loaded; install it: the package is libwebsockets-evlib-uv (Debian, "
                 "Ubuntu) or libwebsockets-evlib_uv (Alpine)"
               : "libwebsockets cannot be set up; most likely there is not enough memory";
}

/* Destroying takes two calls with the loop run in between: the first closes the connections, the
 * second frees the context, which must not happen before the handles are closed. */
void steady_context_destroy(struct steady_loop *loop)
{
    if (!loop->lws)
        return;
    steady_context_lock();
    lws_context_destroy(loop->lws);
    for (int round = 0; round < CLOSING_ROUNDS; round++)
        uv_run(&loop->uv, UV_RUN_NOWAIT);
    if (loop->lws) /* the library clears it through pcontext */
        lws_context_destroy(loop->lws);
    steady_context_unlock();
    loop->lws = NULL;
}

static void free_lost(uv_handle_t *handle)
{
    free(handle);
}

/* When connect(2) fails at once, libwebsockets 4.1 forgets the handle that it made for the socket,
 * with malloc. The context is gone by now, so what still polls is of that kind. */
static void close_lost(uv_handle_t *handle, void *unused)
{
    (void)unused;
    if (handle->type == UV_POLL && !uv_is_closing(handle))
        uv_close(handle, free_lost);
}

void steady_context_close_lost(struct steady_loop *loop)
{
    uv_walk(&loop->uv, close_lost, NULL);
    uv_run(&loop->uv, UV_RUN_DEFAULT);
}
