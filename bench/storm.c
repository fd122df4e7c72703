/* A storm, simulated: a server with many clients restarts. Each client is a real session with its
 * real backoff (src/core); the clock, the network and the server are simulated.
 *
 *     storm [--NAME NUMBER ...]
 *
 *     --clients N       1000000, all open for long when the server goes down at 0
 *     --spread S        1: the clients lose their connections evenly over the first S seconds
 *     --outage S        10: attempts that arrive before are refused at once
 *     --rate N          20000 connections a second are accepted from then on,
 *     --backlog N       4096 more may wait for that; what comes over it is refused at once
 *     --drop 1          0: 1: what comes over it is dropped, and the attempt takes connect_timeout
 *     --round-trip S    0.05: to the server and back; an attempt that opens takes two and the wait
 *     --min-delay, --max-delay, --factor, --jitter, --connect-timeout   defaults: the product's
 *     --until S         7200: when to give up
 *     --seed N          1
 *     --bins 1          0: 1: prints what happened in each tenth of a second as well
 *
 * Prints a name and its value on each line: attempts; of these those since the server is up; the
 * most of them in any second and in any tenth of a second; the same since the server is up; the
 * seconds after the server is up until 50, 99 and 100 % are back ("inf": not until --until). Then,
 * for --bins, "bin", the number of the tenth of a second, attempts and clients that came back. */
#include "core/options.h"

#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TICKS      1000      /* in a second: the clock's steps, those of the product's timers */
#define ROUNDING   1e-6      /* of a tick */
#define SLOTS      (1 << 16) /* of the wheel; a power of two */
#define NOBODY     UINT32_MAX
#define BIN        100 /* ticks */
#define BINS       10  /* in a second */
#define OPEN_SINCE (-3600.0)

struct client {
    struct steady_session session;
    double outcome; /* when the network will tell how the attempt or the connection ends */
    uint32_t next;  /* in the same slot */
    bool accepted;  /* what it will tell */
};

struct bin {
    uint32_t attempts, opened;
};

struct plan {
    double clients, spread, outage, rate, backlog, drop, round_trip, until, seed, bins;
};

struct storm {
    struct plan plan;
    struct client *clients;
    uint32_t slots[SLOTS]; /* timers by the tick at which they are due: the first in each */
    struct bin *bins;
    int64_t tick;
    uint64_t random;
    double free_at; /* when the server will have accepted all that wait */
    uint32_t back;  /* clients */
    double times[3];
};

static const double shares[] = {0.5, 0.99, 1}; /* for `times` */

static double now(const struct storm *storm)
{
    return (double)storm->tick / TICKS;
}

/* xorshift64*: any will do, but each run shall be the same. */
static double random_number(struct storm *storm)
{
    storm->random ^= storm->random >> 12;
    storm->random ^= storm->random << 25;
    storm->random ^= storm->random >> 27;
    return (double)((storm->random * 0x2545F4914F6CDD1D) >> 11) * 0x1p-53;
}

/* ------------------------------------------------------------------------- the wheel of timers */

/* fmin is a call, which hundreds of millions of attempts notice. */
static double lesser(double a, double b)
{
    return a < b ? a : b;
}

static double due(const struct client *client)
{
    return lesser(client->outcome, client->session.deadline);
}

/* Timers are not early, so it is the first tick at or after; what is farther away than the wheel is
 * long is looked at once a turn. */
static void arm(struct storm *storm, struct client *client)
{
    double seconds = due(client), last = (double)(storm->tick + SLOTS - 1);
    if (isinf(seconds))
        return;
    int64_t tick = (int64_t)lesser(seconds * TICKS + 1 - ROUNDING, last);
    uint32_t *slot = &storm->slots[tick % SLOTS];
    client->next = *slot;
    *slot = (uint32_t)(client - storm->clients);
}

/* ------------------------------------------------------------------------- the server */

/* An attempt starts now. Whether it will succeed is settled when it arrives; since all are as long
 * under way, that can be said now. */
