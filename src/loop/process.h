/* What all threads of a process share, and what becomes of it when the process forks: the locks,
 * in the one order in which they are taken, and the number of forks. */
#ifndef STEADY_LOOP_PROCESS_H
#define STEADY_LOOP_PROCESS_H

/* The locks of the process. A thread that holds one may take those behind it only, and a fork takes
 * all of them in this order, so no two threads can wait for each other. */
enum steady_lock {
    STEADY_LOCK_LIBRARY,  /* libwebsockets' process-wide state, while a context is made or ends */
    STEADY_LOCK_LOOK_UPS, /* a thread that looks up a name is about to be started */
    STEADY_LOCK_ANSWERS,  /* what the threads that look up names and the loops share */
    STEADY_LOCK_SOCKETS,  /* a socket is about to be closed on exec, see loop/descriptor */
    STEADY_LOCKS
};

void steady_lock(enum steady_lock lock);
void steady_unlock(enum steady_lock lock);

/* How many forks lie between the first process that loaded the module and this one. */
extern unsigned steady_process;

/* Has `hook` called at each fork from now on: in the process that forks, after the lock was taken
 * and before those behind it are; in_child in the new process, before the lock is released. Either
 * may be NULL. One pair a lock. */
void steady_process_at_fork(enum steady_lock lock, void (*before)(void), void (*in_child)(void));

/* Watches forks from now on, and keeps the module loaded until the process ends; to be called once.
 * libuv's own handler in the child has to run first, so the first uv_loop_init comes before it. */
void steady_process_watch_forks(void);

#endif
