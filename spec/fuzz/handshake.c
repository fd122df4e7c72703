/* A server's answer to the upgrade, and what users give for the request. */
#include "core/handshake.h"
#include "core/extension.h"
#include "core/retry_after.h"
#include "fuzz.h"

#define ACCEPT "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="

static char *maybe(struct input *input)
{
    return input_byte(input) & 1 ? input_string(input, input_byte(input)) : NULL;
}

static void check_answer(struct input *input, const struct steady_deflate_options *compression)
{
    static const char *const protocols[] = {"chat", "v2.chat"};
    struct steady_request request = {
        .protocols = protocols, .protocol_count = 2, .compression = compression};
    char *upgrade = maybe(input), *connection = maybe(input), *accept = maybe(input);
    char *protocol = maybe(input), *extensions = maybe(input);
    struct steady_answer answer = {
        .upgrade = upgrade ? upgrade : "websocket",
        .connection = connection ? connection : "Upgrade",
        .accept = accept ? accept : ACCEPT,
        .protocol = protocol,
        .extensions = extensions,
    };
    char message[256];
    if (steady_handshake_check(&request, ACCEPT, &answer, message, sizeof message)) {
        const struct steady_deflate_parameters *agreed = &answer.compression;
        CHECK(!agreed->on || (compression->on && extensions));
        CHECK(!agreed->on || (agreed->client.window_bits >= 8 && agreed->client.window_bits <= 15));
        CHECK(!agreed->on || (agreed->server.window_bits >= 8 && agreed->server.window_bits <= 15));
    } else {
        CHECK(*message && memchr(message, 0, sizeof message));
        for (const char *at = message; *at; at++)
            CHECK((unsigned char)*at >= ' ' && (unsigned char)*at < 127);
    }
    free(upgrade);
    free(connection);
    free(accept);
    free(protocol);
    free(extensions);
}

/* What passes the checks leaves the request with its own lines and no others. */
static void check_request(struct input *input)
{
    struct steady_url url;
    struct steady_buffer out = {0};
    char *name = input_string(input, input_byte(input));
    char *value = input_string(input, input_byte(input));
    struct steady_header header = {name, value};
    if (!steady_handshake_bad_name(name, strlen(name)) &&
        !steady_handshake_bad_value(value, strlen(value)) && strcasecmp(name, "origin") &&
        !steady_url_parse(&url, "ws://h/", 7)) {
        struct steady_request request = {
            .url = &url, .key = "dGhlIHNhbXBsZSBub25jZQ==", .headers = &header, .header_count = 1};
        CHECK(steady_handshake_request(&out, &request));
        CHECK(steady_buffer_append(&out, "", 1));
        size_t lines = 0;
        for (const char *at = (char *)out.data; (at = strstr(at, "\r\n")); at += 2)
            lines++;
        CHECK(lines == 8); /* GET, five of the handshake's, one of the user's, and the empty one */
        CHECK(strlen((char *)out.data) == out.size - 1);
        steady_url_free(&url);
    }
    steady_buffer_free(&out);
    free(name);
    free(value);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input input = {data, data + size};
    uint8_t flags = input_byte(&input);
    struct steady_deflate_options compression = {
        .on = flags & 1,
        .level = 6,
        .client_max_window_bits = 8 + (flags >> 1) % 8,
        .server_max_window_bits = 8 + (flags >> 4) % 8,
    };
    check_answer(&input, &compression);
    check_request(&input);
    char *value = input_string(&input, 100);
    double seconds = steady_retry_after(value, 1000000000);
    CHECK(seconds >= 0);
    free(value);
    return 0;
}
