/* A server over TLS that sends what no server should, again and again, for tls_flood_spec.lua. It
 * protects records itself, so that it can put anything into them. See compiled.lua.
 *
 *   rude_tls CERT KEY VERSION WHAT
 *
 * VERSION is 1.2 or 1.3. It prints its port, serves one connection after the other, and prints for
 * each how many bytes of the flood it got rid of until the client hung up. */
#include <arpa/inet.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/params.h>
#include <openssl/sha.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { ALERT = 21, HANDSHAKE = 22, DATA = 23 };

/* ------------------------------------------------------------------------- what is sent */

struct flood {
    const char *name;
    int type;
    unsigned char bytes[64];
    size_t size;
    int bare; /* 1: in place of the answer to the ClientHello, in the clear */
};

static const struct flood floods[] = {
    /* Instead of a ServerHello. */
    {"hello-requests", HANDSHAKE, {0, 0, 0, 0}, 4, 1},
    {"empty-records", HANDSHAKE, {0}, 0, 1},
    {"warnings", ALERT, {1, 90}, 2, 1},
    /* In TLS 1.2, a Certificate message of 24 KiB in records of a byte. */
    {"bits-of-certificates", HANDSHAKE, {0}, 1, 1},
    /* On an open connection. */
    {"bytes", DATA, {0x8A, 0}, 1, 0}, /* pongs */
    {"no-data", DATA, {0}, 0, 0},
    {"alerts", ALERT, {1, 90}, 2, 0},
    {"again", HANDSHAKE, {0, 0, 0, 0}, 4, 0}, /* HelloRequest */
    {"key-updates", HANDSHAKE, {24, 0, 0, 1, 0}, 5, 0},
    {"key-updates-asking", HANDSHAKE, {24, 0, 0, 1, 1}, 5, 0},
    /* NewSessionTicket: lifetime, age, nonce, a ticket of 16 bytes, no extensions (RFC 8446 4.6.1)
     */
    {"tickets", HANDSHAKE, {4, 0, 0, 30, 0, 0, 1, 0, 1, 2, 3, 4, 1, 0, 0, 16, [32] = 0, 0}, 34, 0},
    {"plain-data", DATA, {0x8A, 0}, 2, 0}, /* a pong a record, to compare with */
    {NULL, 0, {0}, 0, 0},
};

/* ------------------------------------------------------------------------- the keys */

static unsigned char traffic_secret[SHA256_DIGEST_LENGTH]; /* TLS 1.3, from the keys' log */
static unsigned char key[16], iv[12];
static unsigned long long sequence;
static int is_13;

static void hear_secret(const SSL *ssl, const char *line)
{
    static const char label[] = "SERVER_TRAFFIC_SECRET_0 ";
    (void)ssl;
    if (strncmp(line, label, sizeof label - 1) != 0)
        return;
    const char *hex = strrchr(line, ' ') + 1;
    for (size_t i = 0; i < sizeof traffic_secret; i++)
        sscanf(hex + 2 * i, "%2hhx", &traffic_secret[i]);
}

/* HKDF-Expand-Label of RFC 8446 section 7.1, without a context. */
static void expand(const char *label, unsigned char *out, size_t size)
{
    unsigned char info[64];
    size_t length = 0;
    info[length++] = 0;
    info[length++] = (unsigned char)size;
    info[length++] = (unsigned char)(6 + strlen(label));
    length += (size_t)sprintf((char *)info + length, "tls13 %s", label);
    info[length++] = 0;
    EVP_PKEY_CTX *kdf = EVP_PKEY_CTX_new_id(EVP_PKEY_HKDF, NULL);
    EVP_PKEY_derive_init(kdf);
    EVP_PKEY_CTX_set_hkdf_mode(kdf, EVP_PKEY_HKDEF_MODE_EXPAND_ONLY);
    EVP_PKEY_CTX_set_hkdf_md(kdf, EVP_sha256());
    EVP_PKEY_CTX_set1_hkdf_key(kdf, traffic_secret, sizeof traffic_secret);
    EVP_PKEY_CTX_add1_hkdf_info(kdf, info, (int)length);
    EVP_PKEY_derive(kdf, out, &size);
    EVP_PKEY_CTX_free(kdf);
}

static void take_keys_of_13(void)
{
    expand("key", key, sizeof key);
    expand("iv", iv, sizeof iv);
    sequence = 0;
}

