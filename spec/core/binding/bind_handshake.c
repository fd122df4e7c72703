#include "binding.h"
#include "bytes.h"
#include "compression.h"
#include "core/handshake.h"

#include <string.h>

#define MOST 16 /* headers or protocols */

/* A request and the memory that it points to; its strings belong to the Lua table it came from. */
struct given {
    struct steady_request request;
    struct steady_url url;
    struct steady_header headers[MOST];
    const char *protocols[MOST];
    struct steady_deflate_options compression;
};

/* Field of the table on top, or NULL; the table keeps the string alive. */
static const char *string_field(lua_State *L, const char *name)
{
    lua_getfield(L, -1, name);
    const char *value = lua_tostring(L, -1);
    lua_pop(L, 1);
    return value;
}

static const char *string_item(lua_State *L, lua_Integer index)
{
    lua_rawgeti(L, -1, index);
    const char *value = lua_tostring(L, -1);
    lua_pop(L, 1);
    return value;
}

static size_t count_field(lua_State *L, const char *name)
{
    lua_getfield(L, -1, name);
    size_t count = lua_istable(L, -1) ? (size_t)lua_rawlen(L, -1) : 0;
    if (count > MOST)
        luaL_error(L, "at most %d %s", MOST, name);
    return count; /* the field stays on the stack */
}

static void read_protocols(lua_State *L, struct given *given)
{
    given->request.protocols = given->protocols;
    given->request.protocol_count = count_field(L, "protocols");
    for (size_t i = 0; i < given->request.protocol_count; i++)
        given->protocols[i] = string_item(L, (lua_Integer)i + 1);
    lua_pop(L, 1);
}

static void read_compression(lua_State *L, struct given *given)
{
    lua_getfield(L, -1, "compression");
    given->compression = check_deflate_options(L, lua_gettop(L));
    given->request.compression = &given->compression;
    lua_pop(L, 1);
}

static void read_headers(lua_State *L, struct given *given)
{
    given->request.headers = given->headers;
    given->request.header_count = count_field(L, "headers");
    for (size_t i = 0; i < given->request.header_count; i++) {
        lua_rawgeti(L, -1, (lua_Integer)i + 1);
        given->headers[i].name = string_item(L, 1);
        given->headers[i].value = string_item(L, 2);
        lua_pop(L, 1);
    }
    lua_pop(L, 1);
}

/* From { key, origin, authorization, require_protocol, protocols = { … }, headers = { { name, value
 * }, … }, compression = options }; without the URL, which has memory of its own. */
static void read_request(lua_State *L, int index, struct given *given)
{
    luaL_checktype(L, index, LUA_TTABLE);
    *given = (struct given){0};
    lua_pushvalue(L, index);
    given->request.key = string_field(L, "key");
    given->request.origin = string_field(L, "origin");
    given->request.authorization = string_field(L, "authorization");
    lua_getfield(L, -1, "require_protocol");
    given->request.require_protocol = lua_toboolean(L, -1);
    lua_pop(L, 1);
    read_protocols(L, given);
    read_compression(L, given);
    read_headers(L, given);
    lua_pop(L, 1);
}

/* handshake.request(url, request) -> text */
static int handshake_request(lua_State *L)
{
    struct given given;
    struct steady_buffer out = {0};
    size_t size;
    const char *text = luaL_checklstring(L, 1, &size);
    read_request(L, 2, &given);
    const char *wrong = steady_url_parse(&given.url, text, size);
    if (wrong)
        return luaL_error(L, "the URL %s", wrong);
    given.request.url = &given.url;
    bool made = steady_handshake_request(&out, &given.request);
    steady_url_free(&given.url);
    lua_pushlstring(L, made ? (const char *)out.data : "", made ? out.size : 0);
    steady_buffer_free(&out);
    return 1;
}

static struct steady_answer read_answer(lua_State *L, int index)
{
    struct steady_answer answer = {0};
    luaL_checktype(L, index, LUA_TTABLE);
    lua_pushvalue(L, index);
    answer.upgrade = string_field(L, "upgrade");
    answer.connection = string_field(L, "connection");
    answer.accept = string_field(L, "accept");
    answer.protocol = string_field(L, "protocol");
    answer.extensions = string_field(L, "extensions");
    lua_pop(L, 1);
    return answer;
}

/* handshake.check(request, accept, answer [, message_size]) -> true [, parameters of the
 * compression] | false, message */
static int handshake_check(lua_State *L)
{
    struct given given;
    read_request(L, 1, &given);
    const char *accept = luaL_checkstring(L, 2);
    struct steady_answer answer = read_answer(L, 3);
    size_t size = (size_t)luaL_optinteger(L, 4, 256);
    char *message = lua_newuserdatauv(L, size, 0);
    bool good = steady_handshake_check(&given.request, accept, &answer, message, size);
    lua_pushboolean(L, good);
    if (good && answer.compression.on)
        push_deflate_parameters(L, &answer.compression);
    if (good)
        return answer.compression.on ? 2 : 1;
    lua_pushstring(L, message);
    return 2;
}

static int judge(lua_State *L, const char *(*bad)(const char *, size_t))
{
    size_t size;
    const uint8_t *text = push_exact_copy(L, 1, &size);
    lua_pushstring(L, bad((const char *)text, size)); /* nil for NULL */
    return 1;
}

/* handshake.bad_name(name) -> nil | message; so are the next two */
static int handshake_bad_name(lua_State *L)
{
    return judge(L, steady_handshake_bad_name);
}

static int handshake_bad_value(lua_State *L)
{
    return judge(L, steady_handshake_bad_value);
}

static int handshake_bad_protocol(lua_State *L)
{
    return judge(L, steady_handshake_bad_protocol);
}

void bind_handshake(lua_State *L)
{
    static const luaL_Reg functions[] = {
        {"request", handshake_request},           {"check", handshake_check},
        {"bad_name", handshake_bad_name},         {"bad_value", handshake_bad_value},
        {"bad_protocol", handshake_bad_protocol}, {NULL, NULL}};
    luaL_newlib(L, functions);
}
