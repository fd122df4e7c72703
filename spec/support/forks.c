/* A program that forks all the time while threads have Lua states that come and go, for
 * forks_spec.lua. See compiled.lua. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define DESCRIPTORS 1024

static const char *path, *argument;
static atomic_int over, rounds;
static int inherited[DESCRIPTORS]; /* what this program began with */

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* The file in one new state after another. */
static void *come_and_go(void *unused)
{
    (void)unused;
    while (!atomic_load(&over)) {
        lua_State *L = luaL_newstate();
        luaL_openlibs(L);
        if (luaL_loadfile(L, path) || (lua_pushstring(L, argument), lua_pcall(L, 1, 0, 0))) {
            fprintf(stderr, "%s\n", lua_tostring(L, -1));
            exit(1);
        }
        lua_close(L);
        atomic_fetch_add(&rounds, 1);
    }
    return NULL;
}

/* A descriptor that a program would get that the child runs: files are Lua's and OpenSSL's. */
static int is_left_open(int fd)
{
    struct stat about;
    int flags = fcntl(fd, F_GETFD);
    return flags >= 0 && !(flags & FD_CLOEXEC) && !inherited[fd] && !fstat(fd, &about) &&
           !S_ISREG(about.st_mode) && !S_ISDIR(about.st_mode);
}

/* In the child, where nothing may be allocated. */
static void look(void)
{
    for (int fd = 0; fd < DESCRIPTORS; fd++)
        if (is_left_open(fd)) {
            char link[64], name[256];
            snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
            ssize_t size = readlink(link, name, sizeof name - 1);
            name[size < 0 ? 0 : size++] = '\n';
            if (write(2, name, (size_t)size) < 0)
                _exit(8);
            _exit(9);
        }
    _exit(7);
}

/* Returns the seconds that it took. */
static double fork_once(void)
{
    int status;
    double begin = now();
    pid_t pid = fork();
    double took = now() - begin;
    if (pid == 0)
        look();
    if (pid < 0 || waitpid(pid, &status, 0) < 0 || !WIFEXITED(status) || WEXITSTATUS(status) != 7) {
        fprintf(stderr, "a child did not end as it should\n");
        exit(1);
    }
    return took;
}

/* forks FILE ARGUMENT THREADS SECONDS: prints how often it forked, in milliseconds how long the
 * longest fork took, and how many states there were. */
int main(int argc, char **argv)
{
    if (argc != 5)
        return 2;
    path = argv[1];
    argument = argv[2];
    int count = atoi(argv[3]), forks = 0;
    double end = now() + atof(argv[4]), longest = 0;
    pthread_t *threads = calloc((size_t)count, sizeof *threads);
    for (int fd = 0; fd < DESCRIPTORS; fd++)
        inherited[fd] = fcntl(fd, F_GETFD) >= 0;
    for (int i = 0; i < count; i++)
        pthread_create(&threads[i], NULL, come_and_go, NULL);
    for (; now() < end; forks++) {
        double took = fork_once();
        longest = took > longest ? took : longest;
    }
    atomic_store(&over, 1);
    for (int i = 0; i < count; i++)
        pthread_join(threads[i], NULL);
    free(threads);
    printf("%d %.0f %d\n", forks, longest * 1000, atomic_load(&rounds));
    return 0;
}
