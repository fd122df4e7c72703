/* An upgrade leads from a URL to a connection on which the server has accepted the upgrade (RFC
 * 6455 section 4.1). dial/dial connects; then our request goes out, and the answer is read. An
 * attempt that follows redirects makes several upgrades. */
#ifndef STEADY_CLIENT_UPGRADE_H
#define STEADY_CLIENT_UPGRADE_H

#include "core/handshake.h"
#include "core/options.h"
#include "dial/dial.h"
#include "dial/failure.h"
#include "dial/stream.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct steady_upgrade;

/* The result of an upgrade that the server has accepted. */
struct steady_accepted {
    const struct steady_answer *answer;
    const struct steady_buffer *headers; /* the headers of the answer, see core/response.h */
    const struct steady_address *address;
    struct steady_stream *stream; /* belongs to the owner now, see steady_stream_give */
    const uint8_t *first;         /* bytes that arrived behind the answer */
    size_t first_size;
};

/* The calls that an upgrade makes to its owner, from the loop. It makes one of them, once, unless
 * the owner drops the upgrade before. What the arguments point to is valid during the call. The
 * upgrade is freed after it. */
struct steady_upgrade_owner {
    void (*accepted)(void *owner, const struct steady_accepted *accepted);
    void (*failed)(void *owner, const struct steady_failure *failure);
};

/* Starts an upgrade. `options` has the headers, subprotocols and so on. Like the texts of `target`,
 * the options must stay as they are until the upgrade has ended or is dropped. `abroad` is the
 * member of struct steady_request. Returns NULL when memory is out. */
struct steady_upgrade *steady_upgrade_start(struct steady_loop *loop,
                                            const struct steady_target *target,
                                            const struct steady_options *options, bool abroad,
                                            const struct steady_upgrade_owner *calls, void *owner);

/* Ends an upgrade that has taken too long. The call `failed` comes before this function returns,
 * with STEADY_TIMEOUT unless a better reason is known. `seconds` is the time that the upgrade had,
 * for the message. */
void steady_upgrade_time_out(struct steady_upgrade *upgrade, double seconds);

/* Ends the upgrade without a call to the owner. NULL is allowed. */
void steady_upgrade_drop(struct steady_upgrade *upgrade);

#endif
