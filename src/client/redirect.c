#include "client/redirect.h"

#include "core/ascii.h"
#include "core/reference.h"
#include "core/response.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void steady_trail_begin(struct steady_trail *trail, const struct steady_url *first)
{
    for (size_t i = 0; i < trail->count; i++)
        steady_url_free(&trail->rest[i]);
    free(trail->rest);
    *trail = (struct steady_trail){.first = first};
}

const struct steady_url *steady_trail_end(const struct steady_trail *trail)
{
    return trail->count ? &trail->rest[trail->count - 1] : trail->first;
}

bool steady_trail_is_abroad(const struct steady_trail *trail)
{
    for (size_t i = 0; i < trail->count; i++)
        if (!steady_reference_same_server(&trail->rest[i], trail->first))
            return true;
    return false;
}

bool steady_trail_is_redirect(const struct steady_failure *failure)
{
    int status = failure->http_status;
    bool redirects = (status >= 301 && status <= 303) || status == 307 || status == 308;
    return failure->error == STEADY_HTTP && redirects && failure->headers &&
           steady_headers_find(failure->headers, "location");
}

static bool has_been_at(const struct steady_trail *trail, const struct steady_url *url)
{
    bool found = !strcmp(trail->first->text, url->text);
    for (size_t i = 0; i < trail->count; i++)
        found = found || !strcmp(trail->rest[i].text, url->text);
    return found;
}

/* Writes "the server answered 302 Found, to ws://b/; <why>; the way was ws://a/, ws://c/". */
static void explain(const struct steady_trail *trail, const struct steady_failure *failure,
                    const struct steady_url *next, const char *why, char *message, size_t size)
{
    size_t used =
        (size_t)snprintf(message, size, "%s, to %s; %s", failure->message, next->text, why);
    if (trail->count && used < size)
        used +=
            (size_t)snprintf(message + used, size - used, "; the way was %s", trail->first->text);
    for (size_t i = 0; i < trail->count && used < size; i++)
        used += (size_t)snprintf(message + used, size - used, ", %s", trail->rest[i].text);
}

/* Writes that a Location leads nowhere. Control characters that the server has sent are replaced,
 * because the text may be shown on a terminal. */
static void explain_nonsense(const struct steady_failure *failure, const char *location,
                             const char *wrong, char *message, size_t size)
{
    snprintf(message, size, "%s, to \"%.200s\", which leads nowhere: the URL %s", failure->message,
             location, wrong);
    for (char *at = message; *at; at++)
        if (steady_is_control(*at))
            *at = '?';
}

/* Returns why a redirect to `next` is not followed, or NULL when it is. `most` is how many
 * redirects an attempt may follow. */
static const char *objection(const struct steady_trail *trail, const struct steady_url *next,
                             double most)
{
    if (most == 0)
        return "redirects are not followed, unless the option redirects allows it";
    if (steady_trail_end(trail)->secure && !next->secure)
        return "a redirect from wss to ws is not followed, since all would be readable on the way";
    if (has_been_at(trail, next))
        return "that is a loop";
    if ((double)trail->count >= most)
        return "that is one more than the option redirects allows";
    return NULL;
}

static bool add(struct steady_trail *trail, const struct steady_url *next)
{
    struct steady_url *rest = realloc(trail->rest, (trail->count + 1) * sizeof *rest);
    if (!rest)
        return false;
    rest[trail->count++] = *next;
    trail->rest = rest;
    return true;
}

enum steady_error steady_trail_follow(struct steady_trail *trail,
                                      const struct steady_failure *failure, double most,
                                      char *message, size_t size)
{
    struct steady_url next;
    const char *location = steady_headers_find(failure->headers, "location");
    const char *wrong = steady_reference_resolve(&next, steady_trail_end(trail), location);
    if (wrong) {
        explain_nonsense(failure, location, wrong, message, size);
        return STEADY_HTTP;
    }
    const char *why = objection(trail, &next, most);
    if (!why && add(trail, &next))
        return STEADY_OK;
    if (why)
        explain(trail, failure, &next, why, message, size);
    else
        snprintf(message, size, "out of memory");
    steady_url_free(&next);
    return why ? STEADY_HTTP : STEADY_NETWORK;
}
