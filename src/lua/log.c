#include "lua/log.h"

#include "core/harmless.h"
#include "core/nearest.h"
#include "core/secrets.h"
#include "lua/call.h"
#include "lua/event.h"
#include "lua/handler.h"
#include "lua/text.h"

#include <lauxlib.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>

#define EXPECTED "\"error\", \"warn\", \"info\", \"debug\" or \"trace\""

static const char *const names[] = {
    [STEADY_LEVEL_ERROR] = "error", [STEADY_LEVEL_WARNING] = "warning",
    [STEADY_LEVEL_INFO] = "info",   [STEADY_LEVEL_DEBUG] = "debug",
    [STEADY_LEVEL_TRACE] = "trace",
};

/* Returns the level with this name, in any case, or STEADY_LEVEL_OFF when there is none. "warn" is
 * accepted as well as "warning". */
static enum steady_level find_level(const char *name)
{
    for (enum steady_level level = STEADY_LEVEL_ERROR; level <= STEADY_LEVEL_TRACE; level++)
        if (!strcasecmp(name, names[level]))
            return level;
    return strcasecmp(name, "warn") ? STEADY_LEVEL_OFF : STEADY_LEVEL_WARNING;
}

/* ------------------------------------------------------------------------- the environment */

/* Returns whether the program has more rights than the user who has started it. That user must not
 * see the log then. */
static bool is_privileged(void)
{
    return getuid() != geteuid() || getgid() != getegid();
}

/* Writes to standard error that this value of STEADYSOCKET_LOG is wrong, once in each process, in
 * whichever thread. */
static void complain(const char *value)
{
    static bool complained;
    char shown[STEADY_HARMLESS_MAX * 32 + 1];
    if (__atomic_test_and_set(&complained, __ATOMIC_RELAXED))
        return;
    steady_harmless(shown, (const uint8_t *)value, strnlen(value, 32));
    fprintf(stderr,
            "steadysocket: STEADYSOCKET_LOG is \"%s\"; \"off\", " EXPECTED
            " expected; nothing is logged\n",
            shown);
}

enum steady_level log_level_of_environment(void)
{
    const char *value = getenv("STEADYSOCKET_LOG");
    if (!value || !*value || !strcasecmp(value, "off") || is_privileged())
        return STEADY_LEVEL_OFF;
    enum steady_level level = find_level(value);
    if (level == STEADY_LEVEL_OFF)
        complain(value);
    return level;
}

/* ------------------------------------------------------------------------- log = … */

/* Returns the level for the value of log.level, which is on top of the stack. */
static enum steady_level read_level(lua_State *L)
{
    size_t size;
    if (lua_type(L, -1) != LUA_TSTRING)
        luaL_error(L, "option 'log.level' is a %s, string expected", luaL_typename(L, -1));
    const char *name = lua_tolstring(L, -1, &size);
    enum steady_level level = strlen(name) == size ? find_level(name) : STEADY_LEVEL_OFF;
    if (level == STEADY_LEVEL_OFF)
        luaL_error(L, "option 'log.level' is \"%s\", " EXPECTED " expected",
                   text_push_shown(L, name, size));
    return level;
}

static int unknown(lua_State *L)
{
    static const char *const known[] = {"level", "to", NULL};
    const char *name = text_push_value(L, -2), *near = steady_nearest_name(name, known);
    return luaL_error(L, "option 'log.%s' is unknown%s%s%s", name, near ? "; did you mean '" : "",
                      near ? near : "", near ? "'?" : "");
}

static bool is_key(lua_State *L, const char *name)
{
    lua_pushstring(L, name);
    bool same = lua_rawequal(L, -1, -3);
    lua_pop(L, 1);
    return same;
}

/* Reads the table on top of the stack, without its metamethods, as all tables of options are read.
 * Pushes `to`, or nil, and returns the level. */
static enum steady_level read_table(lua_State *L)
{
    enum steady_level level = STEADY_LEVEL_OFF;
    int table = lua_gettop(L);
    lua_pushnil(L); /* `to` will be put here */
    lua_pushnil(L);
    while (lua_next(L, table)) {
        if (is_key(L, "level")) {
            level = read_level(L);
        } else if (is_key(L, "to")) {
            if (!lua_isfunction(L, -1))
                luaL_error(L, "option 'log.to' is a %s, function expected", luaL_typename(L, -1));
            lua_pushvalue(L, -1);
            lua_replace(L, table + 1);
        } else {
            unknown(L);
        }
        lua_pop(L, 1);
    }
    if (level == STEADY_LEVEL_OFF)
        luaL_error(L, "option 'log.level' is missing; " EXPECTED " expected");
    return level;
}

