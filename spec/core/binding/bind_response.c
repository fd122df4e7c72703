#include "binding.h"
#include "bytes.h"
#include "core/response.h"
#include "lua/headers.h"

/* response.read { piece, ... } -> { part, status, reason, http_1_0, headers, body, problem, used };
 * used: bytes of all pieces that are the response's */
static int response_read(lua_State *L)
{
    static const char *const parts[] = {"head", "body", "complete", "bad"};
    struct steady_response response = {0};
    size_t used = 0;
    for (lua_Integer i = 1; lua_geti(L, 1, i) == LUA_TSTRING; i++) {
        size_t size;
        const uint8_t *bytes = push_exact_copy(L, -1, &size);
        used += steady_response_input(&response, bytes, size);
        lua_pop(L, 2);
    }
    lua_newtable(L);
    lua_pushstring(L, parts[response.part]);
    lua_setfield(L, -2, "part");
    lua_pushinteger(L, response.status);
    lua_setfield(L, -2, "status");
    lua_pushstring(L, response.reason);
    lua_setfield(L, -2, "reason");
    lua_pushboolean(L, response.http_1_0);
    lua_setfield(L, -2, "http_1_0");
    headers_push(L, &response.headers);
    lua_setfield(L, -2, "headers");
    lua_pushlstring(L, (const char *)response.body.data, response.body.size);
    lua_setfield(L, -2, "body");
    lua_pushstring(L, response.problem);
    lua_setfield(L, -2, "problem");
    lua_pushinteger(L, (lua_Integer)used);
    lua_setfield(L, -2, "used");
    steady_response_free(&response);
    return 1;
}

void bind_response(lua_State *L)
{
    static const luaL_Reg functions[] = {{"read", response_read}, {NULL, NULL}};
    luaL_newlib(L, functions);
}
