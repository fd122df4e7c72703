/* What cannot be done ends the server. */
#ifndef BENCH_CHECK_H
#define BENCH_CHECK_H

#include <stdbool.h>

/* Unless all is fine, tells what failed, with errno's text, and exits. */
void check(bool fine, const char *what);

#endif
