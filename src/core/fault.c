#include "core/fault.h"

#define COMPRESSED_EXTRA 1024 /* bytes by which a compressed frame may exceed max_message_size */

/* With permessage-deflate, RSV1 may be set in the first frame of a message, and nowhere else. */
static const char *reserved_bits_fault(const struct steady_protocol *protocol)
{
    const uint8_t bits = protocol->header[0] & STEADY_FRAME_RSV;
    const uint8_t opcode = protocol->header[0] & STEADY_FRAME_OPCODE;
    if (!bits)
        return NULL;
    if (!protocol->deflate.parameters.on)
        return "a reserved bit is set though no extension is in use (RFC 6455 section 5.2)";
    if (bits != STEADY_FRAME_RSV1)
        return "a reserved bit is set that no extension uses (RFC 6455 section 5.2)";
    if (opcode != STEADY_OPCODE_TEXT && opcode != STEADY_OPCODE_BINARY)
        return "a frame is marked as compressed that does not begin a message (RFC 7692 section 6)";
    return NULL;
}

const char *steady_fault_of_start(const struct steady_protocol *protocol)
{
    const uint8_t first = protocol->header[0], second = protocol->header[1];
    const uint8_t opcode = first & STEADY_FRAME_OPCODE;
    const char *fault = reserved_bits_fault(protocol);
    if (fault)
        return fault;
    if ((opcode & ~STEADY_FRAME_CONTROL) > STEADY_OPCODE_BINARY)
        return "a frame with a reserved opcode (RFC 6455 section 5.2)";
    if (second & STEADY_FRAME_MASKED)
        return "a masked frame from the server (RFC 6455 section 5.1)";
    if (steady_protocol_in_control_frame(protocol)) {
        if (!(first & STEADY_FRAME_FIN))
            return "a fragmented control frame (RFC 6455 section 5.5)";
        if (second > STEADY_CONTROL_MAX)
            return "a control frame of more than 125 bytes (RFC 6455 section 5.5)";
        return NULL;
    }
    if (opcode == STEADY_OPCODE_CONTINUATION && !protocol->message_opcode)
        return "a continuation frame where no message is under way (RFC 6455 section 5.4)";
    if (opcode != STEADY_OPCODE_CONTINUATION && protocol->message_opcode)
        return "a new message inside a fragmented one (RFC 6455 section 5.4)";
    return NULL;
}

const char *steady_fault_of_length(uint8_t second, uint64_t length)
{
    if (length >> 63)
        return "a frame length with the top bit set (RFC 6455 section 5.2)";
    if ((second == STEADY_FRAME_LENGTH_16 && length < STEADY_FRAME_LENGTH_16) ||
        (second == STEADY_FRAME_LENGTH_64 && length <= UINT16_MAX))
        return "a frame length that is not in its shortest form (RFC 6455 section 5.2)";
    return NULL;
}

bool steady_fault_is_too_large(const struct steady_protocol *protocol, uint64_t length)
{
    const size_t max = protocol->max_message_size;
    if (protocol->message_compressed)
        return length > max && length - max > max / 8 + COMPRESSED_EXTRA;
    return length > max - protocol->message.size;
}
