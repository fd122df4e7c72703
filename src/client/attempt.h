/* One attempt to open a connection, from asking the owner where to, to the server's answer. */
#ifndef STEADY_CLIENT_ATTEMPT_H
#define STEADY_CLIENT_ATTEMPT_H

#include "client/state.h"

/* Asks for an attempt, and drops the one that there may be. The attempt is due when it has a place
 * in the lobby. */
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

/* connect_timeout is over for an attempt that is UNDER_WAY: its call `failed` comes before this
 * returns. */
void steady_attempt_time_out(struct steady_client *client);

/* Returns the seconds from now, a time of steady_loop_exact_time, for which all URLs of the options
 * are held back by their servers; 0 or less when there is one that is not. */
double steady_attempt_held(const struct steady_client *client, double now);

/* Ends the attempt, whose upgrade is gone: its place in the lobby is free. */
void steady_attempt_end(struct steady_client *client);

/* Drops the attempt in whatever state it is. */
void steady_attempt_drop(struct steady_client *client);

/* Frees everything that an attempt has. */
void steady_attempt_free(struct steady_client *client);

#endif
