#include "dial/mask.h"

#include "loop/random.h"

#include <openssl/rand.h>

static void refill(void *context, uint8_t *bytes, size_t size)
{
    (void)context;
    if (RAND_bytes(bytes, (int)size) != 1)
        steady_random_bytes(bytes, size);
}

void steady_mask_init(struct steady_random *random)
{
    *random = (struct steady_random){.refill = refill};
}
