/* The other end of the measurements: a WebSocket server that does as little as possible, so that
 * the client is what is measured. One thread, epoll, Linux; on loopback, unless ADDRESS is another.
 * It trusts its clients: no timeouts, and whatever it does not expect ends the connection.
 *
 * server [--address ADDRESS] [--tls CERTIFICATE] [--texts DIRECTORY]
 *
 * Prints its ports, once it listens: that without TLS, and that with TLS, or 0. With --tls it makes
 * a certificate for 127.0.0.1, localhost and server.test and writes it to that file, for clients to
 * trust.
 *
 *     /flood?size=S&count=N   after the client's first message, N text messages of S bytes
 *     /sink?size=S&count=N    swallows N messages, then says "end", or what was wrong with them
 *     /echo                   each message back
 *     /hold                   answers pings and the close frame
 *     /stats                  plain HTTP: the counters as JSON
 *
 * With &texts=1 the messages are lines of DIRECTORY/S instead of letters. permessage-deflate is
 * taken when the client offers it; what /echo gives back is what came, so it is for clients that do
 * not.
 *
 * Each file includes those above it only:
 *
 *   check       ends the server when something cannot be done
 *   buffer      bytes that wait to be used
 *   counters    what /stats tells
 *   poller      epoll
 *   tls         the certificate
 *   connection  its bytes in and out, with TLS or without
 *   frame       RFC 6455: headers of frames to be sent
 *   deflate     RFC 7692
 *   flood       the frames that a flood is made of
 *   services    what is done with messages
 *   frames      RFC 6455: from bytes to messages, with unmasking
 *   upgrade     the HTTP request: the handshake, the extension, the counters
 *   event       what is done when a socket is ready
 *   main        arguments, the two listeners, the loop */
#define _GNU_SOURCE
#include "check.h"
#include "event.h"
#include "flood.h"
#include "poller.h"
#include "tls.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>

#define EVENTS 256

struct listener {
    int socket;
    uint16_t port;
    SSL_CTX *tls;
};

static struct listener listen_anywhere(const char *host, SSL_CTX *tls)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t size = sizeof address;
    struct listener listener = {.tls = tls,
                                .socket = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0)};
    check(listener.socket >= 0, "socket");
    check(inet_pton(AF_INET, host, &address.sin_addr) == 1, "--address");
    check(!bind(listener.socket, (struct sockaddr *)&address, sizeof address), "bind");
    check(!listen(listener.socket, 8192), "listen");
    check(!getsockname(listener.socket, (struct sockaddr *)&address, &size), "getsockname");
    listener.port = ntohs(address.sin_port);
    return listener;
}

static void accept_all(const struct listener *listener)
{
    int client, one = 1;
    while ((client = accept4(listener->socket, NULL, NULL, SOCK_NONBLOCK)) >= 0) {
        setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
        struct connection *c =
            connection_new(client, listener->tls ? SSL_new(listener->tls) : NULL);
        poller_add(client, c);
    }
}

static void handle(struct connection *c, uint32_t events)
{
    if (!c->dead && events & EPOLLOUT)
        event_writable(c);
    if (!c->dead && events & (EPOLLIN | EPOLLHUP | EPOLLERR))
        event_readable(c);
}

static void serve(struct listener *plain, struct listener *secure)
{
    struct epoll_event events[EVENTS];
    for (;;) {
        int count = poller_wait(events, EVENTS);
        for (int i = 0; i < count; i++) {
            void *owner = events[i].data.ptr;
            if (owner == plain || owner == secure)
                accept_all(owner);
            else
                handle(owner, events[i].events);
        }
    }
}

int main(int argc, char **argv)
{
    struct listener plain = {0}, secure = {0};
    struct rlimit limit;
    const char *certificate = NULL, *address = "127.0.0.1";
    for (int i = 1; i + 1 < argc; i += 2) {
        if (!strcmp(argv[i], "--tls"))
            certificate = argv[i + 1];
        else if (!strcmp(argv[i], "--address"))
            address = argv[i + 1];
        else if (!strcmp(argv[i], "--texts"))
            flood_texts = argv[i + 1];
    }
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    signal(SIGPIPE, SIG_IGN);
    poller_open();
    plain = listen_anywhere(address, NULL);
    poller_add(plain.socket, &plain);
    if (certificate) {
        secure = listen_anywhere(address, tls_context(certificate));
        poller_add(secure.socket, &secure);
    }
    printf("%d %d\n", plain.port, secure.port);
    fflush(stdout);
    serve(&plain, &secure);
}
