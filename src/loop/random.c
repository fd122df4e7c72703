#include "loop/random.h"

#include <stdint.h>
#include <stdlib.h>
#include <uv.h>

void steady_random_bytes(void *bytes, size_t size)
{
    if (uv_random(NULL, NULL, bytes, size, 0, NULL))
        abort();
}

double steady_random_number(void)
{
    uint64_t bits;
    steady_random_bytes(&bits, sizeof bits);
    return (double)(bits >> 11) * 0x1p-53;
}
