/* libwebsockets' part of a loop: its context, of which there is one for each loop, with what has to
 * be known about the versions of the library. */
#ifndef STEADY_LOOP_CONTEXT_H
#define STEADY_LOOP_CONTEXT_H

#include "loop/loop.h"

struct lws_context;

/* The version at run time, as "4.1.6". */
const char *steady_context_library(void);

/* The loop's context, made when there is none yet. NULL with a static text in *problem that says
 * what is wrong. */
struct lws_context *steady_context_get(struct steady_loop *loop, const char **problem);

/* Descriptors from this number on cannot be watched: it was the process's limit when the context
 * was made, and the library has a table of that size. 0 without a context. */
int steady_context_descriptors(struct steady_loop *loop);

#endif
