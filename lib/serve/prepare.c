#include "serve/prepare.h"

#include <string.h>
#include "base/file.h"
#include "serve/media_type.h"
#include "serve/reply.h"

static const char greeting[] = "Hello, World!";
enum { FIELD_NAME_MAX = 256 };

bool pk_serve_check_header(const char *text, pk_err *err) {
    /* Content-Length and the like are MHD's: a wrong one breaks the framing of every answer. */
    static const char *const ours[] = {"Content-Length", "Transfer-Encoding", "Connection"};
    size_t name_bytes = strcspn(text, ":");
    bool ok = text[name_bytes] == ':' && name_bytes > 0 && name_bytes < FIELD_NAME_MAX;
    for (size_t i = 0; ok && text[i]; i++) {
        unsigned char c = (unsigned char)text[i];
        ok = i < name_bytes ? c > ' ' && c < 0x7f && !strchr("\"(),/;<=>?@[\\]{}", c)
                            : (c >= ' ' && c != 0x7f) || c == '\t';
    }
    if (!ok) {
        pk_fail(err, PK_E_USAGE, text, "no header field");
        pk_fix(err, "write 'Name: value'");
        return false;
    }
    for (size_t i = 0; i < sizeof ours / sizeof *ours; i++)
        if (strlen(ours[i]) == name_bytes && strncasecmp(text, ours[i], name_bytes) == 0) {
            pk_fail(err, PK_E_USAGE, text, "the server itself decides on %s", ours[i]);
            pk_fix(err, "leave it out");
            return false;
        }
    return true;
}

static bool add_field(struct MHD_Response *response, const char *text, pk_err *err) {
    char name[FIELD_NAME_MAX];
    size_t bytes = strcspn(text, ":");
    if (!pk_serve_check_header(text, err)) return false;
    memcpy(name, text, bytes);
    name[bytes] = '\0';
    const char *value = text + bytes + 1;
    value += strspn(value, " \t");
    if (strcasecmp(name, MHD_HTTP_HEADER_DATE) == 0 ||
        strcasecmp(name, MHD_HTTP_HEADER_CONTENT_TYPE) == 0)
        (void)MHD_del_response_header(response, name, MHD_get_response_header(response, name));
    if (pk_response_field(response, name, value)) return true;
    pk_fail(err, PK_E_INPUT, text, "this header field cannot be sent");
    pk_fix(err, "write 'Name: value'");
    return false;
}

static bool prepare(const pk_server *server, bool last, pk_prepared *prepared, pk_err *err) {
    const pk_serve_options *options = server->options;
    struct MHD_Response *response = MHD_create_response_from_buffer(
        server->root_body.length, server->root_body.data, MHD_RESPMEM_PERSISTENT);
    if (!pk_response_field(response, MHD_HTTP_HEADER_CONTENT_TYPE, server->root_type) ||
        (last && !pk_response_field(response, MHD_HTTP_HEADER_CONNECTION, "close"))) {
        pk_fail(err, PK_E_INPUT, "--body-type", "the answer cannot be made");
        pk_fix(err, "give a media type such as text/plain");
        goto fail;
    }
    for (size_t i = 0; i < options->headers.count; i++)
        if (!add_field(response, options->headers.items[i], err)) goto fail;
    unsigned status = (unsigned)options->status;
    bool empty = status == MHD_HTTP_NO_CONTENT || status == MHD_HTTP_NOT_MODIFIED;
    *prepared = (pk_prepared){.response = response,
                              .status = status,
                              .body_bytes = empty ? 0 : server->root_body.length,
                              .head_bytes = pk_response_head_bytes(response)};
    return true;
fail:
    if (response) MHD_destroy_response(response);
    return false;
}

bool pk_prepare_body(pk_server *server, pk_err *err) {
    const pk_serve_options *options = server->options;
    const char *body = options->body ? options->body : greeting;
    server->root_type = "text/plain; charset=utf-8";
    if (options->body && *body == '@') {
        if (!pk_file_read(body + 1, PK_BODY_MAX, &server->root_body, err)) return false;
        server->root_type = pk_media_type(body + 1);
    } else {
        pk_strbuf_add_str(&server->root_body, body);
    }
    if (!pk_strbuf_ok(&server->root_body)) {
        pk_fail(err, PK_E_LIMIT, "--body", "more than %zu bytes, or no memory",
                server->root_body.max_bytes);
        pk_fix(err, "serve a large file with --static");
        return false;
    }
    if (options->body_type) server->root_type = options->body_type;
    server->root_is_plain = options->error_rate <= 0 && options->delay_ns == 0 &&
                            options->jitter_ns == 0 && (!options->static_dir || options->body);
    return true;
}

bool pk_prepare_answers(pk_worker *worker, pk_err *err) {
    return prepare(worker->server, false, &worker->root, err) &&
           prepare(worker->server, true, &worker->root_last, err);
}

void pk_prepare_fini(pk_worker *worker) {
    if (worker->root.response) MHD_destroy_response(worker->root.response);
    if (worker->root_last.response) MHD_destroy_response(worker->root_last.response);
}
