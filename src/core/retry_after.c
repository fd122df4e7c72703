#include "core/retry_after.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Returns the days since 1970 in the Gregorian calendar. It counts months from March, so that the
 * day that a leap year adds is the year's last one. */
static int64_t days(int64_t year, int month, int day)
{
    int64_t y = month < 3 ? year - 1 : year;
    int64_t m = month < 3 ? month + 9 : month - 3;
    return y * 365 + y / 4 - y / 100 + y / 400 + (m * 153 + 2) / 5 + day - 1 - 719468;
}

/* Returns the seconds since 1970 of a date such as "Sun, 06 Nov 1994 08:49:37 GMT", or -1 when it
 * is none. */
static int64_t parse_date(const char *value)
{
    static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    char name[4];
    int day, year, hour, minute, second, end = 0;
    if (sscanf(value, "%*3[A-Za-z], %2d %3[A-Za-z] %4d %2d:%2d:%2d GMT%n", &day, name, &year, &hour,
               &minute, &second, &end) != 6 ||
        !end || value[end + (int)strspn(value + end, " \t")])
        return -1;
    if (day < 1 || day > 31 || hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 ||
        second > 60) /* 60 is that of a leap second */
        return -1;
    const char *found = strstr(months, name);
    if (!found || strlen(name) != 3 || (found - months) % 3)
        return -1;
    int month = (int)(found - months) / 3 + 1;
    return ((days(year, month, day) * 24 + hour) * 60 + minute) * 60 + second;
}

double steady_retry_after(const char *value, int64_t now)
{
    size_t digits = strspn(value, "0123456789");
    if (digits && !value[digits])
        return strtod(value, NULL);
    int64_t date = parse_date(value);
    return date > now ? (double)(date - now) : 0;
}
