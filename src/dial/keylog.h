/* The file of the option tls.keylog, in the format that Wireshark reads: with it, whoever has
 * recorded the traffic can read it. */
#ifndef STEADY_DIAL_KEYLOG_H
#define STEADY_DIAL_KEYLOG_H

#include <stdbool.h>

/* Opens the file to append to it, or makes one that only its owner can read. Returns the
 * descriptor, or -1 with errno set; EINVAL: it is no regular file. */
int steady_keylog_open(const char *path);

/* Adds a line, which has no end of its own. What cannot be written is lost. */
void steady_keylog_write(int keylog, const char *line);

void steady_keylog_close(int keylog);

#endif
