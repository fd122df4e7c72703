#include "dial/dns.h"

#include "loop/descriptor.h"

#include <errno.h>
#include <netdb.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* A name that is being looked up. A thread of its own asks the system's resolver, and nothing can
 * stop the resolver. So when the answer is no longer wanted, the thread goes on by itself, and the
 * process may end before the thread does. libuv's threads cannot be used here. At most two of them
 * look up names, so two names whose name servers do not answer would keep all others waiting, and a
 * process waits for these threads when it ends. */
struct steady_lookup {
    struct look_ups *look_ups;
    uv_async_t answered;
    struct steady_lookup *next;      /* the next look-up of the loop */
    struct steady_dns *first, **end; /* the requests that wait for the answer */
    char *host;

    /* The loop and the thread share these members, under the lock. */
    bool abandoned; /* whether the loop has been closed */
    int users;      /* how many still use the struct: the loop's handle, and the thread */
    int status;
    bool short_of_descriptors;
    struct addrinfo *list;
};

/* The look-ups of a loop. */
struct look_ups {
    struct steady_service service; /* the first member */
    struct steady_lookup *first;
};

/* The number of threads that are looking up a name. The lock protects both variables. */
static int looking_up;
static uint64_t started; /* when the last of these threads was started; ns of uv_hrtime */

static void lock(void)
{
    steady_lock(STEADY_LOCK_ANSWERS);
}

static void unlock(void)
{
    steady_unlock(STEADY_LOCK_ANSWERS);
}

struct steady_dns {
    /* The next request of the same look-up, and the pointer that points to this request. */
    struct steady_dns *next, **link;
    struct steady_lookup *lookup;
    uint16_t port;
    steady_dns_done done;
    void *owner;
};

static const char *explain(const struct steady_lookup *lookup)
{
    if (lookup->short_of_descriptors)
        return uv_strerror(UV_EMFILE);
    switch (lookup->status) {
    case 0:
        return "it has no address";
    case EAI_NONAME:
#ifdef EAI_NODATA
    case EAI_NODATA:
#endif
        return "there is no such host";
    case EAI_AGAIN:
        return "no name server answered";
    default:
        return gai_strerror(lookup->status);
    }
}

/* ------------------------------------------------------------------------- a look-up */

/* Has to be called when the loop's handle or the thread no longer uses the struct. The second call
 * frees it. */
static void leave(struct steady_lookup *lookup)
{
    lock();
    bool last = --lookup->users == 0;
    unlock();
    if (!last)
        return;
    if (lookup->list)
        freeaddrinfo(lookup->list);
    free(lookup->host);
    free(lookup);
}

static void closed(uv_handle_t *handle)
{
    leave(handle->data);
}

/* Returns whether a socket cannot be opened because no descriptors are left. In that case
 * getaddrinfo reports that there is no such host. */
static bool is_short_of_descriptors(void)
{
    int fd = steady_descriptor_socket(AF_INET, SOCK_DGRAM);
    bool is_short = fd < 0 && (errno == EMFILE || errno == ENFILE);
    if (fd >= 0)
        close(fd);
    return is_short;
}

/* Looks up the name. This function runs in a thread of its own. */
static void *look_up(void *argument)
{
    struct steady_lookup *lookup = argument;
    struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
    struct addrinfo *list = NULL;
    int status = getaddrinfo(lookup->host, NULL, &hints, &list);
    bool is_short = status && is_short_of_descriptors();
    lock();
    looking_up--;
    lookup->status = status;
    lookup->short_of_descriptors = is_short;
    lookup->list = status ? NULL : list;
    if (!lookup->abandoned)
        uv_async_send(&lookup->answered);
    unlock();
    leave(lookup);
    return NULL;
}

/* The C library's resolver has locks of its own. If a child was forked while a thread held one of
 * them, the child could never look up a name. So a fork waits until no thread can hold such a lock.
 * A thread that has been in the resolver for longer than this time is waiting for a name server,
 * and does not hold a lock. No other thread is started while a fork waits, so the waiting ends. */
#define FORK_WAITS 100000000U /* ns */

static bool may_hold_a_lock(void)
{
    lock();
    bool may = looking_up > 0 && uv_hrtime() - started < FORK_WAITS;
    unlock();
    return may;
}

static void wait_for_resolver(void)
{
    while (may_hold_a_lock())
        uv_sleep(1);
}

/* Runs in the child of a fork, in which the threads do not exist. */
static void forget_threads(void)
{
    looking_up = 0;
}

