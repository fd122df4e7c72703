/* Close codes: RFC 6455 section 7.4, and the IANA registry of close codes. */
#ifndef STEADY_CORE_CLOSE_CODE_H
#define STEADY_CORE_CLOSE_CODE_H

#include <stdbool.h>

enum {
    STEADY_CLOSE_NORMAL = 1000,
    STEADY_CLOSE_PROTOCOL_ERROR = 1002,
    STEADY_CLOSE_NO_STATUS = 1005, /* never on the wire: the close frame had no code */
    STEADY_CLOSE_ABNORMAL = 1006,  /* never on the wire: there was no close frame */
    STEADY_CLOSE_INVALID_DATA = 1007,
    STEADY_CLOSE_TOO_LARGE = 1009,
    STEADY_CLOSE_INTERNAL_ERROR = 1011,
};

/* Returns whether a close frame may carry this code. */
static inline bool steady_close_code_may_be_sent(unsigned code)
{
    return (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014) ||
           (code >= 3000 && code <= 4999);
}

#endif
