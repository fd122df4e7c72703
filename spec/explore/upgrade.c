/* The attempt: it ends when the exploration says so. Nothing of TLS and of proxies is explored. */
#include "explore.h"

#include "client/upgrade.h"
#include "dial/mask.h"
#include "dial/proxy.h"
#include "dial/tls_context.h"

struct steady_upgrade {
    const struct steady_upgrade_owner *calls;
    void *owner;
};

struct steady_upgrade *steady_upgrade_start(struct steady_loop *loop,
                                            const struct steady_target *target,
                                            const struct steady_options *options, bool abroad,
                                            const struct steady_upgrade_owner *calls, void *given)
{
    (void)loop;
    (void)target;
    (void)options;
    (void)abroad;
    judge_attempt();
    struct steady_upgrade *upgrade = explore_calloc(1, sizeof *upgrade);
    if (!upgrade)
        return NULL;
    *upgrade = (struct steady_upgrade){calls, given};
    return world.upgrade = upgrade;
}

static void end(struct steady_upgrade *upgrade)
{
    explore_free(upgrade);
}

void steady_upgrade_drop(struct steady_upgrade *upgrade)
{
    if (!upgrade)
        return;
    if (upgrade != world.upgrade)
        judge_fail("an attempt is dropped twice");
    world.upgrade = NULL;
    end(upgrade);
}

static void fail(struct steady_upgrade *upgrade, const struct steady_failure *failure)
{
    world.upgrade = NULL;
    upgrade->calls->failed(upgrade->owner, failure);
    end(upgrade);
}

void steady_upgrade_time_out(struct steady_upgrade *upgrade, double seconds)
{
    (void)seconds;
    fail(upgrade, &(struct steady_failure){.error = STEADY_TIMEOUT, .message = "too late"});
}

/* busy: the server answers, and wants to be left alone for five seconds. */
void upgrade_fails(bool busy)
{
    static uint8_t text[] = "retry-after\0005";
    static const struct steady_buffer headers = {.data = text, .size = sizeof text};
    static const struct steady_failure answer = {.error = STEADY_HTTP,
                                                 .message = "the server answered 503",
                                                 .http_status = 503,
                                                 .headers = &headers};
    static const struct steady_failure refusal = {.error = STEADY_REFUSED, .message = "refused"};
    if (world.upgrade)
        fail(world.upgrade, busy ? &answer : &refusal);
}

/* Always to the same place: the second time that is a loop. */
void upgrade_redirects(void)
{
    static uint8_t text[] = "location\0/other";
    static const struct steady_buffer headers = {.data = text, .size = sizeof text};
    static const struct steady_failure answer = {.error = STEADY_HTTP,
                                                 .message = "the server answered 302",
                                                 .http_status = 302,
                                                 .headers = &headers};
    if (world.upgrade)
        fail(world.upgrade, &answer);
}

void upgrade_accepts(const uint8_t *first, size_t size)
{
    static const struct steady_answer answer = {.protocol = "chat"};
    static const struct steady_buffer headers = {0};
    static const struct steady_address address = {.text = "127.0.0.1:80"};
    struct steady_upgrade *upgrade = world.upgrade;
    struct steady_accepted accepted = {
        .answer = &answer, .headers = &headers, .address = &address, .first_size = size};
    if (!upgrade)
        return;
    accepted.stream = stream_new();
    accepted.first = stream_reads(first, size);
    world.upgrade = NULL;
    upgrade->calls->accepted(upgrade->owner, &accepted);
    end(upgrade);
    stream_reads(NULL, 0);
}

/* ------------------------------------------------------------------------- other attempts */

void upgrade_crowd(void)
{
    struct steady_lobby *lobby = &world.client.shared->lobby;
    world.crowded = world.client.attempt.state == STEADY_ATTEMPT_NONE;
    if (world.crowded)
        lobby->under_way = STEADY_ATTEMPTS_MAX;
}

void upgrade_make_place(void)
{
    static struct steady_ready other;
    world.crowded = false;
    steady_lobby_leave(&world.client.shared->lobby, &other);
}

bool upgrade_is_queued(void)
{
    return world.client.attempt.state == STEADY_ATTEMPT_QUEUED;
}

/* ------------------------------------------------------------------------- not explored */

bool steady_proxy_of_environment(const struct steady_url *target, struct steady_url *proxy,
                                 char *message, size_t size)
{
    (void)target;
    (void)proxy;
    (void)message;
    (void)size;
    return true;
}

struct steady_tls_context *steady_tls_context_get(struct steady_loop *loop,
                                                  const struct steady_tls_options *options,
                                                  char *message, size_t size)
{
    (void)loop;
    (void)options;
    (void)message;
    (void)size;
    return NULL;
}

void steady_tls_context_release(struct steady_tls_context *context)
{
    (void)context;
}

/* Masks are no matter here. */
static void refill(void *context, uint8_t *bytes, size_t size)
{
    (void)context;
    for (size_t i = 0; i < size; i++)
        bytes[i] = (uint8_t)i;
}

void steady_mask_init(struct steady_random *random)
{
    *random = (struct steady_random){.refill = refill};
}
