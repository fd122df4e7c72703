/* One attempt to open a connection. It begins with the owner's call `prepare`, which may give the
 * URL, and ends with the server's answer. */
#ifndef STEADY_CLIENT_ATTEMPT_H
#define STEADY_CLIENT_ATTEMPT_H

#include "client/state.h"

/* Drops the attempt that there may be, and asks for a new one. The new attempt waits in the lobby
 * (client/lobby.h) until it gets a place there; then it is due. An attempt that already waits in
 * the lobby keeps its place. */
void steady_attempt_queue(struct steady_client *client);

/* Begins the attempt that is due. Unless the attempt is dropped, one of `calls` follows, with the
 * client as its owner. Returns STEADY_OK, even when the owner has meanwhile put something else in
 * the attempt's place, by calling close() or reconnect(). Otherwise returns the kind of failure and
 * writes a text of at most `size` bytes to `message`. */
enum steady_error steady_attempt_start(struct steady_client *client,
                                       const struct steady_upgrade_owner *calls, char *message,
                                       size_t size);

/* Has to be called when the attempt's upgrade has failed, as `failure` says; the upgrade is freed
 * after that. When the failure is a redirect that is to be followed, this function begins the next
 * upgrade and returns STEADY_OK, and one of `calls` follows as after steady_attempt_start.
 * Otherwise the attempt has failed: the function returns the kind of failure and writes a text of
 * at most `size` bytes to `message`. */
enum steady_error steady_attempt_go_on(struct steady_client *client,
                                       const struct steady_failure *failure,
                                       const struct steady_upgrade_owner *calls, char *message,
                                       size_t size);

/* Ends an attempt that is UNDER_WAY, because connect_timeout is over. The upgrade's call `failed`
 * comes before this function returns. */
void steady_attempt_time_out(struct steady_client *client);

/* Returns for how many seconds all URLs of the options are still held back by their servers (see
 * core/holds.h), or 0 or less when one of them is not held back. `now` is a time of
 * steady_loop_exact_time. */
double steady_attempt_held(const struct steady_client *client, double now);

/* Ends an attempt whose upgrade has ended by itself. Its place in the lobby becomes free. */
void steady_attempt_end(struct steady_client *client);

/* Ends the attempt, in whatever state it is, and drops its upgrade. */
void steady_attempt_drop(struct steady_client *client);

/* Drops the attempt and frees everything that struct steady_attempt has. */
void steady_attempt_free(struct steady_client *client);

#endif
