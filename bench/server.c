/* The other end of the measurements: a WebSocket server that does as little as possible, so that
 * the client is what is measured.
 *
 *     server [PORT]        prints the port it got, once it listens
 *
 *     /flood?size=S&count=N   after the client's first message, N text messages of S bytes
 *     /sink?size=S&count=N    swallows N messages, then answers "end", or what was wrong with them
 *     /echo                   each message back
 *
 * Loopback only, a process a connection, blocking sockets. It trusts its clients: no timeouts, and
 * whatever it does not expect ends the connection. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/evp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define GUID       "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
#define INPUT_SIZE (512 * 1024) /* bytes */
#define BATCH_SIZE (256 * 1024) /* bytes of ready frames: what stays in a core's cache */
#define LEAD       10           /* bytes in front of the input, for a header of our own */

enum { FIN = 0x80, TEXT = 1, CONTROL = 8, MASKED = 0x80 };

struct peer {
    int socket;
    uint8_t *input;
    size_t begin, end, capacity; /* of what is in input and not yet used */
};

struct frame {
    uint8_t first; /* FIN and opcode */
    uint8_t key[4];
    uint64_t size;
};

static void check(bool fine, const char *what)
{
    if (fine)
        return;
    perror(what);
    exit(1);
}

static void send_all(int socket, const void *bytes, size_t size)
{
    const uint8_t *at = bytes;
    while (size > 0) {
        ssize_t sent = send(socket, at, size, MSG_NOSIGNAL);
        if (sent <= 0)
            exit(0);
        at += sent;
        size -= (size_t)sent;
    }
}

/* ------------------------------------------------------------------------- input */

static void receive(struct peer *peer)
{
    ssize_t got = recv(peer->socket, peer->input + peer->end, peer->capacity - peer->end, 0);
    if (got <= 0)
        exit(0);
    peer->end += (size_t)got;
}

/* Has at least `wanted` bytes in the input, however long that takes. */
static uint8_t *need(struct peer *peer, size_t wanted)
{
    const size_t held = peer->end - peer->begin;
    if (held < wanted && peer->capacity - peer->begin < wanted) {
        memmove(peer->input + LEAD, peer->input + peer->begin, held);
        peer->begin = LEAD;
        peer->end = LEAD + held;
    }
    if (peer->capacity - peer->begin < wanted) {
        peer->capacity = LEAD + wanted;
        peer->input = realloc(peer->input, peer->capacity);
        check(peer->input, "realloc");
    }
    while (peer->end - peer->begin < wanted)
        receive(peer);
    return peer->input + peer->begin;
}

static void used(struct peer *peer, size_t size)
{
    peer->begin += size;
    if (peer->begin == peer->end)
        peer->begin = peer->end = LEAD;
}

static struct frame read_header(struct peer *peer)
{
    const uint8_t *header = need(peer, 6);
    if (!(header[1] & MASKED))
        exit(1);
    unsigned length = header[1] & ~MASKED, extra = length == 127 ? 8 : length == 126 ? 2 : 0;
    struct frame frame = {.first = header[0], .size = extra ? 0 : length};
    header = need(peer, 6 + extra);
    for (unsigned i = 0; i < extra; i++)
        frame.size = frame.size << 8 | header[2 + i];
    memcpy(frame.key, header + 2 + extra, 4);
    used(peer, 6 + extra);
    return frame;
}

static void discard(struct peer *peer, uint64_t size)
{
    while (size > 0) {
        if (peer->begin == peer->end)
            receive(peer);
        uint64_t held = peer->end - peer->begin, part = size < held ? size : held;
        used(peer, part);
        size -= part;
    }
}

static void unmask(uint8_t *bytes, uint64_t size, const uint8_t key[4])
{
    uint32_t half, word;
    memcpy(&half, key, 4);
    uint64_t i = 0;
    for (; i + 4 <= size; i += 4) {
        memcpy(&word, bytes + i, 4);
        word ^= half;
        memcpy(bytes + i, &word, 4);
    }
    for (; i < size; i++)
        bytes[i] ^= key[i % 4];
}

/* ------------------------------------------------------------------------- output */

static size_t write_header(uint8_t *out, uint64_t size)
{
    unsigned extra = size < 126 ? 0 : size <= UINT16_MAX ? 2 : 8;
    out[0] = FIN | TEXT;
    out[1] = extra == 8 ? 127 : extra ? 126 : (uint8_t)size;
    for (unsigned i = 0; i < extra; i++)
        out[2 + i] = (uint8_t)(size >> (8 * (extra - 1 - i)));
    return 2 + extra;
}

static void send_text(int socket, const char *text)
{
    uint8_t frame[256];
    size_t size = write_header(frame, strlen(text));
    memcpy(frame + size, text, strlen(text));
    send_all(socket, frame, size + strlen(text));
}

/* ------------------------------------------------------------------------- what is served */

/* As many frames as make a batch, numbered, so that no client is flattered by equal strings.
 * Returns the bytes of one frame. */
static size_t make_batch(uint8_t **batch, size_t *frames, uint64_t size)
{
    uint8_t header[10];
    const size_t header_size = write_header(header, size), frame = header_size + size;
    *frames = frame < BATCH_SIZE ? BATCH_SIZE / frame : 1;
    *batch = malloc(*frames * frame);
    check(*batch, "malloc");
    for (size_t i = 0; i < *frames; i++) {
        uint8_t *payload = *batch + i * frame + header_size;
        char number[24];
        int digits = snprintf(number, sizeof number, "%08zu", i);
        memcpy(payload - header_size, header, header_size);
        for (size_t j = 0; j < size; j++)
            payload[j] = j < (size_t)digits ? (uint8_t)number[j] : (uint8_t)('a' + (i + j) % 26);
    }
    return frame;
}

