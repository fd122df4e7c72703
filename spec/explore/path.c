#include "path.h"

#include <stdio.h>
#include <stdlib.h>

#define CHOICES_MAX 4096

static struct {
    short chosen, count;
    const char *name;
} choices[CHOICES_MAX];

static int length, position;

int path_left;
bool path_finale;

void menu_add(struct menu *menu, bool possible, int item, const char *name)
{
    if (!possible)
        return;
    menu->items[menu->count] = item;
    menu->names[menu->count++] = name;
}

int menu_choose(const struct menu *menu)
{
    if (position == CHOICES_MAX) {
        fprintf(stderr, "a sequence has more than %d choices\n", CHOICES_MAX);
        exit(2);
    }
    if (position == length) {
        choices[length].count = (short)(menu->count - menu->skipped);
        choices[length++].chosen = 0;
    }
    int chosen = choices[position].chosen;
    choices[position++].name = menu->names[chosen];
    return menu->items[chosen];
}

int menu_choose_inside(const struct menu *menu)
{
    if (path_finale || !path_left || menu->count == 1)
        return menu->items[0];
    int item = menu_choose(menu);
    if (item != menu->items[0])
        path_left--;
    return item;
}

void path_begin(int events)
{
    position = 0;
    path_left = events;
    path_finale = false;
}

bool path_is_replay(void)
{
    return position < length;
}

bool path_next(void)
{
    length = position;
    while (length && choices[length - 1].chosen + 1 == choices[length - 1].count)
        length--;
    if (!length)
        return false;
    choices[length - 1].chosen++;
    return true;
}

void path_print(void)
{
    for (int i = 0; i < position; i++)
        if (choices[i].name)
            fprintf(stderr, "    %s\n", choices[i].name);
}
