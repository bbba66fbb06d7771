#include "load/plan.h"

#include <curl/curl.h>
#include <string.h>
#include <strings.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/file.h"
#include "base/strbuf.h"
#include "base/version.h"
#include "load/route.h"

#define PLAN_BYTES_MAX (1ull << 30) /* request bodies included */
#define BODY_BYTES_MAX (512u << 20)
#define CA_BYTES_MAX (16u << 20)
#define HEADERS_MAX 256u
#define PEM_CERTIFICATE "CERTIFICATE-----" /* of any kind: TRUSTED, X509 */
#define PEM_KEY "PRIVATE KEY-----"

static bool fail_memory(pk_err *err) {
    pk_fail(err, PK_E_LIMIT, NULL, "out of memory for the request plan");
    return false;
}

static size_t name_length(const char *header) {
    return strcspn(header, ":");
}

static bool same_name(const char *header, const char *name) {
    size_t n = name_length(header);
    return n == strlen(name) && strncasecmp(header, name, n) == 0;
}

static bool given_by_person(const pk_load_options *o, const char *name) {
    for (size_t i = 0; i < o->headers.count; i++)
        if (same_name(o->headers.items[i], name)) return true;
    return false;
}

/* libcurl drops a header that ends in a bare colon; "Name;" is how it sends an empty value. */
static const char *in_curl_syntax(const char *header, pk_arena *arena) {
    size_t n = name_length(header);
    const char *value = header + n + 1;
    value += strspn(value, " \t");
    if (!*value) return pk_arena_printf(arena, "%.*s;", (int)n, header);
    return pk_arena_printf(arena, "%.*s: %s", (int)n, header, value);
}

bool pk_plan_headers(const pk_load_options *o, pk_arena *arena, const char *const **headers,
                     size_t *n_headers, pk_err *err) {
    /* One row per default or single option; NULL rows are not sent. Expect and Content-Type
     * without a value stop libcurl from adding its own (it waits 1 s for a 100 Continue). */
    const struct {
        const char *name, *value;
    } rows[] = {
        {"Host", o->host_header},
        {"Accept", o->accept ? o->accept : "*/*"},
        {"Accept-Encoding", "gzip, compress, deflate, br"},
        {"User-Agent", "perfkit/" PK_VERSION},
        {"Content-Type", o->content_type ? o->content_type : ""},
        {"Connection", o->disable_keepalive ? "close" : NULL},
        {"Expect", ""},
    };
    if (o->headers.count > HEADERS_MAX) {
        pk_fail(err, PK_E_USAGE, "-H", "%zu headers are too many", o->headers.count);
        pk_fix(err, "give at most %u", HEADERS_MAX);
        return false;
    }
    const size_t n_rows = sizeof rows / sizeof rows[0];
    const char **list = PK_NEW(arena, n_rows + o->headers.count, const char *);
    if (!list) return fail_memory(err);
    size_t n = 0;
    for (size_t i = 0; i < n_rows; i++) {
        if (!rows[i].value || given_by_person(o, rows[i].name)) continue;
        const char *colon = *rows[i].value ? ": " : ":";
        list[n] = pk_arena_printf(arena, "%s%s%s", rows[i].name, colon, rows[i].value);
        if (!list[n++]) return fail_memory(err);
    }
    for (size_t i = 0; i < o->headers.count; i++) {
        if (!pk_load_check_header(o->headers.items[i], err)) return false;
        list[n] = in_curl_syntax(o->headers.items[i], arena);
        if (!list[n++]) return fail_memory(err);
    }
    *headers = list;
    *n_headers = n;
    return true;
}

static bool plan_body(pk_plan *plan, const pk_load_options *o, pk_err *err) {
    /* RFC 9110, 8.6: a method that anticipates content sends Content-Length: 0 without any */
    static const char *const with_length[] = {"POST", "PUT", "PATCH"};
    for (size_t i = 0; i < sizeof with_length / sizeof with_length[0]; i++)
        if (strcmp(plan->method, with_length[i]) == 0) plan->sends_body = true;
    plan->body = "";
    if (o->body) {
        plan->body = pk_arena_strdup(plan->arena, o->body);
        plan->body_bytes = strlen(o->body);
        plan->sends_body = true;
    } else if (o->body_file) {
        pk_strbuf text;
        pk_strbuf_init(&text, BODY_BYTES_MAX);
        bool ok = pk_file_read(o->body_file, BODY_BYTES_MAX, &text, err);
        if (ok) plan->body = pk_arena_strndup(plan->arena, text.data, text.length);
        plan->body_bytes = text.length;
        plan->sends_body = true;
        pk_strbuf_fini(&text);
        if (!ok) return false;
    }
    if (!plan->body) return fail_memory(err);
    if (plan->is_head && plan->body_bytes) {
        pk_fail(err, PK_E_USAGE, "-m HEAD", "a HEAD request carries no body");
        pk_fix(err, "leave out -d and -D, or choose another method");
        return false;
    }
    return true;
}

