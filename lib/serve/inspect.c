/* /headers, /ip and /method: the request back, as JSON. */
#include <netdb.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include "report/json.h"
#include "serve/endpoints.h"
#include "serve/reply.h"

/* Takes the document. */
static enum MHD_Result reply_json(pk_conn *conn, pk_json *document) {
    char *text = NULL;
    size_t bytes = 0;
    pk_err err;
    FILE *out = open_memstream(&text, &bytes);
    bool ok = out && pk_json_write(out, document, &err);
    if (out) ok = fclose(out) == 0 && ok;
    pk_json_free(document);
    struct MHD_Response *response =
        ok ? MHD_create_response_from_buffer(bytes, text, MHD_RESPMEM_MUST_FREE) : NULL;
    if (!response) {
        free(text);
        return MHD_NO;
    }
    if (!pk_response_field(response, MHD_HTTP_HEADER_CONTENT_TYPE, "application/json")) {
        MHD_destroy_response(response);
        return MHD_NO;
    }
    return pk_reply(conn, MHD_HTTP_OK, response, bytes);
}

static enum MHD_Result add_field(void *cls, enum MHD_ValueKind kind, const char *name,
                                 const char *value) {
    (void)kind;
    pk_json *field = pk_json_object(cls, NULL);
    pk_json_text(field, "name", name);
    pk_json_text(field, "value", value ? value : "");
    return MHD_YES;
}

/* A list, not an object: fields have an order and may stand there more than once. */
enum MHD_Result pk_answer_headers(pk_conn *conn) {
    pk_json *document = pk_json_document("serve-headers/1");
    MHD_get_connection_values(conn->mhd, MHD_HEADER_KIND, add_field,
                              pk_json_array(document, "headers"));
    return reply_json(conn, document);
}

enum MHD_Result pk_answer_ip(pk_conn *conn) {
    char host[64], port[8];
    struct sockaddr_storage peer = {0};
    socklen_t bytes = sizeof peer;
    bool known = getpeername(conn->fd, (struct sockaddr *)&peer, &bytes) == 0 &&
                 (peer.ss_family == AF_INET || peer.ss_family == AF_INET6) &&
                 getnameinfo((struct sockaddr *)&peer, bytes, host, sizeof host, port, sizeof port,
                             NI_NUMERICHOST | NI_NUMERICSERV) == 0;
    pk_json *document = pk_json_document("serve-ip/1");
    pk_json_text(document, "ip",
                 known ? host : NULL); /* null through a socket in the file system */
    return reply_json(conn, document);
}

enum MHD_Result pk_answer_method(pk_conn *conn) {
    pk_json *document = pk_json_document("serve-method/1");
    pk_json_text(document, "method", pk_method_name(conn->request->method));
    return reply_json(conn, document);
}
