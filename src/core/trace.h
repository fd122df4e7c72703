/* The trace of a client: lines that say what the client is doing. Each client has a trace, and
 * hands it down to everything that works for it. A line is formatted only when somebody wants lines
 * of its level, so a trace that is off costs no more than a comparison. */
#ifndef STEADY_CORE_TRACE_H
#define STEADY_CORE_TRACE_H

#include "core/buffer.h"

/* Each level includes all lines of the levels before it. */
enum steady_level {
    STEADY_LEVEL_OFF,
    STEADY_LEVEL_ERROR,
    STEADY_LEVEL_WARNING,
    STEADY_LEVEL_INFO,
    STEADY_LEVEL_DEBUG, /* the phases of an attempt, heads of HTTP, the heartbeat, decisions */
    STEADY_LEVEL_TRACE, /* each frame */
};

struct steady_trace {
    enum steady_level level; /* the most detailed level that somebody wants */
    /* Gets a line without a newline and without the client's name. The function must not change
     * anything that is traced, because it may be called at any place in the code. */
    void (*write)(struct steady_trace *trace, enum steady_level level, const char *line);
};

/* Returns whether lines of this level are wanted. */
static inline bool steady_traces(const struct steady_trace *trace, enum steady_level level)
{
    return trace->level >= level;
}

/* Formats a line as printf does, and writes it. When memory is out, the line is left out. */
void steady_trace_line(struct steady_trace *trace, enum steady_level level, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Writes a line of the level debug. When such lines are not wanted, not even the arguments are
 * evaluated. */
#define STEADY_DEBUG(trace, ...)                                                                   \
    do {                                                                                           \
        if (steady_traces(trace, STEADY_LEVEL_DEBUG))                                              \
            steady_trace_line(trace, STEADY_LEVEL_DEBUG, __VA_ARGS__);                             \
    } while (0)

#endif
