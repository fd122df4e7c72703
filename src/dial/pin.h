/* Public keys that a server may have: pins, as curl writes them (sha256//BASE64). */
#ifndef STEADY_DIAL_PIN_H
#define STEADY_DIAL_PIN_H

#include "dial/encode.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct x509_st; /* OpenSSL's X509 */

#define STEADY_PIN_BYTES     32 /* of SHA-256 */
#define STEADY_PIN_TEXT_SIZE (sizeof "sha256//" - 1 + STEADY_BASE64_SIZE(STEADY_PIN_BYTES))

/* Zeroed: no pins, so every key will do. */
struct steady_pins {
    uint8_t (*hashes)[STEADY_PIN_BYTES];
    size_t count;
};

/* Reads the pins from the value of the option tls.pin, which has been checked: pins with ';'
 * between them, or NULL. False: out of memory. */
bool steady_pins_read(struct steady_pins *pins, const char *text);
void steady_pins_free(struct steady_pins *pins);

/* Whether the certificate's public key is one of them. If it is not, its own pin is written into
 * found; an empty text, if it could not be found out. */
bool steady_pins_allow(const struct steady_pins *pins, const struct x509_st *certificate,
                       char found[STEADY_PIN_TEXT_SIZE]);

#endif
