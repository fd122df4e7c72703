/* What the fuzz targets share. Each is a libFuzzer program of its own over the pure core: `make
 * fuzz`. A finding is a crash, a sanitizer's report, a leak, or a CHECK that does not hold. */
#ifndef STEADY_SPEC_FUZZ_H
#define STEADY_SPEC_FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHECK(condition)                                                                           \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            fprintf(stderr, "%s:%d: does not hold: %s\n", __FILE__, __LINE__, #condition);         \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The fuzzer's bytes, as decisions and as data. What is used up gives zeros. */
struct input {
    const uint8_t *at, *end;
};

static inline size_t input_left(const struct input *input)
{
    return (size_t)(input->end - input->at);
}

static inline uint8_t input_byte(struct input *input)
{
    return input->at < input->end ? *input->at++ : 0;
}

static inline uint16_t input_number(struct input *input)
{
    uint8_t high = input_byte(input);
    return (uint16_t)(high << 8 | input_byte(input));
}

/* At most `most` bytes, in memory that is no longer than they are, so that a sanitizer sees a read
 * beyond them. To be freed. */
static inline uint8_t *input_copy(struct input *input, size_t most, size_t *size)
{
    *size = most < input_left(input) ? most : input_left(input);
    uint8_t *copy = malloc(*size ? *size : 1);
    CHECK(copy);
    memcpy(copy, input->at, *size);
    input->at += *size;
    return copy;
}

/* The same as a string, without NULs inside. */
static inline char *input_string(struct input *input, size_t most)
{
    size_t size;
    uint8_t *bytes = input_copy(input, most, &size);
    char *string = malloc(size + 1);
    CHECK(string);
    memcpy(string, bytes, size);
    string[size] = 0;
    free(bytes);
    return string;
}

#endif
