#include "lua/table_options.h"

#include "core/nearest.h"
#include "core/option_values.h"

#include <lauxlib.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *member(struct steady_options *options, const struct steady_option *option)
{
    return (char *)options + option->offset;
}

/* Pushes a number as a text, and returns the text. It has enough digits to distinguish the number
 * from all others. */
static const char *push_number(lua_State *L, double value)
{
    char text[32];
    if (value == floor(value) && fabs(value) < 0x1p63)
        snprintf(text, sizeof text, "%.0f", value);
    else
        snprintf(text, sizeof text, "%.14g", value);
    if (strtod(text, NULL) != value)
        snprintf(text, sizeof text, "%.17g", value);
    return lua_pushstring(L, text);
}

static void read_number(lua_State *L, struct steady_options *options,
                        const struct steady_option *option, struct place place)
{
    if (lua_type(L, -1) != LUA_TNUMBER)
        place_wrong_type(L, place, "number", -1);
    double value = lua_tonumber(L, -1);
    bool integral = option->type != STEADY_OPTION_INTEGER || value == floor(value);
    if (!(value >= option->min && value <= option->max) || !integral) { /* refuses NaN as well */
        const char *found = lua_isinteger(L, -1) ? lua_pushfstring(L, "%I", lua_tointeger(L, -1))
                                                 : push_number(L, value);
        const char *kind = option->type == STEADY_OPTION_INTEGER ? "an integer" : "a number";
        const char *min = push_number(L, option->min), *max = push_number(L, option->max);
        place_wrong(L, place,
                    lua_pushfstring(L, "is %s, %s from %s to %s expected", found, kind, min, max));
    }
    *(double *)member(options, option) = value;
}

struct reading {
    struct steady_options *options;
    const struct steady_option *option;
    /* steady_option_set_string or steady_option_add_string */
    const char *(*set)(struct steady_options *options, const struct steady_option *option,
                       const char *text, size_t size);
};

static void read_string(lua_State *L, struct place place, void *context)
{
    const struct reading *reading = context;
    size_t size;
    const char *text = place_text(L, -1, place, &size);
    const char *problem = reading->set(reading->options, reading->option, text, size);
    if (problem)
        place_wrong(L, place, problem);
}

static void read_choice(lua_State *L, struct steady_options *options,
                        const struct steady_option *option, struct place place)
{
    size_t size;
    const char *text = place_text(L, -1, place, &size);
    luaL_Buffer known;
    if (strlen(text) != size)
        place_wrong(L, place, "has a NUL byte inside");
    for (int i = 0; option->choices[i]; i++)
        if (!strcmp(option->choices[i], text)) {
            *(int *)member(options, option) = i;
            return;
        }
    luaL_buffinit(L, &known);
    for (int i = 0; option->choices[i]; i++) {
        luaL_addstring(&known, i ? "\" or \"" : "\"");
        luaL_addstring(&known, option->choices[i]);
    }
    luaL_pushresult(&known);
    place_wrong(L, place,
                lua_pushfstring(L, "is \"%s\", %s\" expected", text, lua_tostring(L, -1)));
}

static void read_group(lua_State *L, struct steady_options *options,
                       const struct steady_option *option);

void table_options_read(lua_State *L, struct steady_options *options,
                        const struct steady_option *option, struct place place)
{
    switch (option->type) {
    case STEADY_OPTION_NUMBER:
    case STEADY_OPTION_INTEGER:
        read_number(L, options, option, place);
        break;
    case STEADY_OPTION_BOOLEAN:
        if (!lua_isboolean(L, -1))
            place_wrong_type(L, place, "boolean", -1);
        *(bool *)member(options, option) = lua_toboolean(L, -1);
        break;
    case STEADY_OPTION_STRING:
        read_string(L, place, &(struct reading){options, option, steady_option_set_string});
        break;
    case STEADY_OPTION_STRINGS:
        place_each(L, place, read_string,
                   &(struct reading){options, option, steady_option_add_string});
        break;
    case STEADY_OPTION_CHOICE:
        read_choice(L, options, option, place);
        break;
    case STEADY_OPTION_GROUP:
        read_group(L, options, option);
        break;
    }
}

const struct steady_option *table_options_find(const struct steady_option *list, const char *name)
{
    while (list->name && strcmp(list->name, name) != 0)
        list++;
    return list->name ? list : NULL;
}

_Noreturn void table_options_unknown(lua_State *L, struct place place,
                                     const struct steady_option *list, const char *const *others)
{
    const char *names[64];
    size_t count = 0;
    for (; list->name; list++)
        names[count++] = list->name;
    while (others && *others)
        names[count++] = *others++;
    names[count] = NULL;
    const char *near = steady_nearest_name(place.name, names);
    place_wrong(L, place,
                near ? lua_pushfstring(L, "is unknown; did you mean '%s'?", near) : "is unknown");
}

static void read_group(lua_State *L, struct steady_options *options,
                       const struct steady_option *option)
{
    bool can_switch = option->offset != STEADY_NO_SWITCH;
    if (can_switch)
        *(int *)member(options, option) = !lua_isboolean(L, -1) || lua_toboolean(L, -1);
    if (can_switch && lua_isboolean(L, -1))
        return;
    if (!lua_istable(L, -1))
        place_wrong_type(L, (struct place){NULL, option->name},
                         can_switch ? "table or boolean" : "table", -1);
    lua_pushnil(L);
    while (lua_next(L, -2)) {
        struct place place = {option->name, place_key(L, option->name)};
        const struct steady_option *field = table_options_find(option->fields, place.name);
        if (field)
            table_options_read(L, options, field, place);
        else
            table_options_unknown(L, place, option->fields, NULL);
        lua_pop(L, 1);
    }
}
