/* What users give as options: lists of anything, and numbers within what the table allows. */
#include "core/options.h"
#include "core/nearest.h"
#include "core/option_values.h"
#include "fuzz.h"

#include <math.h>

/* Sets each string option that takes it. */
static void set_strings(struct steady_options *options, const struct steady_option *list,
                        const char *text, size_t size)
{
    for (const struct steady_option *option = list; option->name; option++) {
        if (option->type == STEADY_OPTION_GROUP) {
            set_strings(options, option->fields, text, size);
        } else if (option->type == STEADY_OPTION_STRING) {
            const char *problem = steady_option_set_string(options, option, text, size);
            CHECK(!problem || *problem);
        } else if (option->type == STEADY_OPTION_STRINGS) {
            const char *problem = steady_option_add_string(options, option, text, size);
            CHECK(!problem || *problem);
        }
    }
}

static void add(struct steady_options *options, struct input *input)
{
    size_t size, more;
    uint8_t what = input_byte(input);
    uint8_t *text = input_copy(input, input_byte(input), &size);
    const char *problem = NULL;
    char room[STEADY_PROXY_PROBLEM_SIZE];
    switch (what % 6) {
    case 0:
        problem = steady_options_add_url(options, (char *)text, size);
        break;
    case 1: {
        uint8_t *value = input_copy(input, input_byte(input), &more);
        problem = steady_options_add_header(options, (char *)text, size, (char *)value, more);
        free(value);
        break;
    }
    case 2:
        problem = steady_options_add_protocol(options, (char *)text, size);
        break;
    case 3:
        problem = steady_options_set_origin(options, (char *)text, size);
        break;
    case 4:
        set_strings(options, steady_option_list, (char *)text, size);
        break;
    default:
        problem = steady_options_set_proxy(options, (char *)text, size, room);
    }
    CHECK(!problem || *problem);
    free(text);
}

static void set_numbers(struct steady_options *options, const struct steady_option *list,
                        struct input *input)
{
    for (const struct steady_option *option = list; option->name; option++) {
        if (option->type == STEADY_OPTION_GROUP) {
            set_numbers(options, option->fields, input);
            continue;
        }
        char *at = (char *)options + option->offset;
        double low = option->min, high = isinf(option->max) ? 1e15 : option->max;
        double value = low + (high - low) * input_byte(input) / 255;
        if (option->type == STEADY_OPTION_NUMBER)
            *(double *)(void *)at = value;
        else if (option->type == STEADY_OPTION_INTEGER)
            *(double *)(void *)at = floor(value);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input input = {data, data + size};
    struct steady_options options;
    steady_options_init(&options);
    if (input_byte(&input) & 1)
        set_numbers(&options, steady_option_list, &input);
    while (input_left(&input))
        add(&options, &input);
    const char *problem = steady_options_check(&options);
    CHECK(!problem || *problem);
    char name[32] = "";
    memcpy(name, data, size < sizeof name - 1 ? size : sizeof name - 1);
    static const char *const names[] = {"url", "heartbeat", "on_message", NULL};
    steady_nearest_name(name, names);
    steady_options_free(&options);
    steady_options_free(&options); /* which may be done twice */
    return 0;
}
