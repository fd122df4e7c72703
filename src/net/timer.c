#include "net/timer.h"

#include "core/number.h"

#include <math.h>
#include <stdlib.h>

struct steady_timer {
    uv_timer_t uv;
    void (*due)(void *owner);
    void *owner;
    uint64_t pass; /* of the loop's, in which it was started */
};

/* libuv goes on until no timer is due: timers that start each other, or that take longer than they
 * wait, would never let it poll. So each has to wait for the next pass; 1 ms and not 0, or libuv
 * would call it again in this one. */
static void timer_due(uv_timer_t *uv)
{
    struct steady_timer *timer = uv->data;
    struct steady_loop *loop = uv->loop->data;
    if (loop->halted || timer->pass == loop->passes) {
        uv_timer_start(uv, timer_due, 1, 0);
        return;
    }
    loop->happened = true;
    timer->due(timer->owner);
}

struct steady_timer *steady_timer_new(struct steady_loop *loop, void (*due)(void *owner),
                                      void *owner)
{
    struct steady_timer *timer = malloc(sizeof *timer);
    if (!timer)
        return NULL;
    uv_timer_init(&loop->uv, &timer->uv);
    timer->uv.data = timer;
    timer->due = due;
    timer->owner = owner;
    return timer;
}

/* On libuv's clock, which cuts off what is below a millisecond, so that a timer is never early. */
static uint64_t milliseconds(const struct steady_loop *loop, double seconds)
{
    if (!(seconds > 0))
        return 0;
    double now = (double)uv_hrtime() / 1e6 - (double)uv_now(&loop->uv);
    return steady_uint64(fmin(ceil(seconds * 1000 + fmax(now, 0)), 1e15));
}

void steady_timer_start(struct steady_timer *timer, double seconds)
{
    struct steady_loop *loop = timer->uv.loop->data;
    uv_update_time(timer->uv.loop);
    timer->pass = loop->passes;
    loop->changed = true;
    uv_timer_start(&timer->uv, timer_due, milliseconds(loop, seconds), 0);
}

void steady_timer_stop(struct steady_timer *timer)
{
    uv_timer_stop(&timer->uv);
}

static void free_timer(uv_handle_t *handle)
{
    free(handle->data);
}

void steady_timer_free(struct steady_timer *timer)
{
    if (timer)
        uv_close((uv_handle_t *)&timer->uv, free_timer);
}

static void close_timer(uv_handle_t *handle, void *unused)
{
    (void)unused;
    if (handle->type == UV_TIMER && !uv_is_closing(handle))
        uv_close(handle, free_timer);
}

void steady_timers_close(struct steady_loop *loop)
{
    uv_walk(&loop->uv, close_timer, NULL);
}
