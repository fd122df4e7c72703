/* Preloaded into an interpreter: makes one allocation fail, the module's or Lua's, and sees to it
 * that what the module allocates is freed. For memory_spec.lua, which compiles this when it runs.
 *
 *     FAILING_MALLOC=module:17    the 17th allocation made by steadysocket's own code fails
 *     FAILING_MALLOC=lua:17       the 17th made by the interpreter, and the one with which it tries
 *                                 again after a collection
 *     FAILING_MALLOC=module:0     none does
 *
 * Counting begins when the program asks for the environment's FAILING_MALLOC_BEGIN. At the end of
 * the process standard error gets a line "failing_malloc: COUNT allocations, LIVE not freed": those
 * counted, and those of the module's since then that nobody freed. Whose an allocation is, the
 * address says from which the allocator was called. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *memory, size_t size);
void __libc_free(void *memory);

#define LIVE_MAX 100000

static struct {
    bool counting, lua;
    long fail_at, count;
    size_t again; /* bytes of Lua's second try; 0: none is expected */
    void *live[LIVE_MAX];
    size_t live_count;
} state;

/* libuv's threads allocate, too. */
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;

static bool is_from(const void *caller, bool lua)
{
    Dl_info info;
    if (!dladdr(caller, &info) || !info.dli_fname)
        return false;
    const char *name = strrchr(info.dli_fname, '/');
    name = name ? name + 1 : info.dli_fname;
    return lua ? !strncmp(name, "lua", 3) && !strstr(name, ".so") : !strcmp(name, "core.so");
}

/* Whether this one shall fail. */
static bool fails(const void *caller, size_t size)
{
    bool failing = false;
    if (!state.counting || !size || !is_from(caller, state.lua))
        return false;
    pthread_mutex_lock(&mutex);
    if (state.again == size)
        failing = true;
    else
        failing = ++state.count == state.fail_at;
    state.again = failing && state.lua && !state.again ? size : 0;
    pthread_mutex_unlock(&mutex);
    return failing;
}

static void remember(const void *caller, void *memory)
{
    if (!memory || !state.counting || !is_from(caller, false))
        return;
    pthread_mutex_lock(&mutex);
    if (state.live_count < LIVE_MAX)
        state.live[state.live_count++] = memory;
    pthread_mutex_unlock(&mutex);
}

static void forget(const void *memory)
{
    if (!memory || !state.live_count)
        return;
    pthread_mutex_lock(&mutex);
    for (size_t i = state.live_count; i > 0; i--)
        if (state.live[i - 1] == memory) {
            state.live[i - 1] = state.live[--state.live_count];
            break;
        }
    pthread_mutex_unlock(&mutex);
}

void *malloc(size_t size)
{
    const void *caller = __builtin_return_address(0);
    void *memory = fails(caller, size) ? NULL : __libc_malloc(size);
    remember(caller, memory);
    return memory;
}

void *calloc(size_t count, size_t size)
{
    const void *caller = __builtin_return_address(0);
    void *memory = fails(caller, count * size) ? NULL : __libc_calloc(count, size);
    remember(caller, memory);
    return memory;
}

void *realloc(void *old, size_t size)
{
    const void *caller = __builtin_return_address(0);
    if (fails(caller, size))
        return NULL;
    forget(old);
    void *memory = __libc_realloc(old, size);
    remember(caller, memory);
    return memory;
}

void free(void *memory)
{
    forget(memory);
    __libc_free(memory);
}

static void report(void)
{
    char line[128];
    int size = snprintf(line, sizeof line, "failing_malloc: %ld allocations, %zu not freed\n",
                        state.count, state.live_count);
    state.counting = false;
    if (write(2, line, (size_t)size) != size)
        _exit(1);
}

/* The one call of a Lua program that reaches C by a name of its choice. */
char *getenv(const char *name)
{
    static char *(*real)(const char *);
    if (!real)
        real = (char *(*)(const char *))dlsym(RTLD_NEXT, "getenv");
    if (!strcmp(name, "FAILING_MALLOC_BEGIN")) {
        const char *what = real("FAILING_MALLOC");
        state.lua = what && !strncmp(what, "lua:", 4);
        state.fail_at = what ? atol(strchr(what, ':') + 1) : 0;
        atexit(report);
        state.counting = true;
    }
    return real(name);
}
