/* What must not be shown in a log: passwords and tokens in URLs and in the headers of HTTP. */
#ifndef STEADY_CORE_SECRETS_H
#define STEADY_CORE_SECRETS_H

#include <stdbool.h>
#include <stddef.h>

#define STEADY_HIDDEN      "…" /* takes the place of a secret */
#define STEADY_SECRETS_MAX 3   /* bytes that one byte becomes at most */

/* A word of more bytes in a query or in a list of subprotocols is taken for a token. */
#define STEADY_WORD_MAX 24

/* Copies a line with STEADY_HIDDEN in place of the user and password of each URL in it, and of each
 * value in a query whose name is that of a secret ("token", "api_key", and so on) or which has more
 * than STEADY_WORD_MAX bytes; likewise of a query that is one such word. `out` has room for
 * STEADY_SECRETS_MAX * strlen(line) + 1 bytes. */
void steady_secrets_hide(char *out, const char *line);

/* Whether the value of a header may be shown. It may where the header is one of the handshake, or
 * is commonly used and never has a secret. All others belong to the user or to the server, and any
 * of them may have one. */
bool steady_secrets_may_show(const char *header, size_t size);

/* Whether something of this name is a secret. */
bool steady_secrets_is_name(const char *name, size_t size);

#endif