static void flood(struct peer *peer, uint64_t size, uint64_t count)
{
    uint8_t *batch;
    size_t frames, frame = make_batch(&batch, &frames, size);
    struct frame go = read_header(peer);
    discard(peer, go.size);
    for (uint64_t left = count; left > 0; left -= frames) {
        if (frames > left)
            frames = (size_t)left;
        send_all(peer->socket, batch, frames * frame);
    }
    free(batch);
    for (;;) { /* until the client goes */
        struct frame rest = read_header(peer);
        discard(peer, rest.size);
    }
}

static void sink(struct peer *peer, uint64_t size, uint64_t count)
{
    uint64_t messages = 0, wrong = 0;
    for (;;) {
        struct frame frame = read_header(peer);
        discard(peer, frame.size);
        if (frame.first & CONTROL)
            continue;
        messages++;
        wrong += frame.first != (FIN | TEXT) || frame.size != size;
        if (messages == count)
            send_text(peer->socket, wrong ? "messages of another size or kind came" : "end");
    }
}

static void echo(struct peer *peer)
{
    for (;;) {
        struct frame frame = read_header(peer);
        uint8_t header[10];
        size_t header_size = write_header(header, frame.size);
        uint8_t *payload = need(peer, frame.size);
        if (frame.first & CONTROL) { /* the client goes */
            used(peer, frame.size);
            continue;
        }
        unmask(payload, frame.size, frame.key);
        payload -= header_size; /* over what it came with, which was longer, or in the lead */
        memcpy(payload, header, header_size);
        send_all(peer->socket, payload, header_size + frame.size);
        used(peer, frame.size);
    }
}

/* ------------------------------------------------------------------------- connections */

/* The header's value, in place; NULL when it is not there. */
static char *find_header(char *request, const char *name)
{
    char *at = strstr(request, name);
    if (!at)
        return NULL;
    at += strlen(name);
    at[strcspn(at, "\r\n")] = 0;
    return at;
}

static uint64_t parameter(const char *path, const char *name)
{
    const char *at = strstr(path, name);
    return at ? strtoull(at + strlen(name), NULL, 10) : 0;
}

static void answer(int socket, const char *key)
{
    char text[128], response[256];
    unsigned char digest[EVP_MAX_MD_SIZE], accept[64];
    unsigned size;
    snprintf(text, sizeof text, "%s%s", key, GUID);
    EVP_Digest(text, strlen(text), digest, &size, EVP_sha1(), NULL);
    EVP_EncodeBlock(accept, digest, (int)size);
    int length = snprintf(response, sizeof response,
                          "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
                          "Connection: Upgrade\r\nSec-WebSocket-Accept: %s\r\n\r\n",
                          (char *)accept);
    send_all(socket, response, (size_t)length);
}

static void serve(int socket)
{
    char request[8192], path[256], *key;
    size_t size = 0;
    do {
        ssize_t got = recv(socket, request + size, sizeof request - 1 - size, 0);
        if (got <= 0)
            exit(0);
        size += (size_t)got;
        request[size] = 0;
    } while (!strstr(request, "\r\n\r\n"));
    if (sscanf(request, "GET %255s", path) != 1 ||
        !(key = find_header(request, "Sec-WebSocket-Key: ")))
        exit(1);
    struct peer peer = {.socket = socket,
                        .input = malloc(INPUT_SIZE),
                        .begin = LEAD,
                        .end = LEAD,
                        .capacity = INPUT_SIZE};
    check(peer.input, "malloc");
    answer(socket, key);
    if (!strncmp(path, "/flood", 6))
        flood(&peer, parameter(path, "size="), parameter(path, "count="));
    if (!strncmp(path, "/sink", 5))
        sink(&peer, parameter(path, "size="), parameter(path, "count="));
    if (!strncmp(path, "/echo", 5))
        echo(&peer);
    exit(1);
}

static int listen_on(uint16_t port)
{
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    int listener = socket(AF_INET, SOCK_STREAM, 0), one = 1;
    check(listener >= 0, "socket");
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    check(!bind(listener, (struct sockaddr *)&address, sizeof address), "bind");
    check(!listen(listener, 128), "listen");
    check(!getsockname(listener, (struct sockaddr *)&address, &size), "getsockname");
    printf("%d\n", ntohs(address.sin_port));
    fflush(stdout);
    return listener;
}

/* So that their CPU time is found with ours. */
static void reap(int number)
{
    (void)number;
    while (waitpid(-1, NULL, WNOHANG) > 0) {
    }
}

int main(int argc, char **argv)
{
    int listener = listen_on(argc > 1 ? (uint16_t)atoi(argv[1]) : 0), one = 1;
    sigaction(SIGCHLD, &(struct sigaction){.sa_handler = reap, .sa_flags = SA_RESTART}, NULL);
    for (;;) {
        int socket = accept(listener, NULL, NULL);
        check(socket >= 0, "accept");
        setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
        if (fork() == 0) {
            close(listener);
            serve(socket);
        }
        close(socket);
    }
}
