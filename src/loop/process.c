#define _GNU_SOURCE /* dladdr */
#include "loop/process.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stddef.h>

unsigned steady_process;

/* The locks. Each has a gate and a mutex. A fork keeps the gate shut while it waits for the mutex.
 * Otherwise threads that take the lock again and again could make the fork wait for ever. */
static struct {
    pthread_mutex_t gate, mutex;
    void (*before)(void), (*in_child)(void);
} locks[STEADY_LOCKS] = {
    [STEADY_LOCK_LIBRARY] = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_MUTEX_INITIALIZER, NULL, NULL},
    [STEADY_LOCK_LOOK_UPS] = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_MUTEX_INITIALIZER, NULL, NULL},
    [STEADY_LOCK_ANSWERS] = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_MUTEX_INITIALIZER, NULL, NULL},
    [STEADY_LOCK_SOCKETS] = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_MUTEX_INITIALIZER, NULL, NULL},
};

void steady_lock(enum steady_lock lock)
{
    pthread_mutex_lock(&locks[lock].gate);
    pthread_mutex_unlock(&locks[lock].gate);
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
        pthread_mutex_lock(&locks[lock].gate);
        pthread_mutex_lock(&locks[lock].mutex);
        if (locks[lock].before)
            locks[lock].before();
    }
}

static void end_fork(enum steady_lock lock)
{
    steady_unlock(lock);
    pthread_mutex_unlock(&locks[lock].gate);
}

static void in_parent(void)
{
    for (unsigned lock = STEADY_LOCKS; lock-- > 0;)
        end_fork(lock);
}

static void in_child(void)
{
    steady_process++;
    for (unsigned lock = STEADY_LOCKS; lock-- > 0;) {
        if (locks[lock].in_child)
            locks[lock].in_child();
        end_fork(lock);
    }
}

/* Keeps the module loaded. A Lua state that ends unloads the module. If another thread forked at
 * that moment, the handlers would disappear between their calls; and a thread that looks up a name
 * may live longer than the state. */
void steady_process_watch_forks(void)
{
    Dl_info info;
    if (dladdr((void *)&steady_process, &info) && info.dli_fname)
        dlopen(info.dli_fname, RTLD_LAZY | RTLD_NOLOAD | RTLD_NODELETE);
    pthread_atfork(before_fork, in_parent, in_child);
}
