#include "core/holds.h"

#include <stdlib.h>

/* Returns the 64-bit FNV-1a hash of the URL without its query. */
static uint64_t hash(const struct steady_url *url)
{
    uint64_t value = 0xCBF29CE484222325;
    for (const char *at = url->text; *at && *at != '?'; at++)
        value = (value ^ (unsigned char)*at) * 0x100000001B3;
    return value;
}

/* Returns the index of the URL in the list, or STEADY_HOLDS_MAX when it is not there. */
static size_t find(const struct steady_holds *holds, const struct steady_url *url)
{
    if (!holds->list)
        return STEADY_HOLDS_MAX;
    uint64_t key = hash(url);
    size_t i = 0;
    while (i < STEADY_HOLDS_MAX && holds->list[i].url != key)
        i++;
    return i;
}

static size_t first_to_end(const struct steady_holds *holds)
{
    size_t first = 0;
    for (size_t i = 1; i < STEADY_HOLDS_MAX; i++)
        if (holds->list[i].until < holds->list[first].until)
            first = i;
    return first;
}

void steady_holds_set(struct steady_holds *holds, const struct steady_url *url, double until)
{
    if (!holds->list && !(holds->list = calloc(STEADY_HOLDS_MAX, sizeof *holds->list)))
        return;
    size_t place = find(holds, url);
    if (place == STEADY_HOLDS_MAX)
        place = first_to_end(holds);
    holds->list[place].url = hash(url);
    holds->list[place].until = until;
}

void steady_holds_end(struct steady_holds *holds, const struct steady_url *url)
{
    size_t place = find(holds, url);
    if (place < STEADY_HOLDS_MAX)
        holds->list[place].until = 0;
}

void steady_holds_free(struct steady_holds *holds)
{
    free(holds->list);
    holds->list = NULL;
}

double steady_holds_until(const struct steady_holds *holds, const struct steady_url *url)
{
    size_t place = find(holds, url);
    return place < STEADY_HOLDS_MAX ? holds->list[place].until : 0;
}

size_t steady_holds_choose(const struct steady_holds *holds, const struct steady_url *urls,
                           size_t count, size_t turn, double now)
{
    size_t best = turn % count;
    for (size_t i = 0; i < count; i++) {
        size_t index = (turn + i) % count;
        double until = steady_holds_until(holds, &urls[index]);
        if (until <= now)
            return index;
        if (until < steady_holds_until(holds, &urls[best]))
            best = index;
    }
    return best;
}
