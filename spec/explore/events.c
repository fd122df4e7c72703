/* The events that wait, which nobody but their owner sees: so their source is a part of this one.
 */
#include "explore.h"

#include "substitutes.h"

#include "client/events.c"

uint64_t events_number(uint64_t number)
{
    const struct steady_events *events = &world.client.events;
    for (const struct steady_queued_event *queued = events->first; queued; queued = queued->next)
        number =
            mix(number, (uint64_t)queued->event.type << 16 | (uint64_t)queued->event.status << 8 |
                            (uint64_t)queued->event.old_status);
    return mix(number, events->incomplete);
}
