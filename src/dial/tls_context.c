#include "dial/tls_context.h"

#include "core/buffer.h"
#include "dial/credentials.h"
#include "dial/keylog.h"
#include "dial/tls.h"
#include "dial/tls_shared.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* The bytes that a server's certificates may have. Most have 5 KiB, and reading 100 KiB takes 25
 * ms. */
#define CHAIN_MAX (32 * 1024)

struct steady_tls_context {
    struct steady_tls_context *next, **link; /* in the loop's list */
    SSL_CTX *openssl;
    struct steady_buffer names; /* the options from which the context was made, as one text */
    struct steady_buffer stamp; /* a text that changes when the files of the options do */
    size_t users;
};

/* The contexts of a loop. */
struct contexts {
    struct steady_service service; /* the first member */
    struct steady_tls_context *first;
};

/* ------------------------------------------------------------------------- made of options */

/* Excludes Diffie-Hellman in groups that the server chooses, because a group of 10,000 bits takes a
 * second of CPU time. No browser offers it any more. Everything else that the system's policy
 * allows stays. */
static bool leave_out_slow_ciphers(SSL_CTX *openssl)
{
    STACK_OF(SSL_CIPHER) *ciphers = SSL_CTX_get_ciphers(openssl);
    struct steady_buffer names = {0};
    bool done = true;
    for (int i = 0; i < sk_SSL_CIPHER_num(ciphers) && done; i++) {
        const SSL_CIPHER *cipher = sk_SSL_CIPHER_value(ciphers, i);
        int exchange = SSL_CIPHER_get_kx_nid(cipher);
        if (exchange != NID_kx_any && exchange != NID_kx_dhe)
            done = steady_buffer_append_texts(&names, SSL_CIPHER_get_name(cipher), ":");
    }
    done = done && (!names.size || SSL_CTX_set_cipher_list(openssl, (char *)names.data) == 1);
    steady_buffer_free(&names);
    return done;
}

static bool attach_shared(SSL_CTX *openssl, const struct steady_tls_options *options, char *message,
                          size_t size)
{
    struct steady_tls_shared *shared = steady_tls_shared_attach(openssl);
    snprintf(message, size, "out of memory");
    if (!shared || !steady_pins_read(&shared->pins, options->pin))
        return false;
    if (!options->keylog)
        return true;
    shared->keylog = steady_keylog_open(options->keylog);
    if (shared->keylog < 0)
        snprintf(message, size, "tls.keylog \"%s\" cannot be written: %s", options->keylog,
                 errno == EINVAL ? "it is no file" : strerror(errno));
    return shared->keylog >= 0;
}