static void attempt(struct storm *storm, struct client *client)
{
    const struct plan *plan = &storm->plan;
    double arrival = now(storm) + plan->round_trip / 2, begin = fmax(arrival, storm->free_at);
    bool up = arrival >= plan->outage;
    client->accepted = up && (begin - arrival) * plan->rate <= plan->backlog;
    storm->bins[storm->tick / BIN].attempts++;
    if (client->accepted) {
        storm->free_at = begin + 1 / plan->rate;
        client->outcome = storm->free_at + 1.5 * plan->round_trip;
    } else {
        client->outcome = up && plan->drop != 0 ? INFINITY : arrival + plan->round_trip / 2;
    }
}

static void opened(struct storm *storm)
{
    storm->bins[storm->tick / BIN].opened++;
    storm->back++;
    for (size_t i = 0; i < 3; i++)
        if (isinf(storm->times[i]) && storm->back >= shares[i] * storm->plan.clients)
            storm->times[i] = now(storm) - storm->plan.outage;
}

/* ------------------------------------------------------------------------- a client */

static void tell(struct storm *storm, struct client *client, enum steady_session_event event)
{
    struct steady_session *session = &client->session;
    double delay = -1;
    client->outcome = INFINITY;
    if (event == STEADY_SESSION_FAILED || event == STEADY_SESSION_LOST)
        delay = steady_session_delay(session, now(storm), random_number(storm));
    switch (steady_session_handle(session, event, now(storm), delay)) {
    case STEADY_ACTION_ATTEMPT:
        attempt(storm, client);
        steady_session_handle(session, STEADY_SESSION_BEGUN, now(storm), -1);
        break;
    case STEADY_ACTION_TIME_OUT:
        tell(storm, client, STEADY_SESSION_FAILED);
        break;
    default:
        if (event == STEADY_SESSION_OPENED)
            opened(storm);
    }
}

static enum steady_session_event next_event(const struct client *client)
{
    if (client->session.deadline < client->outcome)
        return STEADY_SESSION_DUE;
    if (client->session.status == STEADY_STATUS_OPEN)
        return STEADY_SESSION_LOST;
    return client->accepted ? STEADY_SESSION_OPENED : STEADY_SESSION_FAILED;
}

/* ------------------------------------------------------------------------- a run */

static void turn(struct storm *storm)
{
    uint32_t *slot = &storm->slots[storm->tick % SLOTS], index = *slot;
    const double late = ((double)storm->tick + ROUNDING) / TICKS;
    *slot = NOBODY;
    while (index != NOBODY) {
        struct client *client = &storm->clients[index];
        index = client->next;
        while (due(client) <= late)
            tell(storm, client, next_event(client));
        arm(storm, client);
    }
}

static void *room(size_t count, size_t size)
{
    void *memory = calloc(count, size);
    if (!memory) {
        perror("storm");
        exit(1);
    }
    return memory;
}

static void run(struct storm *storm, const struct steady_session_options *options)
{
    const struct plan *plan = &storm->plan;
    const uint32_t count = (uint32_t)plan->clients;
    const int64_t last = (int64_t)(plan->until * TICKS);
    storm->random = (uint64_t)plan->seed;
    storm->clients = room(count, sizeof *storm->clients);
    storm->bins = room((size_t)(last / BIN + 1), sizeof *storm->bins);
    memset(storm->slots, 0xff, sizeof storm->slots);
    for (size_t i = 0; i < 3; i++)
        storm->times[i] = INFINITY;
    for (uint32_t i = count; i-- > 0;) {
        struct client *client = &storm->clients[i];
        client->session.options = options;
        steady_session_handle(&client->session, STEADY_SESSION_CONNECT, OPEN_SINCE, -1);
        steady_session_handle(&client->session, STEADY_SESSION_OPENED, OPEN_SINCE, -1);
        client->outcome = plan->spread * i / count;
        arm(storm, client);
    }
    for (; storm->tick < last && storm->back < count; storm->tick++)
        turn(storm);
}

/* ------------------------------------------------------------------------- what is printed */

