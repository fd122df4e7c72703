/* The choices that make a sequence of events. An exploration runs from the start again and again,
 * each time with other choices, until all have been made: depth first. */
#ifndef EXPLORE_PATH_H
#define EXPLORE_PATH_H

#include <stdbool.h>

#define MENU_MAX 48

/* What there is to choose from. */
struct menu {
    int count;
    int skipped; /* the last so many are not chosen in runs to come */
    int items[MENU_MAX];
    const char *names[MENU_MAX];
};

/* Adds an item, if it is possible now. */
void menu_add(struct menu *menu, bool possible, int item, const char *name);

/* The item of this run's choice. */
int menu_choose(const struct menu *menu);

/* The same for what may happen inside of a step. The first item means that nothing does; any other
 * one is an event. The first one when no event is left, or in a finale. */
int menu_choose_inside(const struct menu *menu);

/* Events that may still follow in this run. */
extern int path_left;

/* From here on nothing happens by choice. */
extern bool path_finale;

/* Begins a run of at most so many events. */
void path_begin(int events);

/* Whether all choices so far have been made by an earlier run in the same way. */
bool path_is_replay(void);

/* Makes the next run another one; false: there is none. */
bool path_next(void);

/* Prints the names of this run's choices. */
void path_print(void);

#endif
