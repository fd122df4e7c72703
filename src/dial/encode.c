#include "dial/encode.h"

#include "core/buffer.h"
#include "core/handshake.h"
#include "loop/random.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool steady_encode_keys(char key[STEADY_BASE64_SIZE(16)], char accept[STEADY_BASE64_SIZE(20)])
{
    unsigned char nonce[16], digest[20];
    char text[STEADY_BASE64_SIZE(16) + sizeof STEADY_HANDSHAKE_GUID];
    steady_random_bytes(nonce, sizeof nonce);
    EVP_EncodeBlock((unsigned char *)key, nonce, sizeof nonce);
    int size = snprintf(text, sizeof text, "%s%s", key, STEADY_HANDSHAKE_GUID);
    if (EVP_Digest(text, (size_t)size, digest, NULL, EVP_sha1(), NULL) != 1)
        return false;
    EVP_EncodeBlock((unsigned char *)accept, digest, sizeof digest);
    return true;
}

bool steady_encode_basic(const struct steady_url *url, char **value)
{
    static const char scheme[] = "Basic ";
    struct steady_buffer plain = {0};
    *value = NULL;
    if (!url->user && !url->password)
        return true;
    if (steady_buffer_printf(&plain, "%s:%s", url->user ? url->user : "",
                             url->password ? url->password : ""))
        *value = malloc(sizeof scheme + STEADY_BASE64_SIZE(plain.size));
    if (*value) {
        memcpy(*value, scheme, sizeof scheme);
        EVP_EncodeBlock((unsigned char *)*value + sizeof scheme - 1, plain.data, (int)plain.size);
    }
    steady_buffer_free(&plain);
    return *value != NULL;
}
