#include "net/loop.h"

#include "core/number.h"
#include "net/context.h"
#include "net/dial.h"
#include "net/dns.h"
#include "net/stream.h"
#include "net/timer.h"
#include "net/vhost.h"

#include <errno.h>
#include <fcntl.h>
#include <libwebsockets.h>
#include <math.h>
#include <openssl/rand.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* More than libuv needs for a loop, or libwebsockets for a context. */
#define SPARE_DESCRIPTORS 8

/* ------------------------------------------------------------------------- what is ready */

static void run_ready(uv_idle_t *turn);

void steady_ready_add(struct steady_loop *loop, struct steady_ready *ready)
{
    if (ready->next)
        return;
    loop->changed = true;
    ready->next = &loop->ready;
    ready->previous = loop->ready.previous;
    ready->previous->next = ready->next->previous = ready;
    if (!uv_is_closing((uv_handle_t *)&loop->turn))
        uv_idle_start(&loop->turn, run_ready);
}

void steady_ready_remove(struct steady_loop *loop, struct steady_ready *ready)
{
    (void)loop;
    if (!ready->next)
        return;
    ready->previous->next = ready->next;
    ready->next->previous = ready->previous;
    ready->next = ready->previous = NULL;
}

/* Runs what is ready now; what becomes ready meanwhile has its turn next time, so that no one can
 * keep the loop from polling. */
static void run_ready(uv_idle_t *turn)
{
    struct steady_loop *loop = turn->data;
    struct steady_ready last = {0};
    steady_ready_add(loop, &last);
    while (loop->ready.next != &last && !loop->halted) {
        struct steady_ready *ready = loop->ready.next;
        steady_ready_remove(loop, ready);
        loop->happened = true;
        ready->run(ready);
    }
    steady_ready_remove(loop, &last);
    if (loop->ready.next == &loop->ready)
        uv_idle_stop(turn);
}

/* ------------------------------------------------------------------------- fork */

/* A child has its parent's descriptors. It must not read or write, say goodbye, or tell the epoll
 * instance that both have to forget a socket: the parent would lose its connection. */

unsigned steady_process;

static _Thread_local struct steady_loop *innermost; /* what this thread runs now */

/* The descriptors stay until somebody comes to the loops: a child that runs another program never
 * does. */
static void in_child(void)
{
    steady_context_unlock();
    steady_process++;
    for (struct steady_loop *loop = innermost; loop; loop = loop->outer)
        steady_loop_halt(loop);
}

static void watch_forks(void)
{
    pthread_atfork(steady_context_lock, steady_context_unlock, in_child);
}

/* Puts a socket that is connected to nobody in the place of the handle's: nothing comes, and
 * whatever is sent, here or by libwebsockets or OpenSSL, fails. For datagrams, since those that are
 * for streams would tell of an end, and libwebsockets crashes at the end of its event pipe. */
