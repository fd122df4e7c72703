/* The opening handshake (RFC 6455 section 4), without I/O: makes the text of the request and checks
 * the answer. The caller makes the key and its digest, which need random bytes, SHA-1 and base64.
 */
#ifndef STEADY_CORE_HANDSHAKE_H
#define STEADY_CORE_HANDSHAKE_H

#include "core/buffer.h"
#include "core/extension.h"
#include "core/response.h"
#include "core/url.h"

#include <stdbool.h>
#include <stddef.h>

#define STEADY_HANDSHAKE_GUID "258EAFA5-E914-47DA-95CA-C5AB0DC85B11" /* RFC 6455 section 1.3 */

struct steady_header {
    const char *name, *value;
};

struct steady_request {
    const struct steady_url *url;
    const char *key;              /* 16 random bytes in base64 */
    const char *origin;           /* NULL for none; not sent when `headers` has an Origin */
    const char *const *protocols; /* the subprotocols to offer, in order */
    size_t protocol_count;
    bool require_protocol; /* whether an answer without a subprotocol is an error */
    const struct steady_deflate_options *compression; /* offered when `on` is set; NULL for none */
    const struct steady_header *headers; /* the user's headers, sent as written and in order */
    size_t header_count;
    bool abroad; /* a redirect by another server has led here, so the user's headers Authorization,
                    Proxy-Authorization and Cookie are left out */
    /* The value of an Authorization header with the URL's user and password, or NULL for none. It
     * is not sent when `headers` has an Authorization. */
    const char *authorization;
};

/* Appends the whole request, from "GET" to the empty line. Returns false when memory is out. */
bool steady_handshake_request(struct steady_buffer *out, const struct steady_request *request);

/* The headers of the answer; each is NULL when the server did not send it. The values of several
 * headers with the same name are joined with commas (RFC 9110 section 5.3). steady_handshake_check
 * sets the members for the subprotocol and the compression that were agreed on. */
struct steady_answer {
    const char *upgrade, *connection, *accept, *protocol, *extensions;
    bool http_1_0; /* HTTP/1.0 has no upgrade (RFC 9110 section 7.8) */
    struct steady_deflate_parameters compression;
};

/* Picks the headers of the answer out of a response. The result has pointers into the response's
 * headers. */
struct steady_answer steady_handshake_answer(const struct steady_response *response);

/* Checks a 101 answer by RFC 6455 section 4.1: Upgrade, Connection, Sec-WebSocket-Accept against
 * `accept`, the subprotocol against those that were offered (none at all is accepted unless
 * require_protocol is set), extensions (see steady_extension_read), and http_1_0. Content-Length
 * and Transfer-Encoding mean nothing in a 101 answer, which ends at its empty line (RFC 9112
 * section 6.3). The caller checks the status. Returns true, or false with a text in `message` that
 * says what is wrong and quotes what the server sent. In the text, all but printable ASCII is shown
 * as '?', and long values are cut, so that a `size` of 256 bytes is always enough. */
bool steady_handshake_check(const struct steady_request *request, const char *accept,
                            struct steady_answer *answer, char *message, size_t size);

/* These functions check values that users give. They return NULL, or a static text that says what
 * is wrong and goes on behind the thing itself ("is not a header name"). A name must be a token,
 * and must not be one of those that belong to the handshake: Host, Upgrade, Connection,
 * Sec-WebSocket-*, and Content-Length and Transfer-Encoding, since a request has no body. A value
 * must not have CR, LF, NUL or any other control character but tab. A subprotocol must be a token.
 */
const char *steady_handshake_bad_name(const char *name, size_t size);
const char *steady_handshake_bad_value(const char *value, size_t size);
const char *steady_handshake_bad_protocol(const char *protocol, size_t size);

#endif
