/* What a Lua program needs in order to fork and to get signals, for specs. See compiled.lua. */
#include <lauxlib.h>
#include <lua.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

static volatile sig_atomic_t counts[NSIG];

static void count(int number)
{
    counts[number]++;
}

static int check_signal(lua_State *L, int index)
{
    static const char *const names[] = {"USR1", "CHLD", "WINCH", "PIPE", "INT", "TERM", NULL};
    static const int numbers[] = {SIGUSR1, SIGCHLD, SIGWINCH, SIGPIPE, SIGINT, SIGTERM};
    return numbers[luaL_checkoption(L, index, NULL, names)];
}

/* fork() -> integer: 0 in the child */
static int process_fork(lua_State *L)
{
    pid_t pid = fork();
    if (pid < 0)
        return luaL_error(L, "fork has failed");
    lua_pushinteger(L, pid);
    return 1;
}

/* wait(pid) -> exit code, or 128 + signal */
static int process_wait(lua_State *L)
{
    int status;
    while (waitpid((pid_t)luaL_checkinteger(L, 1), &status, 0) < 0) {
    }
    lua_pushinteger(L, WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status));
    return 1;
}

/* exec(command): becomes the shell that runs it */
static int process_exec(lua_State *L)
{
    execl("/bin/sh", "sh", "-c", luaL_checkstring(L, 1), (char *)NULL);
    return luaL_error(L, "exec has failed");
}

/* id() -> integer */
static int process_id(lua_State *L)
{
    lua_pushinteger(L, getpid());
    return 1;
}

/* send(pid, name): a signal */
static int process_send(lua_State *L)
{
    kill((pid_t)luaL_checkinteger(L, 1), check_signal(L, 2));
    return 0;
}

/* catch(name): from now on the signal is counted. System calls that it interrupts are not begun
 * anew. */
static int process_catch(lua_State *L)
{
    struct sigaction action = {.sa_handler = count};
    sigaction(check_signal(L, 1), &action, NULL);
    return 0;
}

/* default(name): what the system does with the signal */
static int process_default(lua_State *L)
{
    signal(check_signal(L, 1), SIG_DFL);
    return 0;
}

/* caught(name) -> integer: how often it came */
static int process_caught(lua_State *L)
{
    lua_pushinteger(L, counts[check_signal(L, 1)]);
    return 1;
}

int luaopen_process(lua_State *L);

int luaopen_process(lua_State *L)
{
    static const luaL_Reg functions[] = {
        {"fork", process_fork},     {"wait", process_wait},       {"exec", process_exec},
        {"id", process_id},         {"send", process_send},       {"catch", process_catch},
        {"caught", process_caught}, {"default", process_default}, {NULL, NULL},
    };
    luaL_newlib(L, functions);
    return 1;
}
