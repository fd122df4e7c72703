/* What carries the bytes of a TLS session. */
#ifndef STEADY_DIAL_CARRIER_H
#define STEADY_DIAL_CARRIER_H

#include <stddef.h>
#include <stdint.h>

/* Both return how many went, STEADY_WAIT, or one of the others. */
struct steady_carrier {
    ptrdiff_t (*read)(void *carrier, uint8_t *bytes, size_t size);
    ptrdiff_t (*write)(void *carrier, const uint8_t *bytes, size_t size);
};

#define STEADY_WAIT   0    /* nothing goes now */
#define STEADY_EOF    (-1) /* the peer has said that no more will come */
#define STEADY_BROKEN (-2)

#endif