const char *log_set(lua_State *L, int index)
{
    enum steady_level level = STEADY_LEVEL_OFF;
    if (!lua_isnil(L, -1) && !lua_isboolean(L, -1) && !lua_isfunction(L, -1) &&
        !lua_istable(L, -1)) {
        lua_pop(L, 1);
        return "function, table or boolean";
    }
    if (lua_istable(L, -1)) {
        level = read_table(L);
    } else {
        level = lua_toboolean(L, -1) ? STEADY_LEVEL_INFO : STEADY_LEVEL_OFF;
        if (lua_isfunction(L, -1))
            lua_pushvalue(L, -1);
        else
            lua_pushnil(L);
    }
    lua_setiuservalue(L, index, HANDLER_LOG_TO);
    lua_setiuservalue(L, index, HANDLER_LOG);
    lua_pushinteger(L, level);
    lua_setiuservalue(L, index, HANDLER_LOG_LEVEL);
    return NULL;
}

enum steady_level log_level(lua_State *L, int index)
{
    lua_getiuservalue(L, index, HANDLER_LOG_LEVEL);
    enum steady_level level = (enum steady_level)lua_tointeger(L, -1);
    lua_pop(L, 1);
    return level;
}

/* ------------------------------------------------------------------------- a line */

/* Removes secrets and harmful characters from the line on top of the stack. Every line of the log
 * goes through this function. */
static void clean(lua_State *L)
{
    luaL_Buffer hidden, harmless;
    size_t size;
    const char *line = lua_tolstring(L, -1, &size);
    char *out = luaL_buffinitsize(L, &hidden, STEADY_SECRETS_MAX * size + 1);
    steady_secrets_hide(out, line);
    luaL_pushresultsize(&hidden, strlen(out));
    lua_replace(L, -2);
    line = lua_tolstring(L, -1, &size);
    out = luaL_buffinitsize(L, &harmless, STEADY_HARMLESS_MAX * size + 1);
    luaL_pushresultsize(&harmless, steady_harmless(out, (const uint8_t *)line, size));
    lua_replace(L, -2);
}

/* Prints the line on top of the stack. With the levels debug and trace the time has milliseconds,
 * because they show how long each step took. */
static void print(lua_State *L, enum steady_level level, bool in_milliseconds)
{
    char now[32], fraction[16] = "";
    struct timespec time;
    struct tm tm;
    clock_gettime(CLOCK_REALTIME, &time);
    strftime(now, sizeof now, "%Y-%m-%d %H:%M:%S", localtime_r(&time.tv_sec, &tm));
    if (in_milliseconds)
        snprintf(fraction, sizeof fraction, ".%03d", (int)(time.tv_nsec / 1000000));
    fprintf(stderr, "%s%s %s: %s\n", now, fraction, names[level], lua_tostring(L, -1));
}

/* The argument is the request, as a light userdata. Writes the line. */
static int log_protected(lua_State *L)
{
    const struct log_request *request = lua_touserdata(L, 1);
    lua_rawgetp(L, LUA_REGISTRYINDEX, request->client);
    const enum steady_level level = event_level(request->event);
    const enum steady_level own = log_level(L, 2), other = request->environment;
    const bool wanted = level <= own;
    event_push_line(L, request->name, request->event);
    clean(L);
    const bool to_function = lua_getiuservalue(L, 2, HANDLER_LOG_TO) == LUA_TFUNCTION;
    lua_insert(L, -2);
    if (level <= other || (wanted && !to_function)) {
        const enum steady_level most = to_function || other > own ? other : own;
        print(L, level, most >= STEADY_LEVEL_DEBUG);
    }
    if (wanted && to_function) {
        lua_pushstring(L, names[level]);
        lua_insert(L, -2);
        lua_pushvalue(L, 2);
        call_handler(L, 3, 0);
    }
    return 0;
}

void log_event(lua_State *L, struct loop *loop, const struct log_request *request)
{
    const enum steady_level level = event_level(request->event);
    struct log_request copy = *request;
    if (level <= request->environment || level <= log_level(L, 2))
        call_protected(loop, log_protected, &copy);
}
