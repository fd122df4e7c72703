#include "client/lobby.h"

void steady_lobby_init(struct steady_lobby *lobby)
{
    lobby->waiting.next = lobby->waiting.previous = &lobby->waiting;
}

static void remove_guest(struct steady_guest *guest)
{
    guest->previous->next = guest->next;
    guest->next->previous = guest->previous;
    guest->next = guest->previous = NULL;
}

static void admit(struct steady_lobby *lobby, struct steady_guest *guest)
{
    lobby->under_way++;
    guest->admitted(guest);
}

void steady_lobby_enter(struct steady_lobby *lobby, struct steady_guest *guest)
{
    if (lobby->under_way < STEADY_ATTEMPTS_MAX) {
        admit(lobby, guest);
        return;
    }
    guest->next = &lobby->waiting;
    guest->previous = lobby->waiting.previous;
    guest->previous->next = guest->next->previous = guest;
}

void steady_lobby_leave(struct steady_lobby *lobby, struct steady_guest *guest)
{
    if (steady_lobby_has(guest)) {
        remove_guest(guest);
        return;
    }
    lobby->under_way--;
    struct steady_guest *next = lobby->waiting.next;
    if (next == &lobby->waiting)
        return;
    remove_guest(next);
    admit(lobby, next);
}
