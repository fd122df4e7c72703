/* Lua states beside each other in one process, for process_spec.lua, which compiles this when it
 * runs. */
#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

struct job {
    const char *path, *argument;
    lua_State *L;
    char message[512]; /* empty: all is well */
};

/* A state that has run the file, and is left as it is then. */
static void *begin(void *argument)
{
    struct job *job = argument;
    lua_State *L = job->L = luaL_newstate();
    luaL_openlibs(L);
    if (luaL_loadfile(L, job->path) == LUA_OK) {
        lua_pushstring(L, job->argument);
        if (lua_pcall(L, 1, 0, 0) == LUA_OK)
            return NULL;
    }
    snprintf(job->message, sizeof job->message, "%s", lua_tostring(L, -1));
    return NULL;
}

static void *begin_and_end(void *argument)
{
    struct job *job = argument;
    begin(job);
    lua_close(job->L);
    return NULL;
}

static void in_a_row(struct job *jobs, lua_Integer count)
{
    for (lua_Integer i = 0; i < count; i++)
        begin_and_end(&jobs[i]);
}

static void at_once(struct job *jobs, lua_Integer count)
{
    for (lua_Integer i = 0; i < count; i++)
        begin(&jobs[i]);
    for (lua_Integer i = 0; i < count; i++)
        lua_close(jobs[i].L);
}

static void in_threads(struct job *jobs, lua_Integer count)
{
    pthread_t *threads = calloc((size_t)count, sizeof *threads);
    for (lua_Integer i = 0; i < count; i++)
        pthread_create(&threads[i], NULL, begin_and_end, &jobs[i]);
    for (lua_Integer i = 0; i < count; i++)
        pthread_join(threads[i], NULL);
    free(threads);
}

/* run("in a row" | "at once" | "in threads", count, path, argument): runs the file in so many
 * states of their own, each with the argument, and closes them. Raises the first error. */
static int states_run(lua_State *L)
{
    static const char *const names[] = {"in a row", "at once", "in threads", NULL};
    static void (*const ways[])(struct job *, lua_Integer) = {in_a_row, at_once, in_threads};
    int way = luaL_checkoption(L, 1, NULL, names);
    lua_Integer count = luaL_checkinteger(L, 2);
    const char *path = luaL_checkstring(L, 3), *argument = luaL_checkstring(L, 4);
    struct job *jobs = lua_newuserdatauv(L, (size_t)count * sizeof *jobs, 0);
    for (lua_Integer i = 0; i < count; i++)
        jobs[i] = (struct job){.path = path, .argument = argument};
    ways[way](jobs, count);
    for (lua_Integer i = 0; i < count; i++)
        if (jobs[i].message[0])
            return luaL_error(L, "state %d: %s", (int)i, jobs[i].message);
    return 0;
}

int luaopen_states(lua_State *L);

int luaopen_states(lua_State *L)
{
    lua_pushcfunction(L, states_run);
    return 1;
}
