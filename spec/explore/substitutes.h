/* Included before each source of the product that is explored: its memory comes from memory.c. */
#ifndef EXPLORE_SUBSTITUTES_H
#define EXPLORE_SUBSTITUTES_H

#define malloc  explore_malloc
#define calloc  explore_calloc
#define realloc explore_realloc
#define strdup  explore_strdup
#define strndup explore_strndup
#define free    explore_free

#endif
