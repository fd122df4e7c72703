#include "lua/source.h"

#include "core/number.h"
#include "loop/source.h"
#include "lua/call.h"
#include "lua/loop.h"
#include "lua/object.h"
#include "lua/text.h"

#include <errno.h>
#include <lauxlib.h>
#include <limits.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

enum { SOURCE_FUNCTION = 1, SOURCE_USER_VALUES = 1 };

/* While a source is active, the registry refers to it. */
struct source {
    const struct object_kind *kind;
    struct loop *loop;
    struct steady_source *core; /* NULL when the source is cancelled */
    int descriptor;             /* the descriptor that is read, or -1 for a signal */
};

static const struct object_kind kind = {"steadysocket.source", sizeof(struct source),
                                        offsetof(struct source, kind), SOURCE_USER_VALUES};

/* Frees the source, unless the loop is closed and has freed it. */
static void cancel(lua_State *L, struct source *source)
{
    if (!source->core)
        return;
    if (!source->loop->closed)
        steady_source_free(source->core);
    source->core = NULL;
    object_release(L, source);
}

static void push_function(lua_State *L, struct source *source)
{
    lua_rawgetp(L, LUA_REGISTRYINDEX, source);
    lua_getiuservalue(L, -1, SOURCE_FUNCTION);
}

/* Reads from the descriptor and calls the source's function: fn(data), at the end of the input
 * fn(nil), or fn(nil, message) when the descriptor cannot be read. */
static int read_protected(lua_State *L)
{
    struct source *source = lua_touserdata(L, 1);
    char data[64 * 1024];
    push_function(L, source);
    ssize_t size = read(source->descriptor, data, sizeof data);
    if (size < 0 && (errno == EAGAIN || errno == EINTR))
        return 0;
    if (size > 0) {
        lua_pushlstring(L, data, (size_t)size);
        call_handler(L, 1, 0);
        return 0;
    }
    const char *problem = size < 0 ? strerror(errno) : NULL;
    cancel(L, source);
    lua_pushnil(L);
    lua_pushstring(L, problem);
    call_handler(L, 2, 0);
    return 0;
}

static void readable(void *owner)
{
    struct source *source = owner;
    call_protected(source->loop, read_protected, source);
}

static int signal_protected(lua_State *L)
{
    struct source *source = lua_touserdata(L, 1);
    push_function(L, source);
    cancel(L, source);
    call_handler(L, 0, 0);
    return 0;
}

static void signalled(void *owner)
{
    struct source *source = owner;
    call_at_once(source->loop, signal_protected,
                 source); /* the signal would not be reported a second time */
}

static struct source *new_source(lua_State *L)
{
    luaL_checktype(L, 2, LUA_TFUNCTION);
    struct loop *loop = loop_get(L);
    struct source *source = object_new(L, &kind);
    source->loop = loop;
    source->descriptor = -1;
    lua_pushvalue(L, 2);
    lua_setiuservalue(L, -2, SOURCE_FUNCTION);
    object_hold(L, -1);
    return source;
}

/* Returns from input or signal with the source on top of the stack, or with nil and a message. */
static int started(lua_State *L, struct source *source, int error)
{
    if (source->core)
        return 1;
    object_release(L, source);
    lua_pushnil(L);
    lua_pushstring(L, uv_strerror(error));
    return 2;
}

/* input(descriptor, fn) -> source | nil, message */
static int internal_input(lua_State *L)
{
    lua_Integer descriptor = luaL_checkinteger(L, 1);
    int error = 0;
    luaL_argcheck(L, descriptor >= 0 && descriptor <= INT_MAX, 1, "a descriptor expected");
    struct source *source = new_source(L);
    source->descriptor = steady_narrow(descriptor);
    source->core =
        steady_source_input(&source->loop->core, source->descriptor, readable, source, &error);
    return started(L, source, error);
}

/* signal(name, fn) -> source | nil, message. The source calls fn once. */
static int internal_signal(lua_State *L)
{
    static const char *const names[] = {"INT", "TERM", "CONT", "WINCH", NULL};
    static const int numbers[] = {SIGINT, SIGTERM, SIGCONT, SIGWINCH};
    int number = numbers[text_check_option(L, 1, NULL, names)], error = 0;
    struct source *source = new_source(L);
    source->core = steady_source_signal(&source->loop->core, number, signalled, source, &error);
    return started(L, source, error);
}

static int set_pause(lua_State *L, bool pause)
{
    struct source *source = object_check(L, 1, &kind);
    if (source->core && source->descriptor >= 0)
        steady_source_pause(source->core, pause);
    return 0;
}

/* source:pause() and source:resume(). They do nothing for a signal. */
static int source_pause(lua_State *L)
{
    return set_pause(L, true);
}

static int source_resume(lua_State *L)
{
    return set_pause(L, false);
}

/* source:cancel() */
static int source_cancel(lua_State *L)
{
    cancel(L, object_check(L, 1, &kind));
    return 0;
}

/* The registry refers to an active source, so an active one is finalized only when the Lua state is
 * closed. */
static int source_gc(lua_State *L)
{
    cancel(L, object_check(L, 1, &kind));
    return 0;
}

void source_open(lua_State *L)
{
    static const luaL_Reg functions[] = {
        {"input", internal_input}, {"signal", internal_signal}, {NULL, NULL}};
    static const luaL_Reg methods[] = {{"pause", source_pause},
                                       {"resume", source_resume},
                                       {"cancel", source_cancel},
                                       {NULL, NULL}};
    luaL_setfuncs(L, functions, 0);
    static const luaL_Reg meta[] = {{"__gc", source_gc}, {NULL, NULL}};
    object_open(L, &kind, meta);
    luaL_newlib(L, methods);
    lua_setfield(L, -2, "__index");
    lua_pop(L, 1);
}