/* The marker is part of the line that begins such a thing: "-----BEGIN RSA PRIVATE KEY-----". */
static bool has_pem(const pk_strbuf *text, const char *path, const char *marker, const char *what,
                    pk_err *err) {
    if (strstr(text->data, marker)) return true;
    pk_fail(err, PK_E_INPUT, path, "no %s in it", what);
    pk_fix(err, "name a file with a %s in PEM form", what);
    return false;
}

/* A client certificate or key that cannot be one would fail every request, not the start. */
static bool check_pem(const char *path, const char *marker, const char *what, pk_err *err) {
    pk_strbuf text;
    if (!path) return true;
    pk_strbuf_init(&text, CA_BYTES_MAX);
    bool ok =
        pk_file_read(path, CA_BYTES_MAX, &text, err) && has_pem(&text, path, marker, what, err);
    explicit_bzero(text.data, text.length);
    pk_strbuf_fini(&text);
    return ok;
}

/* --cacert adds to the system's store (as oha does), while libcurl's CAINFO replaces it: so both
 * are put into one file in memory. A file, not a blob: libcurl keeps the parsed store between
 * connections only for files (Curl_ssl_setup_x509_store), and parsing 140 certificates costs
 * milliseconds per connection. */
static bool plan_ca(pk_plan *plan, const pk_load_options *o, pk_err *err) {
    const curl_version_info_data *curl = curl_version_info(CURLVERSION_NOW);
    if (!o->cacert) return true;
    pk_strbuf text;
    pk_strbuf_init(&text, CA_BYTES_MAX);
    bool ok = pk_file_read(o->cacert, CA_BYTES_MAX, &text, err) &&
              has_pem(&text, o->cacert, PEM_CERTIFICATE, "certificate", err);
    if (ok && curl->cainfo && access(curl->cainfo, R_OK) == 0) {
        pk_strbuf_add_char(&text, '\n');
        ok = pk_file_read(curl->cainfo, CA_BYTES_MAX, &text, err);
    }
    if (ok) {
        plan->ca_fd = memfd_create("perfkit-ca", MFD_CLOEXEC);
        ok = plan->ca_fd >= 0 && pk_strbuf_ok(&text) &&
             pk_fd_write_all(plan->ca_fd, text.data, text.length);
        if (!ok) pk_fail(err, PK_E_SYS, o->cacert, "cannot copy the certificates");
    }
    if (ok) {
        plan->ca_file = pk_arena_printf(plan->arena, "/proc/self/fd/%d", plan->ca_fd);
        if (!plan->ca_file) ok = fail_memory(err);
    }
    pk_strbuf_fini(&text);
    return ok;
}

static const char *url_text(CURLU *parts, pk_arena *arena) {
    char *text = NULL;
    if (curl_url_get(parts, CURLUPART_URL, &text, 0) != CURLUE_OK) return NULL;
    const char *copy = pk_arena_strdup(arena, text);
    curl_free(text);
    return copy;
}

/* user:password@ of the URL, unless -a says otherwise; taken out of the URL, so that it stands in
 * no report and the engines need not know. */
static bool plan_credentials(pk_plan *plan, CURLU *parts) {
    char *user = NULL;
    char *password = NULL;
    bool ok = true;
    if (curl_url_get(parts, CURLUPART_USER, &user, CURLU_URLDECODE) == CURLUE_OK) {
        bool has_password =
            curl_url_get(parts, CURLUPART_PASSWORD, &password, CURLU_URLDECODE) == CURLUE_OK;
        if (!plan->basic_auth)
            plan->basic_auth =
                pk_arena_printf(plan->arena, "%s:%s", user, has_password ? password : "");
        ok = plan->basic_auth && curl_url_set(parts, CURLUPART_USER, NULL, 0) == CURLUE_OK &&
             curl_url_set(parts, CURLUPART_PASSWORD, NULL, 0) == CURLUE_OK;
    }
    curl_free(user);
    curl_free(password);
    return ok;
}

