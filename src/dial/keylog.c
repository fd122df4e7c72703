#include "dial/keylog.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define LINE_MAX_BYTES 512 /* the longest that OpenSSL writes has some 230 */

int steady_keylog_open(const char *path)
{
    /* O_NONBLOCK: a pipe that nobody reads must not hold the loop. */
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

/* As one write, so that lines of several processes do not mix. */
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
