#include "dial/pin.h"

#include <openssl/evp.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PREFIX      "sha256//"
#define PREFIX_SIZE (sizeof PREFIX - 1)

bool steady_pins_read(struct steady_pins *pins, const char *text)
{
    size_t count = text != NULL;
    for (const char *c = text; c && *c; c++)
        count += *c == ';';
    if (!count)
        return true;
    pins->hashes = calloc(count, sizeof *pins->hashes);
    if (!pins->hashes)
        return false;
    for (size_t i = 0; i < count; i++) {
        uint8_t decoded[STEADY_PIN_BYTES + 1]; /* OpenSSL also writes a byte for the padding */
        const char *base64 = text + PREFIX_SIZE;
        EVP_DecodeBlock(decoded, (const unsigned char *)base64,
                        STEADY_BASE64_SIZE(STEADY_PIN_BYTES) - 1);
        memcpy(pins->hashes[i], decoded, STEADY_PIN_BYTES);
        text = base64 + STEADY_BASE64_SIZE(STEADY_PIN_BYTES);
    }
    pins->count = count;
    return true;
}

void steady_pins_free(struct steady_pins *pins)
{
    free(pins->hashes);
    *pins = (struct steady_pins){0};
}

/* Hashes the SubjectPublicKeyInfo (RFC 5280 section 4.1) of a certificate, in DER, by SHA-256. */
static bool hash_key(const X509 *certificate, uint8_t hash[STEADY_PIN_BYTES])
{
    uint8_t *der = NULL;
    int size = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(certificate), &der);
    bool done = size > 0 && EVP_Digest(der, (size_t)size, hash, NULL, EVP_sha256(), NULL) == 1;
    OPENSSL_free(der);
    return done;
}

bool steady_pins_allow(const struct steady_pins *pins, const struct x509_st *certificate,
                       char found[STEADY_PIN_TEXT_SIZE])
{
    uint8_t hash[STEADY_PIN_BYTES];
    *found = 0;
    if (!pins->count)
        return true;
    if (!certificate || !hash_key(certificate, hash))
        return false;
    for (size_t i = 0; i < pins->count; i++)
        if (!memcmp(pins->hashes[i], hash, sizeof hash))
            return true;
    memcpy(found, PREFIX, PREFIX_SIZE);
    EVP_EncodeBlock((unsigned char *)found + PREFIX_SIZE, hash, sizeof hash);
    return false;
}
