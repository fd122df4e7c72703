/* The ceiling: a bare TCP (or TLS) socket and as much of the protocol as cannot be left out. It
 * receives into one big buffer and walks over the headers, sends batches that were masked
 * beforehand, and delivers nothing to anybody. Not a client one could use. */
#include "driver.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define INPUT_SIZE (256 * 1024)

struct line {
    int socket;
    SSL *ssl;
};

static struct driver driver;
static SSL_CTX *tls;

static void fail(const char *what)
{
    driver_fail(&driver, what);
}

/* ------------------------------------------------------------------------- bytes */

static size_t receive(const struct line *line, void *into, size_t size)
{
    ssize_t got =
        line->ssl ? SSL_read(line->ssl, into, (int)size) : recv(line->socket, into, size, 0);
    if (got <= 0)
        fail("the connection has ended");
    return (size_t)got;
}

static void send_all(const struct line *line, const void *bytes, size_t size)
{
    const uint8_t *at = bytes;
    while (size > 0) {
        ssize_t sent = line->ssl ? SSL_write(line->ssl, at, (int)size)
                                 : send(line->socket, at, size, MSG_NOSIGNAL);
        if (sent <= 0)
            fail("the connection has ended");
        at += sent;
        size -= (size_t)sent;
    }
}

/* ------------------------------------------------------------------------- the handshake */

static void secure(struct line *line)
{
    if (!tls) {
        tls = SSL_CTX_new(TLS_client_method());
        if (!tls || !driver.ca || SSL_CTX_load_verify_locations(tls, driver.ca, NULL) != 1)
            fail("no authority to trust: BENCH_CA");
        SSL_CTX_set_verify(tls, SSL_VERIFY_PEER, NULL);
    }
    line->ssl = SSL_new(tls);
    SSL_set_fd(line->ssl, line->socket);
    if (SSL_connect(line->ssl) != 1)
        fail("no TLS");
}

static struct line begin(const struct target *target, int flags)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)target->port)};
    struct line line = {.socket = socket(AF_INET, SOCK_STREAM | flags, 0)};
    int one = 1;
    if (inet_pton(AF_INET, target->host, &address.sin_addr) != 1)
        fail("the host has to be an address");
    if (connect(line.socket, (struct sockaddr *)&address, sizeof address) && errno != EINPROGRESS)
        fail("no connection");
    setsockopt(line.socket, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    return line;
}

static void ask(const struct line *line, const struct target *target)
{
    char request[512];
    int size = snprintf(request, sizeof request,
                        "GET %s HTTP/1.1\r\nHost: %s\r\nUpgrade: websocket\r\nConnection: "
                        "Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
                        "Sec-WebSocket-Version: 13\r\n\r\n",
                        target->path, target->host);
    send_all(line, request, (size_t)size);
}

/* The server's answer, which it sends at once, comes in one piece but for TLS. */
static void answer(const struct line *line)
{
    char text[2048];
    size_t size = 0;
    do {
        size += receive(line, text + size, sizeof text - 1 - size);
        text[size] = 0;
    } while (!strstr(text, "\r\n\r\n") && size < sizeof text - 1);
    if (strncmp(text, "HTTP/1.1 101", 12) != 0)
        fail("not 101");
}

static struct line open_line(const struct target *target)
{
    struct line line = begin(target, 0);
    if (target->tls)
        secure(&line);
    ask(&line, target);
    answer(&line);
    return line;
}

static void watch(int poller, int operation, struct line *line, uint32_t what)
{
    struct epoll_event event = {.events = what, .data.ptr = line};
    if (epoll_ctl(poller, operation, line->socket, &event))
        fail("epoll_ctl");
}

/* The connection goes on to be watched, as an open one is. */
static void finish(struct line *line)
{
    int flags = fcntl(line->socket, F_GETFL);
    answer(line);
    fcntl(line->socket, F_SETFL, flags & ~O_NONBLOCK);
}

/* As many handshakes at a time as the clients have; over TLS, one. */
static void open_lines(struct line *lines, size_t count, const struct target *target)
{
    const int poller = epoll_create1(0);
    struct epoll_event events[HANDSHAKES];
    size_t begun = 0, opened = 0;
    if (poller < 0)
        fail("epoll_create1");
    for (; target->tls && begun < count; begun++)
        lines[begun] = open_line(target);
    while (!target->tls && opened < count) {
        for (; begun < count && begun - opened < HANDSHAKES; begun++) {
            lines[begun] = begin(target, SOCK_NONBLOCK);
            watch(poller, EPOLL_CTL_ADD, &lines[begun], EPOLLOUT);
        }
        const int ready = epoll_wait(poller, events, HANDSHAKES, -1);
        for (int i = 0; i < ready; i++) {
            struct line *line = events[i].data.ptr;
            if (events[i].events & EPOLLIN) {
                finish(line);
                opened++;
            } else {
                ask(line, target);
                watch(poller, EPOLL_CTL_MOD, line, EPOLLIN);
            }
        }
    }
}

/* ------------------------------------------------------------------------- frames */

