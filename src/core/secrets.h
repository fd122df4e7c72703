/* Hides secrets in the log: passwords and tokens in URLs and in headers of HTTP. */
#ifndef STEADY_CORE_SECRETS_H
#define STEADY_CORE_SECRETS_H

#include <stdbool.h>
#include <stddef.h>

#define STEADY_HIDDEN      "…" /* is shown instead of a secret */
#define STEADY_SECRETS_MAX 3   /* bytes that one byte becomes at most */

/* A longer word in a query or in a list of subprotocols counts as a token. */
#define STEADY_WORD_MAX 24

/* Copies a line and hides secrets in it. These are the user and password of each URL, and each
 * value in a query whose name is that of a secret ("token", "api_key", and so on) or which has more
 * than STEADY_WORD_MAX bytes. A query that is nothing but one such word is hidden as well. `out`
 * has room for STEADY_SECRETS_MAX * strlen(line) + 1 bytes. */
void steady_secrets_hide(char *out, const char *line);

/* Returns whether the value of a header may be shown. It may be shown when the header is one of the
 * handshake, or a common one that never has a secret. All other headers belong to the user or the
 * server, and any of them may have a secret. */
bool steady_secrets_may_show(const char *header, size_t size);

/* Returns whether this is the name of a secret. */
bool steady_secrets_is_name(const char *name, size_t size);

#endif
