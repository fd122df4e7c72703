/* The functions of the module that run the loop. */
#ifndef STEADY_LUA_RUN_H
#define STEADY_LUA_RUN_H

#include <lua.h>

/* Adds the functions that steadysocket/tasks.lua needs to the table on top of the stack: running,
 * home, at_rest, on_rest, fail, on_work. */
void run_open(lua_State *L);

/* Adds run, step, stop, fd and timeout to the table on top of the stack. */
void run_register(lua_State *L);

#endif
