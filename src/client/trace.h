/* The trace of a client. Each line that is written to it becomes a LINE event, in order with all
 * other events. So the owner gets the line during a delivery, where it may make any call. */
#ifndef STEADY_CLIENT_TRACE_H
#define STEADY_CLIENT_TRACE_H

#include "client/state.h"

/* Sets the level up to which lines are traced from now on. */
void steady_client_trace(struct steady_client *client, enum steady_level level);

/* These two functions are for the inline functions below. Other files call the inline ones, which
 * cost no more than a comparison when frames are not traced. */
void steady_client_trace_received_frames(struct steady_client *client, const uint8_t *bytes,
                                         size_t size);
bool steady_client_trace_open_sent(struct steady_client *client);

/* Traces bytes that have arrived on the open connection, before the protocol gets them. */
static inline void steady_client_trace_received(struct steady_client *client, const uint8_t *bytes,
                                                size_t size)
{
    if (steady_traces(&client->trace, STEADY_LEVEL_TRACE))
        steady_client_trace_received_frames(client, bytes, size);
}

/* Returns whether the bytes that the protocol is about to put out have to be traced. */
static inline bool steady_client_traces_sent(struct steady_client *client)
{
    return steady_traces(&client->trace, STEADY_LEVEL_TRACE) &&
           steady_client_trace_open_sent(client);
}

/* Traces the bytes that the protocol has put out. May be called only when steady_client_traces_sent
 * has returned true before. */
void steady_client_trace_sent(struct steady_client *client, const uint8_t *bytes, size_t size);

#endif
