/* Heads of HTTP as lines of a trace, of the level debug: what we send behind "> ", what comes
 * behind
 * "< ", as curl has them. Values of headers that may be secrets are hidden, see core/secrets. */
#ifndef STEADY_CORE_TRACE_HTTP_H
#define STEADY_CORE_TRACE_HTTP_H

#include "core/response.h"
#include "core/trace.h"

/* The head of a request, as it goes out. */
void steady_trace_request(struct steady_trace *trace, const struct steady_buffer *request);

/* The head of a response, as far as it has been read: the names of its headers are in lower case.
 */
void steady_trace_response(struct steady_trace *trace, const struct steady_response *response);

#endif
