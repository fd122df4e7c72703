/* Attempts of a loop that wait until fewer are under way. Thousands at once would fill the queues
 * of servers that accept connections, and would all be timed out by the work that they are for each
 * other. */
#ifndef STEADY_CLIENT_LOBBY_H
#define STEADY_CLIENT_LOBBY_H

#include <stdbool.h>
#include <stddef.h>

/* Attempts of one loop that are under way at a time, see docs/decisions.md. */
#define STEADY_ATTEMPTS_MAX 128

/* One that wants to be under way. Zeroed, with `admitted` set, it is outside. */
struct steady_guest {
    struct steady_guest *next, *previous; /* in a ring while it waits; NULL otherwise */
    void (*admitted)(struct steady_guest *guest);
};

struct steady_lobby {
    struct steady_guest waiting; /* head of the ring; the first one has waited longest */
    size_t under_way;
};

void steady_lobby_init(struct steady_lobby *lobby);

/* The call `admitted` comes now, if there is a place; otherwise when all who came before have had
 * theirs, from inside of steady_lobby_leave. */
void steady_lobby_enter(struct steady_lobby *lobby, struct steady_guest *guest);

/* Whether the guest waits. */
static inline bool steady_lobby_has(const struct steady_guest *guest)
{
    return guest->next != NULL;
}

/* The guest does not wait any more; or, if it was admitted, its place is free for the next. */
void steady_lobby_leave(struct steady_lobby *lobby, struct steady_guest *guest);

#endif
