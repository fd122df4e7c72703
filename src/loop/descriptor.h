/* Makes descriptors that no other program inherits. */
#ifndef STEADY_LOOP_DESCRIPTOR_H
#define STEADY_LOOP_DESCRIPTOR_H

/* Makes a socket that does not block and is closed on exec. When the system cannot set that from
 * the beginning, a fork waits until it is set. Returns the descriptor, or -1 with errno set. */
int steady_descriptor_socket(int family, int type);

/* Finds out whether the process may open some more descriptors. libuv aborts when it makes its
 * first loop without any, and libwebsockets frees memory to which libuv's list of handles still
 * refers. So this function is called before either of them makes something. Returns 0, or libuv's
 * error. */
int steady_descriptor_check(void);

#endif
