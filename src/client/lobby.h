/* The waiting room of a loop's attempts. Only so many are under way at a time: thousands at once
 * would fill a server's queue of connections, and would time each other out. */
#ifndef STEADY_CLIENT_LOBBY_H
#define STEADY_CLIENT_LOBBY_H

#include <stdbool.h>
#include <stddef.h>

/* So many attempts of a loop are under way at a time, see docs/decisions.md. */
#define STEADY_ATTEMPTS_MAX 128

/* An attempt, as the lobby sees it. A zeroed struct with `admitted` set is outside. */
struct steady_guest {
    struct steady_guest *next, *previous; /* in a ring while it waits; NULL otherwise */
    void (*admitted)(struct steady_guest *guest);
};

struct steady_lobby {
    struct steady_guest waiting; /* head of the ring; the first one has waited longest */
    size_t under_way;
};

void steady_lobby_init(struct steady_lobby *lobby);

/* Calls `admitted` at once if there is a place. Otherwise the guest waits behind those that came
 * before it, and the call is made from inside of a later steady_lobby_leave. */
void steady_lobby_enter(struct steady_lobby *lobby, struct steady_guest *guest);

/* Returns whether the guest waits. */
static inline bool steady_lobby_has(const struct steady_guest *guest)
{
    return guest->next != NULL;
}

/* Removes a guest that waits or was admitted. In the second case the guest that has waited longest
 * gets its place. */
void steady_lobby_leave(struct steady_lobby *lobby, struct steady_guest *guest);

#endif
