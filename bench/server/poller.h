/* epoll: which sockets are ready. */
#ifndef BENCH_POLLER_H
#define BENCH_POLLER_H

#include <stdbool.h>
#include <sys/epoll.h>

void poller_open(void);

/* Watches a socket for reading; its events have `owner` as data.ptr. */
void poller_add(int socket, void *owner);

/* And for writing as well, or not any more. */
void poller_want_write(int socket, void *owner, bool wanted);

/* Waits; returns how many events there are. */
int poller_wait(struct epoll_event *events, int most);

#endif