static void replace_socket(uv_handle_t *handle, void *unused)
{
    int fd;
    (void)unused;
    if ((handle->type != UV_POLL && handle->type != UV_TCP) || uv_fileno(handle, &fd))
        return;
    close(fd); /* first, so that there is a number for the new one */
    int nobody = socket(AF_UNIX, SOCK_DGRAM, 0);
    if (nobody < 0)
        abort(); /* rather than go on with a stranger's descriptor */
    if (nobody != fd) {
        dup2(nobody, fd);
        close(nobody);
    }
    fcntl(fd, F_SETFD, FD_CLOEXEC);
    fcntl(fd, F_SETFL, O_NONBLOCK);
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

/* ------------------------------------------------------------------------- life cycle */

/* OpenSSL's generator runs in the process: a system call for each refill takes four times as long.
 */
static void refill(void *context, uint8_t *bytes, size_t size)
{
    if (RAND_bytes(bytes, (int)size) != 1)
        steady_loop_random_bytes(context, bytes, size);
}

/* libuv waits for something to happen also when it just has, in its timers. */
static void polling(uv_prepare_t *prepare)
{
    struct steady_loop *loop = prepare->data;
    if (loop->happened || !loop->alive)
        uv_stop(&loop->uv);
}

static void polled(uv_check_t *check)
{
    struct steady_loop *loop = check->data;
    loop->passes++;
}

/* Without descriptors libuv aborts where it makes its first loop, and libwebsockets frees memory
 * that libuv's list of handles still refers to. So it is tried first whether there are some.
 * Returns 0, or libuv's error. */
static int check_descriptors(void)
{
    int pipes[SPARE_DESCRIPTORS / 2][2], count = 0;
    while (count < SPARE_DESCRIPTORS / 2 && !pipe(pipes[count]))
        count++;
    int error = count < SPARE_DESCRIPTORS / 2 ? uv_translate_sys_error(errno) : 0;
    while (count-- > 0) {
        close(pipes[count][0]);
        close(pipes[count][1]);
    }
    return error;
}

int steady_loop_init(struct steady_loop *loop)
{
    memset(loop, 0, sizeof *loop);
    int error = check_descriptors();
    if (error)
        return error;
    loop->ready.next = loop->ready.previous = &loop->ready;
    loop->route.found = -INFINITY;
    loop->random.refill = refill;
    loop->random.context = loop;
    loop->read_buffer = malloc(STEADY_READ_SIZE);
    loop->write_buffer = malloc(STEADY_WRITE_SIZE);
    error = loop->read_buffer && loop->write_buffer ? uv_loop_init(&loop->uv) : UV_ENOMEM;
    if (error) {
        free(loop->read_buffer);
        free(loop->write_buffer);
        return error;
    }
    static pthread_once_t watching = PTHREAD_ONCE_INIT;
    pthread_once(&watching, watch_forks); /* after libuv, whose own child handler is to be first */
    loop->process = steady_process;
    loop->uv.data = loop;
    uv_idle_init(&loop->uv, &loop->turn);
    loop->turn.data = loop;
    uv_timer_init(&loop->uv, &loop->limit);
    uv_prepare_init(&loop->uv, &loop->polling);
    uv_check_init(&loop->uv, &loop->polled);
    loop->polling.data = loop->polled.data = loop;
    uv_prepare_start(&loop->polling, polling);
    uv_check_start(&loop->polled, polled);
    uv_unref((uv_handle_t *)&loop->polling);
    uv_unref((uv_handle_t *)&loop->polled);
    return 0;
}

const char *steady_loop_start(struct steady_loop *loop)
{
    if (loop->lws)
        return NULL;
    int error = check_descriptors();
    return error ? uv_strerror(error) : steady_context_create(loop);
}

void steady_loop_close(struct steady_loop *loop)
{
    loop->halted = true;
    steady_dials_drop(loop);
    steady_streams_free(loop);
    steady_dns_abandon(loop);
    uv_close((uv_handle_t *)&loop->turn, NULL);
    uv_close((uv_handle_t *)&loop->limit, NULL);
    uv_close((uv_handle_t *)&loop->polling, NULL);
    uv_close((uv_handle_t *)&loop->polled, NULL);
    steady_context_destroy(loop);
    steady_timers_close(loop);
    /* What is left are our own handles, closing. */
    while (uv_run(&loop->uv, UV_RUN_DEFAULT)) {
    }
    steady_context_close_lost(loop);
    steady_dials_free(loop);
    steady_vhosts_free(loop);
    uv_loop_close(&loop->uv);
    steady_queue_pool_free(&loop->queue_pool);
    free(loop->read_buffer);
    free(loop->write_buffer);
}

/* ------------------------------------------------------------------------- running */

static void begin(struct steady_loop *loop)
{
    loop->outer = innermost;
    innermost = loop;
    loop->running = true;
    loop->stopped = loop->halted = false;
    if (loop->ready.next != &loop->ready)
        uv_idle_start(&loop->turn, run_ready);
}

static void end(struct steady_loop *loop)
{
    loop->running = loop->changed = false;
    innermost = loop->outer;
}

static void turn(struct steady_loop *loop, uv_run_mode mode)
{
    loop->happened = false;
    loop->passes++;
    uv_run(&loop->uv, mode);
}

void steady_loop_run(struct steady_loop *loop)
{
    begin(loop);
    while (loop->alive && !loop->stopped && !loop->halted)
        turn(loop, UV_RUN_ONCE);
    end(loop);
}

/* Its only purpose is to end the poll. */
static void limit_reached(uv_timer_t *limit)
{
    (void)limit;
}

bool steady_loop_step(struct steady_loop *loop, double seconds)
{
    begin(loop);
    if (seconds == 0) {
        turn(loop, UV_RUN_NOWAIT);
    } else if (loop->alive) {
        uv_update_time(&loop->uv);
        if (seconds > 0)
            uv_timer_start(&loop->limit, limit_reached,
                           steady_uint64(ceil(fmin(seconds, 1e12) * 1000)), 0);
        turn(loop, UV_RUN_ONCE);
        uv_timer_stop(&loop->limit);
    }
    end(loop);
    return loop->alive > 0;
}

void steady_loop_stop(struct steady_loop *loop)
{
    loop->stopped = true;
    if (loop->running) /* or libuv would keep it for the next turn */
        uv_stop(&loop->uv);
}

void steady_loop_halt(struct steady_loop *loop)
{
    loop->halted = true;
    uv_idle_stop(&loop->turn);
    uv_stop(&loop->uv);
}

int steady_loop_fd(const struct steady_loop *loop)
{
    return uv_backend_fd(&loop->uv);
}

double steady_loop_timeout(struct steady_loop *loop)
{
    if (loop->ready.next != &loop->ready) /* also after a halt, when libuv does not know of it */
        return 0;
    if (!loop->alive) /* what libuv knows of is the library's housekeeping */
        return -1;
    uv_update_time(&loop->uv);
    int ms = uv_backend_timeout(&loop->uv);
    return ms < 0 ? -1 : ms / 1000.0;
}

double steady_loop_now(const struct steady_loop *loop)
{
    return (double)uv_now(&loop->uv) / 1000;
}

double steady_loop_time(struct steady_loop *loop)
{
    uv_update_time(&loop->uv);
    return steady_loop_now(loop);
}

void steady_loop_random_bytes(struct steady_loop *loop, void *bytes, size_t size)
{
    if (lws_get_random(loop->lws, bytes, size) != size)
        abort(); /* the system's generator is gone: nothing that needs a key may go on */
}

double steady_loop_random(struct steady_loop *loop)
{
    uint64_t bits;
    steady_loop_random_bytes(loop, &bits, sizeof bits);
    return (double)(bits >> 11) * 0x1p-53;
}
