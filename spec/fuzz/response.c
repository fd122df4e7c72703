/* A server's answer as bytes: what is read does not depend on how they are cut, and is what the
 * header promises. */
#include "core/response.h"
#include "fuzz.h"

static void check_headers(const struct steady_buffer *headers)
{
    const char *at = (const char *)headers->data, *end = at ? at + headers->size : at;
    CHECK(at == end || end[-1] == '\0');
    while (at < end) {
        const char *value = at + strlen(at) + 1;
        CHECK(*at && value < end);
        for (const uint8_t *c = (const uint8_t *)at; *c; c++)
            CHECK(*c > ' ' && *c != ':' && !(*c >= 'A' && *c <= 'Z'));
        CHECK(!strpbrk(value, "\r\n"));
        CHECK(steady_headers_find(headers, at) == value); /* each name once */
        at = value + strlen(value) + 1;
    }
}

static void check(const struct steady_response *response)
{
    CHECK(response->headers.size <= 2 * STEADY_RESPONSE_HEAD_MAX);
    CHECK(response->body.size <= STEADY_RESPONSE_BODY_MAX);
    CHECK(memchr(response->reason, 0, sizeof response->reason));
    CHECK((response->part == STEADY_RESPONSE_BAD) == (response->problem != NULL));
    if (response->part == STEADY_RESPONSE_BAD)
        return;
    CHECK(response->part == STEADY_RESPONSE_HEAD ||
          (response->status >= 101 && response->status <= 999));
    CHECK(response->status != 101 || response->body.size == 0);
    check_headers(&response->headers);
}

static bool same(const struct steady_buffer *a, const struct steady_buffer *b)
{
    return a->size == b->size && (a->size == 0 || !memcmp(a->data, b->data, a->size));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input input = {data, data + size};
    struct steady_response whole = {0}, cut = {0};
    size_t step = input_byte(&input) + (size_t)1, length = input_left(&input), used = 0;
    size_t end = steady_response_input(&whole, input.at, length);
    CHECK(end <= length);
    CHECK(end == length || whole.part >= STEADY_RESPONSE_COMPLETE);
    check(&whole);
    while (input_left(&input) && cut.part < STEADY_RESPONSE_COMPLETE) {
        size_t piece_size;
        uint8_t *piece = input_copy(&input, step, &piece_size);
        used += steady_response_input(&cut, piece, piece_size);
        free(piece);
    }
    check(&cut);
    CHECK(whole.part == cut.part && whole.status == cut.status);
    CHECK(whole.part == STEADY_RESPONSE_BAD || used == end);
    CHECK(whole.part == STEADY_RESPONSE_BAD || same(&whole.headers, &cut.headers));
    CHECK(same(&whole.body, &cut.body));
    steady_response_free(&whole);
    steady_response_free(&cut);
    return 0;
}
