#include "core/heartbeat.h"

#include <math.h>
#include <string.h>

static const char prefix[] = "steady";
#define PREFIX (sizeof prefix - 1)

/* How long a question that confirms messages waits for its answer before it is asked again. */
#define SHORTEST_WAIT 1.0  /* seconds */
#define LATENCIES     4    /* times the latency, where that is longer */
#define LONGEST_WAIT  30.0 /* seconds; without a heartbeat, whose interval would say so */

/* Returns whether a question went out after the last bytes arrived, and is still unanswered. A ping
 * that went out before that, to confirm messages, says nothing about whether the peer is alive now.
 * Bytes that arrive in the same millisecond in which the question goes out count as an answer to
 * it. */
static bool asked_since(const struct steady_heartbeat *heartbeat)
{
    return heartbeat->asked > heartbeat->heard;
}

/* Returns when the next question is due. A text goes out whether the peer is silent or not, since
 * servers that want one end a connection on which it does not come. */
static double next_question(const struct steady_heartbeat *heartbeat,
                            const struct steady_heartbeat_options *options)
{
    if (options->message)
        return heartbeat->texted + options->interval;
    return asked_since(heartbeat) ? INFINITY : heartbeat->heard + options->interval;
}

/* Returns the time from which on a silent peer is dead. */
static double latest_answer(const struct steady_heartbeat *heartbeat,
                            const struct steady_heartbeat_options *options)
{
    if (!asked_since(heartbeat))
        return INFINITY;
    double silent = options->message ? 0 : heartbeat->heard + options->interval;
    return fmax(heartbeat->asked, silent) + options->timeout + heartbeat->put_off;
}

double steady_heartbeat_deadline(const struct steady_heartbeat *heartbeat,
                                 const struct steady_heartbeat_options *options)
{
    if (!options->on)
        return INFINITY;
    return fmin(next_question(heartbeat, options), latest_answer(heartbeat, options));
}

void steady_heartbeat_put_off(struct steady_heartbeat *heartbeat, double seconds)
{
    if (asked_since(heartbeat))
        heartbeat->put_off += seconds;
}

enum steady_heartbeat_verdict steady_heartbeat_check(const struct steady_heartbeat *heartbeat,
                                                     const struct steady_heartbeat_options *options,
                                                     double now)
{
    if (now < steady_heartbeat_deadline(heartbeat, options))
        return STEADY_HEARTBEAT_ALIVE;
    return now < latest_answer(heartbeat, options) ? STEADY_HEARTBEAT_ASK : STEADY_HEARTBEAT_DEAD;
}

static uint64_t read_number(const uint8_t payload[STEADY_HEARTBEAT_PING])
{
    uint64_t number = 0;
    for (size_t i = 0; i < 8; i++)
        number = number << 8 | payload[PREFIX + i];
    return number;
}

static void write_payload(uint8_t payload[STEADY_HEARTBEAT_PING], uint64_t number)
{
    memcpy(payload, prefix, PREFIX);
    for (size_t i = 0; i < 8; i++)
        payload[PREFIX + i] = (uint8_t)(number >> (56 - 8 * i));
}

/* While an earlier question is unanswered, another one gives the peer no more time. */
static void await_answer(struct steady_heartbeat *heartbeat, double now)
{
    if (asked_since(heartbeat))
        return;
    heartbeat->asked = now;
    heartbeat->put_off = 0;
}

void steady_heartbeat_ask_by_text(struct steady_heartbeat *heartbeat, double now)
{
    await_answer(heartbeat, now);
    heartbeat->texted = now;
}

void steady_heartbeat_ask(struct steady_heartbeat *heartbeat,
                          const struct steady_heartbeat_options *options, size_t covers, double now,
                          uint8_t payload[STEADY_HEARTBEAT_PING])
{
    write_payload(payload, ++heartbeat->number);
    if (!options->message)
        await_answer(heartbeat, now);
    heartbeat->pinged = now;
    heartbeat->program_pinged = false;
    if (heartbeat->covers) {
        double most = options->on ? options->interval : LONGEST_WAIT;
        heartbeat->wait = fmax(heartbeat->wait, fmin(2 * heartbeat->wait, most));
        return;
    }
    heartbeat->wait = fmax(SHORTEST_WAIT, LATENCIES * heartbeat->latency);
    heartbeat->covers = covers;
    heartbeat->covering = heartbeat->number;
}

double steady_heartbeat_repetition(const struct steady_heartbeat *heartbeat)
{
    return heartbeat->covers ? heartbeat->pinged + heartbeat->wait : INFINITY;
}

bool steady_heartbeat_pong(struct steady_heartbeat *heartbeat, const uint8_t *payload, size_t size,
                           double now, double *latency, size_t *confirmed)
{
    *latency = -1;
    *confirmed = 0;
    if (size != STEADY_HEARTBEAT_PING || memcmp(payload, prefix, PREFIX) != 0)
        return false;
    uint64_t number = read_number(payload);
    if (number > heartbeat->number)
        return true;
    if (number == heartbeat->number && heartbeat->pinged > 0) {
        *latency = heartbeat->latency = now - heartbeat->pinged;
        heartbeat->pinged = 0;
    }
    if (number >= heartbeat->covering) {
        *confirmed = heartbeat->covers;
        heartbeat->covers = 0;
    }
    return true;
}
