#include "client/upgrade.h"

#include "core/handshake.h"
#include "core/trace_http.h"
#include "dial/dial.h"
#include "dial/encode.h"

#include <stdlib.h>
#include <string.h>

#define TLS_ALERT 21 /* the type of a TLS record that has an alert */

struct steady_upgrade {
    struct steady_loop *loop;
    struct steady_trace *trace;
    const struct steady_upgrade_owner *calls;
    void *owner;
    const struct steady_url *url;
    struct steady_dial *dial;      /* NULL when it has connected */
    struct steady_stream *stream;  /* NULL before that */
    struct steady_address address; /* what the stream is connected to */
    char key[STEADY_BASE64_SIZE(16)], accept[STEADY_BASE64_SIZE(20)];
    char *authorization;
    struct steady_request request;
    struct steady_response response;
    struct steady_answer answer;
    struct steady_cause cause;
};

/* ------------------------------------------------------------------------- how it ends */

static void free_upgrade(struct steady_upgrade *u)
{
    steady_dial_drop(u->dial);
    steady_stream_free(u->stream);
    steady_response_free(&u->response);
    steady_cause_free(&u->cause);
    free(u->authorization);
    free(u);
}

static void fail(struct steady_upgrade *u)
{
    const struct steady_response *response = &u->response;
    bool answered = response->part != STEADY_RESPONSE_HEAD && response->part != STEADY_RESPONSE_BAD;
    struct steady_failure failure = {
        .error = u->cause.error,
        .message = steady_cause_text(&u->cause),
        .http_status = answered ? response->status : 0,
        .headers = &response->headers,
        .body = response->body.data,
        .body_size = response->body.size,
    };
    u->calls->failed(u->owner, &failure);
    free_upgrade(u);
}

/* `first` points to the `size` bytes that arrived behind the answer. */
static void succeed(struct steady_upgrade *u, const uint8_t *first, size_t size)
{
    struct steady_accepted accepted = {
        .answer = &u->answer,
        .headers = &u->response.headers,
        .address = &u->address,
        .stream = u->stream,
        .first = first,
        .first_size = size,
    };
    u->stream = NULL;
    u->calls->accepted(u->owner, &accepted);
    free_upgrade(u);
}

/* ------------------------------------------------------------------------- the answer */

static void note_status(struct steady_upgrade *u)
{
    const char *reason = u->response.reason;
    steady_cause_note(&u->cause, STEADY_HTTP, "the server answered %d%s%s", u->response.status,
                      *reason ? " " : "", reason);
}

/* Returns whether the answer to a request that went out without TLS begins with a TLS alert (RFC
 * 8446 section 5.1). */
static bool is_in_tls(const struct steady_upgrade *u)
{
    return !u->url->secure && u->response.line.size && u->response.line.data[0] == TLS_ALERT;
}

static void note_problem(struct steady_upgrade *u)
{
    if (u->response.problem && is_in_tls(u))
        steady_cause_note(
            &u->cause, STEADY_HANDSHAKE,
            "the server answers in TLS: the URL of a server that speaks TLS begins with "
            "wss://");
    else if (u->response.problem)
        steady_cause_note(&u->cause, STEADY_HANDSHAKE, "the answer to the upgrade %s",
                          u->response.problem);
    else
        steady_cause_note(&u->cause, STEADY_NETWORK, "out of memory");
}

static bool is_good(struct steady_upgrade *u)
{
    char message[512];
    u->answer = steady_handshake_answer(&u->response);
    if (steady_handshake_check(&u->request, u->accept, &u->answer, message, sizeof message))
        return true;
    steady_cause_note(&u->cause, STEADY_HANDSHAKE, "%s", message);
    return false;
}

static void received(void *owner, const uint8_t *bytes, size_t size)
{
    struct steady_upgrade *u = owner;
    bool in_head = u->response.part == STEADY_RESPONSE_HEAD;
    size_t used = steady_response_input(&u->response, bytes, size);
    if (in_head && u->response.part != STEADY_RESPONSE_HEAD)
        steady_trace_response(u->trace, &u->response);
    switch (u->response.part) {
    case STEADY_RESPONSE_HEAD:
    case STEADY_RESPONSE_BODY:
        return;
    case STEADY_RESPONSE_BAD:
        note_problem(u);
        break;
    case STEADY_RESPONSE_COMPLETE:
        if (u->response.status != 101) {
            note_status(u);
        } else if (is_good(u)) {
            succeed(u, bytes + used, size - used);
            return;
        }
    }
    fail(u);
}

