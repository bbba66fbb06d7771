#include "serve/reply.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

enum { TEXT_MAX = 4096 };
static const char plain_text[] = "text/plain; charset=utf-8";

bool pk_response_field(struct MHD_Response *response, const char *name, const char *value) {
    return response && MHD_add_response_header(response, name, value) == MHD_YES;
}

/* Status line, Date, Connection, a length or coding (160 bytes at most), and what MHD needs for
 * alignment and to begin a chunk. */
enum { HEAD_BASE_BYTES = 352 };

static enum MHD_Result add_field_bytes(void *cls, enum MHD_ValueKind kind, const char *name,
                                       const char *value) {
    (void)kind;
    *(size_t *)cls += strlen(name) + strlen(value) + sizeof ": \r\n" - 1;
    return MHD_YES;
}

size_t pk_response_head_bytes(struct MHD_Response *response) {
    size_t bytes = HEAD_BASE_BYTES;
    MHD_get_response_headers(response, add_field_bytes, &bytes);
    return bytes;
}

enum MHD_Result pk_reply_no_memory(pk_conn *conn) {
    static const char answer[] = "HTTP/1.1 431 Request Header Fields Too Large\r\n"
                                 "Content-Length: 0\r\n"
                                 "Connection: close\r\n\r\n";
    conn->on_purpose = true;
    if (!conn->secure &&
        send(conn->fd, answer, sizeof answer - 1, MSG_DONTWAIT | MSG_NOSIGNAL) > 0 && !conn->scrape)
        pk_count(conn->counters, PK_COUNTER(answered) + MHD_HTTP_REQUEST_HEADER_FIELDS_TOO_LARGE,
                 1);
    return MHD_NO;
}

enum MHD_Result pk_reply(pk_conn *conn, unsigned status, struct MHD_Response *response,
                         uint64_t body_bytes) {
    if (!response) return MHD_NO;
    enum MHD_Result queued = MHD_NO;
    if (pk_response_head_bytes(response) > conn->spare_bytes) {
        MHD_destroy_response(response);
        return pk_reply_no_memory(conn);
    }
    if (!atomic_load_explicit(&conn->server->draining, memory_order_relaxed) ||
        pk_response_field(response, MHD_HTTP_HEADER_CONNECTION, "close"))
        queued = MHD_queue_response(conn->mhd, status, response);
    conn->answered = queued == MHD_YES;
    if (conn->answered && !conn->scrape) {
        pk_count(conn->counters, PK_COUNTER(answered) + status, 1);
        conn->reply_bytes = body_bytes;
    }
    MHD_destroy_response(response);
    return queued;
}

struct MHD_Response *pk_response_of_buffer(const char *type, pk_strbuf *body,
                                           uint64_t *body_bytes) {
    size_t bytes;
    char *data = pk_strbuf_detach(body, &bytes);
    if (!data) return NULL;
    struct MHD_Response *response =
        MHD_create_response_from_buffer(bytes, data, MHD_RESPMEM_MUST_FREE);
    if (!response) free(data);
    if (response && !pk_response_field(response, MHD_HTTP_HEADER_CONTENT_TYPE, type)) {
        MHD_destroy_response(response);
        return NULL;
    }
    *body_bytes = bytes;
    return response;
}

struct MHD_Response *pk_response_of_text(const char *text, uint64_t *body_bytes) {
    pk_strbuf body;
    pk_strbuf_init(&body, TEXT_MAX);
    pk_strbuf_add_str(&body, text);
    struct MHD_Response *response = pk_response_of_buffer(plain_text, &body, body_bytes);
    pk_strbuf_fini(&body);
    return response;
}

enum MHD_Result pk_reply_buffer(pk_conn *conn, unsigned status, const char *type, pk_strbuf *body) {
    uint64_t bytes = 0;
    struct MHD_Response *response = pk_response_of_buffer(type, body, &bytes);
    return pk_reply(conn, status, response, bytes);
}

enum MHD_Result pk_reply_text(pk_conn *conn, unsigned status, const char *fmt, ...) {
    char text[TEXT_MAX - 1];
    uint64_t bytes = 0;
    va_list args;
    va_start(args, fmt);
    int length = vsnprintf(text, sizeof text - 1, fmt, args);
    va_end(args);
    size_t end = length < 0                         ? 0
                 : (size_t)length < sizeof text - 1 ? (size_t)length
                                                    : sizeof text - 2;
    text[end] = '\n';
    text[end + 1] = '\0';
    struct MHD_Response *response = pk_response_of_text(text, &bytes);
    return pk_reply(conn, status, response, bytes);
}

enum MHD_Result pk_reply_bad(pk_conn *conn, const char *parameter, const pk_err *err) {
    return pk_reply_text(conn, MHD_HTTP_BAD_REQUEST, "%s: %s%s%s", parameter, err->what,
                         err->fix[0] ? "; " : "", err->fix);
}
