/* The module's own ground: a plain C program on the same transport (client/upgrade, then
 * dial/stream) and the same protocol core, without client/client and Lua. Modes rx, tx and rtt.
 * With BENCH_LUA=1, rx makes a Lua string of each message and calls a Lua function that counts, and
 * tx has a Lua loop that calls a method for each message, as the module's driver has it. The queue
 * takes what goes out with one write. */
#include "client/upgrade.h"
#include "core/frame.h"
#include "core/option_values.h"
#include "core/options.h"
#include "core/protocol.h"
#include "core/queue.h"
#include "core/trace.h"
#include "dial/mask.h"
#include "dial/stream.h"
#include "loop/loop.h"
#include "loop/watch.h"

#include "driver.h"

#include <lauxlib.h>
#include <lualib.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

struct program {
    struct driver driver;
    size_t sent, received;
    struct steady_loop loop;
    struct steady_options options;
    struct steady_random random;
    struct steady_protocol protocol;
    struct steady_queue queue;
    struct steady_stream *stream;
    lua_State *L; /* with the function that counts, or sends, on its stack */
};

static struct program program;

static void fail(const char *what)
{
    driver_fail(&program.driver, what);
}

static void push(struct program *p, const void *data, size_t size)
{
    const struct steady_message pushed = {.data = data, .size = size, .expires = INFINITY};
    if (!steady_queue_push(&p->queue, &pushed))
        fail("out of memory");
    p->sent++;
}

/* ------------------------------------------------------------------------- sending */

static bool may_push(const struct program *p)
{
    return p->sent < p->driver.count &&
           p->queue.waiting_bytes + STEADY_FRAME_HEADER_MAX * p->queue.waiting_messages <
               STEADY_WRITE_SIZE;
}

/* program:push(text) -> whether it was taken */
static int lua_push(lua_State *L)
{
    struct program *p = *(struct program **)luaL_checkudata(L, 1, "program");
    size_t size;
    const char *text = luaL_checklstring(L, 2, &size);
    bool taken = may_push(p);
    if (taken)
        push(p, text, size);
    lua_pushboolean(L, taken);
    return 1;
}

/* As a program would that sends until there is a write's worth and goes on when that is out. */
static void fill(struct program *p)
{
    if (p->L) {
        lua_pushvalue(p->L, 1);
        lua_call(p->L, 0, 0);
        return;
    }
    while (may_push(p))
        push(p, p->driver.text, p->driver.size);
}

static void writable(void *owner)
{
    struct program *p = owner;
    if (p->driver.mode == TX)
        fill(p);
    size_t size = steady_protocol_output(&p->protocol, &p->queue, false, steady_loop_now(&p->loop),
                                         steady_stream_room(p->stream), STEADY_WRITE_SIZE);
    if (size == 0)
        return;
    if (!steady_stream_write(p->stream, size))
        fail("the write failed");
    steady_stream_want_writable(p->stream);
}

static void begin(struct program *p)
{
    driver_clock(&p->driver);
    if (p->driver.mode == RX)
        push(p, "go", 2);
    if (p->driver.mode == RTT)
        push(p, p->driver.text, p->driver.size);
    steady_stream_want_writable(p->stream);
}

/* ------------------------------------------------------------------------- receiving */

static void message(struct program *p, const struct steady_protocol_event *event)
{
    if (p->driver.mode == TX) {
        driver_expect_end(&p->driver, event->data, event->size);
        driver_done(&p->driver);
    }
    if (event->size != p->driver.size)
        fail("a message of the wrong size");
    if (p->L) {
        lua_pushvalue(p->L, 1);
        lua_pushlstring(p->L, (const char *)event->data, event->size);
        lua_call(p->L, 1, 0);
    }
    if (++p->received == p->driver.count)
        driver_done(&p->driver);
    if (p->driver.mode == RTT) {
        push(p, p->driver.text, p->driver.size);
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

static void accepted(void *owner, const struct steady_accepted *upgrade)
{
    static const struct steady_stream_owner calls = {received, writable, NULL, ended};
    struct program *p = owner;
    p->stream = upgrade->stream;
    steady_stream_give(p->stream, &calls, p);
    steady_protocol_init(&p->protocol, &p->random, (size_t)p->options.max_message_size);
    begin(p);
}

static void failed(void *owner, const struct steady_failure *failure)
{
    (void)owner;
    fail(failure->message);
}

static void dial(struct program *p, const char *url)
{
    static const struct steady_upgrade_owner calls = {accepted, failed};
    steady_options_init(&p->options);
    const char *problem = steady_options_add_url(&p->options, url, strlen(url));
    if (problem)
        fail(problem);
    static struct steady_trace off;
    struct steady_target target = {.url = &p->options.urls[0], .trace = &off};
    if (!steady_upgrade_start(&p->loop, &target, &p->options, false, &calls, p))
        fail("out of memory");
}

static void load_lua(struct program *p)
{
    static const char *const chunks[] = {
        [RX] = "local n = 0 return function(data) n = n + 1 end",
        [TX] = "local program, text = ... local texts, sent = {text}, 0 return function() "
               "while program:push(texts[sent % #texts + 1]) do sent = sent + 1 end end",
    };
    p->L = luaL_newstate();
    if (!p->L || p->driver.mode > TX)
        fail("Lua is for rx and tx");
    luaL_openlibs(p->L);
    if (luaL_loadstring(p->L, chunks[p->driver.mode]))
        fail(lua_tostring(p->L, -1));
    *(struct program **)lua_newuserdatauv(p->L, sizeof p, 0) = p;
    luaL_newmetatable(p->L, "program");
    lua_pushvalue(p->L, -1);
    lua_setfield(p->L, -2, "__index");
    lua_pushcfunction(p->L, lua_push);
    lua_setfield(p->L, -2, "push");
    lua_setmetatable(p->L, -2);
    lua_pushlstring(p->L, (const char *)p->driver.text, p->driver.size);
    lua_call(p->L, 2, 1);
}

/* glibc gives the top of the heap back to the system and takes it again with each long message, for
 * lack of anything else there; what it has once had in one piece this large, it keeps. */
static void keep_heap(void)
{
    char *volatile piece = malloc(16 << 20);
    if (piece)
        *piece = 0;
    free(piece);
}

int main(int argc, char **argv)
{
    struct program *p = &program;
    keep_heap();
    driver_start(&p->driver, "transport", argc, argv);
    if (p->driver.mode > RTT)
        fail("MODE is rx, tx or rtt");
    if (steady_loop_init(&p->loop))
        fail("no event loop");
    const char *problem = steady_watch_prepare(&p->loop);
    if (problem)
        fail(problem);
    steady_mask_init(&p->random);
    if (getenv("BENCH_LUA"))
        load_lua(p);
    p->loop.alive++; /* we are: a stream keeps no loop running */
    dial(p, argv[2]);
    steady_loop_run(&p->loop);
    fail("the loop has ended");
}
