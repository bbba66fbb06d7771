#include "serve/reply.h"

#include <stdlib.h>
#include <string.h>

enum { TEXT_MAX = 4096 };
static const char plain_text[] = "text/plain; charset=utf-8";

bool pk_response_field(struct MHD_Response *response, const char *name, const char *value) {
    return response && MHD_add_response_header(response, name, value) == MHD_YES;
}

enum MHD_Result pk_reply(pk_conn *conn, unsigned status, struct MHD_Response *response,
                         uint64_t body_bytes) {
    if (!response) return MHD_NO;
    enum MHD_Result queued = MHD_NO;
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
