/* The test-only binding of the pure core: core_binding.so, never installed. One file a subject;
 * each bind_ function pushes a table of functions on the stack and returns. */
#ifndef STEADY_SPEC_BINDING_H
#define STEADY_SPEC_BINDING_H

#include <lauxlib.h>
#include <lua.h>

void bind_utf8(lua_State *L);
void bind_frame(lua_State *L);
void bind_queue(lua_State *L);
void bind_protocol(lua_State *L);
void bind_url(lua_State *L);
void bind_handshake(lua_State *L);
void bind_response(lua_State *L);
void bind_backoff(lua_State *L);
void bind_session(lua_State *L);
void bind_heartbeat(lua_State *L);
void bind_retry_after(lua_State *L);
void bind_extension(lua_State *L);
void bind_deflate(lua_State *L);
void bind_trace(lua_State *L);

#endif
