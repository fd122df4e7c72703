/* Preloaded into an interpreter: the system's loader finds no event plug-in of libwebsockets. */
#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <string.h>

void *dlopen(const char *path, int flags)
{
    void *(*next)(const char *, int) = (void *(*)(const char *, int))dlsym(RTLD_NEXT, "dlopen");
    if (path && strstr(path, "evlib_uv"))
        path = "/nowhere/libwebsockets-evlib_uv.so";
    return next(path, flags);
}

/* Some versions look at the names in its folder first. */
struct dirent *readdir(DIR *folder)
{
    struct dirent *(*next)(DIR *) = (struct dirent * (*)(DIR *)) dlsym(RTLD_NEXT, "readdir");
    struct dirent *entry = next(folder);
    while (entry && strstr(entry->d_name, "evlib_uv"))
        entry = next(folder);
    return entry;
}
