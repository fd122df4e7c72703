#include "core/nearest.h"

#include <stddef.h>
#include <string.h>

#define LONGEST_NAME 32

/* Returns the Levenshtein distance of two texts. The function keeps only one row of the table,
 * since each row depends on no other but the row before it. */
static size_t distance(const char *a, size_t a_size, const char *b, size_t b_size)
{
    size_t row[LONGEST_NAME + 1];
    for (size_t j = 0; j <= b_size; j++)
        row[j] = j;
    for (size_t i = 1; i <= a_size; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= b_size; j++) {
            size_t replaced = diagonal + (a[i - 1] != b[j - 1]);
            size_t inserted = (row[j] < row[j - 1] ? row[j] : row[j - 1]) + 1;
            diagonal = row[j];
            row[j] = replaced < inserted ? replaced : inserted;
        }
    }
    return row[b_size];
}

const char *steady_nearest_name(const char *name, const char *const *names)
{
    size_t size = strlen(name);
    const char *nearest = NULL;
    size_t nearest_distance =
        size / 3 + 1; /* enough for a typing error or two, but not for another word */
    for (; size <= LONGEST_NAME && *names; names++) {
        size_t d = distance(name, size, *names, strlen(*names));
        if (d <= nearest_distance && (!nearest || d < nearest_distance)) {
            nearest = *names;
            nearest_distance = d;
        }
    }
    return nearest;
}
