#include "loop/context.h"

#include "loop/descriptor.h"

#include <fcntl.h>
#include <libwebsockets.h>
#include <limits.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

/* The library's event pipe gets a descriptor of at least this number, if the process may have that
 * many; see create. */
#define HIGH_DESCRIPTOR   512
#define SPARE_DESCRIPTORS 8 /* more descriptors than the library needs for a context */

#if LWS_LIBRARY_VERSION_NUMBER >= 4003000
#define LWS_HAS_LOG_CONTEXTS
#endif

/* The turns of the loop that the library gets to close its handles. It needs two. */
#define CLOSING_ROUNDS 8

struct context {
    struct steady_service service; /* the first member */
    struct lws_context *lws;       /* NULL until steady_context_start */
    struct lws_vhost *vhost;
    int descriptors; /* the limit of the process when the context was made */
#ifdef LWS_HAS_LOG_CONTEXTS
    lws_log_cx_t log; /* one for each context, since otherwise all contexts, in whatever thread they
                         run, would count their objects in one place */
#endif
};

const char *steady_context_library(void)
{
    return lws_get_library_version();
}

/* ------------------------------------------------------------------------- made */

/* Makes the library's context. A library that is built with its asserts, as Debian's 4.1.6 is,
 * closes the descriptor of its event pipe twice. At the second time the number may belong to
 * another thread's descriptor. So the event pipe gets a high number, which is not used again soon:
 * while the context is made, all lower numbers are taken. */
