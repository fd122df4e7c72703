/* The context of libwebsockets, of which each loop has one, and everything that depends on the
 * version of the library. */
#ifndef STEADY_LOOP_CONTEXT_H
#define STEADY_LOOP_CONTEXT_H

#include "loop/loop.h"

struct lws_protocols;
struct lws_vhost;

/* Returns the version of libwebsockets at run time, such as "4.1.6". */
const char *steady_context_library(void);

/* Makes the loop's context and its vhost, unless they are there already. `protocols` are those of
 * the vhost, and must be static. Returns NULL, or a static text that says what is wrong. */
const char *steady_context_start(struct steady_loop *loop, const struct lws_protocols *protocols);

/* Returns the vhost, or NULL when steady_context_start was not called or has failed. */
struct lws_vhost *steady_context_vhost(struct steady_loop *loop);

/* Returns the number from which on descriptors cannot be watched, or 0 when there is no context. It
 * is the limit of the process at the time when the context was made, because the library has a
 * table of that size. */
int steady_context_descriptors(struct steady_loop *loop);

#endif
