#include "dial/credentials.h"

#include <errno.h>
#include <limits.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* An option that may be a file or a text. */
struct source {
    const char *option; /* the name of the option that is a text */
    const char *file, *text;
};

/* ------------------------------------------------------------------------- what goes wrong */

/* Returns whether this is OpenSSL's error for a text that is not PEM. */
static bool is_no_pem(unsigned long error)
{
#ifdef ERR_R_UNSUPPORTED /* the error for keys since OpenSSL 3 */
    if (ERR_GET_REASON(error) == ERR_R_UNSUPPORTED)
        return true;
#endif
    return ERR_GET_LIB(error) == ERR_LIB_PEM && ERR_GET_REASON(error) == PEM_R_NO_START_LINE;
}

static bool is_directory(FILE *f)
{
    struct stat status;
    return !fstat(fileno(f), &status) && S_ISDIR(status.st_mode);
}

/* Returns the reason why a source cannot be used. OpenSSL has words of its own for "no such file",
 * but more people know the words of the system. */
static const char *reason(const struct source *source, const char *what)
{
    unsigned long error = ERR_peek_last_error();
    if (source->file) {
        FILE *f = fopen(source->file, "re");
        if (!f)
            return strerror(errno);
        bool directory = is_directory(f);
        fclose(f);
        if (directory)
            return strerror(EISDIR);
    }
    const char *text = error && !is_no_pem(error) ? ERR_reason_error_string(error) : NULL;
    return text ? text : what;
}

/* Writes that a source cannot be used, and returns false. `with` says what else was given, and
 * `what` is the reason for a case in which OpenSSL gives none. */
static bool cannot_use(const struct source *source, const char *with, const char *what,
                       char *message, size_t size)
{
    if (source->file)
        snprintf(message, size, "%s_file \"%s\" cannot be used%s: %s", source->option, source->file,
                 with, reason(source, what));
    else
        snprintf(message, size, "%s cannot be used%s: %s", source->option, with,
                 reason(source, what));
    return false;
}

static BIO *open_source(const struct source *source)
{
    if (source->file)
        return BIO_new_file(source->file, "r");
    return BIO_new_mem_buf(source->text, -1);
}

/* ------------------------------------------------------------------------- authorities */

const char *steady_credentials_system(void)
{
    const char *file = getenv(X509_get_default_cert_file_env());
    return file ? file : X509_get_default_cert_file();
}

/* Loads the system's authorities. OpenSSL silently leaves out a file that it cannot open. The
 * context is used for later connections as well, so it must not be made without the file only
 * because the process has run out of descriptors. */
static bool use_system(SSL_CTX *context, char *message, size_t size)
{
    FILE *f = fopen(steady_credentials_system(), "re");
    if (!f && (errno == EMFILE || errno == ENFILE)) {
        snprintf(message, size, "the system's authorities cannot be read: %s", strerror(errno));
        return false;
    }
    if (f)
        fclose(f);
    return SSL_CTX_set_default_verify_paths(context);
}

/* Adds the certificates and revocation lists of a source. Returns how many certificates there were,
 * or -1 when they cannot be read or added. */
static int add_authorities(X509_STORE *store, const struct source *source)
{
    BIO *bio = open_source(source);
    STACK_OF(X509_INFO) *list = bio ? PEM_X509_INFO_read_bio(bio, NULL, NULL, NULL) : NULL;
    int count = list ? 0 : -1;
    for (int i = 0; i < sk_X509_INFO_num(list) && count >= 0; i++) {
        const X509_INFO *item = sk_X509_INFO_value(list, i);
        bool added = (!item->x509 || X509_STORE_add_cert(store, item->x509) == 1) &&
                     (!item->crl || X509_STORE_add_crl(store, item->crl) == 1);
        count = added ? count + (item->x509 != NULL) : -1;
    }
    sk_X509_INFO_pop_free(list, X509_INFO_free);
    BIO_free(bio);
    return count;
}

static bool use_authorities(SSL_CTX *context, const struct steady_tls_options *options,
                            char *message, size_t size)
{
    const struct source source = {"tls.ca", options->ca_file, options->ca};
    if (!source.file && !source.text)
        return use_system(context, message, size);
    if (add_authorities(SSL_CTX_get_cert_store(context), &source) > 0)
        return true;
    return cannot_use(&source, "", "there is no certificate in PEM format in it", message, size);
}

/* ------------------------------------------------------------------------- the client's own */

struct password {
    const char *text; /* NULL when the program gave none */
    bool asked;       /* whether OpenSSL has asked for it, since the key is encrypted */
};

/* OpenSSL calls this function for the password of a key. Without it OpenSSL would ask on the
 * terminal. */
static int give_password(char *out, int size, int writing, void *given)
{
    struct password *password = given;
    (void)writing;
    if (!password)
        return 0;
    password->asked = true;
    int length = password->text ? snprintf(out, (size_t)size, "%s", password->text) : 0;
    return length < size ? length : 0;
}

/* Adds the certificates behind the client's own, which lead to its authority. */
static bool add_chain(SSL_CTX *context, BIO *bio)
{
    X509 *next;
    while ((next = PEM_read_bio_X509(bio, NULL, give_password, NULL)))
        if (SSL_CTX_add0_chain_cert(context, next) != 1) {
            X509_free(next);
            return false;
        }
    bool end = is_no_pem(ERR_peek_last_error()); /* the error that follows the last certificate */
    if (end)
        ERR_clear_error();
    return end;
}

static bool use_certificate(SSL_CTX *context, const struct source *source)
{
    BIO *bio = open_source(source);
    X509 *own = bio ? PEM_read_bio_X509_AUX(bio, NULL, give_password, NULL) : NULL;
    bool done = own && SSL_CTX_use_certificate(context, own) == 1 && add_chain(context, bio);
    X509_free(own);
    BIO_free(bio);
    return done;
}

/* Loads the key, which has to fit the certificate. */
static bool use_key(SSL_CTX *context, const struct source *source, struct password *password)
{
    BIO *bio = open_source(source);
    EVP_PKEY *key = bio ? PEM_read_bio_PrivateKey(bio, NULL, give_password, password) : NULL;
    bool done = key && SSL_CTX_use_PrivateKey(context, key) == 1;
    EVP_PKEY_free(key);
    BIO_free(bio);
    return done;
}

static bool use_identity(SSL_CTX *context, const struct steady_tls_options *options, char *message,
                         size_t size)
{
    const struct source certificate = {"tls.cert", options->cert_file, options->cert};
    const struct source key = {"tls.key", options->key_file, options->key};
    if (!certificate.file && !certificate.text)
        return true;
    if (!use_certificate(context, &certificate))
        return cannot_use(&certificate, "", "there is no certificate in PEM format in it", message,
                          size);
    struct password password = {.text = options->key_password};
    if (use_key(context, &key, &password))
        return true;
    if (password.asked && !password.text)
        ERR_clear_error(); /* OpenSSL's reason would say nothing about the missing password */
    return cannot_use(&key, password.text ? " with this tls.key_password" : "",
                      password.asked ? "it is locked, and needs tls.key_password"
                                     : "there is no key in PEM format in it",
                      message, size);
}

bool steady_credentials_load(struct ssl_ctx_st *context, const struct steady_tls_options *options,
                             char *message, size_t size)
{
    return use_authorities(context, options, message, size) &&
           use_identity(context, options, message, size);
}