static bool plan_url(pk_plan *plan, const pk_load_options *o, pk_err *err) {
    char *scheme = NULL;
    bool ok = false;
    CURLU *parts = curl_url();
    if (!parts) return fail_memory(err);
    if (!pk_load_check_url(o->url, err)) goto out;
    if (curl_url_set(parts, CURLUPART_URL, o->url, CURLU_PATH_AS_IS) != CURLUE_OK ||
        curl_url_set(parts, CURLUPART_FRAGMENT, NULL, 0) != CURLUE_OK ||
        curl_url_get(parts, CURLUPART_SCHEME, &scheme, 0) != CURLUE_OK) {
        fail_memory(err);
        goto out;
    }
    plan->is_tls = strcmp(scheme, "https") == 0;
    if (plan_credentials(plan, parts)) plan->url = url_text(parts, plan->arena);
    if (!plan->url) {
        fail_memory(err);
        goto out;
    }
    if (plan->is_tls && o->unix_socket) {
        pk_fail(err, PK_E_USAGE, "--unix-socket", "works with http:// URLs only");
        pk_fix(err, "write the URL as http://localhost/...");
        goto out;
    }
    ok = pk_routes_make(parts, o, plan->has_proxy ? &plan->proxy : NULL, plan->arena, &plan->routes,
                        &plan->n_routes, err);
    plan->is_tunnelled = ok && plan->has_proxy && (plan->is_tls || plan->routes[0].connect_to);
out:
    curl_free(scheme);
    curl_url_cleanup(parts);
    return ok;
}

/* Proxy-Connection is no header of HTTP; libcurl adds it unless told not to. */
static bool plan_proxy(pk_plan *plan, const pk_load_options *o, pk_err *err) {
    static const char name[] = "Proxy-Connection";
    const pk_text_list *given = &o->proxy_headers;
    bool has_name = false;
    if (!o->proxy) return true;
    if (o->unix_socket) {
        pk_fail(err, PK_E_USAGE, "--proxy", "works with TCP only, not with --unix-socket");
        pk_fix(err, "leave one of the two out");
        return false;
    }
    if (!pk_proxy_parse(o->proxy, plan->arena, &plan->proxy, err)) return false;
    const char **lines = PK_NEW(plan->arena, given->count + 1, const char *);
    if (!lines) return fail_memory(err);
    for (size_t i = 0; i < given->count; i++) {
        if (!pk_load_check_header(given->items[i], err)) return false;
        has_name = has_name || same_name(given->items[i], name);
        lines[i] = in_curl_syntax(given->items[i], plan->arena);
        if (!lines[i]) return fail_memory(err);
    }
    if (!has_name) lines[given->count] = "Proxy-Connection:";
    plan->n_proxy_headers = given->count + !has_name;
    plan->proxy_headers = lines;
    plan->has_proxy = true;
    return true;
}

static bool is_idempotent(const char *method) {
    static const char *const names[] = {"GET", "HEAD", "PUT", "DELETE", "OPTIONS", "TRACE"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (strcmp(method, names[i]) == 0) return true;
    return false;
}

bool pk_plan_init(pk_plan *plan, const pk_load_options *o, pk_err *err) {
    *plan = (pk_plan){.ca_fd = -1};
    plan->arena = pk_arena_new(PLAN_BYTES_MAX);
    if (!plan->arena) return fail_memory(err);
    plan->method = o->method ? o->method : "GET";
    plan->is_head = strcmp(plan->method, "HEAD") == 0;
    plan->is_idempotent = is_idempotent(plan->method);
    plan->disable_keepalive = o->disable_keepalive;
    plan->insecure = o->insecure;
    plan->ipv4 = o->ipv4;
    plan->ipv6 = o->ipv6;
    plan->basic_auth = o->basic_auth;
    plan->unix_socket = o->unix_socket;
    plan->cert = o->cert;
    plan->key = o->key;
    plan->timeout_ns = o->timeout_ns;
    plan->connect_timeout_ns = o->connect_timeout_ns;
    if (pk_load_check_method(plan->method, err) && plan_proxy(plan, o, err) &&
        plan_url(plan, o, err) && plan_body(plan, o, err) &&
        check_pem(o->cert, PEM_CERTIFICATE, "certificate", err) &&
        check_pem(o->key, PEM_KEY, "private key", err) && plan_ca(plan, o, err) &&
        pk_plan_headers(o, plan->arena, &plan->headers, &plan->n_headers, err))
        return true;
    pk_plan_fini(plan);
    return false;
}

void pk_plan_fini(pk_plan *plan) {
    if (plan->ca_fd >= 0) close(plan->ca_fd);
    pk_arena_free(plan->arena);
    *plan = (pk_plan){.ca_fd = -1};
}
