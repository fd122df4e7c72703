#include "poller.h"

#include "check.h"

static int poller;

void poller_open(void)
{
    poller = epoll_create1(0);
    check(poller >= 0, "epoll_create1");
}

void poller_add(int socket, void *owner)
{
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = owner};
    check(!epoll_ctl(poller, EPOLL_CTL_ADD, socket, &event), "epoll_ctl");
}

void poller_want_write(int socket, void *owner, bool wanted)
{
    struct epoll_event event = {.events = EPOLLIN | (wanted ? EPOLLOUT : 0), .data.ptr = owner};
    check(!epoll_ctl(poller, EPOLL_CTL_MOD, socket, &event), "epoll_ctl");
}

int poller_wait(struct epoll_event *events, int most)
{
    return epoll_wait(poller, events, most, -1);
}
