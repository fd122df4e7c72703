/* Code that waits to be run in a turn of the loop, first come, first served.
 *
 * A list is run in passes. A pass runs everything that is in the list when it begins, and may need
 * several turns for that; whatever is added meanwhile belongs to the next pass. */
#ifndef STEADY_LOOP_READY_H
#define STEADY_LOOP_READY_H

#include <stdbool.h>

/* Something to run in a turn. A zeroed struct with `run` set is in no list. */
struct steady_ready {
    struct steady_ready *next, *previous; /* in a ring; NULL when it is in no list */
    void (*run)(struct steady_ready *ready);
};

/* All times are seconds of the loop's clock. */
struct steady_ready_list {
    struct steady_ready head; /* the head of the ring */
    struct steady_ready end;  /* marks the end of the pass that is under way */
    double began;             /* when the last pass began */
    double before;            /* when the pass before that one began */
};

void steady_ready_list_init(struct steady_ready_list *list);

/* Adds something at the end of the list, unless it is in a list already. */
void steady_ready_list_add(struct steady_ready_list *list, struct steady_ready *ready);

/* Removes something from its list. Does nothing when it is in no list. */
void steady_ready_remove(struct steady_ready *ready);

static inline bool steady_ready_list_is_empty(const struct steady_ready_list *list)
{
    const struct steady_ready *first = list->head.next;
    return (first == &list->end ? first->next : first) == &list->head;
}

/* Returns whether a pass is under way that has something left to run. */
static inline bool steady_ready_list_is_behind(const struct steady_ready_list *list)
{
    return list->end.next && list->head.next != &list->end;
}

/* Begins a pass at the time `now`, unless one is under way. */
void steady_ready_list_begin(struct steady_ready_list *list, double now);

/* Removes and returns what the pass has to run next, or returns NULL when the pass is over. */
struct steady_ready *steady_ready_list_take(struct steady_ready_list *list);

/* Returns a time. Everything that was added before that time has been run. Returns INFINITY when
 * nothing waits. */
double steady_ready_list_run_until(const struct steady_ready_list *list);

#endif