static void writable(void *owner)
{
    (void)owner; /* the request is all there is to write */
}

/* Handles the end of the stream. In TLS 1.3 the server's refusal of the client's certificate
 * arrives as late as this. */
static void ended(void *owner)
{
    struct steady_upgrade *u = owner;
    if (u->response.part == STEADY_RESPONSE_BODY)
        note_status(u);
    steady_stream_explain(u->stream, &u->cause);
    if (steady_response_has_begun(&u->response))
        steady_cause_note(&u->cause, STEADY_HANDSHAKE,
                          "the server closed the connection in the middle of its answer to the "
                          "upgrade");
    steady_cause_note(&u->cause, STEADY_HANDSHAKE, STEADY_HUNG_UP);
    fail(u);
}

/* ------------------------------------------------------------------------- the request */

static void describe_request(struct steady_upgrade *u, const struct steady_options *options,
                             bool abroad)
{
    u->request = (struct steady_request){
        .url = u->url,
        .key = u->key,
        .origin = options->origin,
        .protocols = (const char *const *)options->protocols,
        .protocol_count = options->protocol_count,
        .require_protocol = options->require_protocol,
        .compression = &options->compression,
        .abroad = abroad,
        .headers = options->headers,
        .header_count = options->header_count,
        .authorization = u->authorization,
    };
}

/* Sends the request. Returns false when that is impossible, with the reason in u->cause. A write
 * that fails does not end the upgrade yet, because the server may have answered before it ended the
 * connection. */
static bool send_request(struct steady_upgrade *u)
{
    struct steady_buffer request = {0};
    bool made = steady_handshake_request(&request, &u->request);
    bool fits = request.size <= STEADY_WRITE_SIZE;
    if (!made)
        steady_cause_note(&u->cause, STEADY_NETWORK, "out of memory");
    else if (!fits)
        steady_cause_note(&u->cause, STEADY_HANDSHAKE,
                          "the request has %zu bytes, more than %d KiB", request.size,
                          STEADY_WRITE_SIZE / 1024);
    if (made && fits) {
        steady_trace_request(u->trace, &request);
        memcpy(steady_stream_room(u->stream), request.data, request.size);
        steady_stream_write(u->stream, request.size);
    }
    steady_buffer_free(&request);
    return made && fits;
}

static void connected(void *owner, struct steady_stream *stream,
                      const struct steady_address *address)
{
    static const struct steady_stream_owner calls = {received, writable, NULL, ended};
    struct steady_upgrade *u = owner;
    u->dial = NULL;
    u->stream = stream;
    u->address = *address;
    steady_stream_give(stream, &calls, u);
    if (!send_request(u))
        fail(u);
}

static void not_connected(void *owner, const struct steady_failure *failure)
{
    struct steady_upgrade *u = owner;
    u->dial = NULL;
    u->calls->failed(u->owner, failure);
    free_upgrade(u);
}

/* ------------------------------------------------------------------------- for the owner */

struct steady_upgrade *steady_upgrade_start(struct steady_loop *loop,
                                            const struct steady_target *target,
                                            const struct steady_options *options, bool abroad,
                                            const struct steady_upgrade_owner *calls, void *owner)
{
    static const struct steady_dial_owner dial_calls = {connected, not_connected};
    struct steady_upgrade *u = calloc(1, sizeof *u);
    if (!u)
        return NULL;
    u->loop = loop;
    u->trace = target->trace;
    u->calls = calls;
    u->owner = owner;
    u->url = target->url;
    if (steady_encode_basic(target->url, &u->authorization) &&
        steady_encode_keys(loop, u->key, u->accept)) {
        describe_request(u, options, abroad);
        u->dial = steady_dial_start(loop, target, &dial_calls, u);
    }
    if (u->dial)
        return u;
    free_upgrade(u);
    return NULL;
}

void steady_upgrade_time_out(struct steady_upgrade *u, double seconds)
{
    if (u->dial) {
        steady_dial_time_out(u->dial, seconds);
        return;
    }
    if (u->response.part == STEADY_RESPONSE_BODY)
        note_status(u);
    steady_cause_note(&u->cause, STEADY_TIMEOUT,
                      "no complete HTTP answer to the upgrade within %g s", seconds);
    fail(u);
}

void steady_upgrade_drop(struct steady_upgrade *u)
{
    if (u)
        free_upgrade(u);
}
