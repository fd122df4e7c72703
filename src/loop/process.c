#include "loop/process.h"

#include <pthread.h>
#include <stddef.h>

unsigned steady_process;

static struct {
    pthread_mutex_t mutex;
    void (*before)(void), (*in_child)(void);
} locks[STEADY_LOCKS] = {
    [STEADY_LOCK_LIBRARY] = {PTHREAD_MUTEX_INITIALIZER, NULL, NULL},
    [STEADY_LOCK_LOOK_UPS] = {PTHREAD_MUTEX_INITIALIZER, NULL, NULL},
    [STEADY_LOCK_ANSWERS] = {PTHREAD_MUTEX_INITIALIZER, NULL, NULL},
};

void steady_lock(enum steady_lock lock)
{
    pthread_mutex_lock(&locks[lock].mutex);
}

void steady_unlock(enum steady_lock lock)
{
    pthread_mutex_unlock(&locks[lock].mutex);
}

void steady_process_at_fork(enum steady_lock lock, void (*before)(void), void (*in_child)(void))
{
    steady_lock(lock);
    locks[lock].before = before;
    locks[lock].in_child = in_child;
    steady_unlock(lock);
}

static void before_fork(void)
{
    for (unsigned lock = 0; lock < STEADY_LOCKS; lock++) {
        steady_lock(lock);
        if (locks[lock].before)
            locks[lock].before();
    }
}

static void in_parent(void)
{
    for (unsigned lock = STEADY_LOCKS; lock-- > 0;)
        steady_unlock(lock);
}

static void in_child(void)
{
    steady_process++;
    for (unsigned lock = STEADY_LOCKS; lock-- > 0;) {
        if (locks[lock].in_child)
            locks[lock].in_child();
        steady_unlock(lock);
    }
}

void steady_process_watch_forks(void)
{
    pthread_atfork(before_fork, in_parent, in_child);
}
