/* WebSocket.after and WebSocket.every. */
#ifndef STEADY_LUA_TIMER_H
#define STEADY_LUA_TIMER_H

#include <lua.h>

/* after(seconds, fn) -> timer      every(seconds, fn) -> timer      timer:cancel() */
int timer_after(lua_State *L);
int timer_every(lua_State *L);

/* Makes the metatable of timers. */
void timer_open(lua_State *L);

#endif
