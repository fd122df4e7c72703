/* The frames that a flood is made of. */
#ifndef BENCH_FLOOD_H
#define BENCH_FLOOD_H

#include "connection.h"

/* Where the texts are: a file for each size, with a line for each message. */
extern const char *flood_texts;

/* Makes what a client asked for, unless it is there already. */
void flood_prepare(const struct connection *c);

void flood_begin(struct connection *c);

/* Sends on, as the socket has room. */
void flood_go_on(struct connection *c);

#endif
