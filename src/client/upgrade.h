/* From a URL to a connection on which the server has accepted the upgrade (RFC 6455 section 4.1).
 * dial/dial connects; then our request goes out, and the answer is read. An attempt that follows
 * redirects makes several upgrades. */
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
    const struct steady_buffer *headers; /* of the answer, see core/response.h */
    const struct steady_address *address;
    struct steady_stream *stream; /* the owner's now: see steady_stream_give */
    const uint8_t *first;         /* bytes that came behind the answer */
    size_t first_size;
};

/* Calls to the owner, from the loop: one of them, once, unless it drops the attempt before. What
 * they point to is good during the call; the attempt is gone after it. */
struct steady_upgrade_owner {
    void (*accepted)(void *owner, const struct steady_accepted *accepted);
    void (*failed)(void *owner, const struct steady_failure *failure);
};

/* options: headers, protocols and so on; like the target's texts, they must stay as they are until
 * the attempt has ended or is dropped. abroad: see struct steady_request. NULL: out of memory. */
struct steady_upgrade *steady_upgrade_start(struct steady_loop *loop,
                                            const struct steady_target *target,
                                            const struct steady_options *options, bool abroad,
                                            const struct steady_upgrade_owner *calls, void *owner);

/* The attempt has taken too long: the call `failed` comes before this one returns, with
 * STEADY_TIMEOUT unless a better reason is known. */
void steady_upgrade_time_out(struct steady_upgrade *upgrade, double seconds);

/* Ends the upgrade without a call to the owner; NULL is fine. */
void steady_upgrade_drop(struct steady_upgrade *upgrade);

#endif
