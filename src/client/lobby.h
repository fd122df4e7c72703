/* The lobby is where the attempts of a loop wait for their turn. Only STEADY_ATTEMPTS_MAX of them
 * are under way at a time, because thousands at once would fill a server's queue of connections,
 * and many of them would time out. */
#ifndef STEADY_CLIENT_LOBBY_H
#define STEADY_CLIENT_LOBBY_H

#include "loop/ready.h"

#include <stdbool.h>
#include <stddef.h>

/* The number of attempts of a loop that are under way at a time, at most; see docs/decisions.md. */
#define STEADY_ATTEMPTS_MAX 128

struct steady_lobby {
    struct steady_ready_list waiting; /* the first one has waited longest */
    size_t under_way;
};

void steady_lobby_init(struct steady_lobby *lobby);

/* Runs the guest, which is an attempt, at once if there is a place. Otherwise it waits behind those
 * that came before it, and is run from inside of a later steady_lobby_leave. */
void steady_lobby_enter(struct steady_lobby *lobby, struct steady_ready *guest);

/* Returns whether the guest waits. */
static inline bool steady_lobby_has(const struct steady_ready *guest)
{
    return guest->next != NULL;
}

/* Removes a guest that waits or has a place. In the second case the guest that has waited longest
 * gets its place. */
void steady_lobby_leave(struct steady_lobby *lobby, struct steady_ready *guest);

#endif