/* RFC 5246 section 6.3; the first record behind "Finished". */
static void take_keys_of_12(SSL *ssl)
{
    unsigned char master[48], random[64], block[40];
    size_t size = sizeof block;
    SSL_SESSION_get_master_key(SSL_get_session(ssl), master, sizeof master);
    SSL_get_server_random(ssl, random, 32);
    SSL_get_client_random(ssl, random + 32, 32);
    EVP_PKEY_CTX *prf = EVP_PKEY_CTX_new_id(EVP_PKEY_TLS1_PRF, NULL);
    EVP_PKEY_derive_init(prf);
    EVP_PKEY_CTX_set_tls1_prf_md(prf, EVP_sha256());
    EVP_PKEY_CTX_set1_tls1_prf_secret(prf, master, sizeof master);
    EVP_PKEY_CTX_add1_tls1_prf_seed(prf, (const unsigned char *)"key expansion", 13);
    EVP_PKEY_CTX_add1_tls1_prf_seed(prf, random, sizeof random);
    EVP_PKEY_derive(prf, block, &size);
    EVP_PKEY_CTX_free(prf);
    memcpy(key, block + 16, sizeof key);
    memcpy(iv, block + 36, 4);
    sequence = 1;
}

/* ------------------------------------------------------------------------- records */

static void encrypt(const unsigned char *nonce, const unsigned char *more, int more_size,
                    const unsigned char *in, int size, unsigned char *out)
{
    static EVP_CIPHER_CTX *gcm;
    int n;
    if (!gcm)
        gcm = EVP_CIPHER_CTX_new();
    EVP_EncryptInit_ex(gcm, EVP_aes_128_gcm(), NULL, key, nonce);
    EVP_EncryptUpdate(gcm, NULL, &n, more, more_size);
    EVP_EncryptUpdate(gcm, out, &n, in, size);
    EVP_EncryptFinal_ex(gcm, out + n, &n);
    EVP_CIPHER_CTX_ctrl(gcm, EVP_CTRL_GCM_GET_TAG, 16, out + size);
}

static size_t header(unsigned char *out, int type, size_t size)
{
    out[0] = (unsigned char)type;
    out[1] = out[2] = 3;
    out[3] = (unsigned char)(size >> 8);
    out[4] = (unsigned char)size;
    return 5;
}

static void big_endian(unsigned char out[8], unsigned long long number)
{
    for (int i = 7; i >= 0; i--, number >>= 8)
        out[i] = (unsigned char)number;
}

/* A record's size; the messages here are short. */
static size_t protect(unsigned char *out, int type, const unsigned char *bytes, size_t size)
{
    unsigned char nonce[12], more[13];
    unsigned char number[8];
    big_endian(number, sequence++);
    memcpy(nonce, iv, 12);
    if (is_13) {
        unsigned char inner[4096];
        for (int i = 0; i < 8; i++)
            nonce[4 + i] ^= number[i];
        memcpy(inner, bytes, size);
        inner[size] = (unsigned char)type;
        header(out, DATA, size + 17);
        encrypt(nonce, out, 5, inner, (int)size + 1, out + 5);
        return 5 + size + 17;
    }
    memcpy(nonce + 4, number, 8);
    memcpy(more, number, 8);
    header(more + 8, type, size);
    header(out, type, 8 + size + 16);
    memcpy(out + 5, number, 8);
    encrypt(nonce, more, 13, bytes, (int)size, out + 13);
    return 13 + size + 16;
}

static void update_key(void)
{
    unsigned char next[sizeof traffic_secret];
    expand("traffic upd", next, sizeof next);
    memcpy(traffic_secret, next, sizeof next);
    take_keys_of_13();
}

/* A NewSessionTicket in the way of TLS 1.2 (RFC 5077): lifetime and ticket. */
static const unsigned char ticket_12[] = {4, 0, 0, 10, 0, 0, 1, 0, 0, 4, 1, 2, 3, 4};

static size_t next_record(const struct flood *flood, unsigned char *out)
{
    if (flood->bare) {
        size_t at = header(out, flood->type, flood->size);
        memcpy(out + at, flood->bytes, flood->size);
        return at + flood->size;
    }
    static int second; /* byte of a pong */
    const unsigned char *bytes = flood->bytes + (second ? 1 : 0);
    size_t size = flood->size;
    second = !second && !strcmp(flood->name, "bytes");
    if (!is_13 && !strcmp(flood->name, "tickets")) {
        bytes = ticket_12;
        size = sizeof ticket_12;
    }
    size_t made = protect(out, flood->type, bytes, size);
    if (!strncmp(flood->name, "key-updates", 11))
        update_key();
    return made;
}

/* ------------------------------------------------------------------------- a connection */

static int send_all(int fd, const unsigned char *bytes, size_t size)
{
    while (size) {
        ssize_t n = send(fd, bytes, size, MSG_NOSIGNAL);
        if (n <= 0)
            return 0;
        bytes += n;
        size -= (size_t)n;
    }
    return 1;
}

