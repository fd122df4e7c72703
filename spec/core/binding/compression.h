/* Tables for what several subjects have to do with: compression's options and parameters. */
#ifndef STEADY_SPEC_COMPRESSION_H
#define STEADY_SPEC_COMPRESSION_H

#include "core/extension.h"

#include <lua.h>

/* From { threshold, level, client_max_window_bits, server_max_window_bits,
 * client_no_context_takeover, server_no_context_takeover }, each with a default; nothing there:
 * off. */
struct steady_deflate_options check_deflate_options(lua_State *L, int index);

/* From and to { threshold, level, client = { window_bits, no_context_takeover }, server = { … } }.
 */
struct steady_deflate_parameters check_deflate_parameters(lua_State *L, int index);
void push_deflate_parameters(lua_State *L, const struct steady_deflate_parameters *parameters);

#endif
