/* The trace of a client: what is written to it becomes LINE events, in order with all others, so
 * that the owner hears of it from inside of a delivery, where it may do what it likes. */
#ifndef STEADY_CLIENT_TRACE_H
#define STEADY_CLIENT_TRACE_H

#include "client/state.h"

/* Lines up to this level are traced from now on. */
void steady_client_trace(struct steady_client *client, enum steady_level level);

/* For the functions below: use those without _frames, which cost a comparison when off. */
void steady_client_trace_received_frames(struct steady_client *client, const uint8_t *bytes,
                                         size_t size);
bool steady_client_trace_open_sent(struct steady_client *client);

/* Traces bytes that have come on the open connection, before the protocol gets them. */
static inline void steady_client_trace_received(struct steady_client *client, const uint8_t *bytes,
                                                size_t size)
{
    if (steady_traces(&client->trace, STEADY_LEVEL_TRACE))
        steady_client_trace_received_frames(client, bytes, size);
}

/* Returns whether the bytes that the protocol is about to put out are to be traced. */
static inline bool steady_client_traces_sent(struct steady_client *client)
{
    return steady_traces(&client->trace, STEADY_LEVEL_TRACE) &&
           steady_client_trace_open_sent(client);
}

/* Traces the bytes that the protocol has put out. To be called only when steady_client_traces_sent
 * returned true. */
void steady_client_trace_sent(struct steady_client *client, const uint8_t *bytes, size_t size);

#endif
