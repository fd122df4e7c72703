/* The state machine under events in any order, those that make no sense included. */
#include "core/session.h"
#include "fuzz.h"

#include <math.h>

static double choose(struct input *input, double low, double high)
{
    return low + (high - low) * input_byte(input) / 255;
}

static void check(const struct steady_session *session, double now)
{
    const struct steady_session_options *options = session->options;
    enum steady_status status = session->status;
    CHECK(status < STEADY_STATUSES && steady_status_name(status));
    bool timed = status == STEADY_STATUS_CONNECTING || status == STEADY_STATUS_WAITING ||
                 status == STEADY_STATUS_CLOSING;
    CHECK(timed || session->deadline == INFINITY);
    CHECK(!(session->deadline < now - 1e6));
    bool at_rest = status == STEADY_STATUS_IDLE || status == STEADY_STATUS_CLOSED;
    CHECK(!!steady_session_active(session) == !at_rest);
    double delay = steady_session_delay(session, now, 0.5);
    CHECK(delay == -1 || (delay >= 0 && delay <= options->backoff.max_delay));
    CHECK(options->reconnect || delay == -1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input input = {data, data + size};
    struct steady_session_options options = {
        .backoff = {.min_delay = choose(&input, 0, 5),
                    .max_delay = choose(&input, 5, 60),
                    .factor = choose(&input, 1, 4),
                    .jitter = choose(&input, 0, 1)},
        .min_uptime = choose(&input, 0, 10),
        .max_attempts = input_byte(&input) & 1 ? INFINITY : 1 + input_byte(&input) % 8,
        .connect_timeout = choose(&input, 0, 20),
        .close_timeout = choose(&input, 0, 20),
        .reconnect = input_byte(&input) & 1,
    };
    struct steady_session session = {.options = &options, .deadline = INFINITY};
    double now = 1;
    while (input_left(&input)) {
        uint8_t choice = input_byte(&input);
        enum steady_session_event event = choice % STEADY_SESSION_EVENTS;
        enum steady_status before = session.status;
        now += choose(&input, 0, 8);
        double delay = steady_session_delay(&session, now, choose(&input, 0, 0.99));
        enum steady_session_action action = steady_session_handle(&session, event, now, delay);
        CHECK(action <= STEADY_ACTION_TIME_OUT);
        CHECK(action != STEADY_ACTION_ATTEMPT || session.status == STEADY_STATUS_CONNECTING);
        CHECK(action != STEADY_ACTION_ATTEMPT || session.attempt > 0);
        /* Only the user brings a client back to life, and only the user's close is for good. */
        if (before == STEADY_STATUS_IDLE || before == STEADY_STATUS_CLOSED)
            CHECK(session.status == before || event == STEADY_SESSION_CONNECT ||
                  event == STEADY_SESSION_CLOSE);
        if (before == STEADY_STATUS_CLOSING)
            CHECK(session.status == STEADY_STATUS_CLOSING ||
                  session.status == STEADY_STATUS_CLOSED);
        check(&session, now);
    }
    return 0;
}
