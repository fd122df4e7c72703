/* Random bytes for masking keys (RFC 6455 section 5.3), which take one for each frame. */
#ifndef STEADY_DIAL_MASK_H
#define STEADY_DIAL_MASK_H

#include "core/protocol.h"

/* Sets a pool of random bytes up: OpenSSL fills it, whose generator runs in the process. A system
 * call for each refill takes four times as long. */
void steady_mask_init(struct steady_random *random);

#endif
