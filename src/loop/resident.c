#include "loop/resident.h"

#include <stdlib.h>

void steady_residents_init(struct steady_residents *residents)
{
    residents->head.next = residents->head.previous = &residents->head;
}

void steady_resident_add(struct steady_residents *residents, struct steady_resident *resident)
{
    struct steady_resident *head = &residents->head;
    resident->next = head->next;
    resident->previous = head;
    resident->next->previous = head->next = resident;
}

void steady_resident_remove(struct steady_resident *resident)
{
    if (!resident->next)
        return;
    resident->previous->next = resident->next;
    resident->next->previous = resident->previous;
    resident->next = resident->previous = NULL;
}

void steady_residents_close(struct steady_residents *residents)
{
    while (residents->head.next != &residents->head) {
        struct steady_resident *resident = residents->head.next;
        steady_resident_remove(resident);
        resident->close(resident);
    }
}

static void close_service(struct steady_resident *resident)
{
    struct steady_service *service = (struct steady_service *)resident; /* its first member */
    if (service->kind->close)
        service->kind->close(service);
}

void steady_residents_free_services(struct steady_residents *residents)
{
    while (residents->services) {
        struct steady_service *service = residents->services;
        residents->services = service->next;
        free(service);
    }
}

void *steady_residents_service(struct steady_residents *residents, struct steady_loop *loop,
                               const struct steady_service_kind *kind)
{
    struct steady_service *service = residents->services;
    while (service && service->kind != kind)
        service = service->next;
    if (service)
        return service;
    service = calloc(1, kind->size);
    if (!service)
        return NULL;
    service->kind = kind;
    service->loop = loop;
    service->resident.close = close_service;
    if (kind->open && !kind->open(service)) {
        free(service);
        return NULL;
    }
    service->next = residents->services;
    residents->services = service;
    steady_resident_add(residents, &service->resident);
    return service;
}