static struct lws_context *create(struct steady_loop *loop, int limit,
                                  const struct lws_context_creation_info *info)
{
    static int taken[HIGH_DESCRIPTOR]; /* protected by the lock */
    int count = 0, highest = limit / 2 < HIGH_DESCRIPTOR ? limit / 2 : HIGH_DESCRIPTOR - 1;
    for (int fd = 0; fd < highest && count < HIGH_DESCRIPTOR; count++) {
        fd = fcntl(steady_loop_fd(loop), F_DUPFD_CLOEXEC, 0);
        if (fd < 0) { /* the library needs the last ones */
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

/* Keeps a version of the library with Secure Streams, such as 4.5.8, from asking
 * connectivitycheck.android.com whether there is an Internet, for which it would wait until that
 * name is resolved. */
static int decline(struct lws_context *context)
{
    (void)context;
    return 0;
}

static const lws_system_ops_t system_ops = {.captive_portal_detect_request = decline};

/* Sets close-on-exec for the library's event pipe and, in later versions, its netlink socket. */
static void close_on_exec(uv_handle_t *handle, void *unused)
{
    uv_os_fd_t fd;
    (void)unused;
    if (handle->type == UV_POLL && !uv_fileno(handle, &fd))
        fcntl(fd, F_SETFD, FD_CLOEXEC);
}

/* When the library can make no context, it gives the reason only in its log. In all versions the
 * line about the plug-in for libuv has the name of the plug-in. */
static bool plugin_failed; /* protected by the lock */

static void on_log_line(int level, const char *line)
{
    (void)level;
    if (strstr(line, "evlib"))
        plugin_failed = true;
}

static int descriptor_limit(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) || limit.rlim_cur > INT_MAX)
        return INT_MAX;
    return (int)limit.rlim_cur;
}

/* Makes the context. Returns NULL, or a text that says what went wrong. The lock is held meanwhile,
 * and a fork waits for the lock. So a program that is run in a child inherits none of the library's
 * descriptors before close-on-exec is set. Only posix_spawn, and functions that use it, start a
 * child without calling the fork handlers. The library makes the process ignore SIGPIPE, so this
 * function restores the program's setting. */
static const char *make(struct context *context)
{
    const char *problem = NULL;
    struct steady_loop *loop = context->service.loop;
    void *foreign[] = {&loop->uv};
    struct sigaction pipe_action;
    struct lws_context_creation_info info = {
        .port = CONTEXT_PORT_NO_LISTEN,
        .options = LWS_SERVER_OPTION_LIBUV | LWS_SERVER_OPTION_EXPLICIT_VHOSTS,
        .foreign_loops = foreign,
        .pcontext = &context->lws,
        .system_ops = &system_ops,
    };
#ifdef LWS_HAS_LOG_CONTEXTS
    context->log = (lws_log_cx_t){.u.emit = on_log_line, .lll_flags = LLL_ERR};
    info.log_cx = &context->log;
#endif
    steady_lock(STEADY_LOCK_LIBRARY);
    sigaction(SIGPIPE, NULL, &pipe_action);
    plugin_failed = false;
    lws_set_log_level(LLL_ERR, on_log_line);
    context->descriptors = descriptor_limit();
    context->lws = create(loop, context->descriptors, &info);
    lws_set_log_level(0, NULL); /* failures are reported by events of our own */
#ifdef LWS_HAS_LOG_CONTEXTS
    context->log.lll_flags = 0;
#endif
    if (!context->lws)
        problem =
            plugin_failed
                ? "libwebsockets cannot use libuv, since its event plug-in is missing or cannot "
                  "be loaded; install it: the package is libwebsockets-evlib-uv (Debian, "
                  "Ubuntu) or libwebsockets-evlib_uv (Alpine)"
                : "libwebsockets cannot be set up; most likely there is not enough memory";
    sigaction(SIGPIPE, &pipe_action, NULL);
    uv_walk(&loop->uv, close_on_exec, NULL);
    steady_unlock(STEADY_LOCK_LIBRARY);
    return problem;
}

static bool make_vhost(struct context *context, const struct lws_protocols *protocols)
{
    struct lws_context_creation_info info = {
        .port = CONTEXT_PORT_NO_LISTEN,
        .protocols = protocols,
        .vhost_name = protocols->name,
        .http_proxy_address = "", /* otherwise the library reads the environment */
    };
#ifdef LWS_HAS_LOG_CONTEXTS
    info.log_cx = &context->log;
#endif
    context->vhost = lws_create_vhost(context->lws, &info);
    return context->vhost != NULL;
}

/* ------------------------------------------------------------------------- closed */

/* Destroying a context takes two calls with some turns of the loop in between. The first call
 * closes the connections. The second call frees the context, which must not happen before the
 * handles are closed. */
static void close_context(struct steady_service *service)
{
    struct context *context = (struct context *)service; /* its first member */
    struct steady_loop *loop = service->loop;
    if (!context->lws)
        return;
    steady_lock(STEADY_LOCK_LIBRARY);
    lws_context_destroy(context->lws);
    for (int round = 0; round < CLOSING_ROUNDS; round++)
        uv_run(&loop->uv, UV_RUN_NOWAIT);
    if (context->lws) /* the library sets it to NULL through pcontext */
        lws_context_destroy(context->lws);
    steady_unlock(STEADY_LOCK_LIBRARY);
    context->lws = NULL;
    context->vhost = NULL;
}

/* ------------------------------------------------------------------------- for others */

static const struct steady_service_kind kind = {.size = sizeof(struct context),
                                                .close = close_context};

const char *steady_context_start(struct steady_loop *loop, const struct lws_protocols *protocols)
{
    struct context *context = steady_loop_service(loop, &kind);
    if (context && context->vhost)
        return NULL;
    int error = context ? steady_descriptor_check() : UV_ENOMEM;
    if (error)
        return uv_strerror(error);
    const char *problem = context->lws ? NULL : make(context);
    if (!problem && !make_vhost(context, protocols))
        problem = "not enough memory";
    return problem;
}

struct lws_vhost *steady_context_vhost(struct steady_loop *loop)
{
    const struct context *context = steady_loop_service(loop, &kind);
    return context ? context->vhost : NULL;
}

int steady_context_descriptors(struct steady_loop *loop)
{
    const struct context *context = steady_loop_service(loop, &kind);
    return context && context->lws ? context->descriptors : 0;
}
