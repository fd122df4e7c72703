#include "deflate.h"

#include "check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const uint8_t tail[4] = {0x00, 0x00, 0xff, 0xff};

/* The first offer, whatever it asks for, without limits on windows: a client that asks for a
 * smaller one of ours is refused the extension. */
void deflate_negotiate(struct connection *c, const char *offers, char *answer, size_t size)
{
    if (!offers || strncmp(offers, "permessage-deflate", 18) != 0 ||
        strstr(offers, "server_max_window_bits"))
        return;
    c->deflate = true;
    c->server_takeover = !strstr(offers, "server_no_context_takeover");
    c->client_takeover = !strstr(offers, "client_no_context_takeover");
    snprintf(answer, size, "Sec-WebSocket-Extensions: permessage-deflate%s%s\r\n",
             c->server_takeover ? "" : "; server_no_context_takeover",
             c->client_takeover ? "" : "; client_no_context_takeover");
}

size_t deflate_message(z_stream *stream, bool takeover, const void *data, size_t size, uint8_t *out,
                       size_t capacity)
{
    if (!takeover)
        deflateReset(stream);
    stream->next_in = (Bytef *)(uintptr_t)data;
    stream->avail_in = (uInt)size;
    stream->next_out = out;
    stream->avail_out = (uInt)capacity;
    check(deflate(stream, Z_SYNC_FLUSH) == Z_OK && stream->avail_out > 0, "deflate");
    return capacity - stream->avail_out - sizeof tail;
}

static uint64_t inflate_part(z_stream *stream, const uint8_t *bytes, size_t size)
{
    static uint8_t out[256 * 1024];
    uint64_t produced = 0;
    stream->next_in = (Bytef *)(uintptr_t)bytes;
    stream->avail_in = (uInt)size;
    do {
        stream->next_out = out;
        stream->avail_out = sizeof out;
        int result = inflate(stream, Z_SYNC_FLUSH);
        produced += sizeof out - stream->avail_out;
        if (result == Z_STREAM_END) /* a final block: what follows begins anew */
            inflateReset(stream);
        else if (result != Z_OK)
            break;
    } while (stream->avail_in > 0 || stream->avail_out == 0);
    return produced;
}

uint64_t deflate_inflated(struct connection *c, const uint8_t *payload, size_t size, bool last)
{
    if (!c->inflater) {
        c->inflater = calloc(1, sizeof *c->inflater);
        check(c->inflater && inflateInit2(c->inflater, -15) == Z_OK, "inflateInit2");
    }
    uint64_t produced = inflate_part(c->inflater, payload, size);
    if (last) {
        produced += inflate_part(c->inflater, tail, sizeof tail);
        if (!c->client_takeover)
            inflateReset(c->inflater);
    }
    return produced;
}
