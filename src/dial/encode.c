#include "dial/encode.h"

#include "core/buffer.h"
#include "core/handshake.h"
#include "loop/loop.h"
#include "loop/random.h"

#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

/* The SHA-1 digest of a loop. OpenSSL 3 looks an algorithm up by its name, under locks, which takes
 * longer than the digest of a key. So the algorithm is looked up once, here. */
struct sha1 {
    struct steady_service service; /* the first member */
    EVP_MD_CTX *context;
};

static bool open_sha1(struct steady_service *service)
{
    struct sha1 *sha1 = (struct sha1 *)service; /* its first member */
    sha1->context = EVP_MD_CTX_new();
    if (sha1->context && EVP_DigestInit_ex(sha1->context, EVP_sha1(), NULL) == 1)
        return true;
    EVP_MD_CTX_free(sha1->context);
    return false;
}

static void close_sha1(struct steady_service *service)
{
    struct sha1 *sha1 = (struct sha1 *)service; /* its first member */
    EVP_MD_CTX_free(sha1->context);
    sha1->context = NULL;
}

static const struct steady_service_kind kind = {
    .size = sizeof(struct sha1),
    .open = open_sha1,
    .close = close_sha1,
};

static bool digest(struct sha1 *sha1, const char *first, const char *second, unsigned char *out)
{
    EVP_MD_CTX *context = sha1 ? sha1->context : NULL;
    return context && EVP_DigestInit_ex(context, NULL, NULL) == 1 &&
           EVP_DigestUpdate(context, first, strlen(first)) == 1 &&
           EVP_DigestUpdate(context, second, strlen(second)) == 1 &&
           EVP_DigestFinal_ex(context, out, NULL) == 1;
}

bool steady_encode_keys(struct steady_loop *loop, char key[STEADY_BASE64_SIZE(16)],
                        char accept[STEADY_BASE64_SIZE(20)])
{
    unsigned char nonce[16], hash[20];
    steady_random_bytes(nonce, sizeof nonce);
    EVP_EncodeBlock((unsigned char *)key, nonce, sizeof nonce);
    if (!digest(steady_loop_service(loop, &kind), key, STEADY_HANDSHAKE_GUID, hash))
        return false;
    EVP_EncodeBlock((unsigned char *)accept, hash, sizeof hash);
    return true;
}

bool steady_encode_basic(const struct steady_url *url, char **value)
{
    static const char scheme[] = "Basic ";
    struct steady_buffer plain = {0};
    *value = NULL;
    if (!url->user && !url->password)
        return true;
    if (steady_buffer_append_texts(&plain, url->user ? url->user : "", ":",
                                   url->password ? url->password : ""))
        *value = malloc(sizeof scheme + STEADY_BASE64_SIZE(plain.size));
    if (*value) {
        memcpy(*value, scheme, sizeof scheme);
        EVP_EncodeBlock((unsigned char *)*value + sizeof scheme - 1, plain.data, (int)plain.size);
    }
    steady_buffer_free(&plain);
    return *value != NULL;
}