/* Of the bins from the one given on. */
static void print_attempts(const struct storm *storm, const char *suffix, int64_t first)
{
    uint64_t total = 0, in_second = 0, most_second = 0, most_bin = 0;
    for (int64_t i = first; i <= storm->tick / BIN; i++) {
        uint64_t attempts = storm->bins[i].attempts;
        total += attempts;
        in_second += attempts;
        if (i >= first + BINS)
            in_second -= storm->bins[i - BINS].attempts;
        most_second = in_second > most_second ? in_second : most_second;
        most_bin = attempts > most_bin ? attempts : most_bin;
    }
    printf("attempts%s %llu\n", suffix, (unsigned long long)total);
    printf("most_in_a_second%s %llu\n", suffix, (unsigned long long)most_second);
    printf("most_in_a_tenth%s %llu\n", suffix, (unsigned long long)most_bin);
}

static void print(const struct storm *storm)
{
    print_attempts(storm, "", 0);
    print_attempts(storm, "_while_up", (int64_t)(storm->plan.outage * BINS));
    for (size_t i = 0; i < 3; i++)
        printf("back_%g %.3f\n", 100 * shares[i], storm->times[i]);
    for (int64_t i = 0; storm->plan.bins != 0 && i <= storm->tick / BIN; i++)
        printf("bin %lld %lu %lu\n", (long long)i, (unsigned long)storm->bins[i].attempts,
               (unsigned long)storm->bins[i].opened);
}

/* ------------------------------------------------------------------------- the command line */

struct argument {
    const char *name;
    double *value;
    double min, max;
};

static bool take(const struct argument *arguments, const char *name, const char *text)
{
    char *end;
    double value = strtod(text, &end);
    for (; arguments->name; arguments++) {
        if (strcmp(arguments->name, name) != 0)
            continue;
        *arguments->value = value;
        return *end == 0 && end != text && value >= arguments->min && value <= arguments->max;
    }
    return false;
}

int main(int argc, char **argv)
{
    static struct storm storm = {.plan = {.clients = 1e6,
                                          .spread = 1,
                                          .outage = 10,
                                          .rate = 20000,
                                          .backlog = 4096,
                                          .round_trip = 0.05,
                                          .until = 7200,
                                          .seed = 1}};
    static struct steady_options options;
    steady_options_init(&options);
    struct plan *plan = &storm.plan;
    struct steady_backoff *backoff = &options.session.backoff;
    const struct argument arguments[] = {
        {"--clients", &plan->clients, 1, 1e8},
        {"--spread", &plan->spread, 0, 3600},
        {"--outage", &plan->outage, 0, 3600},
        {"--rate", &plan->rate, 1, 1e9},
        {"--backlog", &plan->backlog, 0, 1e9},
        {"--drop", &plan->drop, 0, 1},
        {"--round-trip", &plan->round_trip, 1. / TICKS, 60},
        {"--min-delay", &backoff->min_delay, 0, STEADY_MAX_SECONDS},
        {"--max-delay", &backoff->max_delay, 0, STEADY_MAX_SECONDS},
        {"--factor", &backoff->factor, 1, 1e6},
        {"--jitter", &backoff->jitter, 0, 1},
        {"--connect-timeout", &options.session.connect_timeout, 1. / TICKS, STEADY_MAX_SECONDS},
        {"--until", &plan->until, 1, 1e6},
        {"--seed", &plan->seed, 1, 1e15},
        {"--bins", &plan->bins, 0, 1},
        {0},
    };
    for (int i = 1; i < argc; i += 2)
        if (i + 1 == argc || !take(arguments, argv[i], argv[i + 1])) {
            fprintf(stderr, "storm: what is %s %s?\n", argv[i], i + 1 < argc ? argv[i + 1] : "");
            return 2;
        }
    const char *problem = steady_options_check(&options);
    if (problem) {
        fprintf(stderr, "storm: %s\n", problem);
        return 2;
    }
    run(&storm, &options.session);
    print(&storm);
    free(storm.clients);
    free(storm.bins);
    return 0;
}
