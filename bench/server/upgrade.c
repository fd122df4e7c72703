#define _GNU_SOURCE
#include "upgrade.h"

#include "counters.h"
#include "deflate.h"
#include "flood.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define GUID "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"

enum { LONGEST_REQUEST = 8192 };

/* A header's value; false when it is not there. */
static bool header(const char *request, const char *name, char *value, size_t size)
{
    const char *at = strcasestr(request, name);
    if (!at)
        return false;
    at += strlen(name);
    at += strspn(at, " ");
    snprintf(value, size, "%.*s", (int)strcspn(at, "\r\n"), at);
    return true;
}

static uint64_t parameter(const char *path, const char *name)
{
    const char *at = strstr(path, name);
    return at ? strtoull(at + strlen(name), NULL, 10) : 0;
}

static enum service service_of(const char *path)
{
    return !strncmp(path, "/flood", 6)  ? FLOOD
           : !strncmp(path, "/sink", 5) ? SINK
           : !strncmp(path, "/echo", 5) ? ECHO
                                        : HOLD;
}

static void tell_counters(struct connection *c)
{
    char body[256], response[512];
    int size =
        snprintf(body, sizeof body,
                 "{\"connections\": %llu, \"messages\": %llu, \"bytes_in\": %llu, "
                 "\"bytes_out\": %llu}\n",
                 (unsigned long long)counters.connections, (unsigned long long)counters.messages,
                 (unsigned long long)counters.bytes_in, (unsigned long long)counters.bytes_out);
    int length = snprintf(response, sizeof response,
                          "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
                          "Content-Length: %d\r\nConnection: close\r\n\r\n%s",
                          size, body);
    connection_send(c, response, (size_t)length);
    connection_drop(c);
}

static void accept_key(const char *key, char *accept)
{
    char text[256];
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned size;
    snprintf(text, sizeof text, "%s%s", key, GUID);
    EVP_Digest(text, strlen(text), digest, &size, EVP_sha1(), NULL);
    EVP_EncodeBlock((unsigned char *)accept, digest, (int)size);
}

static void upgrade(struct connection *c, const char *request, const char *path)
{
    char key[64] = "", offers[512] = "", accept[64], extension[256] = "", response[640];
    if (!header(request, "\nSec-WebSocket-Key:", key, sizeof key)) {
        connection_drop(c);
        return;
    }
    header(request, "\nSec-WebSocket-Extensions:", offers, sizeof offers);
    c->size = parameter(path, "size=");
    c->count = parameter(path, "count=");
    c->texts = parameter(path, "texts=") != 0;
    deflate_negotiate(c, offers, extension, sizeof extension);
    accept_key(key, accept);
    int length = snprintf(response, sizeof response,
                          "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
                          "Connection: Upgrade\r\nSec-WebSocket-Accept: %s\r\n%s\r\n",
                          accept, extension);
    counters.connections++;
    connection_send(c, response, (size_t)length);
    c->service = service_of(path);
    if (c->service == FLOOD)
        flood_prepare(c); /* before the clock starts */
}

bool upgrade_take(struct connection *c)
{
    char request[LONGEST_REQUEST + 1], path[512] = "";
    size_t held = c->in.end - c->in.begin;
    if (held > LONGEST_REQUEST)
        held = LONGEST_REQUEST;
    memcpy(request, c->in.bytes + c->in.begin, held);
    request[held] = 0;
    char *end = strstr(request, "\r\n\r\n");
    if (!end) {
        if (held == LONGEST_REQUEST)
            connection_drop(c);
        return false;
    }
    c->in.begin += (size_t)(end + 4 - request);
    end[2] = 0;
    sscanf(request, "GET %511s", path);
    if (!strcmp(path, "/stats"))
        tell_counters(c);
    else
        upgrade(c, request, path);
    return !c->dead;
}
