/* Stands before vsnprintf: at the end of the process standard error gets the number of its calls
 * while the file that COUNTED names was there. See preload.lua. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static int calls;

static int format_and_count(char *out, size_t size, const char *format, va_list arguments)
{
    static int (*real)(char *, size_t, const char *, va_list);
    const char *file = getenv("COUNTED");
    if (!real)
        *(void **)&real = dlsym(RTLD_NEXT, "vsnprintf");
    calls += file && access(file, F_OK) == 0;
    return real(out, size, format, arguments);
}

int vsnprintf(char *out, size_t size, const char *format, va_list arguments)
{
    return format_and_count(out, size, format, arguments);
}

/* What the same call becomes with _FORTIFY_SOURCE. */
int __vsnprintf_chk(char *out, size_t size, int flag, size_t limit, const char *format,
                    va_list arguments);
int __vsnprintf_chk(char *out, size_t size, int flag, size_t limit, const char *format,
                    va_list arguments)
{
    (void)flag;
    (void)limit;
    return format_and_count(out, size, format, arguments);
}

__attribute__((destructor)) static void tell(void)
{
    dprintf(2, "formatted %d\n", calls);
}
