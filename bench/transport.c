/* What the module is measured against: a plain C program on the same transport (libwebsockets' HTTP
 * role, then net/stream) and the same protocol core, without net/client and Lua.
 *
 *     transport MODE HOST PORT SIZE COUNT       prints seconds, and seconds of CPU time
 *
 *     rx      receives COUNT messages of SIZE bytes and counts them
 *     lua     the same, and makes a Lua string of each and calls a Lua function that counts
 *     tx      sends COUNT messages
 *     rtt     COUNT round trips, one message in flight
 *
 * The queue has the bounds that clients have by default. */
#include "core/options.h"
#include "core/protocol.h"
#include "core/queue.h"
#include "net/dns.h"
#include "net/loop.h"
#include "net/stream.h"
#include "net/upgrade.h"
#include "net/vhost.h"

#include <lauxlib.h>
#include <lualib.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum mode { RX, LUA, TX, RTT };

static const char *const paths[] = {[RX] = "flood", [LUA] = "flood", [TX] = "sink", [RTT] = "echo"};

struct program {
    enum mode mode;
    size_t size, count;
    size_t sent, received;
    uint8_t *text;
    struct steady_loop loop;
    struct steady_options options;
    struct steady_protocol protocol;
    struct steady_queue queue;
    struct steady_stream *stream;
    lua_State *L; /* with the function that counts on its stack */
    double began, cpu;
};

static void fail(const char *what)
{
    fprintf(stderr, "transport: %s\n", what);
    exit(1);
}

static double seconds_of(clockid_t clock)
{
    struct timespec time;
    clock_gettime(clock, &time);
    return (double)time.tv_sec + (double)time.tv_nsec * 1e-9;
}

static void push(struct program *p, const void *data, size_t size)
{
    if (!steady_queue_push(&p->queue, data, size, false, INFINITY))
        fail("out of memory");
    p->sent++;
}

static void finish(struct program *p)
{
    printf("%.6f %.6f\n", seconds_of(CLOCK_MONOTONIC) - p->began,
           seconds_of(CLOCK_PROCESS_CPUTIME_ID) - p->cpu);
    fflush(stdout);
    _exit(0);
}

/* ------------------------------------------------------------------------- sending */

/* As a program would that sends until the queue is full and goes on when there is room. */
static void fill(struct program *p)
{
    while (p->sent < p->count &&
           (double)(p->queue.waiting_bytes + p->size) <= p->options.queue.max_bytes)
        push(p, p->text, p->size);
}

static void writable(void *owner)
{
    struct program *p = owner;
    if (p->mode == TX)
        fill(p);
    size_t size = steady_protocol_output(&p->protocol, &p->queue, false, steady_loop_now(&p->loop),
                                         p->loop.write_buffer, STEADY_WRITE_SIZE);
    if (size == 0)
        return;
    if (!steady_stream_write(p->stream, size))
        fail("the write failed");
    steady_stream_want_writable(p->stream);
}

static void begin(struct program *p)
{
    p->began = seconds_of(CLOCK_MONOTONIC);
    p->cpu = seconds_of(CLOCK_PROCESS_CPUTIME_ID);
    if (p->mode == RX || p->mode == LUA)
        push(p, "go", 2);
    if (p->mode == RTT)
        push(p, p->text, p->size);
    steady_stream_want_writable(p->stream);
}

/* ------------------------------------------------------------------------- receiving */

static void message(struct program *p, const struct steady_protocol_event *event)
{
    if (p->mode == TX) {
        if (event->size != 3 || memcmp(event->data, "end", 3) != 0)
            fail("the server got something else");
        finish(p);
    }
    if (event->size != p->size)
        fail("a message of the wrong size");
    if (p->mode == LUA) {
        lua_pushvalue(p->L, 1);
        lua_pushlstring(p->L, (const char *)event->data, event->size);
        lua_call(p->L, 1, 0);
    }
    if (++p->received == p->count)
        finish(p);
    if (p->mode == RTT) {
        push(p, p->text, p->size);
        writable(p);
    }
}

