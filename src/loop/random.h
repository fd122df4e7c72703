/* Makes unpredictable random numbers, from the system's generator. */
#ifndef STEADY_LOOP_RANDOM_H
#define STEADY_LOOP_RANDOM_H

#include <stddef.h>

/* Fills memory with random bytes. Ends the process when the system has no generator, since nothing
 * that needs a key may go on then. */
void steady_random_bytes(void *bytes, size_t size);

/* Returns a random number in [0, 1). */
double steady_random_number(void);

#endif
