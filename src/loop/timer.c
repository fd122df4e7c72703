#include "loop/timer.h"

#include "core/number.h"

#include <math.h>
#include <stdlib.h>

struct steady_timer {
    struct steady_ready ready; /* the first member; in the loop's list while the timer is due */
    struct steady_resident resident;
    uv_timer_t uv;
    struct steady_loop *loop;
    void (*due)(void *owner);
    void *owner;
};

static void run(struct steady_ready *ready)
{
    struct steady_timer *timer = (struct steady_timer *)ready; /* its first member */
    timer->due(timer->owner);
}

static void expired(uv_timer_t *uv)
{
    struct steady_timer *timer = uv->data;
    steady_due_add(timer->loop, &timer->ready);
}

static void close_timer(struct steady_resident *resident)
{
    steady_timer_free(
        (struct steady_timer *)((char *)resident - offsetof(struct steady_timer, resident)));
}

struct steady_timer *steady_timer_new(struct steady_loop *loop, void (*due)(void *owner),
                                      void *owner)
{
    struct steady_timer *timer = calloc(1, sizeof *timer);
    if (!timer)
        return NULL;
    uv_timer_init(&loop->uv, &timer->uv);
    timer->uv.data = timer;
    timer->ready.run = run;
    timer->loop = loop;
    timer->due = due;
    timer->owner = owner;
    timer->resident.close = close_timer;
    steady_resident_add(&loop->residents, &timer->resident);
    return timer;
}

/* Returns the milliseconds to give to libuv. libuv's clock cuts off fractions of a millisecond. The
 * result makes up for that and is rounded up, so a timer is never early. */
static uint64_t milliseconds(const struct steady_loop *loop, double seconds)
{
    if (!(seconds > 0))
        return 0;
    double now = (double)uv_hrtime() / 1e6 - (double)uv_now(&loop->uv);
    return steady_uint64(fmin(ceil(seconds * 1000 + fmax(now, 0)), 1e15));
}

void steady_timer_start(struct steady_timer *timer, double seconds)
{
    steady_ready_remove(&timer->ready);
    uv_update_time(&timer->loop->uv);
    steady_loop_changed(timer->loop);
    uv_timer_start(&timer->uv, expired, milliseconds(timer->loop, seconds), 0);
}

void steady_timer_stop(struct steady_timer *timer)
{
    steady_ready_remove(&timer->ready);
    uv_timer_stop(&timer->uv);
}

static void free_timer(uv_handle_t *handle)
{
    free(handle->data);
}

void steady_timer_free(struct steady_timer *timer)
{
    if (!timer)
        return;
    steady_ready_remove(&timer->ready);
    steady_resident_remove(&timer->resident);
    uv_close((uv_handle_t *)&timer->uv, free_timer);
}
