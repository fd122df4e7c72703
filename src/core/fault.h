/* Finds faults in the header of a frame that a server sends. A function that returns a text returns
 * NULL when there is no fault. Otherwise the text is static, and names what is wrong and the
 * section of the RFC. */
#ifndef STEADY_CORE_FAULT_H
#define STEADY_CORE_FAULT_H

#include "core/protocol_state.h"

#include <stdbool.h>
#include <stdint.h>

/* Checks the first two bytes of protocol->header. */
const char *steady_fault_of_start(const struct steady_protocol *protocol);

/* Checks the length that a complete header announces. `second` is the header's second byte. */
const char *steady_fault_of_length(uint8_t second, uint64_t length);

/* Returns whether a data frame of this length makes the message too large. For a compressed frame
 * the size of the inflated message is not known yet. But DEFLATE uses at most 9 bits for a byte, so
 * a frame that is much longer than the limit is too large in any case. A shorter frame is allowed
 * to begin, because compressed payload is not stored. */
bool steady_fault_is_too_large(const struct steady_protocol *protocol, uint64_t length);

#endif
