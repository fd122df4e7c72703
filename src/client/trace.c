#include "client/trace.h"

#include <stdio.h>
#include <string.h>

/* At most this many bytes of lines wait for the owner. Otherwise a program that sends without
 * letting the loop run would fill its memory with lines. */
#define WAITING_MAX (1024 * 1024)

static void tell_line(struct steady_client *c, enum steady_level level, const char *line)
{
    struct steady_event event = {.type = STEADY_EVENT_LINE, .level = level, .message = line};
    steady_client_tell(c, &event);
}

/* Leaves the line out when the client is idle or closed, because nobody takes its events then. */
static void write_line(struct steady_trace *trace, enum steady_level level, const char *line)
{
    struct steady_client *c =
        (struct steady_client *)((char *)trace - offsetof(struct steady_client, trace));
    if (!c->alive)
        return;
    if (c->events.line_bytes > WAITING_MAX) {
        c->lines_missing++;
        return;
    }
    if (c->lines_missing) {
        char missing[96];
        snprintf(missing, sizeof missing,
                 "%zu lines are missing here: they came faster than the log took them",
                 c->lines_missing);
        c->lines_missing = 0;
        tell_line(c, level, missing);
    }
    tell_line(c, level, line);
}

void steady_client_trace(struct steady_client *c, enum steady_level level)
{
    c->trace.level = level;
    c->trace.write = write_line;
    if (level < STEADY_LEVEL_TRACE)
        c->link.received.open = c->link.sent.open = false;
}

/* The protocol has read everything that arrived before these bytes, so its state says where in a
 * frame they begin. */
void steady_client_trace_received_frames(struct steady_client *c, const uint8_t *bytes, size_t size)
{
    const struct steady_protocol *protocol = &c->link.protocol;
    if (!c->link.received.open)
        steady_tap_open(&c->link.received, protocol->header,
                        protocol->in_payload ? 0 : protocol->header_size, protocol->payload_left);
    steady_tap_bytes(&c->link.received, &c->trace, '<', bytes, size);
}

bool steady_client_trace_open_sent(struct steady_client *c)
{
    struct steady_tap *tap = &c->link.sent;
    if (!tap->open && steady_protocol_is_between_frames(&c->link.protocol))
        steady_tap_open(tap, NULL, 0, 0);
    return tap->open;
}

void steady_client_trace_sent(struct steady_client *c, const uint8_t *bytes, size_t size)
{
    steady_tap_bytes(&c->link.sent, &c->trace, '>', bytes, size);
}
