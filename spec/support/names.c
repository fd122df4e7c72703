/* For LD_PRELOAD: the name two.example has the addresses ::1 and 127.0.0.1, in this order; names
 * that end in .silent are never answered, names in .slow after a tenth of a second. Like the
 * system's, it has a lock of its own, which a name in .locked holds for 20 ms. The names that are
 * looked up are appended to the file that NAMES_LOG names, if any. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <dlfcn.h>
#include <netdb.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef int look_up(const char *, const char *, const struct addrinfo *, struct addrinfo **);

static int ends_in(const char *name, const char *domain)
{
    const char *end = name ? strrchr(name, '.') : NULL;
    return end && !strcmp(end + 1, domain);
}

static void log_name(const char *name)
{
    const char *path = getenv("NAMES_LOG");
    char address[sizeof(struct in6_addr)];
    FILE *file = NULL;
    if (name && path && !inet_pton(AF_INET, name, address) && !inet_pton(AF_INET6, name, address))
        file = fopen(path, "a");
    if (!file)
        return;
    fprintf(file, "%s\n", name);
    fclose(file);
}

int getaddrinfo(const char *node, const char *service, const struct addrinfo *hints,
                struct addrinfo **list)
{
    static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    look_up *real = (look_up *)dlsym(RTLD_NEXT, "getaddrinfo");
    log_name(node);
    pthread_mutex_lock(&lock);
    if (ends_in(node, "locked"))
        usleep(20000);
    pthread_mutex_unlock(&lock);
    while (ends_in(node, "silent"))
        pause();
    if (ends_in(node, "slow"))
        usleep(100000);
    if (!node || strcmp(node, "two.example") != 0)
        return real(node, service, hints, list);
    int error = real("::1", service, hints, list);
    return error ? error : real("127.0.0.1", service, hints, &(*list)->ai_next);
}
