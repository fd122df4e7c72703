#include "event.h"

#include "flood.h"
#include "frames.h"
#include "services.h"
#include "upgrade.h"

#include <stdlib.h>

#define FIRST_INPUT (16 * 1024)  /* bytes of a connection's input */
#define SINK_INPUT  (512 * 1024) /* for one that sends much */
#define LONG        (16 * 1024)  /* a payload that the kernel may as well throw away */
#define LITTLE      4096         /* to read after a long payload: the next header is in it */
#define READS       32           /* in a row, before others have their turn */

void event_writable(struct connection *c)
{
    if (!connection_flush(c))
        return;
    if (c->frames_left > 0)
        flood_go_on(c);
    connection_arm(c);
}

static void take(struct connection *c)
{
    if (c->service == REQUEST && !upgrade_take(c))
        return;
    if (!c->dead)
        frames_take(c);
    if (c->dead || c->in.begin < c->in.end)
        return;
    c->in.begin = c->in.end = 0;
    if (c->service == HOLD) {
        free(c->in.bytes);
        c->in = (struct buffer){0};
    }
}

void event_readable(struct connection *c)
{
    if (!connection_accepted(c))
        return;
    /* What TLS has decrypted wakes nobody up. */
    for (int i = 0; !c->dead && (c->ssl || i < READS); i++) {
        bool discard = !c->ssl && c->skip >= LONG;
        size_t wanted;
        if (discard) {
            wanted = c->skip < SIZE_MAX ? (size_t)c->skip : SIZE_MAX;
        } else {
            buffer_reserve(&c->in, c->service == SINK ? SINK_INPUT : FIRST_INPUT);
            if (c->in.end == c->in.capacity)
                buffer_reserve(&c->in, 2 * (c->in.end - c->in.begin) + FIRST_INPUT);
            wanted = c->in.capacity - c->in.end;
            if (!c->ssl && c->payload_size >= LONG && c->in.begin == c->in.end &&
                !service_needs_payload(c) && wanted > LITTLE)
                wanted = LITTLE;
        }
        size_t got = connection_read(c, discard ? NULL : c->in.bytes + c->in.end, wanted);
        if (got == 0)
            return;
        if (discard) {
            c->skip -= got;
            frames_take(c);
        } else {
            c->in.end += got;
            take(c);
        }
        if (!c->ssl && got < wanted)
            return;
    }
}
