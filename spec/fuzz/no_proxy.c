/* A list of hosts without a proxy: any bytes are read without harm, a host that is listed is
 * covered, and "*" covers all. */
#include "core/no_proxy.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input input = {data, data + size};
    uint16_t port = input_number(&input);
    char *host = input_string(&input, input_byte(&input)), *list = input_string(&input, size);
    char *more = malloc(strlen(list) + sizeof ", *");
    CHECK(more);
    steady_no_proxy_covers(list, host, port);
    sprintf(more, "%s, *", list);
    CHECK(steady_no_proxy_covers(more, host, port));
    sprintf(more, "%s", list);
    CHECK(steady_no_proxy_covers(more, host, port) == steady_no_proxy_covers(list, host, port));
    free(more);
    free(host);
    free(list);
    return 0;
}
