#include "lua/source.h"

#include "core/number.h"
#include "lua/call.h"
#include "lua/loop.h"
#include "net/source.h"

#include <errno.h>
#include <lauxlib.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#define SOURCE "steadysocket.source"

enum { SOURCE_FUNCTION = 1, SOURCE_USER_VALUES = 1 };

/* While it is active it is anchored in the registry, under its own address. */
struct source {
    struct loop *loop;
    struct steady_source *core; /* NULL: cancelled */
    int descriptor;             /* of input; -1: a signal */
};

static void cancel(lua_State *L, struct source *source)
{
    if (!source->core)
        return;
    steady_source_free(source->core);
    source->core = NULL;
    lua_pushnil(L);
    lua_rawsetp(L, LUA_REGISTRYINDEX, source);
}

static void push_function(lua_State *L, struct source *source)
{
    lua_rawgetp(L, LUA_REGISTRYINDEX, source);
    lua_getiuservalue(L, -1, SOURCE_FUNCTION);
}

/* fn(data), fn(nil) at the end, fn(nil, message) when it cannot be read */
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
    call_protected(source->loop, signal_protected, source);
}

static struct source *new_source(lua_State *L)
{
    luaL_checktype(L, 2, LUA_TFUNCTION);
    struct loop *loop = loop_get(L);
    struct source *source = lua_newuserdatauv(L, sizeof *source, SOURCE_USER_VALUES);
    *source = (struct source){.loop = loop, .descriptor = -1};
    luaL_setmetatable(L, SOURCE);
    lua_pushvalue(L, 2);
    lua_setiuservalue(L, -2, SOURCE_FUNCTION);
    lua_pushvalue(L, -1);
    lua_rawsetp(L, LUA_REGISTRYINDEX, source);
    return source;
}

/* Returns the source on top of the stack, or nil and a message. */
static int started(lua_State *L, struct source *source, int error)
{
    if (source->core)
        return 1;
    lua_pushnil(L);
    lua_rawsetp(L, LUA_REGISTRYINDEX, source);
    lua_pushnil(L);
    lua_pushstring(L, uv_strerror(error));
    return 2;
}

/* input(descriptor, fn) -> source | nil, message */
static int internal_input(lua_State *L)
{
    int descriptor = steady_narrow(luaL_checkinteger(L, 1)), error = 0;
    struct source *source = new_source(L);
    source->descriptor = descriptor;
    source->core = steady_source_input(&source->loop->core, descriptor, readable, source, &error);
    return started(L, source, error);
}

/* signal(name, fn) -> source | nil, message: calls fn once */
static int internal_signal(lua_State *L)
{
    static const char *const names[] = {"INT", "TERM", "CONT", "WINCH", NULL};
    static const int numbers[] = {SIGINT, SIGTERM, SIGCONT, SIGWINCH};
    int number = numbers[luaL_checkoption(L, 1, NULL, names)], error = 0;
    struct source *source = new_source(L);
    source->core = steady_source_signal(&source->loop->core, number, signalled, source, &error);
    return started(L, source, error);
}

static int set_pause(lua_State *L, bool pause)
{
    struct source *source = luaL_checkudata(L, 1, SOURCE);
    if (source->core && source->descriptor >= 0)
        steady_source_pause(source->core, pause);
    return 0;
}

/* source:pause()  source:resume(): of input only */
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
    cancel(L, luaL_checkudata(L, 1, SOURCE));
    return 0;
}

/* It is anchored while it is active, so this is for the end of the Lua state. */
static int source_gc(lua_State *L)
{
    struct source *source = lua_touserdata(L, 1);
    steady_source_free(source->core);
    source->core = NULL;
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
    luaL_newmetatable(L, SOURCE);
    lua_pushcfunction(L, source_gc);
    lua_setfield(L, -2, "__gc");
    luaL_newlib(L, methods);
    lua_setfield(L, -2, "__index");
    lua_pop(L, 1);
}
