#include "driver.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

void driver_fail(const struct driver *driver, const char *what)
{
    fprintf(stderr, "%s: %s\n", driver->name, what);
    exit(1);
}

static double seconds_of(clockid_t clock)
{
    struct timespec time;
    clock_gettime(clock, &time);
    return (double)time.tv_sec + (double)time.tv_nsec * 1e-9;
}

/* KiB */
static long resident_memory(void)
{
    long pages = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    if (!file)
        return 0;
    if (fscanf(file, "%*d %ld", &pages) != 1)
        pages = 0;
    fclose(file);
    return pages * (sysconf(_SC_PAGESIZE) / 1024);
}

void driver_clock(struct driver *driver)
{
    driver->resident = resident_memory();
    driver->cpu = seconds_of(CLOCK_PROCESS_CPUTIME_ID);
    driver->began = seconds_of(CLOCK_MONOTONIC);
}

void driver_done(const struct driver *driver)
{
    double seconds = seconds_of(CLOCK_MONOTONIC) - driver->began;
    double cpu = seconds_of(CLOCK_PROCESS_CPUTIME_ID) - driver->cpu;
    printf("{\"seconds\": %.6f, \"cpu\": %.6f, \"kib\": %ld}\n", seconds, cpu,
           resident_memory() - driver->resident);
    fflush(stdout);
    _exit(0);
}

void driver_expect_end(const struct driver *driver, const void *text, size_t size)
{
    char answer[256];
    if (size == 3 && !memcmp(text, "end", 3))
        return;
    snprintf(answer, sizeof answer, "the server says: %.*s", (int)size, (const char *)text);
    driver_fail(driver, answer);
}

static enum mode mode_of(const struct driver *driver, const char *name)
{
    static const char *const names[] = {"rx", "tx", "rtt", "conn", "busy"};
    for (int mode = RX; mode <= BUSY_; mode++)
        if (!strcmp(name, names[mode]))
            return (enum mode)mode;
    driver_fail(driver, "MODE is rx, tx, rtt, conn or busy");
    return RX;
}

static void parse(const struct driver *driver, struct target *target, const char *url)
{
    char scheme[8];
    if (sscanf(url, "%7[a-z]://%127[^:]:%d%255s", scheme, target->host, &target->port,
               target->path) != 4)
        driver_fail(driver, "not a URL with a port and a path");
    target->tls = !strcmp(scheme, "wss");
}

void driver_start(struct driver *driver, const char *name, int argc, char **argv)
{
    struct rlimit limit;
    const char *idle = getenv("BENCH_IDLE"), *hold = getenv("BENCH_HOLD_URL");
    memset(driver, 0, sizeof *driver);
    driver->name = name;
    if (argc != 5)
        driver_fail(driver, "arguments: MODE URL SIZE COUNT");
    driver->mode = mode_of(driver, argv[1]);
    parse(driver, &driver->target, argv[2]);
    if (hold)
        parse(driver, &driver->hold, hold);
    driver->size = (size_t)strtoull(argv[3], NULL, 10);
    driver->count = (size_t)strtoull(argv[4], NULL, 10);
    driver->idle = idle ? (size_t)strtoull(idle, NULL, 10) : 0;
    driver->ca = getenv("BENCH_CA");
    driver->text = malloc(driver->size + 1);
    if (!driver->text)
        driver_fail(driver, "out of memory");
    memset(driver->text, 'x', driver->size);
    driver->text[driver->size] = 0;
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
}
