#include "dial/tls_carrier.h"

#include "dial/tls_session.h"

#include <openssl/bio.h>
#include <openssl/ssl.h>
#include <pthread.h>
#include <string.h>

#define HANDSHAKE_MAX                                                                              \
    (512 * 1024) /* bytes from the server; a chain of certificates takes about 5 KiB */

/* The numbers of reads by OpenSSL in one call. OpenSSL reads twice for each record. A record with a
 * KeyUpdate takes about 40 µs, and a record with a byte of data about 2 µs. */
#define QUIET_READS_A_CALL 256  /* reads since the last data */
#define READS_A_CALL       4096 /* reads in all */

/* The number of messages without data that the server may send on an open session, such as tickets,
 * KeyUpdate and HelloRequest. Servers send a few at the beginning, and later one in many gigabytes.
 */
#define MESSAGES_MAX 64
#define BYTES_FOR_A_MESSAGE                                                                        \
    (64 * 1024) /* bytes of data for which the server may send one more such message */

#define INPUT_SIZE (32 * 1024) /* bytes that are read from the carrier at once */

static bool may_send_more(struct steady_tls *tls)
{
    if (tls->state == TLS_HANDSHAKING && tls->handshake_bytes > HANDSHAKE_MAX)
        steady_tls_note(tls, "%s", "the server sends too much before its handshake is done");
    else if (tls->messages > MESSAGES_MAX + tls->data_bytes / BYTES_FOR_A_MESSAGE)
        steady_tls_note(tls, "%s", "the server sends too many messages that carry no data");
    else
        return true;
    return false;
}

/* Returns how many bytes are there for OpenSSL, or STEADY_WAIT, STEADY_EOF or STEADY_BROKEN. */
static ptrdiff_t fetch(struct steady_tls *tls)
{
    struct steady_buffer *input = &tls->input;
    if (tls->taken < input->size)
        return (ptrdiff_t)(input->size - tls->taken);
    input->size = tls->taken = 0;
    if (!steady_buffer_reserve(input, INPUT_SIZE))
        return STEADY_BROKEN;
    ptrdiff_t size = tls->calls->read(tls->carrier, input->data, INPUT_SIZE);
    if (size <= 0)
        return size;
    input->size = (size_t)size;
    if (tls->state == TLS_HANDSHAKING)
        tls->handshake_bytes += (size_t)size;
    return size;
}

/* Returns whether this call has looked at enough records. What is left waits for a later turn. */
static bool has_read_enough(struct steady_tls *tls)
{
    return ++tls->reads > READS_A_CALL || ++tls->quiet_reads > QUIET_READS_A_CALL;
}

static int bio_read(BIO *bio, char *out, int size)
{
    struct steady_tls *tls = BIO_get_data(bio);
    BIO_clear_retry_flags(bio);
    if (!may_send_more(tls))
        return -1;
    if (has_read_enough(tls)) {
        tls->has_more = true;
        BIO_set_retry_read(bio);
        return -1;
    }
    ptrdiff_t there = fetch(tls);
    if (there == STEADY_WAIT)
        BIO_set_retry_read(bio);
    if (there <= 0) {
        tls->carrier_ended = there < 0;
        return there == STEADY_EOF ? 0 : -1;
    }
    int taken = there < size ? (int)there : size;
    memcpy(out, tls->input.data + tls->taken, (size_t)taken);
    tls->taken += (size_t)taken;
    return taken;
}

static int bio_write(BIO *bio, const char *bytes, int size)
{
    struct steady_tls *tls = BIO_get_data(bio);
    BIO_clear_retry_flags(bio);
    ptrdiff_t sent = tls->calls->write(tls->carrier, (const uint8_t *)bytes, (size_t)size);
    if (sent == STEADY_WAIT)
        BIO_set_retry_write(bio);
    return sent > 0 ? (int)sent : -1;
}

static long bio_control(BIO *bio, int command, long number, void *argument)
{
    const struct steady_tls *tls = BIO_get_data(bio);
    (void)number;
    (void)argument;
    switch (command) {
    case BIO_CTRL_FLUSH: /* every write has gone to the carrier already */
        return 1;
    case BIO_CTRL_EOF:
        return tls && tls->carrier_ended;
    default:
        return 0;
    }
}

static BIO_METHOD *carrier_method; /* for the whole process; NULL when memory was out */

static void make_carrier_method(void)
{
    carrier_method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "steadysocket");
    if (!carrier_method)
        return;
    BIO_meth_set_read(carrier_method, bio_read);
    BIO_meth_set_write(carrier_method, bio_write);
    BIO_meth_set_ctrl(carrier_method, bio_control);
}

/* Runs when Lua unloads the module. */
__attribute__((destructor)) static void free_carrier_method(void)
{
    BIO_meth_free(carrier_method);
}

struct bio_st *steady_tls_carrier_new(struct steady_tls *tls)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, make_carrier_method);
    BIO *bio = carrier_method ? BIO_new(carrier_method) : NULL;
    if (bio) {
        BIO_set_data(bio, tls);
        BIO_set_init(bio, 1);
    }
    return bio;
}

/* OpenSSL could keep such a pointer itself, but would need 130 bytes for that. */
struct steady_tls *steady_tls_of(const struct ssl_st *openssl)
{
    return BIO_get_data(SSL_get_rbio(openssl));
}
