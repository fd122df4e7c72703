/* Writes heads of HTTP as lines of the level debug, with the signs that curl uses: "> " in front of
 * lines that we send, "< " in front of lines that we receive. Values of headers that may be secrets
 * are hidden, see core/secrets. */
#ifndef STEADY_CORE_TRACE_HTTP_H
#define STEADY_CORE_TRACE_HTTP_H

#include "core/response.h"
#include "core/trace.h"

/* Writes the head of a request that goes out. */
void steady_trace_request(struct steady_trace *trace, const struct steady_buffer *request);

/* Writes the head of a response, as far as it has been read. The names of its headers are in lower
 * case. */
void steady_trace_response(struct steady_trace *trace, const struct steady_response *response);

#endif
