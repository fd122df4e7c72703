/* What is done with messages. */
#ifndef BENCH_SERVICES_H
#define BENCH_SERVICES_H

#include "connection.h"

#include <stdbool.h>
#include <stdint.h>

/* Whether payloads are looked at, and not only counted. */
bool service_needs_payload(const struct connection *c);

/* A message has been announced whole; what is not needed of it may still be to come. */
void service_message(struct connection *c, uint64_t size);

/* A frame goes back. Its header is written over what the payload came with, which was longer. */
void service_echo(struct connection *c, uint8_t first, uint8_t *payload, uint64_t size);

#endif
