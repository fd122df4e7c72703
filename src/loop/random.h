/* Random bytes that nobody can predict, from the system's generator. */
#ifndef STEADY_LOOP_RANDOM_H
#define STEADY_LOOP_RANDOM_H

#include <stddef.h>

/* Ends the process when the system has no generator: nothing that needs a key may go on then. */
void steady_random_bytes(void *bytes, size_t size);

/* In [0, 1). */
double steady_random_number(void);

#endif
