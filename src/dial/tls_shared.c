#include "dial/tls_shared.h"

#include "dial/keylog.h"

#include <openssl/crypto.h>
#include <openssl/ssl.h>
#include <pthread.h>
#include <stdlib.h>

static int slot =
    -1; /* the number of our slot in every SSL_CTX of the process; -1 when memory was out */

/* OpenSSL calls this to free the slot of an SSL_CTX. */
static void free_shared(void *context, void *pointer, CRYPTO_EX_DATA *slots, int number,
                        long unused, void *nothing)
{
    struct steady_tls_shared *shared = pointer;
    (void)context;
    (void)slots;
    (void)number;
    (void)unused;
    (void)nothing;
    if (!shared)
        return;
    steady_pins_free(&shared->pins);
    steady_sessions_free(&shared->sessions);
    steady_keylog_close(shared->keylog);
    free(shared);
}

static void make_slot(void)
{
    slot = SSL_CTX_get_ex_new_index(0, NULL, NULL, NULL, free_shared);
}

/* Runs when Lua unloads the module. The contexts of other modules have that slot as well. */
__attribute__((destructor)) static void free_slot(void)
{
    if (slot >= 0)
        CRYPTO_free_ex_index(CRYPTO_EX_INDEX_SSL_CTX, slot);
}

struct steady_tls_shared *steady_tls_shared_attach(struct ssl_ctx_st *context)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, make_slot);
    struct steady_tls_shared *shared = slot >= 0 ? calloc(1, sizeof *shared) : NULL;
    if (!shared)
        return NULL;
    shared->keylog = -1;
    if (SSL_CTX_set_ex_data(context, slot, shared) == 1)
        return shared;
    free(shared);
    return NULL;
}

struct steady_tls_shared *steady_tls_shared_of(const struct ssl_ctx_st *context)
{
    return SSL_CTX_get_ex_data(context, slot);
}
