#include "binding.h"
#include "bytes.h"
#include "core/harmless.h"
#include "core/secrets.h"
#include "core/tap.h"
#include "core/trace.h"

/* trace.hide(line) -> line without secrets */
static int trace_hide(lua_State *L)
{
    size_t size;
    const char *line = luaL_checklstring(L, 1, &size);
    char *out = lua_newuserdatauv(L, STEADY_SECRETS_MAX * size + 1, 0);
    steady_secrets_hide(out, line);
    lua_pushstring(L, out);
    return 1;
}

/* trace.harmless(bytes) -> text */
static int trace_harmless(lua_State *L)
{
    size_t size;
    const uint8_t *bytes = push_exact_copy(L, 1, &size);
    char *out = lua_newuserdatauv(L, STEADY_HARMLESS_MAX * size + 1, 0);
    size_t length = steady_harmless(out, bytes, size);
    lua_pushlstring(L, out, length);
    return 1;
}

struct collector {
    struct steady_trace trace; /* the first member */
    lua_State *L;              /* with a table on top */
};

static void collect(struct steady_trace *trace, enum steady_level level, const char *line)
{
    lua_State *L = ((struct collector *)trace)->L;
    (void)level;
    lua_pushstring(L, line);
    lua_rawseti(L, -2, (lua_Integer)lua_rawlen(L, -2) + 1);
}

/* trace.frames(bytes, step [, header, left]) -> lines: the bytes come in pieces of `step`; header
 * and left: see steady_tap_open */
static int trace_frames(lua_State *L)
{
    size_t size, header_size = 0;
    const char *bytes = luaL_checklstring(L, 1, &size);
    size_t step = (size_t)luaL_checkinteger(L, 2);
    const char *header = luaL_optlstring(L, 3, "", &header_size);
    struct collector collector = {{STEADY_LEVEL_TRACE, collect}, L};
    struct steady_tap tap;
    steady_tap_open(&tap, (const uint8_t *)header, header_size, (uint64_t)luaL_optinteger(L, 4, 0));
    lua_newtable(L);
    for (size_t at = 0; at < size; at += step)
        steady_tap_bytes(&tap, &collector.trace, '<', (const uint8_t *)bytes + at,
                         size - at < step ? size - at : step);
    return 1;
}

static int evaluate(int *count)
{
    return ++*count;
}

/* trace.evaluations(level) -> how often the arguments of a line of the level debug are evaluated */
static int trace_evaluations(lua_State *L)
{
    struct collector collector = {{(enum steady_level)luaL_checkinteger(L, 1), collect}, L};
    int count = 0;
    lua_newtable(L);
    STEADY_DEBUG(&collector.trace, "%d", evaluate(&count));
    lua_pushinteger(L, count);
    return 1;
}

void bind_trace(lua_State *L)
{
    static const luaL_Reg functions[] = {{"hide", trace_hide},
                                         {"harmless", trace_harmless},
                                         {"frames", trace_frames},
                                         {"evaluations", trace_evaluations},
                                         {NULL, NULL}};
    luaL_newlib(L, functions);
}
