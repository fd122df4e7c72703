#include "dial/keylog.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define LINE_MAX_BYTES 512 /* the longest line of OpenSSL has about 230 */

int steady_keylog_open(const char *path)
{
    /* O_NONBLOCK, because the loop must not wait for the reader of a pipe. */
    int file = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NONBLOCK, 0600);
    struct stat status;
    if (file < 0)
        return -1;
    if (!fstat(file, &status) && S_ISREG(status.st_mode))
        return file;
    close(file);
    errno = EINVAL;
    return -1;
}

/* Writes the line by a single call, so that lines of several processes do not mix. */
void steady_keylog_write(int keylog, const char *line)
{
    char text[LINE_MAX_BYTES];
    int size = snprintf(text, sizeof text, "%s\n", line);
    if (size < (int)sizeof text && write(keylog, text, (size_t)size) < 0)
        return;
}

void steady_keylog_close(int keylog)
{
    if (keylog >= 0)
        close(keylog);
}
