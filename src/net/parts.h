/* What the parts of a client have of each other: client.c is its life, attempt.c an attempt to
 * connect, link.c the open connection, messages.c what waits to be sent or to be received. For
 * these files only. */
#ifndef STEADY_NET_PARTS_H
#define STEADY_NET_PARTS_H

#include "net/client.h"

/* A timer that fires this much early, in seconds, is on time: the loop's clock counts milliseconds.
 */
#define CLOCK_STEP 0.0005

/* ------------------------------------------------------------------------- client.c */

/* Tells the session what happened and carries out what it answers. delay: see
 * steady_session_handle. The owner hears what happened first, the new status next. */
enum steady_session_action steady_client_change(struct steady_client *c,
                                                enum steady_session_event event, double delay);

/* The attempt has failed. failure: what the upgrade told, or NULL. format is printf's. */
void steady_client_fail_attempt(struct steady_client *c, enum steady_error error,
                                const struct steady_failure *failure, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

extern const struct steady_upgrade_owner steady_client_upgrade_calls;

/* ------------------------------------------------------------------------- attempt.c */

/* Begins the attempt that the session asks for. */
void steady_attempt_start(struct steady_client *c);

/* Drops what there is of an attempt: the look-up of the name, the addresses, the connection. */
void steady_attempt_drop(struct steady_client *c);

/* Goes on to the next address of the name; false: there is none. */
bool steady_attempt_next_address(struct steady_client *c);

/* The present address has had its share of the time. If it has been reached, it is the one. */
void steady_attempt_leave_address(struct steady_client *c);

/* connect_timeout has run out. */
void steady_attempt_time_out(struct steady_client *c);

/* ------------------------------------------------------------------------- link.c */

/* The CLOSE event, were the connection to end now. */
struct steady_event steady_link_close_event(const struct steady_client *c, double delay);

/* The open connection is over, one way or another: queues the CLOSE event. */
void steady_link_end(struct steady_client *c, double delay);

/* Ends the connection from our side, as if TCP had ended. */
void steady_link_drop(struct steady_client *c);

/* Writes what there is to write, as far as the connection takes it. */
void steady_link_flush(struct steady_client *c);

/* Writes no more than what fills a write, see STEADY_WRITE_SIZE: the rest waits for more. */
void steady_link_flush_full(struct steady_client *c);

/* Sends a close frame, if that can be done at once. */
void steady_link_say_goodbye(struct steady_client *c);

/* The owner has handled the OPEN event: what it sent meanwhile goes first. */
void steady_link_end_greeting(struct steady_client *c);

/* The next MESSAGE or PONG event; false: there is none, or it may not be delivered now. */
bool steady_link_next(struct steady_client *c, struct steady_event *event);
bool steady_link_can_deliver(const struct steady_client *c);

/* Bytes that came and were not looked at yet. */
size_t steady_link_unread(const struct steady_client *c);

bool steady_link_has_heartbeat(const struct steady_client *c);
void steady_link_check_heartbeat(struct steady_client *c, double now);

/* ------------------------------------------------------------------------- messages.c */

/* Whether the inbox takes another message. */
bool steady_client_inbox_has_room(const struct steady_client *c);

/* Queues the DRAIN event if the queue, having been over high_water, is at or under low_water. */
void steady_client_check_drain(struct steady_client *c);

#endif
