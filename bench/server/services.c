#include "services.h"

#include "counters.h"
#include "flood.h"
#include "frame.h"

#include <stdio.h>
#include <string.h>

bool service_needs_payload(const struct connection *c)
{
    return c->service == ECHO || c->deflate;
}

static void sink(struct connection *c, uint64_t size)
{
    char answer[128] = "end";
    c->messages++;
    c->wrong += size != c->size;
    if (c->messages != c->count)
        return;
    if (c->wrong > 0)
        snprintf(answer, sizeof answer, "%llu messages of another size came",
                 (unsigned long long)c->wrong);
    frame_send(c, FIN | TEXT, answer, strlen(answer));
}

void service_message(struct connection *c, uint64_t size)
{
    if (c->service == SINK)
        sink(c, size);
    if (c->service == FLOOD && !c->flood)
        flood_begin(c);
}

void service_echo(struct connection *c, uint8_t first, uint8_t *payload, uint64_t size)
{
    uint8_t header[LONGEST_HEADER];
    size_t header_size = frame_header(header, first, size);
    counters.messages += (first & FIN) != 0;
    memcpy(payload - header_size, header, header_size);
    connection_send(c, payload - header_size, header_size + (size_t)size);
}
