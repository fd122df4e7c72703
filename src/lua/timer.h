/* WebSocket.after and WebSocket.every. */
#ifndef STEADY_LUA_TIMER_H
#define STEADY_LUA_TIMER_H

#include <lua.h>

/* Makes the metatable of timers. */
void timer_open(lua_State *L);

/* Adds after and every to the table on top of the stack. */
void timer_register(lua_State *L);

#endif
