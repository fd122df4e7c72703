/* Things that live on a loop. The loop only knows how to close them. */
#ifndef STEADY_LOOP_RESIDENT_H
#define STEADY_LOOP_RESIDENT_H

#include <stdbool.h>
#include <stddef.h>

struct steady_loop;

/* Something that has to be closed with the loop, unless its owner has closed it before. The
 * residents that came last are closed first. `close` is called after the resident has left the
 * list. */
struct steady_resident {
    struct steady_resident *next, *previous; /* in a ring; `next` is NULL when it is in none */
    void (*close)(struct steady_resident *resident);
};

/* Something that a loop has only one of, and makes when it is first needed. */
struct steady_service {
    struct steady_resident resident; /* the first member */
    struct steady_service *next;
    const struct steady_service_kind *kind;
    struct steady_loop *loop;
};

struct steady_service_kind {
    size_t size; /* bytes; a struct steady_service comes first */
    /* Fills zeroed memory. Returns false when memory is out. May be NULL. */
    bool (*open)(struct steady_service *service);
    /* Frees what the service holds, but not the service itself. May be NULL. */
    void (*close)(struct steady_service *service);
};

struct steady_residents {
    struct steady_resident head; /* the head of the ring */
    struct steady_service *services;
};

void steady_residents_init(struct steady_residents *residents);
void steady_resident_add(struct steady_residents *residents, struct steady_resident *resident);

/* Removes a resident from its list. Does nothing when it is in no list. */
void steady_resident_remove(struct steady_resident *resident);

/* Closes all residents. The services' memory stays, because other residents that are closed later
 * may still look at it; steady_residents_free_services frees it. */
void steady_residents_close(struct steady_residents *residents);
void steady_residents_free_services(struct steady_residents *residents);

/* Returns the service of this kind, for steady_loop_service. */
void *steady_residents_service(struct steady_residents *residents, struct steady_loop *loop,
                               const struct steady_service_kind *kind);

#endif
