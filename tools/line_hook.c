/* Writes down which lines of our Lua files run: for tools/coverage, which has every interpreter
 * that the specs start load this. In C, since only then coroutines inherit the hook, also those
 * that are made in C.
 *
 * STEADY_LINES is a folder with a file for each of ours, whose byte n becomes 1 when line n has
 * run. The files are mapped, so that a process which is killed has told, too. */
#include <fcntl.h>
#include <lua.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* Where the specs' LUA_PATH finds them. */
#define OURS "build/coverage/steadysocket/"

#define COUNT 64

static struct source {
    char name[200];
    unsigned char *ran;
    size_t size;
} sources[COUNT + 1]; /* the last one stays empty */

static void map(struct source *source, const char *name)
{
    char path[4096];
    struct stat status;
    snprintf(source->name, sizeof source->name, "%s", name);
    snprintf(path, sizeof path, "%s/%s", getenv("STEADY_LINES"), name);
    int file = open(path, O_RDWR);
    void *bytes = MAP_FAILED;
    if (file >= 0 && fstat(file, &status) == 0)
        bytes = mmap(NULL, (size_t)status.st_size, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    if (bytes == MAP_FAILED || source == sources + COUNT) {
        perror(path);
        abort();
    }
    close(file);
    source->ran = bytes;
    source->size = (size_t)status.st_size;
}

static struct source *find(const char *name)
{
    struct source *source = sources;
    while (source->name[0] && strcmp(source->name, name) != 0)
        source++;
    if (!source->name[0])
        map(source, name);
    return source;
}

static void line(lua_State *L, lua_Debug *now)
{
    lua_getinfo(L, "S", now);
    const char *ours = now->source[0] == '@' ? strstr(now->source, OURS) : NULL;
    if (!ours)
        return;
    struct source *source = find(ours + strlen(OURS));
    if ((size_t)now->currentline < source->size)
        source->ran[now->currentline] = 1;
}

int start(lua_State *L);
int start(lua_State *L)
{
    lua_sethook(L, line, LUA_MASKLINE, 0);
    return 0;
}