static void received(void *owner, const uint8_t *bytes, size_t size)
{
    struct program *p = owner;
    struct steady_protocol_event event;
    steady_protocol_input(&p->protocol, bytes, size);
    for (;;) {
        switch (steady_protocol_next(&p->protocol, &event)) {
        case STEADY_PROTOCOL_MESSAGE:
            message(p, &event);
            break;
        case STEADY_PROTOCOL_NONE:
            return;
        default:
            fail("the server sent something else than messages");
        }
    }
}

/* ------------------------------------------------------------------------- the connection */

static void ended(void *owner)
{
    (void)owner;
    fail("the connection has ended");
}

static void accepted(void *owner, const struct steady_accepted *accepted)
{
    static const struct steady_stream_owner calls = {received, writable, ended};
    struct program *p = owner;
    p->stream = steady_stream_new(&p->loop, accepted->socket, accepted->tls, &calls, p);
    if (!p->stream)
        fail("out of memory");
    steady_protocol_init(&p->protocol, &p->loop.random, (size_t)p->options.max_message_size);
    begin(p);
}

static void failed(void *owner, const struct steady_failure *failure)
{
    (void)owner;
    fail(failure->message);
}

static void dial(struct program *p, const char *host, const char *port)
{
    static const struct steady_upgrade_owner calls = {accepted, failed};
    char url[256], trouble[512];
    struct steady_address address;
    snprintf(url, sizeof url, "ws://%s:%s/%s?size=%zu&count=%zu", host, port, paths[p->mode],
             p->size, p->count);
    steady_options_init(&p->options);
    const char *problem = steady_options_add_url(&p->options, url, strlen(url));
    if (problem)
        fail(problem);
    if (!steady_dns_literal(host, p->options.urls[0].port, &address))
        fail("HOST is not a literal address");
    struct steady_vhost *vhost = steady_vhost_get(&p->loop, NULL, NULL, trouble, sizeof trouble);
    if (!vhost)
        fail(trouble);
    struct steady_target target = {.address = &address,
                                   .server_name = host,
                                   .verify = true,
                                   .vhost = vhost,
                                   .url = &p->options.urls[0],
                                   .options = &p->options};
    if (!steady_upgrade_start(&p->loop, &target, &calls, p))
        fail("out of memory");
}

static void load_counter(struct program *p)
{
    p->L = luaL_newstate();
    if (!p->L)
        fail("out of memory");
    luaL_openlibs(p->L);
    if (luaL_dostring(p->L, "local n = 0 return function(data) n = n + 1 end"))
        fail(lua_tostring(p->L, -1));
}

static enum mode mode_of(const char *name)
{
    static const char *const names[] = {[RX] = "rx", [LUA] = "lua", [TX] = "tx", [RTT] = "rtt"};
    for (int mode = RX; mode <= RTT; mode++)
        if (!strcmp(name, names[mode]))
            return (enum mode)mode;
    fail("MODE is rx, lua, tx or rtt");
    return RX;
}

int main(int argc, char **argv)
{
    static struct program program;
    struct program *p = &program;
    if (argc != 6)
        fail("arguments: MODE HOST PORT SIZE COUNT");
    p->mode = mode_of(argv[1]);
    p->size = strtoull(argv[4], NULL, 10);
    p->count = strtoull(argv[5], NULL, 10);
    p->text = malloc(p->size + 1);
    if (!p->text || steady_loop_init(&p->loop))
        fail("no event loop");
    memset(p->text, 'x', p->size);
    const char *problem = steady_loop_start(&p->loop);
    if (problem)
        fail(problem);
    if (p->mode == LUA)
        load_counter(p);
    dial(p, argv[2], argv[3]);
    steady_loop_run(&p->loop);
    fail("the loop has ended");
}
