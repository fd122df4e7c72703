#include "loop/ready.h"

#include <math.h>
#include <stddef.h>

void steady_ready_list_init(struct steady_ready_list *list)
{
    *list = (struct steady_ready_list){0};
    list->head.next = list->head.previous = &list->head;
}

void steady_ready_list_add(struct steady_ready_list *list, struct steady_ready *ready)
{
    if (ready->next)
        return;
    ready->next = &list->head;
    ready->previous = list->head.previous;
    ready->previous->next = ready->next->previous = ready;
}

void steady_ready_remove(struct steady_ready *ready)
{
    if (!ready->next)
        return;
    ready->previous->next = ready->next;
    ready->next->previous = ready->previous;
    ready->next = ready->previous = NULL;
}

void steady_ready_list_begin(struct steady_ready_list *list, double now)
{
    if (steady_ready_list_is_behind(list))
        return;
    steady_ready_remove(&list->end);
    list->before = list->began;
    list->began = now;
    steady_ready_list_add(list, &list->end);
}

struct steady_ready *steady_ready_list_take(struct steady_ready_list *list)
{
    struct steady_ready *first = list->head.next;
    if (first == &list->head)
        return NULL;
    steady_ready_remove(first);
    return first == &list->end ? NULL : first;
}

/* The pass that is under way runs what was added since the pass before it began. */
double steady_ready_list_run_until(const struct steady_ready_list *list)
{
    if (steady_ready_list_is_empty(list))
        return INFINITY;
    return steady_ready_list_is_behind(list) ? list->before : list->began;
}
