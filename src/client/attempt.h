/* One attempt to open a connection, from asking the owner where to, to the server's answer. */
#ifndef STEADY_CLIENT_ATTEMPT_H
#define STEADY_CLIENT_ATTEMPT_H

#include "client/state.h"

/* There is to be an attempt, in place of the one that there may be. It is due when its turn has
 * come. */
void steady_attempt_queue(struct steady_client *client);

/* Begins the attempt that is due. One of the calls follows, with the client as its owner, unless it
 * is dropped before. Returns STEADY_OK, also when a call of the owner's meanwhile has put something
 * else in its place; or the kind of failure, with a text in message. */
enum steady_error steady_attempt_start(struct steady_client *client,
                                       const struct steady_upgrade_owner *calls, char *message,
                                       size_t size);

/* The upgrade has failed, and is gone after this. Where that was a redirect that is to be followed,
 * the next one begins, and STEADY_OK is returned: a call follows as after steady_attempt_start.
 * Else that is the attempt's end; returns the kind of failure, with a text in message. */
enum steady_error steady_attempt_go_on(struct steady_client *client,
                                       const struct steady_failure *failure,
                                       const struct steady_upgrade_owner *calls, char *message,
                                       size_t size);

/* connect_timeout has run out on an attempt that is UNDER_WAY: has the call `failed` come, now. */
void steady_attempt_time_out(struct steady_client *client);

/* Seconds for which all URLs that there are now are held back by their servers; 0 or less: there is
 * one that is not. */
double steady_attempt_held(const struct steady_client *client);

/* The call `accepted` has come. */
void steady_attempt_end(struct steady_client *client);

/* Drops what there is of an attempt. */
void steady_attempt_drop(struct steady_client *client);

/* At the client's end. */
void steady_attempt_free(struct steady_client *client);

#endif