static unsigned long long pour(int fd, const struct flood *flood)
{
    static unsigned char buffer[65536];
    unsigned long long total = 0;
    for (;;) {
        size_t size = 0;
        while (size < sizeof buffer - 256)
            size += next_record(flood, buffer + size);
        if (!send_all(fd, buffer, size))
            return total;
        total += size;
    }
}

static void answer_upgrade(SSL *ssl, int fd)
{
    char request[8192] = "", answer[512], accept[64];
    unsigned char digest[SHA_DIGEST_LENGTH], record[1024];
    int there = 0, n;
    while (!strstr(request, "\r\n\r\n") &&
           (n = SSL_read(ssl, request + there, (int)sizeof request - 1 - there)) > 0)
        request[there += n] = 0;
    char *nonce = strstr(request, "Sec-WebSocket-Key: ");
    if (!nonce)
        return;
    snprintf(answer, sizeof answer, "%.24s258EAFA5-E914-47DA-95CA-C5AB0DC85B11", nonce + 19);
    SHA1((unsigned char *)answer, strlen(answer), digest);
    EVP_EncodeBlock((unsigned char *)accept, digest, sizeof digest);
    snprintf(answer, sizeof answer,
             "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
             "Sec-WebSocket-Accept: %s\r\n\r\n",
             accept);
    send_all(fd, record, protect(record, DATA, (unsigned char *)answer, strlen(answer)));
}

/* The beginning of a Certificate that is 24 KiB long, and whose rest the flood is. */
static void begin_long_message(int fd)
{
    /* ServerHello of TLS 1.2: version, random, no session, the cipher, no compression, and the
     * empty extension of RFC 5746. */
    static unsigned char hello[] = {
        HANDSHAKE, 3, 3, 0, 49, 2, 0, 0, 45, 3, 3, [43] = 0, 0xC0, 0x2B, 0, 0, 5, 0xFF, 1, 0, 1, 0};
    static const unsigned char certificate[] = {HANDSHAKE, 3,    3, 0, 7,    11,
                                                0,         0x60, 0, 0, 0x5F, 0xFD};
    send_all(fd, hello, sizeof hello);
    send_all(fd, certificate, sizeof certificate);
}

static void serve(SSL_CTX *context, int fd, const struct flood *flood)
{
    if (flood->bare) {
        char hello[16384];
        if (recv(fd, hello, sizeof hello, 0) <= 0)
            return;
        if (!strcmp(flood->name, "bits-of-certificates"))
            begin_long_message(fd);
    } else {
        SSL *ssl = SSL_new(context);
        SSL_set_fd(ssl, fd);
        if (SSL_accept(ssl) != 1) {
            SSL_free(ssl);
            return;
        }
        if (is_13)
            take_keys_of_13();
        else
            take_keys_of_12(ssl);
        answer_upgrade(ssl, fd);
        SSL_free(ssl);
    }
    printf("%llu\n", pour(fd, flood));
    fflush(stdout);
}

static int listen_somewhere(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    if (bind(fd, (struct sockaddr *)&address, size) || listen(fd, 16) ||
        getsockname(fd, (struct sockaddr *)&address, &size))
        exit(1);
    printf("%d %d\n", ntohs(address.sin_port), (int)getpid());
    fflush(stdout);
    return fd;
}

int main(int argc, char **argv)
{
    if (argc != 5)
        return 2;
    const struct flood *flood = floods;
    while (flood->name && strcmp(flood->name, argv[4]) != 0)
        flood++;
    is_13 = !strcmp(argv[3], "1.3");
    SSL_CTX *context = SSL_CTX_new(TLS_server_method());
    int version = is_13 ? TLS1_3_VERSION : TLS1_2_VERSION;
    SSL_CTX_set_min_proto_version(context, version);
    SSL_CTX_set_max_proto_version(context, version);
    SSL_CTX_set_ciphersuites(context, "TLS_AES_128_GCM_SHA256");
    SSL_CTX_set_cipher_list(context, "ECDHE-ECDSA-AES128-GCM-SHA256");
    SSL_CTX_set_num_tickets(context, 0);
    SSL_CTX_set_keylog_callback(context, hear_secret);
    if (!flood->name || SSL_CTX_use_certificate_chain_file(context, argv[1]) != 1 ||
        SSL_CTX_use_PrivateKey_file(context, argv[2], SSL_FILETYPE_PEM) != 1)
        return 2;
    signal(SIGPIPE, SIG_IGN);
    alarm(120); /* whatever becomes of the specs */
    int listener = listen_somewhere();
    for (;;) {
        int fd = accept(listener, NULL, NULL);
        if (fd < 0)
            return 1;
        serve(context, fd, flood);
        close(fd);
    }
}
