#include "loop/context.h"

#include "loop/descriptor.h"

#include <fcntl.h>
#include <libwebsockets.h>
#include <limits.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

/* See create. */
#define HIGH_DESCRIPTOR   512
#define SPARE_DESCRIPTORS 8 /* more than the library needs for a context */

#if LWS_LIBRARY_VERSION_NUMBER >= 4003000
#define LWS_HAS_LOG_CONTEXTS
#endif

/* Turns of the loop in which the library closes its handles; it needs two. */
#define CLOSING_ROUNDS 8

struct context {
    struct steady_service service; /* the first member */
    struct lws_context *lws;       /* NULL until steady_context_start */
    struct lws_vhost *vhost;
    int descriptors; /* the process's limit when it was made */
#ifdef LWS_HAS_LOG_CONTEXTS
    lws_log_cx_t
        log; /* or all contexts would count their objects in one, whatever thread they run in */
#endif
};

const char *steady_context_library(void)
{
    return lws_get_library_version();
}

/* ------------------------------------------------------------------------- made */

/* Where its own asserts are compiled in, as in Debian's 4.1.6, the library closes the descriptor
 * of its event pipe twice, the second time when it may have become another thread's. So that one
 * gets a number that is not given to others soon: all below it are taken meanwhile. */
static struct lws_context *create(struct steady_loop *loop, int limit,
                                  const struct lws_context_creation_info *info)
{
    static int taken[HIGH_DESCRIPTOR]; /* by whoever holds the lock */
    int count = 0, highest = limit / 2 < HIGH_DESCRIPTOR ? limit / 2 : HIGH_DESCRIPTOR - 1;
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

/* The library's event pipe and, in later versions, its netlink socket are not closed on exec. */
static void close_on_exec(uv_handle_t *handle, void *unused)
{
    uv_os_fd_t fd;
    (void)unused;
    if (handle->type == UV_POLL && !uv_fileno(handle, &fd))
        fcntl(fd, F_SETFD, FD_CLOEXEC);
}

/* Where no context can be made, the library says why in its log alone. All versions name the
 * plug-in by which they use libuv in the line about it. */
static bool plugin_failed; /* for whoever holds the lock */

static void hear(int level, const char *line)
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

/* Returns NULL, or what went wrong. Under the lock, which a fork waits for: so a program that runs
 * in a child gets no descriptor of the library's before it is closed on exec. Only posix_spawn and
 * what is made of it tell nobody that they start one. The library has SIGPIPE ignored, which is the
 * program's to decide. */
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
    context->log = (lws_log_cx_t){.u.emit = hear, .lll_flags = LLL_ERR};
    info.log_cx = &context->log;
#endif
    steady_lock(STEADY_LOCK_LIBRARY);
    sigaction(SIGPIPE, NULL, &pipe_action);
    plugin_failed = false;
    lws_set_log_level(LLL_ERR, hear);
    context->descriptors = descriptor_limit();
    context->lws = create(loop, context->descriptors, &info);
    lws_set_log_level(0, NULL); /* what fails is told through our own events */
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
        .http_proxy_address = "", /* or the library reads the environment */
    };
#ifdef LWS_HAS_LOG_CONTEXTS
    info.log_cx = &context->log;
#endif
    context->vhost = lws_create_vhost(context->lws, &info);
    return context->vhost != NULL;
}

/* ------------------------------------------------------------------------- closed */

/* Destroying takes two calls with the loop run in between: the first closes the connections, the
 * second frees the context, which must not happen before the handles are closed. */
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
    if (context->lws) /* the library clears it through pcontext */
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
