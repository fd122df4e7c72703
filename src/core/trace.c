#include "core/trace.h"

#include <stdarg.h>

void steady_trace_line(struct steady_trace *trace, enum steady_level level, const char *format, ...)
{
    struct steady_buffer line = {0};
    va_list arguments;
    va_start(arguments, format);
    bool made = steady_buffer_vprintf(&line, format, arguments);
    va_end(arguments);
    if (made)
        trace->write(trace, level, (const char *)line.data);
    steady_buffer_free(&line);
}
