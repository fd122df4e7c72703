#include "check.h"

#include <stdio.h>
#include <stdlib.h>

void check(bool fine, const char *what)
{
    if (fine)
        return;
    perror(what);
    exit(1);
}
