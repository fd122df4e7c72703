#include "client/lobby.h"

void steady_lobby_init(struct steady_lobby *lobby)
{
    steady_ready_list_init(&lobby->waiting);
    lobby->under_way = 0;
}

static void admit(struct steady_lobby *lobby, struct steady_ready *guest)
{
    lobby->under_way++;
    guest->run(guest);
}

void steady_lobby_enter(struct steady_lobby *lobby, struct steady_ready *guest)
{
    if (lobby->under_way < STEADY_ATTEMPTS_MAX)
        admit(lobby, guest);
    else
        steady_ready_list_add(&lobby->waiting, guest);
}

void steady_lobby_leave(struct steady_lobby *lobby, struct steady_ready *guest)
{
    if (steady_lobby_has(guest)) {
        steady_ready_remove(guest);
        return;
    }
    lobby->under_way--;
    struct steady_ready *next = steady_ready_list_take(&lobby->waiting);
    if (next)
        admit(lobby, next);
}
