/* Making descriptors that no other program inherits. */
#ifndef STEADY_LOOP_DESCRIPTOR_H
#define STEADY_LOOP_DESCRIPTOR_H

/* A socket that does not block and is closed on exec, from its first moment on where the system can
 * do that, and elsewhere before a fork can hand it on. Returns the descriptor, or -1 with errno. */
int steady_descriptor_socket(int family, int type);

/* Tries whether some more descriptors can be had. libuv aborts where it makes its first loop
 * without any, and libwebsockets frees memory that libuv's list of handles still refers to, so this
 * is asked before either makes something. Returns 0, or libuv's error. */
int steady_descriptor_check(void);

#endif
