#include "core/retry_after.h"

#include "core/ascii.h"
#include "core/number.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

/* ------------------------------------------------------------------------- the calendar */

/* Returns the days since 1970 in the Gregorian calendar. The function counts months from March, so
 * that the additional day of a leap year is the last day of its year. */
static int64_t days(int64_t year, int month, int day)
{
    int64_t y = month < 3 ? year - 1 : year;
    int64_t m = month < 3 ? month + 9 : month - 3;
    return y * 365 + y / 4 - y / 100 + y / 400 + (m * 153 + 2) / 5 + day - 1 - 719468;
}

struct date {
    int year, month, day, hour, minute, second;
};

static int64_t seconds_of(const struct date *date)
{
    int64_t hours = days(date->year, date->month, date->day) * 24 + date->hour;
    return (hours * 60 + date->minute) * 60 + date->second;
}

static bool is_over_50_years_ahead(struct date date, int64_t now)
{
    date.year -= 50;
    return seconds_of(&date) > now;
}

/* Completes a year of two digits: of the years that end with these digits, it takes the last one
 * that is at most 50 years ahead. */
static void complete_year(struct date *date, int64_t now)
{
    int year = steady_narrow(1970 + now / 31556952); /* the seconds of an average year */
    date->year += year - year % 100 + 100;
    while (is_over_50_years_ahead(*date, now))
        date->year -= 100;
}

/* ------------------------------------------------------------------------- the forms */

/* The three forms of a date. In the third one a day of one digit has a blank in front. Each letter
 * stands for one of the parts below, and all other characters stand for themselves. */
static const char *const forms[] = {
    "w, d b Y H:M:S z", /* IMF-fixdate */
    "W, d-b-y H:M:S z", /* RFC 850 */
    "w b d H:M:S Y",    /* asctime */
    "w b  e H:M:S Y",
};

static const struct part {
    char letter;
    int digits, min, max;
    size_t member; /* of struct date */
} numbers[] = {
    {'d', 2, 1, 31, offsetof(struct date, day)},
    {'e', 1, 1, 9, offsetof(struct date, day)},
    {'Y', 4, 0, 9999, offsetof(struct date, year)},
    {'y', 2, 0, 99, offsetof(struct date, year)},
    {'H', 2, 0, 23, offsetof(struct date, hour)},
    {'M', 2, 0, 59, offsetof(struct date, minute)},
    {'S', 2, 0, 60, offsetof(struct date, second)}, /* 60 is the number of a leap second */
    {0},
};

static bool take_number(struct date *date, const struct part *part, const char **at)
{
    int number = 0;
    for (int i = 0; i < part->digits; i++, ++*at) {
        if (!steady_is_digit(**at))
            return false;
        number = number * 10 + steady_hex_value(**at);
    }
    *(int *)((char *)date + part->member) = number;
    return number >= part->min && number <= part->max;
}

/* Takes one of the names, each of which has a blank behind it in `names`. Returns the number of the
 * name, counted from 1, or 0 when none of them is there. */
static int take_name(const char **at, const char *names)
{
    for (int number = 1; *names; number++) {
        size_t size = strcspn(names, " ");
        if (!strncmp(*at, names, size)) {
            *at += size;
            return number;
        }
        names += size + 1;
    }
    return 0;
}

static bool take(struct date *date, char letter, const char **at)
{
    const struct part *part = numbers;
    while (part->letter && part->letter != letter)
        part++;
    if (part->letter)
        return take_number(date, part, at);
    if (letter == 'w')
        return take_name(at, "Mon Tue Wed Thu Fri Sat Sun ");
    if (letter == 'W')
        return take_name(at, "Monday Tuesday Wednesday Thursday Friday Saturday Sunday ");
    if (letter == 'b')
        return (date->month = take_name(at, "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec "));
    if (letter == 'z')
        return take_name(at, "GMT ");
    return *(*at)++ == letter;
}

static bool has_form(struct date *date, const char *form, const char *value)
{
    while (*form && take(date, *form, &value))
        form++;
    return !*form && !*value;
}

/* Returns the seconds since 1970, or -1 when the value is not a date. */
static int64_t parse_date(const char *value, int64_t now)
{
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        struct date date;
        if (!has_form(&date, forms[i], value))
            continue;
        if (strchr(forms[i], 'y'))
            complete_year(&date, now);
        return seconds_of(&date);
    }
    return -1;
}

double steady_retry_after(const char *value, int64_t now)
{
    size_t digits = strspn(value, "0123456789");
    if (digits && !value[digits])
        return strtod(value, NULL);
    int64_t date = parse_date(value, now);
    return date > now ? (double)(date - now) : 0;
}
