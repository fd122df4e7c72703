/* The functions that carry the bytes of a TLS session. */
#ifndef STEADY_DIAL_CARRIER_H
#define STEADY_DIAL_CARRIER_H

#include <stddef.h>
#include <stdint.h>

/* Both functions return the number of bytes, or one of the results below. */
struct steady_carrier {
    ptrdiff_t (*read)(void *carrier, uint8_t *bytes, size_t size);
    ptrdiff_t (*write)(void *carrier, const uint8_t *bytes, size_t size);
};

#define STEADY_WAIT   0    /* no bytes can be read or written now */
#define STEADY_EOF    (-1) /* the peer has ended its side of the connection */
#define STEADY_BROKEN (-2)

#endif
