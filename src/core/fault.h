/* Finds faults in the header of a frame that a server sends. Each function returns NULL, or a
 * static text that says what is wrong, with the section of the RFC. */
#ifndef STEADY_CORE_FAULT_H
#define STEADY_CORE_FAULT_H

#include "core/protocol_state.h"

#include <stdint.h>

/* Checks the first two bytes of protocol->header. */
const char *steady_fault_of_start(const struct steady_protocol *protocol);

/* Checks the length that a complete header announces. second: the header's second byte. */
const char *steady_fault_of_length(uint8_t second, uint64_t length);

#endif
