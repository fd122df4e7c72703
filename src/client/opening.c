#include "client/opening.h"

#include "client/attempt.h"
#include "client/change.h"
#include "client/door.h"
#include "client/link.h"
#include "client/receiving.h"
#include "client/trace.h"

#include <stdlib.h>
#include <string.h>

#define MESSAGE_SIZE 1024 /* bytes of a text that tells why an attempt failed */

/* ------------------------------------------------------------------------- the open connection */

static void received(void *owner, const uint8_t *bytes, size_t size)
{
    struct steady_client *c = owner;
    bool first = steady_door_enter(c);
    steady_receiving_input(c, bytes, size);
    steady_door_leave(c, first);
}

/* steady_door_leave sends what waits. */
static void writable(void *owner)
{
    struct steady_client *c = owner;
    steady_door_leave(c, steady_door_enter(c));
}

static void ended(void *owner)
{
    struct steady_client *c = owner;
    bool first = steady_door_enter(c);
    STEADY_DEBUG(&c->trace, "TCP has ended");
    steady_link_lose_stream(c);
    steady_door_leave(c, first);
}

/* ------------------------------------------------------------------------- the attempt's end */

/* Queues the OPEN event. Returns false when memory is out. The connection must not be opened then,
 * because no message goes either way before the owner has handled that event. */
static bool tell_open(struct steady_client *c, const struct steady_accepted *upgrade)
{
    struct steady_event event = {
        .type = STEADY_EVENT_OPEN,
        .reconnected = c->was_open,
        .protocol = upgrade->answer->protocol,
        .url = c->attempt.url->text,
        .address = upgrade->address->text,
        .headers = upgrade->headers,
        .attempt = c->session.attempt,
    };
    return steady_client_tell(c, &event);
}

static void open_link(struct steady_client *c, const struct steady_accepted *upgrade)
{
    static const struct steady_stream_owner calls = {received, writable, NULL, ended};
    const char *protocol = upgrade->answer->protocol;
    steady_holds_end(&c->attempt.holds, c->attempt.trail.first);
    free(c->subprotocol);
    c->subprotocol = protocol ? strdup(protocol) : NULL;
    c->was_open = true;
    steady_link_begin(c, upgrade, &calls);
    steady_client_change(c, STEADY_SESSION_OPENED, 0);
    if (upgrade->first_size)
        steady_receiving_input(c, upgrade->first, upgrade->first_size);
}

static void accepted(void *owner, const struct steady_accepted *upgrade)
{
    struct steady_client *c = owner;
    bool first = steady_door_enter(c);
    steady_attempt_end(c);
    if (tell_open(c, upgrade)) {
        open_link(c, upgrade);
    } else {
        steady_stream_free(upgrade->stream);
        steady_client_fail_attempt(c, STEADY_NETWORK, "out of memory", NULL);
    }
    steady_door_leave(c, first);
}

static void failed(void *owner, const struct steady_failure *failure);

static const struct steady_upgrade_owner upgrade_calls = {accepted, failed};

static void failed(void *owner, const struct steady_failure *failure)
{
    struct steady_client *c = owner;
    bool first = steady_door_enter(c);
    char message[MESSAGE_SIZE];
    enum steady_error error =
        steady_attempt_go_on(c, failure, &upgrade_calls, message, sizeof message);
    /* An error that is not the failure's own came up while a redirect was followed, so the answer
     * of the server does not belong to it. */
    if (error)
        steady_client_fail_attempt(c, error, message, error == failure->error ? failure : NULL);
    steady_door_leave(c, first);
}

void steady_opening_start(struct steady_client *c)
{
    char message[MESSAGE_SIZE];
    steady_client_change(c, STEADY_SESSION_BEGUN, 0);
    enum steady_error error = steady_attempt_start(c, &upgrade_calls, message, sizeof message);
    if (error)
        steady_client_fail_attempt(c, error, message, NULL);
}
