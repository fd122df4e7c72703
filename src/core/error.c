#include "core/error.h"

#include <stddef.h>

static const char *const names[STEADY_ERRORS] = {
    [STEADY_OK] = NULL,
    [STEADY_DNS] = "dns",
    [STEADY_REFUSED] = "refused",
    [STEADY_UNREACHABLE] = "unreachable",
    [STEADY_TIMEOUT] = "timeout",
    [STEADY_TLS] = "tls",
    [STEADY_PROXY] = "proxy",
    [STEADY_HTTP] = "http",
    [STEADY_HANDSHAKE] = "handshake",
    [STEADY_PROTOCOL] = "protocol",
    [STEADY_HEARTBEAT] = "heartbeat",
    [STEADY_TOO_LARGE] = "too_large",
    [STEADY_NETWORK] = "network",
    [STEADY_PROVIDER] = "provider",
    [STEADY_QUEUE_FULL] = "queue_full",
    [STEADY_MESSAGE_SIZE] = "message_size",
    [STEADY_CLOSED] = "closed",
    [STEADY_ALREADY_CONNECTED] = "already_connected",
    [STEADY_NOT_CONNECTED] = "not_connected",
    [STEADY_INVALID] = "invalid",
};

const char *steady_error_name(enum steady_error error)
{
    return names[error];
}
