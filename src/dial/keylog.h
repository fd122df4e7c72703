/* Writes the file of the option tls.keylog, in the format that Wireshark reads. With this file,
 * recorded traffic can be decrypted. */
#ifndef STEADY_DIAL_KEYLOG_H
#define STEADY_DIAL_KEYLOG_H

#include <stdbool.h>

/* Opens the file to append to it. A new file can be read by its owner only. Returns the descriptor,
 * or -1 with errno set. EINVAL means that the file is not a regular file. */
int steady_keylog_open(const char *path);

/* Adds a line. `line` has no newline at its end. A line that cannot be written is lost. */
void steady_keylog_write(int keylog, const char *line);

void steady_keylog_close(int keylog);

#endif
