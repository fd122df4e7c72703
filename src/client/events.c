#include "client/events.h"

#include <stdlib.h>
#include <string.h>

struct steady_queued_event {
    struct steady_queued_event *next;
    struct steady_event event;
    struct steady_buffer headers;
    char *data, *protocol, *url, *address, *message; /* the memory to which `event` points */
};

static void free_queued(struct steady_queued_event *queued)
{
    if (!queued)
        return;
    steady_buffer_free(&queued->headers);
    free(queued->data);
    free(queued->protocol);
    free(queued->url);
    free(queued->address);
    free(queued->message);
    free(queued);
}

/* Sets *to to a copy of a text, with a NUL byte behind it. Does nothing when the text is NULL.
 * Returns false when memory is out. */
static bool copy(char **to, const char *text, size_t size)
{
    if (!text)
        return true;
    *to = malloc(size + 1);
    if (!*to)
        return false;
    memcpy(*to, text, size);
    (*to)[size] = 0;
    return true;
}

static bool copy_text(char **to, const char **text)
{
    bool done = copy(to, *text, *text ? strlen(*text) : 0);
    *text = *to;
    return done;
}

static bool copy_all(struct steady_queued_event *queued)
{
    struct steady_event *event = &queued->event;
    const struct steady_buffer *headers = event->headers;
    bool done = copy(&queued->data, (const char *)event->data, event->size) &&
                copy_text(&queued->protocol, &event->protocol) &&
                copy_text(&queued->url, &event->url) &&
                copy_text(&queued->address, &event->address) &&
                copy_text(&queued->message, &event->message) &&
                (!headers || !headers->size ||
                 steady_buffer_append(&queued->headers, headers->data, headers->size));
    event->data = (const uint8_t *)queued->data;
    event->headers = headers ? &queued->headers : NULL;
    return done;
}

/* Returns the number of bytes that a LINE event adds to the member `line_bytes`, and 0 for other
 * events. */
static size_t line_bytes(const struct steady_event *event)
{
    return event->type == STEADY_EVENT_LINE
               ? sizeof(struct steady_queued_event) + strlen(event->message)
               : 0;
}

bool steady_events_push(struct steady_events *events, const struct steady_event *event)
{
    return steady_events_insert(events, events->last, event);
}

bool steady_events_insert(struct steady_events *events, struct steady_queued_event *after,
                          const struct steady_event *event)
{
    struct steady_queued_event *queued = calloc(1, sizeof *queued);
    if (queued)
        queued->event = *event;
    if (!queued || !copy_all(queued)) {
        free_queued(queued);
        events->incomplete = true;
        return false;
    }
    struct steady_queued_event **link = after ? &after->next : &events->first;
    queued->next = *link;
    *link = queued;
    if (events->last == after)
        events->last = queued;
    events->count++;
    events->line_bytes += line_bytes(event);
    return true;
}

bool steady_events_pop(struct steady_events *events, struct steady_event *event)
{
    free_queued(events->current);
    events->current = events->first;
    if (!events->first) {
        *event = (struct steady_event){.type = STEADY_EVENT_INCOMPLETE};
        bool incomplete = events->incomplete;
        events->incomplete = false;
        return incomplete;
    }
    events->first = events->first->next;
    if (!events->first)
        events->last = NULL;
    *event = events->current->event;
    events->count--;
    events->line_bytes -= line_bytes(event);
    return true;
}

bool steady_events_empty(const struct steady_events *events)
{
    return !events->first && !events->incomplete;
}

void steady_events_clear(struct steady_events *events)
{
    struct steady_event event;
    while (steady_events_pop(events, &event)) {
    }
}
