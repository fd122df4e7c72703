/* Pins: hashes of the public keys that a server may have, written as curl writes them
 * (sha256//BASE64). */
#ifndef STEADY_DIAL_PIN_H
#define STEADY_DIAL_PIN_H

#include "dial/encode.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct x509_st; /* OpenSSL's X509 */

#define STEADY_PIN_BYTES     32 /* bytes of a SHA-256 hash */
#define STEADY_PIN_TEXT_SIZE (sizeof "sha256//" - 1 + STEADY_BASE64_SIZE(STEADY_PIN_BYTES))

/* A zeroed struct has no pins, and so allows every key. */
struct steady_pins {
    uint8_t (*hashes)[STEADY_PIN_BYTES];
    size_t count;
};

/* Reads the pins from the value of the option tls.pin, which has been checked: pins with ';'
 * between them, or NULL. Returns false when memory is out. */
bool steady_pins_read(struct steady_pins *pins, const char *text);
void steady_pins_free(struct steady_pins *pins);

/* Returns whether the certificate's public key is one of the pins, or there are no pins. If it is
 * not, the pin of the key is written to `found`, or an empty text when the pin could not be found
 * out. */
bool steady_pins_allow(const struct steady_pins *pins, const struct x509_st *certificate,
                       char found[STEADY_PIN_TEXT_SIZE]);

#endif
