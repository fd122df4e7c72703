#include "core/no_proxy.h"

#include "core/ascii.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SEPARATORS ", \t\r\n"
#define ENTRY_MAX  300 /* bytes: enough for a name of 255 bytes and a port */

/* An address or a network in the form of IPv6. An IPv4 address has 96 bits in front (RFC 4291
 * section 2.5.5.2), so that both versions can be compared, even when an IPv4 address is written as
 * IPv6. */
struct network {
    uint8_t address[16];
    unsigned bits; /* how many bits of the address count */
};

/* Reads a number from min to max. Returns false when the text is something else. */
static bool read_number(const char *text, unsigned min, unsigned max, unsigned *number)
{
    size_t digits = strspn(text, "0123456789");
    if (digits == 0 || digits > 5 || text[digits])
        return false;
    *number = (unsigned)strtoul(text, NULL, 10);
    return *number >= min && *number <= max;
}

/* Reads an address without a zone. Returns false when the text is something else. */
static bool read_address(const char *text, struct network *network)
{
    static const uint8_t mapped[12] = {[10] = 0xFF, [11] = 0xFF};
    struct in_addr v4;
    network->bits = 128;
    if (inet_pton(AF_INET6, text, network->address) == 1)
        return true;
    if (inet_pton(AF_INET, text, &v4) != 1)
        return false;
    memcpy(network->address, mapped, sizeof mapped);
    memcpy(network->address + sizeof mapped, &v4, sizeof v4);
    return true;
}

/* Reads "address/bits" or an address alone, and writes a NUL byte over the slash. Returns false
 * when the text is something else. */
static bool read_network(char *text, struct network *network)
{
    char *slash = strchr(text, '/');
    unsigned bits, front = strchr(text, ':') ? 0 : 96;
    if (slash)
        *slash = '\0';
    if (!read_address(text, network))
        return false;
    if (!slash)
        return true;
    if (!read_number(slash + 1, 0, 128 - front, &bits))
        return false;
    network->bits = front + bits;
    return true;
}

static bool is_in(const struct network *network, const uint8_t address[16])
{
    unsigned bytes = network->bits / 8, left = network->bits % 8;
    if (memcmp(network->address, address, bytes) != 0)
        return false;
    return left == 0 || (network->address[bytes] ^ address[bytes]) >> (8 - left) == 0;
}

static bool covers_name(const char *entry, const char *host)
{
    entry += strncmp(entry, "*.", 2) ? strspn(entry, ".") : 2;
    size_t size = strlen(entry), length = strlen(host);
    size -= size > 0 && entry[size - 1] ==
                            '.'; /* the final dot, which stands for the root of the domain names */
    length -= length > 0 && host[length - 1] == '.';
    if (size == 0 || size > length || !steady_is_same_text(host + length - size, entry, size))
        return false;
    return size == length || host[length - size - 1] == '.';
}

/* Shortens "host:port", "[host]:port" or "[host]" to the host. Sets the port to 0 when there is
 * none. Returns false when the text at the place of the port is not a port. */
static bool take_port(char **entry, unsigned *port)
{
    char *colon = strrchr(*entry, ':'), *bracket = strchr(*entry, ']');
    *port = 0;
    if (**entry == '[' && bracket) {
        *bracket = '\0';
        (*entry)++;
        return !bracket[1] || (bracket[1] == ':' && read_number(bracket + 2, 1, UINT16_MAX, port));
    }
    if (!colon || strchr(*entry, ':') != colon)
        return true;
    *colon = '\0';
    return read_number(colon + 1, 1, UINT16_MAX, port);
}

static bool covers(char *entry, const char *host, uint16_t host_port)
{
    struct network network, address;
    unsigned port;
    if (!take_port(&entry, &port) || (port && port != host_port))
        return false;
    entry[strcspn(entry, "%")] = '\0'; /* the zone of an IPv6 address */
    if (!strcmp(entry, "*"))
        return true;
    if (!read_address(host, &address))
        return !read_address(entry, &network) && covers_name(entry, host);
    return read_network(entry, &network) && is_in(&network, address.address);
}

bool steady_no_proxy_covers(const char *list, const char *host, uint16_t port)
{
    while (*(list += strspn(list, SEPARATORS))) {
        char entry[ENTRY_MAX];
        size_t size = strcspn(list, SEPARATORS);
        if (size < sizeof entry) {
            memcpy(entry, list, size);
            entry[size] = '\0';
            if (covers(entry, host, port))
                return true;
        }
        list += size;
    }
    return false;
}