static void expect_threads(void)
{
    steady_process_at_fork(STEADY_LOCK_LOOK_UPS, wait_for_resolver, NULL);
    steady_process_at_fork(STEADY_LOCK_ANSWERS, NULL, forget_threads);
}

/* Starts a thread that gets no signals, because signals are for the program's own threads. */
static bool start_thread(struct steady_lookup *lookup)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_t thread;
    sigset_t all, before;
    pthread_once(&once, expect_threads);
    sigfillset(&all);
    steady_lock(STEADY_LOCK_LOOK_UPS);
    lock();
    pthread_sigmask(SIG_SETMASK, &all, &before);
    bool running = !pthread_create(&thread, NULL, look_up, lookup);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (running) {
        pthread_detach(thread);
        looking_up++;
        started = uv_hrtime();
    }
    unlock();
    steady_unlock(STEADY_LOCK_LOOK_UPS);
    return running;
}

static void remove_from(struct steady_lookup **link, const struct steady_lookup *lookup)
{
    while (*link != lookup)
        link = &(*link)->next;
    *link = lookup->next;
}

static void answered(uv_async_t *async)
{
    struct steady_lookup *lookup = async->data;
    struct look_ups *look_ups = lookup->look_ups;
    lock(); /* makes everything visible that the thread has written under the lock */
    unlock();
    remove_from(&look_ups->first,
                lookup); /* a request that is made from now on starts a new look-up */
    while (lookup->first) {
        struct steady_dns dns = *lookup->first;
        struct steady_address addresses[STEADY_ADDRESSES_MAX];
        size_t count = steady_address_sort(lookup->list, dns.port, addresses);
        steady_dns_cancel(lookup->first);
        dns.done(dns.owner, addresses, count, count ? NULL : explain(lookup));
    }
    uv_close((uv_handle_t *)async, closed);
}

/* Keeps the threads that are still running from using the loop. */
static void abandon(struct steady_service *service)
{
    struct look_ups *look_ups = (struct look_ups *)service; /* its first member */
    lock();
    for (struct steady_lookup *lookup = look_ups->first; lookup; lookup = lookup->next) {
        lookup->abandoned = true;
        uv_close((uv_handle_t *)&lookup->answered, closed);
    }
    unlock();
    look_ups->first = NULL;
}

static const struct steady_service_kind kind = {.size = sizeof(struct look_ups), .close = abandon};

static struct steady_lookup *new_lookup(struct look_ups *look_ups, const char *host)
{
    struct steady_lookup *lookup = calloc(1, sizeof *lookup);
    if (!lookup || !(lookup->host = strdup(host)) ||
        uv_async_init(&look_ups->service.loop->uv, &lookup->answered, answered)) {
        if (lookup)
            free(lookup->host);
        free(lookup);
        return NULL;
    }
    lookup->answered.data = lookup;
    lookup->end = &lookup->first;
    lookup->users = 2;
    if (!start_thread(lookup)) {
        lookup->users = 1;
        uv_close((uv_handle_t *)&lookup->answered, closed);
        return NULL;
    }
    lookup->look_ups = look_ups;
    lookup->next = look_ups->first;
    look_ups->first = lookup;
    return lookup;
}

/* ------------------------------------------------------------------------- for the owner */

/* Requests for the same name share one look-up while it is under way. */
struct steady_dns *steady_dns_resolve(struct steady_loop *loop, const char *host, uint16_t port,
                                      steady_dns_done done, void *owner)
{
    struct look_ups *look_ups = steady_loop_service(loop, &kind);
    struct steady_lookup *lookup = look_ups ? look_ups->first : NULL;
    struct steady_dns *dns = malloc(sizeof *dns);
    while (lookup && strcmp(lookup->host, host) != 0)
        lookup = lookup->next;
    if (look_ups && dns && !lookup)
        lookup = new_lookup(look_ups, host);
    if (!dns || !lookup) {
        free(dns);
        return NULL;
    }
    *dns = (struct steady_dns){
        .link = lookup->end, .lookup = lookup, .port = port, .done = done, .owner = owner};
    *lookup->end = dns;
    lookup->end = &dns->next;
    return dns;
}

void steady_dns_cancel(struct steady_dns *dns)
{
    if (!dns)
        return;
    *dns->link = dns->next;
    if (dns->next)
        dns->next->link = dns->link;
    else
        dns->lookup->end = dns->link;
    free(dns);
}
