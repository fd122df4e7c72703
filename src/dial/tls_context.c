#include "dial/tls_context.h"

#include "core/buffer.h"
#include "dial/tls.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

struct steady_tls_context {
    struct steady_tls_context *next, **link; /* in the loop's list */
    SSL_CTX *openssl;
    struct steady_buffer names; /* of all that it was made of, as one text */
    struct steady_buffer stamp; /* what changes with the files' contents, as one text */
    size_t users;
};

/* The contexts of a loop. */
struct contexts {
    struct steady_service service; /* the first member */
    struct steady_tls_context *first;
};

/* ------------------------------------------------------------------------- from files */

static const char *last_error(void)
{
    unsigned long code = ERR_peek_last_error();
    return code ? ERR_reason_error_string(code) : NULL;
}

/* OpenSSL says "no such file" in its own way; the system's way is known to more people. */
static const char *file_problem(const char *file)
{
    FILE *f = fopen(file, "re");
    if (!f)
        return strerror(errno);
    fclose(f);
    const char *reason = last_error();
    return reason ? reason : "not in PEM format";
}

static const char *system_authorities(void)
{
    const char *file = getenv(X509_get_default_cert_file_env());
    return file ? file : X509_get_default_cert_file();
}

/* OpenSSL leaves out a file that it cannot open. That must not be for want of a descriptor, since
 * the context is used again. */
static bool use_system_authorities(SSL_CTX *openssl, char *message, size_t size)
{
    FILE *f = fopen(system_authorities(), "re");
    if (!f && (errno == EMFILE || errno == ENFILE)) {
        snprintf(message, size, "the system's authorities cannot be read: %s", strerror(errno));
        return false;
    }
    if (f)
        fclose(f);
    return SSL_CTX_set_default_verify_paths(openssl);
}

static bool use_authorities(SSL_CTX *openssl, const struct steady_tls_options *options,
                            char *message, size_t size)
{
    if (!options->ca_file)
        return use_system_authorities(openssl, message, size);
    if (SSL_CTX_load_verify_locations(openssl, options->ca_file, NULL) == 1)
        return true;
    snprintf(message, size, "tls.ca_file \"%s\" cannot be used: %s", options->ca_file,
             file_problem(options->ca_file));
    return false;
}

/* OpenSSL would ask on the terminal. */
static int give_password(char *out, int size, int writing, void *password)
{
    (void)writing;
    int length = password ? snprintf(out, (size_t)size, "%s", (char *)password) : 0;
    return length < size ? length : 0;
}

static bool use_certificate(SSL_CTX *openssl, const struct steady_tls_options *options,
                            char *message, size_t size)
{
    if (!options->cert_file)
        return true;
    SSL_CTX_set_default_passwd_cb(openssl, give_password);
    SSL_CTX_set_default_passwd_cb_userdata(openssl, options->key_password);
    bool done = false;
    if (SSL_CTX_use_certificate_chain_file(openssl, options->cert_file) != 1)
        snprintf(message, size, "tls.cert_file \"%s\" cannot be used: %s", options->cert_file,
                 file_problem(options->cert_file));
    else if (SSL_CTX_use_PrivateKey_file(openssl, options->key_file, SSL_FILETYPE_PEM) != 1)
        snprintf(message, size, "tls.key_file \"%s\" cannot be used%s: %s", options->key_file,
                 options->key_password ? " with this tls.key_password" : "",
                 file_problem(options->key_file));
    else
        done = true;
    SSL_CTX_set_default_passwd_cb_userdata(openssl, NULL); /* the options may go before it */
    return done;
}

static SSL_CTX *make_openssl(const struct steady_tls_options *options, char *message, size_t size)
{
    ERR_clear_error();
    SSL_CTX *openssl = SSL_CTX_new(TLS_client_method());
    if (!openssl) {
        snprintf(message, size, "TLS cannot be used: %s", last_error());
        return NULL;
    }
    SSL_CTX_set_min_proto_version(openssl, TLS1_2_VERSION);
    SSL_CTX_set_options(openssl, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION);
    SSL_CTX_set_mode(openssl, SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_ENABLE_PARTIAL_WRITE |
                                  SSL_MODE_RELEASE_BUFFERS);
    steady_tls_observe(openssl);
    if (use_authorities(openssl, options, message, size) &&
        use_certificate(openssl, options, message, size))
        return openssl;
    SSL_CTX_free(openssl);
    return NULL;
}

/* ------------------------------------------------------------------------- shared */

static bool append_text(struct steady_buffer *key, const char *text)
{
    return steady_buffer_printf(key, "%c%s\n", text ? '+' : '-', text ? text : "");
}

static bool make_names(struct steady_buffer *names, const struct steady_tls_options *options)
{
    return append_text(names, options->ca_file ? NULL : system_authorities()) &&
           append_text(names, options->ca_file) && append_text(names, options->cert_file) &&
           append_text(names, options->key_file) && append_text(names, options->key_password);
}

static bool append_stamp(struct steady_buffer *stamp, const char *file)
{
    struct stat s = {0};
    if (file && stat(file, &s))
        return true; /* it is being replaced, perhaps: see may_serve */
    return steady_buffer_printf(stamp, "%lld %lld %lld %lld\n", (long long)s.st_ino,
                                (long long)s.st_size, (long long)s.st_mtim.tv_sec,
                                (long long)s.st_mtim.tv_nsec);
}

static bool make_stamp(struct steady_buffer *stamp, const struct steady_tls_options *options)
{
    return append_stamp(stamp, options->ca_file ? options->ca_file : system_authorities()) &&
           append_stamp(stamp, options->cert_file) && append_stamp(stamp, options->key_file) &&
           steady_buffer_printf(stamp, "%s", "");
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

/* Whether a context is as new as the files are now. While one of them is not there, since it is
 * being replaced or was removed, what was read of it before goes on to serve. */
static bool may_serve(const struct steady_tls_context *context, const char *stamp)
{
    const char *made_of = (const char *)context->stamp.data;
    return count_lines(stamp) < count_lines(made_of) || !strcmp(made_of, stamp);
}

/* The newest one made of the same. */
static struct steady_tls_context *find(struct contexts *contexts, const char *names)
{
    struct steady_tls_context *context = contexts->first;
    while (context && strcmp((const char *)context->names.data, names) != 0)
        context = context->next;
    return context;
}

/* Takes both texts over where it succeeds. */
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
        context = find(contexts, (const char *)names.data);
        if (!context || !may_serve(context, (const char *)stamp.data))
            context = make(contexts, options, &names, &stamp, message, size);
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
