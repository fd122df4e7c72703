#include "binding.h"
#include "bytes.h"
#include "core/reference.h"
#include "core/url.h"

#include <string.h>

static void set_string(lua_State *L, const char *field, const char *value)
{
    lua_pushstring(L, value); /* nil for NULL */
    lua_setfield(L, -2, field);
}

static void push_url(lua_State *L, const struct steady_url *url)
{
    lua_newtable(L);
    set_string(L, "socket", url->socket);
    set_string(L, "host", url->host);
    set_string(L, "authority", url->authority);
    set_string(L, "path", url->path);
    set_string(L, "user", url->user);
    set_string(L, "password", url->password);
    set_string(L, "text", url->text);
    lua_pushinteger(L, url->port);
    lua_setfield(L, -2, "port");
    lua_pushboolean(L, url->secure);
    lua_setfield(L, -2, "secure");
    lua_pushboolean(L, url->ipv6);
    lua_setfield(L, -2, "ipv6");
}

/* url.parse(text) -> table | nil, message */
static int url_parse(lua_State *L)
{
    struct steady_url url;
    size_t size;
    const uint8_t *text = push_exact_copy(L, 1, &size);
    const char *wrong = steady_url_parse(&url, (const char *)text, size);
    if (wrong) {
        luaL_pushfail(L);
        lua_pushstring(L, wrong);
        return 2;
    }
    push_url(L, &url);
    steady_url_free(&url);
    return 1;
}

/* url.resolve(base, reference) -> table | nil, message */
static int url_resolve(lua_State *L)
{
    struct steady_url base, url;
    size_t size, reference_size;
    const uint8_t *text = push_exact_copy(L, 1, &size);
    const char *wrong = steady_url_parse(&base, (const char *)text, size);
    if (wrong)
        return luaL_error(L, "the base %s", wrong);
    luaL_checklstring(L, 2, &reference_size);
    char *reference = lua_newuserdatauv(L, reference_size + 1, 0); /* of exactly its size */
    memcpy(reference, lua_tostring(L, 2), reference_size + 1);
    wrong = steady_reference_resolve(&url, &base, reference);
    steady_url_free(&base);
    if (wrong) {
        luaL_pushfail(L);
        lua_pushstring(L, wrong);
        return 2;
    }
    push_url(L, &url);
    steady_url_free(&url);
    return 1;
}

void bind_url(lua_State *L)
{
    static const luaL_Reg functions[] = {
        {"parse", url_parse}, {"resolve", url_resolve}, {NULL, NULL}};
    luaL_newlib(L, functions);
}
