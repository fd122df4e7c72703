/* The fixed strings that tell users what has failed: `kind` in on_error, and the code that a call
 * returns. docs/reference.md lists them. They are part of the interface and never change their
 * meaning. */
#ifndef STEADY_CORE_ERROR_H
#define STEADY_CORE_ERROR_H

enum steady_error {
    STEADY_OK,
    STEADY_DNS,               /* the host name did not resolve */
    STEADY_REFUSED,           /* nothing listens on the port */
    STEADY_UNREACHABLE,       /* no route to the host or network */
    STEADY_TIMEOUT,           /* connect_timeout ran out */
    STEADY_TLS,               /* the TLS handshake or the check of the certificate failed */
    STEADY_PROXY,             /* the proxy refused, or could not be reached */
    STEADY_HTTP,              /* the server answered the upgrade, but not with 101 */
    STEADY_HANDSHAKE,         /* the answer to the upgrade breaks RFC 6455 section 4 */
    STEADY_PROTOCOL,          /* the peer broke RFC 6455 on the open connection */
    STEADY_HEARTBEAT,         /* nothing was received within the heartbeat's timeout */
    STEADY_TOO_LARGE,         /* a message is larger than max_message_size */
    STEADY_NETWORK,           /* the connection broke, or the system ran out of something (memory,
                                 descriptors) */
    STEADY_PROVIDER,          /* the url, headers or protocols function failed */
    STEADY_QUEUE_FULL,        /* send: the queue is full */
    STEADY_MESSAGE_SIZE,      /* send: the message is larger than the queue may ever hold */
    STEADY_CLOSED,            /* send: the client is closing or closed */
    STEADY_ALREADY_CONNECTED, /* connect: the client is active */
    STEADY_NOT_CONNECTED,     /* ping: there is no open connection; reconnect: the client is idle,
                                 closing or closed */
    STEADY_INVALID,           /* a text is not UTF-8 */
    STEADY_ERRORS
};

/* Returns the fixed string, or NULL for STEADY_OK. */
const char *steady_error_name(enum steady_error error);

#endif
