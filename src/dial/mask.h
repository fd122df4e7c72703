/* Makes random bytes for masking keys (RFC 6455 section 5.3). Each frame needs a new key. */
#ifndef STEADY_DIAL_MASK_H
#define STEADY_DIAL_MASK_H

#include "core/protocol.h"

/* Sets up a pool of random bytes. OpenSSL fills it, because its generator runs inside the process:
 * a system call for each refill would take four times as long. */
void steady_mask_init(struct steady_random *random);

#endif
