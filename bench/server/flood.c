#define _GNU_SOURCE
#include "flood.h"

#include "check.h"
#include "counters.h"
#include "deflate.h"
#include "frame.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <unistd.h>

#define BATCH_SIZE (1024 * 1024)      /* bytes of messages in a batch, at least one */
#define WINDOW     (32 * 1024)        /* what deflate refers to */
#define TURN       (8u * 1024 * 1024) /* bytes, before others have theirs */
#define MOST_LINES 4096

const char *flood_texts = ".";

/* Ready frames, which begin again when they are all sent. */
struct batch {
    int file; /* the same bytes, for sendfile */
    uint8_t *bytes;
    size_t *ends; /* of each frame */
    size_t frames;
};

struct flood {
    struct flood *next;
    size_t size;
    bool texts, deflate, takeover;
    struct batch first, again; /* with context takeover the first one has nothing to refer to */
};

/* ------------------------------------------------------------------------- messages */

/* The messages of a batch one behind the other, all of one size. */
struct messages {
    uint8_t *bytes;
    size_t size, count;
};

/* Numbered, so that no client is flattered by equal strings. */
static struct messages letters(size_t size)
{
    struct messages m = {.size = size, .count = size < BATCH_SIZE ? BATCH_SIZE / (size + 4) : 1};
    m.bytes = malloc(m.count * size + 1);
    check(m.bytes, "malloc");
    for (size_t i = 0; i < m.count; i++) {
        uint8_t *message = m.bytes + i * size;
        char number[24];
        size_t digits = (size_t)snprintf(number, sizeof number, "%08zu", i);
        for (size_t j = 0; j < size; j++)
            message[j] = j < digits ? (uint8_t)number[j] : (uint8_t)('a' + (i + j) % 26);
    }
    return m;
}

static struct messages lines(size_t size)
{
    char path[4096];
    struct messages m = {.size = size};
    snprintf(path, sizeof path, "%s/%zu", flood_texts, size);
    FILE *file = fopen(path, "r");
    check(file, path);
    m.bytes = malloc(MOST_LINES * (size + 1));
    check(m.bytes, "malloc");
    while (m.count < MOST_LINES && fread(m.bytes + m.count * size, size, 1, file) == 1) {
        check(fgetc(file) == '\n', "a line of another size");
        m.count++;
    }
    fclose(file);
    check(m.count * size >= WINDOW, "too few texts");
    return m;
}

/* ------------------------------------------------------------------------- frames */

/* Into a file in memory, which sendfile need not copy. */
static void keep(struct batch *batch, const uint8_t *frames, size_t size)
{
    batch->file = memfd_create("flood", 0);
    check(batch->file >= 0 && !ftruncate(batch->file, (off_t)size), "memfd_create");
    batch->bytes = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, batch->file, 0);
    check(batch->bytes != MAP_FAILED, "mmap");
    memcpy(batch->bytes, frames, size);
}

static void make_batch(struct batch *batch, const struct messages *m, z_stream *stream,
                       bool takeover)
{
    size_t room = m->count * (m->size + m->size / 8 + 64), end = 0;
    uint8_t *frames = malloc(room), *packed = malloc(m->size + m->size / 8 + 64);
    batch->ends = malloc(m->count * sizeof *batch->ends);
    check(frames && packed && batch->ends, "malloc");
    batch->frames = m->count;
    for (size_t i = 0; i < m->count; i++) {
        const uint8_t *message = m->bytes + i * m->size;
        size_t size = m->size;
        if (stream) {
            size = deflate_message(stream, takeover, message, size, packed,
                                   m->size + m->size / 8 + 64);
            message = packed;
        }
        end += frame_header(frames + end, FIN | TEXT | (stream ? RSV1 : 0), size);
        memcpy(frames + end, message, size);
        end += size;
        batch->ends[i] = end;
    }
    keep(batch, frames, end);
    free(frames);
    free(packed);
}

/* With context takeover the second batch refers to the end of the first, as does any later one to
 * the end of that before it: the same bytes again. */
static struct flood *make(const struct connection *c)
{
    struct flood *flood = calloc(1, sizeof *flood);
    struct messages m = c->texts ? lines((size_t)c->size) : letters((size_t)c->size);
    z_stream stream = {0};
    check(flood, "calloc");
    flood->size = (size_t)c->size;
    flood->texts = c->texts;
    flood->deflate = c->deflate;
    flood->takeover = c->server_takeover;
    if (c->deflate)
        check(deflateInit2(&stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, -15, 8,
                           Z_DEFAULT_STRATEGY) == Z_OK,
              "deflateInit2");
    make_batch(&flood->first, &m, c->deflate ? &stream : NULL, c->server_takeover);
    flood->again = flood->first;
    if (c->deflate && c->server_takeover)
        make_batch(&flood->again, &m, &stream, true);
    if (c->deflate)
        deflateEnd(&stream);
    free(m.bytes);
    return flood;
}

static const struct flood *get(const struct connection *c)
{
    static struct flood *floods;
    for (struct flood *flood = floods; flood; flood = flood->next)
        if (flood->size == c->size && flood->texts == c->texts && flood->deflate == c->deflate &&
            flood->takeover == c->server_takeover)
            return flood;
    struct flood *flood = make(c);
    flood->next = floods;
    floods = flood;
    return flood;
}

void flood_prepare(const struct connection *c)
{
    get(c);
}

/* ------------------------------------------------------------------------- sending */

static void start_batch(struct connection *c, const struct batch *batch)
{
    const size_t frames = c->frames_left < batch->frames ? (size_t)c->frames_left : batch->frames;
    c->batch = batch;
    c->position = 0;
    c->stop = frames > 0 ? batch->ends[frames - 1] : 0;
}

void flood_begin(struct connection *c)
{
    c->flood = get(c);
    c->frames_left = c->count;
    start_batch(c, &c->flood->first);
    flood_go_on(c);
    connection_arm(c);
}

static size_t send_some(struct connection *c, size_t size)
{
    off_t position = (off_t)c->position;
    if (c->ssl)
        return connection_write(c, c->batch->bytes + c->position, size);
    ssize_t sent = sendfile(c->socket, c->batch->file, &position, size);
    if (sent > 0)
        return (size_t)sent;
    if (errno != EAGAIN && errno != EINTR)
        connection_drop(c);
    return 0;
}

void flood_go_on(struct connection *c)
{
    size_t turn = TURN;
    while (c->frames_left > 0 && turn > 0) {
        size_t rest = c->stop - c->position;
        size_t sent = send_some(c, rest < turn ? rest : turn);
        if (c->dead || sent == 0)
            return;
        counters.bytes_out += sent;
        c->position += sent;
        turn -= sent;
        if (c->position < c->stop)
            continue;
        c->frames_left -= c->frames_left < c->batch->frames ? c->frames_left : c->batch->frames;
        start_batch(c, &c->flood->again);
    }
}
