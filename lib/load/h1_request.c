#include "load/h1_request.h"

#include <curl/curl.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/base64.h"
#include "base/strbuf.h"

#define HEAD_BYTES_MAX (8u << 20)

static bool has_name(const char *header, const char *name) {
    size_t n = strlen(name);
    return strncasecmp(header, name, n) == 0 && (header[n] == ':' || header[n] == ';');
}

static bool plan_has(const pk_plan *plan, const char *name) {
    for (size_t i = 0; i < plan->n_headers; i++) {
        const char *value = strchr(plan->headers[i], ':');
        if (has_name(plan->headers[i], name) && (!value || value[1])) return true;
    }
    return false;
}

bool pk_h1_can_send(const pk_plan *plan, const char **why) {
    /* headers that change how the request or the connection is framed */
    static const char *const needs_curl[][2] = {
        {"Transfer-Encoding", "a Transfer-Encoding header"},
        {"Content-Length", "a Content-Length header"},
        {"Expect", "an Expect header"},
        {"Upgrade", "an Upgrade header"},
        {"TE", "a TE header"},
    };
    for (size_t i = 0; i < sizeof needs_curl / sizeof needs_curl[0]; i++) {
        if (!plan_has(plan, needs_curl[i][0])) continue;
        *why = needs_curl[i][1];
        return false;
    }
    if (plan->has_proxy && !plan->is_tunnelled) {
        *why = "whole URLs, which a proxy wants for http://";
        return false;
    }
    if (plan->has_proxy && plan->proxy.is_tls) {
        *why = "a connection inside that to an https proxy";
        return false;
    }
    if (strcmp(plan->method, "CONNECT") == 0) {
        *why = "the method CONNECT";
        return false;
    }
    return true;
}

/* In libcurl's syntax "Name:" is a header not to be sent and "Name;" one with an empty value. */
static void add_header(pk_strbuf *out, const char *header) {
    const char *colon = strchr(header, ':');
    if (colon && !colon[1]) return;
    if (colon) pk_strbuf_addf(out, "%s\r\n", header);
    else pk_strbuf_addf(out, "%.*s:\r\n", (int)(strlen(header) - 1), header);
}

/* "host" or "host:port", the port only if it is not the scheme's own. */
static bool add_host(pk_strbuf *out, CURLU *url) {
    char *host = NULL;
    char *port = NULL;
    bool ok = curl_url_get(url, CURLUPART_HOST, &host, 0) == CURLUE_OK;
    bool has_port = curl_url_get(url, CURLUPART_PORT, &port, CURLU_NO_DEFAULT_PORT) == CURLUE_OK;
    if (ok)
        pk_strbuf_addf(out, "Host: %s%s%s\r\n", host, has_port ? ":" : "", has_port ? port : "");
    curl_free(host);
    curl_free(port);
    return ok;
}

static bool add_start_line(pk_strbuf *out, CURLU *url, const char *method) {
    char *path = NULL;
    char *query = NULL;
    bool ok = curl_url_get(url, CURLUPART_PATH, &path, 0) == CURLUE_OK;
    bool has_query = curl_url_get(url, CURLUPART_QUERY, &query, 0) == CURLUE_OK;
    if (ok)
        pk_strbuf_addf(out, "%s %s%s%s HTTP/1.1\r\n", method, path, has_query ? "?" : "",
                       has_query ? query : "");
    curl_free(path);
    curl_free(query);
    return ok;
}

static bool add_authorization(pk_strbuf *out, const pk_plan *plan) {
    if (!plan->basic_auth || plan_has(plan, "Authorization")) return true;
    pk_strbuf_add_str(out, "Authorization: Basic ");
    bool ok = pk_base64_encode(plan->basic_auth, strlen(plan->basic_auth), out);
    pk_strbuf_add_str(out, "\r\n");
    return ok;
}

static bool write_head(const pk_plan *plan, CURLU *url, pk_strbuf *out) {
    bool ok = curl_url_set(url, CURLUPART_URL, plan->url, CURLU_PATH_AS_IS) == CURLUE_OK &&
              add_start_line(out, url, plan->method) &&
              (plan_has(plan, "Host") || add_host(out, url)) && add_authorization(out, plan);
    for (size_t i = 0; ok && i < plan->n_headers; i++) add_header(out, plan->headers[i]);
    if (plan->sends_body) pk_strbuf_addf(out, "Content-Length: %zu\r\n", plan->body_bytes);
    pk_strbuf_add_str(out, "\r\n");
    return ok && pk_strbuf_ok(out);
}

bool pk_h1_request_make(const pk_plan *plan, pk_h1_request *request, pk_err *err) {
    pk_strbuf text;
    CURLU *url = curl_url();
    pk_strbuf_init(&text, HEAD_BYTES_MAX + PK_H1_JOINED_BYTES_MAX);
    bool ok = url && write_head(plan, url, &text);
    bool joined = plan->body_bytes <= PK_H1_JOINED_BYTES_MAX;
    if (ok && joined) pk_strbuf_add(&text, plan->body, plan->body_bytes);
    pk_h1_request r = {
        .first_bytes = text.length,
        .rest = joined ? NULL : plan->body,
        .rest_bytes = joined ? 0 : plan->body_bytes,
        .is_head = plan->is_head,
    };
    r.first = ok ? pk_strbuf_detach(&text, NULL) : NULL;
    ok = r.first != NULL;
    pk_strbuf_fini(&text);
    curl_url_cleanup(url);
    if (ok) {
        *request = r;
        return true;
    }
    pk_fail(err, PK_E_LIMIT, NULL, "the request head is larger than %u bytes", HEAD_BYTES_MAX);
    pk_fix(err, "send fewer or shorter headers");
    return false;
}

void pk_h1_request_fini(pk_h1_request *request) {
    free(request->first);
    *request = (pk_h1_request){0};
}