static SSL_CTX *make_openssl(const struct steady_tls_options *options, char *message, size_t size)
{
    ERR_clear_error();
    SSL_CTX *openssl = SSL_CTX_new(TLS_client_method());
    if (!openssl) {
        const char *reason = ERR_reason_error_string(ERR_peek_last_error());
        snprintf(message, size, "TLS cannot be used: %s", reason ? reason : "out of memory");
        return NULL;
    }
    SSL_CTX_set_min_proto_version(openssl, options->min_version ? TLS1_3_VERSION : TLS1_2_VERSION);
    SSL_CTX_set_max_cert_list(openssl, CHAIN_MAX);
    SSL_CTX_set_options(openssl, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION);
    SSL_CTX_set_mode(openssl, SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_ENABLE_PARTIAL_WRITE |
                                  SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_session_cache_mode(openssl, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
    steady_tls_observe(openssl, options->keylog != NULL);
    if (leave_out_slow_ciphers(openssl) && attach_shared(openssl, options, message, size) &&
        steady_credentials_load(openssl, options, message, size))
        return openssl;
    SSL_CTX_free(openssl);
    return NULL;
}

/* ------------------------------------------------------------------------- shared */

static bool append_text(struct steady_buffer *key, const char *text)
{
    return steady_buffer_append_texts(key, text ? "+" : "-", text ? text : "", "\n");
}

/* Writes all options that decide how a session is made, because clients with the same context
 * resume each other's sessions. server_name is not among them, since sessions are kept by name. */
static bool make_names(struct steady_buffer *names, const struct steady_tls_options *options)
{
    const char *const texts[] = {options->ca_file,      options->ca,       options->cert_file,
                                 options->cert,         options->key_file, options->key,
                                 options->key_password, options->pin,      options->keylog};
    bool own = options->ca_file || options->ca;
    bool done = append_text(names, own ? NULL : steady_credentials_system()) &&
                steady_buffer_printf(names, "%d %d\n", options->verify, options->min_version);
    for (size_t i = 0; i < sizeof texts / sizeof texts[0] && done; i++)
        done = append_text(names, texts[i]);
    return done;
}

static bool append_stamp(struct steady_buffer *stamp, const char *file)
{
    struct stat s;
    if (!file || stat(file, &s))
        return true; /* the file may be about to be replaced, see may_serve */
    return steady_buffer_printf(stamp, "%lld %lld %lld %lld\n", (long long)s.st_ino,
                                (long long)s.st_size, (long long)s.st_mtim.tv_sec,
                                (long long)s.st_mtim.tv_nsec);
}

static bool make_stamp(struct steady_buffer *stamp, const struct steady_tls_options *options)
{
    const char *authorities = options->ca_file ? options->ca_file
                              : options->ca    ? NULL
                                               : steady_credentials_system();
    return append_stamp(stamp, authorities) && append_stamp(stamp, options->cert_file) &&
           append_stamp(stamp, options->key_file) && steady_buffer_append_texts(stamp, "");
}

static void free_context(struct steady_tls_context *context)
{
    *context->link = context->next;
    if (context->next)
        context->next->link = context->link;
    SSL_CTX_free(context->openssl);
    steady_buffer_free(&context->names);
    steady_buffer_free(&context->stamp);
    free(context);
}

static void close_contexts(struct steady_service *service)
{
    struct contexts *contexts = (struct contexts *)service; /* its first member */
    while (contexts->first)
        free_context(contexts->first);
}

static const struct steady_service_kind kind = {.size = sizeof(struct contexts),
                                                .close = close_contexts};

static size_t count_lines(const char *text)
{
    size_t count = 0;
    for (; *text; text++)
        count += *text == '\n';
    return count;
}

/* Returns whether a context is as new as its files. While a file is missing, because it is being
 * replaced or was removed, the context that was made from it before is still used. */
static bool may_serve(const struct steady_tls_context *context, const char *stamp)
{
    const char *made_of = (const char *)context->stamp.data;
    return count_lines(stamp) < count_lines(made_of) || !strcmp(made_of, stamp);
}

/* Returns the newest context that was made from the same options, or NULL when there is none. */
static struct steady_tls_context *find(struct contexts *contexts, const char *names)
{
    struct steady_tls_context *context = contexts->first;
    while (context && strcmp((const char *)context->names.data, names) != 0)
        context = context->next;
    return context;
}

/* Makes a context, which owns both texts from then on. Returns NULL, with a text in `message`, when
 * that fails; then the texts still belong to the caller. */
static struct steady_tls_context *make(struct contexts *contexts,
                                       const struct steady_tls_options *options,
                                       struct steady_buffer *names, struct steady_buffer *stamp,
                                       char *message, size_t size)
{
    struct steady_tls_context *context = calloc(1, sizeof *context);
    if (!context)
        return NULL;
    context->openssl = make_openssl(options, message, size);
    if (!context->openssl) {
        free(context);
        return NULL;
    }
    context->names = *names;
    context->stamp = *stamp;
    *names = *stamp = (struct steady_buffer){0};
    context->link = &contexts->first;
    context->next = contexts->first;
    if (context->next)
        context->next->link = &context->next;
    contexts->first = context;
    return context;
}

struct steady_tls_context *steady_tls_context_get(struct steady_loop *loop,
                                                  const struct steady_tls_options *options,
                                                  char *message, size_t size)
{
    struct contexts *contexts = steady_loop_service(loop, &kind);
    struct steady_tls_context *context = NULL;
    struct steady_buffer names = {0}, stamp = {0};
    snprintf(message, size, "out of memory");
    if (contexts && make_names(&names, options) && make_stamp(&stamp, options)) {
        struct steady_tls_context *old = find(contexts, (const char *)names.data);
        context = old && may_serve(old, (const char *)stamp.data)
                      ? old
                      : make(contexts, options, &names, &stamp, message, size);
        /* A file that is still being written cannot be used until it is whole. Until then the old
         * context is used, and the next attempt looks at the file again. */
        context = context ? context : old;
    }
    steady_buffer_free(&names);
    steady_buffer_free(&stamp);
    if (context)
        context->users++;
    return context;
}

struct ssl_ctx_st *steady_tls_context_openssl(const struct steady_tls_context *context)
{
    return context->openssl;
}

void steady_tls_context_release(struct steady_tls_context *context)
{
    if (context && --context->users == 0)
        free_context(context);
}
