/* A program with Lua states beside each other, for thread_spec.lua. See compiled.lua. */
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

static void in_a_row(struct job *jobs, int count)
{
    for (int i = 0; i < count; i++)
        begin_and_end(&jobs[i]);
}

static void at_once(struct job *jobs, int count)
{
    for (int i = 0; i < count; i++)
        begin(&jobs[i]);
    for (int i = 0; i < count; i++)
        lua_close(jobs[i].L);
}

static void in_threads(struct job *jobs, int count)
{
    pthread_t *threads = calloc((size_t)count, sizeof *threads);
    for (int i = 0; i < count; i++)
        pthread_create(&threads[i], NULL, begin_and_end, &jobs[i]);
    for (int i = 0; i < count; i++)
        pthread_join(threads[i], NULL);
    free(threads);
}

/* states FILE ARGUMENT ROUNDS COUNT: runs the file in so many states of their own, each with the
 * argument, and closes them: in a row, at once, in threads; then the next round. Tells the first
 * error. */
int main(int argc, char **argv)
{
    static const char *const names[] = {"in a row", "at once", "in threads"};
    static void (*const ways[])(struct job *, int) = {in_a_row, at_once, in_threads};
    if (argc != 5)
        return 2;
    int rounds = atoi(argv[3]), count = atoi(argv[4]);
    struct job *jobs = calloc((size_t)count, sizeof *jobs);
    for (int round = 0; round < rounds; round++)
        for (int way = 0; way < 3; way++) {
            for (int i = 0; i < count; i++)
                jobs[i] = (struct job){.path = argv[1], .argument = argv[2]};
            ways[way](jobs, count);
            for (int i = 0; i < count; i++)
                if (jobs[i].message[0]) {
                    fprintf(stderr, "%s, state %d: %s\n", names[way], i, jobs[i].message);
                    return 1;
                }
            if (!round)
                puts(names[way]);
        }
    free(jobs);
    return 0;
}
