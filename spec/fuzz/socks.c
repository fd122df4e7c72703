/* What a SOCKS proxy answers, as bytes: what is read does not depend on how they are cut, all of
 * the requests go out whole and once, and nothing behind the reply is taken. */
#include "core/socks.h"
#include "fuzz.h"

struct talk {
    struct steady_socks socks;
    struct steady_buffer sent;
    size_t used;
};

static void begin(struct talk *talk, const struct steady_url *proxy,
                  const struct steady_socks_target *target)
{
    *talk = (struct talk){0};
    CHECK(steady_socks_start(&talk->socks, proxy, target, &talk->sent));
}

static void hear(struct talk *talk, const uint8_t *bytes, size_t size)
{
    size_t used = steady_socks_input(&talk->socks, bytes, size, &talk->sent);
    CHECK(used <= size);
    CHECK(used == size || talk->socks.part >= STEADY_SOCKS_COMPLETE);
    talk->used += used;
}

static void check(const struct talk *talk, bool log_in)
{
    const struct steady_socks *socks = &talk->socks;
    char text[256] = "";
    size_t most = (log_in ? 4 + socks->login.size : 3) + socks->request.size;
    CHECK(talk->sent.size <= most && !socks->memory_is_out);
    CHECK(talk->used <= 2 + 2 + STEADY_SOCKS_REPLY_MAX);
    CHECK(socks->part != STEADY_SOCKS_COMPLETE || socks->code == 0);
    CHECK(socks->part != STEADY_SOCKS_LOGIN || log_in);
    steady_socks_explain(socks, text, sizeof text);
    CHECK(*text && strlen(text) < sizeof text - 1);
}

static void end(struct talk *talk)
{
    steady_buffer_free(&talk->sent);
    steady_socks_free(&talk->socks);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input input = {data, data + size};
    uint8_t how = input_byte(&input);
    size_t step = input_byte(&input) + (size_t)1;
    bool log_in = how & 1;
    struct steady_url proxy = {0};
    proxy.user = log_in ? "user" : NULL;
    proxy.password = log_in ? "password" : NULL;
    static const uint8_t address[16] = {1};
    struct steady_socks_target target = {address, how & 2 ? 0 : how & 4 ? 4 : 16, "feed.test", 443};
    struct talk whole, cut;
    begin(&whole, &proxy, &target);
    begin(&cut, &proxy, &target);
    hear(&whole, input.at, input_left(&input));
    while (input_left(&input)) {
        size_t piece_size;
        uint8_t *piece = input_copy(&input, step, &piece_size);
        hear(&cut, piece, piece_size);
        free(piece);
    }
    check(&whole, log_in);
    check(&cut, log_in);
    CHECK(whole.socks.part == cut.socks.part && whole.socks.code == cut.socks.code);
    CHECK(whole.used == cut.used && whole.sent.size == cut.sent.size);
    CHECK(!memcmp(whole.sent.data, cut.sent.data, cut.sent.size));
    end(&whole);
    end(&cut);
    return 0;
}
