/* libwebsockets' own WebSocket client role, as a program in C uses it: a message in one piece is
 * taken where it lies, one in several is put together first; sending copies the text behind
 * LWS_PRE, where the library masks it. Neither side checks UTF-8, as is the library's default. */
#include "driver.h"

#include <libwebsockets.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define BUFFER_SIZE 65536 /* of the library's, for one connection that is measured for speed */

struct line {
    size_t sent, received;
    bool idle;
};

static struct driver driver;
static struct lws_context *context;
static size_t asked, opened, sent, received;
static size_t wanted; /* connections, before the clock starts or, in conn, stops */
static bool done;
static uint8_t *out;
static struct lws *lines[BUSY];
static size_t line_count;

static struct {
    uint8_t *bytes;
    size_t size, capacity;
} pieces;

static void fail(const char *what)
{
    driver_fail(&driver, what);
}

static void dial(const struct target *target)
{
    struct lws_client_connect_info info = {
        .context = context,
        .address = target->host,
        .host = target->host,
        .port = target->port,
        .path = target->path,
        .local_protocol_name = target == &driver.hold ? "idle" : "bench",
        .ssl_connection = target->tls ? LCCSCF_USE_SSL : 0,
    };
    asked++;
    if (!lws_client_connect_via_info(&info))
        fail("lws_client_connect_via_info failed");
}

static void dial_next(void)
{
    if (asked < wanted)
        dial(driver.mode == BUSY_ && asked < driver.idle ? &driver.hold : &driver.target);
}

/* ------------------------------------------------------------------------- messages */

static void send_text(struct lws *wsi, const char *text, size_t size)
{
    memcpy(out + LWS_PRE, text, size);
    if (lws_write(wsi, out + LWS_PRE, size, LWS_WRITE_TEXT) < (int)size)
        fail("lws_write failed");
}

static void message(struct lws *wsi, struct line *line, const uint8_t *bytes, size_t size)
{
    if (driver.mode == TX) {
        driver_expect_end(&driver, bytes, size);
        done = true;
        return;
    }
    if (size != driver.size)
        fail("a message of the wrong size");
    line->received++;
    received++;
    done = received == driver.count;
    if (driver.mode != RX && sent < driver.count)
        lws_callback_on_writable(wsi);
}

static void receive(struct lws *wsi, struct line *line, const uint8_t *bytes, size_t size)
{
    const bool first = lws_is_first_fragment(wsi);
    const bool last = lws_is_final_fragment(wsi) && !lws_remaining_packet_payload(wsi);
    if (first && last) {
        message(wsi, line, bytes, size);
        return;
    }
    if (first)
        pieces.size = 0;
    if (pieces.size + size > pieces.capacity) {
        pieces.capacity = 2 * (pieces.size + size + lws_remaining_packet_payload(wsi));
        pieces.bytes = realloc(pieces.bytes, pieces.capacity);
        if (!pieces.bytes)
            fail("out of memory");
    }
    memcpy(pieces.bytes + pieces.size, bytes, size);
    pieces.size += size;
    if (last)
        message(wsi, line, pieces.bytes, pieces.size);
}

static void writable(struct lws *wsi, struct line *line)
{
    if (driver.mode == RX && line->sent == 0) {
        line->sent++;
        send_text(wsi, "go", 2);
    }
    if (driver.mode == TX && sent < driver.count) {
        do {
            send_text(wsi, driver.text, driver.size);
            sent++;
        } while (sent < driver.count && !lws_send_pipe_choked(wsi));
        lws_callback_on_writable(wsi);
    }
    if ((driver.mode == RTT || driver.mode == BUSY_) && line->sent == line->received &&
        sent < driver.count) {
        line->sent++;
        sent++;
        send_text(wsi, driver.text, driver.size);
    }
}

/* ------------------------------------------------------------------------- connections */

static void established(struct lws *wsi, struct line *line)
{
    memset(line, 0, sizeof *line);
    opened++;
    line->idle = !strcmp(lws_get_protocol(wsi)->name, "idle");
    if (driver.mode != CONN && !line->idle)
        lines[line_count++] = wsi;
    dial_next();
    if (opened < wanted)
        return;
    if (driver.mode == CONN) {
        done = true;
        return;
    }
    driver_clock(&driver);
    for (size_t i = 0; i < line_count; i++)
        lws_callback_on_writable(lines[i]);
}

static int callback(struct lws *wsi, enum lws_callback_reasons reason, void *line, void *bytes,
                    size_t size)
{
    switch (reason) {
    case LWS_CALLBACK_CLIENT_ESTABLISHED:
        established(wsi, line);
        break;
    case LWS_CALLBACK_CLIENT_CONNECTION_ERROR:
        fail(bytes ? bytes : "no connection");
        break;
    case LWS_CALLBACK_CLIENT_CLOSED:
        if (!done)
            fail("the connection has ended");
        break;
    case LWS_CALLBACK_CLIENT_RECEIVE:
        receive(wsi, line, bytes, size);
        break;
    case LWS_CALLBACK_CLIENT_WRITEABLE:
        writable(wsi, line);
        break;
    default:
        break;
    }
    return 0;
}

int main(int argc, char **argv)
{
    driver_start(&driver, "libwebsockets", argc, argv);
    const bool one = driver.mode == RX || driver.mode == TX || driver.mode == RTT;
    const size_t buffer = one ? BUFFER_SIZE : 0; /* 0: the default */
    const struct lws_protocols protocols[] = {
        {.name = "bench",
         .callback = callback,
         .rx_buffer_size = buffer,
         .per_session_data_size = sizeof(struct line)},
        {.name = "idle", .callback = callback, .per_session_data_size = sizeof(struct line)},
        {0}};
    struct lws_context_creation_info info = {
        .port = CONTEXT_PORT_NO_LISTEN,
        .protocols = protocols,
        .pt_serv_buf_size = (unsigned)buffer,
        .options = driver.target.tls ? LWS_SERVER_OPTION_DO_SSL_GLOBAL_INIT : 0,
        .client_ssl_ca_filepath = driver.ca,
    };
    lws_set_log_level(LLL_ERR, NULL);
    out = malloc(LWS_PRE + driver.size + 64);
    context = lws_create_context(&info);
    if (!context || !out)
        fail("no context");
    wanted = driver.mode == CONN ? driver.count : driver.mode == BUSY_ ? driver.idle + BUSY : 1;
    if (driver.mode == CONN)
        driver_clock(&driver);
    for (size_t i = 0; i < HANDSHAKES; i++)
        dial_next();
    while (!done)
        if (lws_service(context, 0) < 0)
            fail("lws_service failed");
    driver_done(&driver);
}
