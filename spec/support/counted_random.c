/* For LD_PRELOAD: OpenSSL's generator gives out the numbers from 1 on, in 4 bytes each. */
#include <stdint.h>

int RAND_bytes(unsigned char *bytes, int size)
{
    static uint32_t number;
    for (int i = 0; i < size; i++) {
        number += i % 4 == 0;
        bytes[i] = (unsigned char)(number >> (24 - i % 4 * 8));
    }
    return 1;
}
