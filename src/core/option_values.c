#include "core/option_values.h"

#include "core/ascii.h"
#include "core/buffer.h"

#include <stdlib.h>
#include <string.h>

static const char out_of_memory[] = "out of memory";

/* Makes room for one more element in a list, whose capacity is always the next power of two.
 * Returns the list, or NULL when memory is out. */
static void *grow(void *list, size_t count, size_t element)
{
    bool full = (count & (count - 1)) == 0;
    return full ? realloc(list, (count ? 2 * count : 1) * element) : list;
}

static char *copy(const char *text, size_t size)
{
    char *result = malloc(size + 1);
    if (!result)
        return NULL;
    memcpy(result, text, size);
    result[size] = 0;
    return result;
}

const char *steady_option_set_string(struct steady_options *options,
                                     const struct steady_option *option, const char *text,
                                     size_t size)
{
    if (memchr(text, 0, size))
        return "has a NUL byte inside";
    char *new = copy(text, size);
    if (!new)
        return out_of_memory;
    const char *problem = option->problem ? option->problem(new, size) : NULL;
    char **member = (char **)((char *)options + option->offset);
    free(problem ? new : *member);
    if (!problem)
        *member = new;
    return problem;
}

const char *steady_option_add_string(struct steady_options *options,
                                     const struct steady_option *option, const char *text,
                                     size_t size)
{
    const char *before = *(char **)((char *)options + option->offset);
    if (!before)
        return steady_option_set_string(options, option, text, size);
    size_t start = strlen(before) + 1;
    char *joined = malloc(start + size);
    if (!joined)
        return out_of_memory;
    memcpy(joined, before, start - 1);
    joined[start - 1] = ';';
    memcpy(joined + start, text, size);
    const char *problem = steady_option_set_string(options, option, joined, start + size);
    free(joined);
    return problem;
}

const char *steady_options_add_url(struct steady_options *options, const char *text, size_t size)
{
    struct steady_url *urls = grow(options->urls, options->url_count, sizeof *urls);
    if (!urls)
        return out_of_memory;
    options->urls = urls;
    const char *problem = steady_url_parse(&urls[options->url_count], text, size);
    if (!problem)
        options->url_count++;
    return problem;
}

const char *steady_options_add_header(struct steady_options *options, const char *name,
                                      size_t name_size, const char *value, size_t value_size)
{
    const char *problem = steady_handshake_bad_name(name, name_size);
    if (!problem)
        problem = steady_handshake_bad_value(value, value_size);
    if (problem)
        return problem;
    struct steady_header *headers = grow(options->headers, options->header_count, sizeof *headers);
    if (!headers)
        return out_of_memory;
    options->headers = headers;
    struct steady_header *header = &headers[options->header_count];
    header->name = copy(name, name_size);
    header->value = copy(value, value_size);
    options->header_count++;
    return header->name && header->value ? NULL : out_of_memory;
}

const char *steady_options_add_protocol(struct steady_options *options, const char *protocol,
                                        size_t size)
{
    const char *problem = steady_handshake_bad_protocol(protocol, size);
    if (problem)
        return problem;
    for (size_t i = 0; i < options->protocol_count; i++)
        if (strlen(options->protocols[i]) == size && !memcmp(options->protocols[i], protocol, size))
            return "is offered twice";
    char **protocols = grow(options->protocols, options->protocol_count, sizeof *protocols);
    if (!protocols)
        return out_of_memory;
    options->protocols = protocols;
    protocols[options->protocol_count] = copy(protocol, size);
    return protocols[options->protocol_count++] ? NULL : out_of_memory;
}

const char *steady_options_set_origin(struct steady_options *options, const char *origin,
                                      size_t size)
{
    const char *problem = steady_handshake_bad_value(origin, size);
    if (problem)
        return problem;
    free(options->origin);
    options->origin = copy(origin, size);
    return options->origin ? NULL : out_of_memory;
}

const char *steady_options_set_proxy(struct steady_options *options, const char *proxy, size_t size,
                                     char room[STEADY_PROXY_PROBLEM_SIZE])
{
    steady_url_free(&options->proxy);
    options->proxy_of_environment = size == 3 && !memcmp(proxy, "env", 3);
    return options->proxy_of_environment
               ? NULL
               : steady_url_parse_proxy(&options->proxy, proxy, size, room);
}

/* Makes a URL of "host:port". The port must not be missing: otherwise it would be the default port
 * of ws, even where the client's URL is a wss one. */
const char *steady_options_set_connect_to(struct steady_options *options, const char *text,
                                          size_t size)
{
    static const char scheme[] = "ws://";
    struct steady_buffer url = {0};
    steady_url_free(&options->connect_to);
    bool port = size > 0 && steady_is_digit(text[size - 1]) && memchr(text, ':', size);
    if (!port || memchr(text, '/', size) || memchr(text, '@', size) || memchr(text, '?', size))
        return "is not of the form host:port";
    bool done = steady_buffer_append(&url, scheme, sizeof scheme - 1) &&
                steady_buffer_append(&url, text, size);
    const char *problem =
        done ? steady_url_parse(&options->connect_to, (char *)url.data, url.size) : out_of_memory;
    steady_buffer_free(&url);
    return problem;
}