/* A masked text frame; returns its size, at most size + 14. */
static size_t make_frame(uint8_t *out, const char *text, size_t size)
{
    static const uint8_t key[4] = {0x12, 0x34, 0x56, 0x78};
    unsigned extra = size < 126 ? 0 : size <= UINT16_MAX ? 2 : 8;
    uint8_t *at = out + 2 + extra;
    out[0] = 0x81;
    out[1] = (uint8_t)(0x80 | (extra == 8 ? 127 : extra ? 126 : size));
    for (unsigned i = 0; i < extra; i++)
        out[2 + i] = (uint8_t)((uint64_t)size >> (8 * (extra - 1 - i)));
    memcpy(at, key, sizeof key);
    at += sizeof key;
    for (size_t i = 0; i < size; i++)
        at[i] = (uint8_t)text[i] ^ key[i % 4];
    return (size_t)(at - out) + size;
}

/* Takes so many frames from the line, each of SIZE bytes. */
static void walk(const struct line *line, size_t count)
{
    static uint8_t input[INPUT_SIZE];
    size_t held = 0, rest = 0;
    while (count > 0) {
        size_t at = 0;
        held += receive(line, input + held, sizeof input - held);
        for (;;) {
            const size_t part = rest < held - at ? rest : held - at;
            rest -= part;
            at += part;
            if (rest > 0 || held - at < 2)
                break;
            const unsigned length = input[at + 1];
            const size_t extra = length == 127 ? 8 : length == 126 ? 2 : 0;
            if (held - at < 2 + extra)
                break;
            size_t size = extra ? 0 : length;
            for (size_t i = 0; i < extra; i++)
                size = size << 8 | input[at + 2 + i];
            if (size != driver.size)
                fail("a message of the wrong size");
            if (count == 0)
                fail("more messages than were asked for");
            count--;
            at += 2 + extra;
            rest = size;
        }
        held -= at;
        memmove(input, input + at, held);
    }
    for (; rest > 0; rest -= held)
        held = receive(line, input, rest < sizeof input ? rest : sizeof input);
}

/* ------------------------------------------------------------------------- modes */

static void receive_all(const struct line *line, uint8_t *frame)
{
    size_t size = make_frame(frame, "go", 2);
    driver_clock(&driver);
    send_all(line, frame, size);
    walk(line, driver.count);
}

static void send_messages(const struct line *line, uint8_t *frame)
{
    const size_t size = make_frame(frame, driver.text, driver.size);
    const size_t most = size < INPUT_SIZE ? INPUT_SIZE / size : 1;
    uint8_t *batch = malloc(most * size), reply[256];
    if (!batch)
        fail("out of memory");
    for (size_t i = 0; i < most; i++)
        memcpy(batch + i * size, frame, size);
    driver_clock(&driver);
    for (size_t left = driver.count; left > 0;) {
        const size_t frames = left < most ? left : most;
        send_all(line, batch, frames * size);
        left -= frames;
    }
    size_t got = receive(line, reply, sizeof reply);
    driver_expect_end(&driver, reply + 2, got < 2 ? 0 : got - 2);
    free(batch);
}

static void round_trips(const struct line *line, uint8_t *frame)
{
    const size_t size = make_frame(frame, driver.text, driver.size);
    driver_clock(&driver);
    for (size_t i = 0; i < driver.count; i++) {
        send_all(line, frame, size);
        walk(line, 1);
    }
}

static void connections(void)
{
    struct line *lines = calloc(driver.count, sizeof *lines);
    if (!lines)
        fail("out of memory");
    driver_clock(&driver);
    open_lines(lines, driver.count, &driver.target);
    driver_done(&driver);
}

static void busy(uint8_t *frame)
{
    const size_t size = make_frame(frame, driver.text, driver.size);
    const int poller = epoll_create1(0);
    struct line *idle = calloc(driver.idle + 1, sizeof *idle), lines[BUSY];
    struct epoll_event events[BUSY];
    size_t sent = 0, received = 0;
    if (!idle || poller < 0)
        fail("out of memory");
    open_lines(idle, driver.idle, &driver.hold);
    open_lines(lines, BUSY, &driver.target);
    for (size_t i = 0; i < driver.idle + BUSY; i++) {
        struct line *line = i < BUSY ? &lines[i] : &idle[i - BUSY];
        struct epoll_event event = {.events = EPOLLIN, .data.ptr = line};
        epoll_ctl(poller, EPOLL_CTL_ADD, line->socket, &event);
    }
    driver_clock(&driver);
    for (; sent < BUSY && sent < driver.count; sent++)
        send_all(&lines[sent], frame, size);
    while (received < driver.count) {
        const int ready = epoll_wait(poller, events, BUSY, -1);
        for (int i = 0; i < ready; i++) {
            walk(events[i].data.ptr, 1);
            received++;
            if (sent < driver.count) {
                send_all(events[i].data.ptr, frame, size);
                sent++;
            }
        }
    }
    driver_done(&driver);
}

int main(int argc, char **argv)
{
    driver_start(&driver, "bare", argc, argv);
    uint8_t *frame = malloc(driver.size + 64);
    if (!frame)
        fail("out of memory");
    if (driver.mode == CONN)
        connections();
    if (driver.mode == BUSY_)
        busy(frame);
    struct line line = open_line(&driver.target);
    if (driver.mode == RX)
        receive_all(&line, frame);
    else if (driver.mode == TX)
        send_messages(&line, frame);
    else
        round_trips(&line, frame);
    driver_done(&driver);
}
