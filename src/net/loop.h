/* The event loop of one Lua state: a libuv loop of our own, one libwebsockets context on it, made
 * with the first connection, and what all clients of the loop share. Not thread-safe; several loops
 * in several threads are independent of each other. */
#ifndef STEADY_NET_LOOP_H
#define STEADY_NET_LOOP_H

#include "core/protocol.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

struct lws_context;
struct steady_lookup;
struct steady_stream;
struct steady_dial;
struct steady_vhost;
struct steady_loop;

/* Something that has work to do in the loop's next turn, outside all other callbacks. */
struct steady_ready {
    struct steady_ready *next, *previous; /* in the loop's list; next is NULL when not in it */
    void (*run)(struct steady_ready *ready);
};

struct steady_loop {
    uv_loop_t uv;
    struct lws_context *lws;     /* NULL until steady_loop_start */
    struct steady_vhost *vhosts; /* see net/tls.h */
    struct steady_dial *dials;
    struct steady_stream *streams;
    struct steady_lookup *lookups; /* see net/dns.c */
    struct steady_random random;
    struct steady_queue_pool queue_pool;
    struct {
        char to[64];  /* the address that has been found to have one last */
        double found; /* when */
    } route;          /* see net/route.h */

    uv_idle_t turn;            /* active while anything is ready, so that polling does not block */
    struct steady_ready ready; /* head of a ring */
    uv_timer_t limit;          /* of steady_loop_step */

    uv_prepare_t polling; /* before and after libuv waits */
    uv_check_t polled;
    bool happened;   /* in this turn something has been called */
    uint64_t passes; /* how often libuv has come to its timers, or is about to */

    size_t alive; /* clients, connections and timers that keep steady_loop_run going */
    bool running; /* inside steady_loop_run or _step */
    bool stopped; /* by steady_loop_stop, until the next run */
    bool halted;  /* a handler failed: nothing may be handed to Lua until the next run */
    bool changed; /* what is to be done has, since the last run or step */

    unsigned process;          /* in which of a line of forked processes it was made */
    bool left;                 /* steady_loop_leave was here */
    struct steady_loop *outer; /* what this thread was running when this one began to run */

    /* Shared by all connections: what one read takes in, what one write hands over. */
    uint8_t *read_buffer, *write_buffer;
};

#define STEADY_READ_SIZE  (256 * 1024) /* bytes */
#define STEADY_WRITE_SIZE (512 * 1024)

/* 0, or a negative libuv error; then there is nothing to close. */
int steady_loop_init(struct steady_loop *loop);

/* Makes the libwebsockets context unless it is there. NULL, or a static text that says what is
 * wrong. */
const char *steady_loop_start(struct steady_loop *loop);

extern unsigned steady_process; /* how many forks lie between the first process and this one */

/* Whether it was made by a process of which this one is a fork. Everything on it belongs to that
 * process: it is neither to be used nor to be run here any more. A fork inside of its run or step
 * halts it. */
static inline bool steady_loop_is_foreign(const struct steady_loop *loop)
{
    return loop->process != steady_process;
}

/* Of a foreign loop: gives the connections' descriptors up, after which its clients can be freed
 * and it can be closed as any other, and the process that made it does not notice. Once is enough,
 * of a loop of our own nothing happens. */
void steady_loop_leave(struct steady_loop *loop);

/* Ends everything on the loop without a callback to any client, then frees it. */
void steady_loop_close(struct steady_loop *loop);

/* Runs until nothing is alive, steady_loop_stop, or steady_loop_halt. */
void steady_loop_run(struct steady_loop *loop);

/* One turn; waits at most `seconds` for something to happen, for ever if negative. Returns whether
 * anything is alive afterwards; when nothing is, it does not wait. */
bool steady_loop_step(struct steady_loop *loop, double seconds);

/* Ends the run or step that is under way after its turn; without one, does nothing. */
void steady_loop_stop(struct steady_loop *loop);

/* Stops, and hands nothing more to Lua in this turn: a handler has failed. The next run or step
 * goes on with what was not handed over. */
void steady_loop_halt(struct steady_loop *loop);

/* For another event loop: a descriptor to poll for reading, and how long to wait at most before the
 * next step: seconds from now, negative for ever. */
int steady_loop_fd(const struct steady_loop *loop);
double steady_loop_timeout(struct steady_loop *loop);

/* Seconds on the loop's clock, which is monotonic: as of this turn's beginning, or exactly. */
double steady_loop_now(const struct steady_loop *loop);
double steady_loop_time(struct steady_loop *loop);

/* Unpredictable: bytes, and a number in [0, 1). The loop must have been started. */
void steady_loop_random_bytes(struct steady_loop *loop, void *bytes, size_t size);
double steady_loop_random(struct steady_loop *loop);

void steady_ready_add(struct steady_loop *loop, struct steady_ready *ready); /* once is enough */
void steady_ready_remove(struct steady_loop *loop, struct steady_ready *ready);

#endif
