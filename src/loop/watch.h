/* Watches sockets by means of libwebsockets, which reports when a socket can be read or written, or
 * has broken. No other file hands sockets to the library. */
#ifndef STEADY_LOOP_WATCH_H
#define STEADY_LOOP_WATCH_H

#include "loop/loop.h"

#include <stdbool.h>

struct steady_watch;

/* The calls that a watch makes to its owner, from the loop. Each of them may call
 * steady_watch_stop, after which no other call follows. While the loop is halted, only `broken` may
 * be called, and the other calls follow later. */
struct steady_watch_owner {
    /* There is something to read, or the peer has ended the connection. The call is repeated until
     * that has been read. */
    void (*readable)(void *owner);
    /* The socket takes bytes. There is one call for each steady_watch_write. */
    void (*writable)(void *owner);
    /* The connection was reset, was refused or has failed otherwise. This is the last call. During
     * this call the socket still has SO_ERROR and the bytes that the peer has sent before;
     * afterwards it is closed. */
    void (*broken)(void *owner);
};

/* Has to be called before the first watch of a loop. Returns NULL, or a static text that says what
 * is wrong. */
const char *steady_watch_prepare(struct steady_loop *loop);

/* Takes over a socket that does not block and is being connected. Calls `writable` once when the
 * socket is connected, and from then on `readable` whenever there is something to read. Returns
 * NULL, with a negative libuv error in *error; then the socket still belongs to the caller. */
struct steady_watch *steady_watch_start(struct steady_loop *loop, int socket,
                                        const struct steady_watch_owner *calls, void *owner,
                                        int *error);

/* Gives the watch another owner. */
void steady_watch_give(struct steady_watch *watch, const struct steady_watch_owner *calls,
                       void *owner);

/* Stops reporting that there is something to read, or goes on with it. */
void steady_watch_read(struct steady_watch *watch, bool wanted);

/* Asks for a call of `writable` as soon as the socket takes bytes. */
void steady_watch_write(struct steady_watch *watch);

/* Ends the watch and closes the socket. The peer is informed at once, and the descriptor becomes
 * free after the next turn. NULL is allowed. */
void steady_watch_stop(struct steady_watch *watch);

#endif
