/* Watching a socket: libwebsockets tells when it can be read from or written to, or has broken. The
 * one place that hands it descriptors. */
#ifndef STEADY_LOOP_WATCH_H
#define STEADY_LOOP_WATCH_H

#include "loop/loop.h"

#include <stdbool.h>

struct steady_watch;

/* Calls to the owner, from the loop. steady_watch_stop is legal in each of them, and none comes
 * after it. While the loop is halted none is made; they come later. */
struct steady_watch_owner {
    /* There is something to read, or the end: called again until it has been read. */
    void (*readable)(void *owner);
    /* Once for each steady_watch_write. */
    void (*writable)(void *owner);
    /* The connection was reset, refused or otherwise failed: this is the last call. SO_ERROR and
     * what the peer sent before can still be had from the socket, during this call only. */
    void (*broken)(void *owner);
};

/* Before the first watch of a loop. NULL, or a static text that says what is wrong. */
const char *steady_watch_prepare(struct steady_loop *loop);

/* Takes a socket that does not block over, also one that is still connecting, and looks for
 * something to read from now on. NULL with a negative libuv error; then the socket is still the
 * caller's. */
struct steady_watch *steady_watch_start(struct steady_loop *loop, int socket,
                                        const struct steady_watch_owner *calls, void *owner,
                                        int *error);

/* It has another owner from now on. */
void steady_watch_give(struct steady_watch *watch, const struct steady_watch_owner *calls,
                       void *owner);

/* Stops and goes on looking for something to read. */
void steady_watch_read(struct steady_watch *watch, bool wanted);

/* Asks for a call of `writable` as soon as the socket takes bytes. */
void steady_watch_write(struct steady_watch *watch);

/* Ends the watch and closes the socket: the peer hears of that at once, the number is free after
 * the next turn. NULL is fine. */
void steady_watch_stop(struct steady_watch *watch);

#endif
