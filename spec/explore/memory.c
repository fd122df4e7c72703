/* The product's memory: each request may fail, and what is not given back is seen. */
#include "explore.h"

#include <stdlib.h>
#include <string.h>

long memory_in_use;

static bool fails(void)
{
    struct menu menu = {0};
    menu_add(&menu, true, 0, NULL);
    menu_add(&menu, true, 1, "        memory fails");
    bool failed = world.started && menu_choose_inside(&menu);
    if (failed)
        judge_memory_failed();
    return failed;
}

void *explore_malloc(size_t size)
{
    void *memory = fails() ? NULL : malloc(size ? size : 1);
    memory_in_use += memory != NULL;
    return memory;
}

void *explore_calloc(size_t count, size_t size)
{
    void *memory = explore_malloc(count * size);
    return memory ? memset(memory, 0, count * size) : NULL;
}

void *explore_realloc(void *memory, size_t size)
{
    if (!memory)
        return explore_malloc(size);
    return fails() ? NULL : realloc(memory, size);
}

char *explore_strndup(const char *text, size_t size)
{
    size = strnlen(text, size);
    char *copy = explore_malloc(size + 1);
    if (copy) {
        memcpy(copy, text, size);
        copy[size] = 0;
    }
    return copy;
}

char *explore_strdup(const char *text)
{
    return explore_strndup(text, strlen(text));
}

void explore_free(void *memory)
{
    memory_in_use -= memory != NULL;
    free(memory);
}
