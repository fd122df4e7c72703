#include "dial/failure.h"

#include "core/ascii.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void steady_cause_note(struct steady_cause *cause, enum steady_error error, const char *format, ...)
{
    char text[1024];
    va_list arguments;
    if (cause->error)
        return;
    cause->error = error;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    for (char *at = text; *at; at++)
        if (steady_is_control(*at))
            *at = '?';
    steady_buffer_append(&cause->text, text,
                         strlen(text) + 1); /* when memory is out, there is no text */
}

const char *steady_cause_text(const struct steady_cause *cause)
{
    return cause->text.data ? (const char *)cause->text.data : "out of memory";
}

void steady_cause_free(struct steady_cause *cause)
{
    steady_buffer_free(&cause->text);
}
