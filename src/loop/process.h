/* State that all threads of a process share, and that has to survive a fork: the locks, and the
 * number of forks. */
#ifndef STEADY_LOOP_PROCESS_H
#define STEADY_LOOP_PROCESS_H

/* The locks of the process, in the order in which they are taken. A thread that holds one may take
 * only locks behind it, and a fork takes all of them in this order. So no two threads can wait for
 * each other. */
enum steady_lock {
    STEADY_LOCK_LIBRARY,  /* held while a context is made or ends, for libwebsockets' process-wide
                             state */
    STEADY_LOCK_LOOK_UPS, /* held while a thread for a look-up is started */
    STEADY_LOCK_ANSWERS,  /* held for access to the data that loops share with the threads for
                             look-ups */
    STEADY_LOCK_SOCKETS,  /* held until a new socket is closed on exec, see loop/descriptor */
    STEADY_LOCKS
};

void steady_lock(enum steady_lock lock);
void steady_unlock(enum steady_lock lock);

/* The number of forks between the process that loaded the module and this process. */
extern unsigned steady_process;

/* Makes each fork from now on call two functions. `before` is called in the process that forks,
 * when it has taken this lock but not yet the locks behind it. `in_child` is called in the new
 * process, before the lock is released. Either may be NULL. Each lock can have one such pair. */
void steady_process_at_fork(enum steady_lock lock, void (*before)(void), void (*in_child)(void));

/* Watches forks from now on, and keeps the module loaded until the process ends. Has to be called
 * once, after the first uv_loop_init, since libuv's own handler in the child has to run first. */
void steady_process_watch_forks(void);

#endif
