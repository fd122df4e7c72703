#include "client/state.h"

bool steady_client_tell(struct steady_client *c, const struct steady_event *event)
{
    steady_ready_add(c->loop, &c->ready);
    return steady_events_push(&c->events, event);
}
