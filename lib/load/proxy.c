#include "load/proxy.h"

#include <curl/curl.h>
#include <string.h>

/* A part of the URL as a text of the arena; NULL when it is not there (or memory is short). */
static const char *part(CURLU *url, CURLUPart what, unsigned flags, pk_arena *arena) {
    char *text = NULL;
    if (curl_url_get(url, what, &text, flags) != CURLUE_OK) return NULL;
    const char *copy = pk_arena_strdup(arena, text);
    curl_free(text);
    return copy;
}

static const char *without_brackets(const char *host, pk_arena *arena) {
    size_t length = strlen(host);
    return host[0] == '[' && length > 2 ? pk_arena_strndup(arena, host + 1, length - 2) : host;
}

static bool fail_form(const char *why, pk_err *err) {
    pk_fail(err, PK_E_USAGE, NULL, "this is no usable proxy URL: %s", why);
    pk_fix(err, "write it as http://[USER:PASSWORD@]HOST[:PORT]");
    return false;
}

/* What of a URL means nothing to a proxy; NULL: nothing of the kind. */
static const char *superfluous(CURLU *url, pk_arena *arena) {
    const char *path = part(url, CURLUPART_PATH, 0, arena);
    if (path && strcmp(path, "/") != 0) return "a proxy has no path";
    if (part(url, CURLUPART_QUERY, 0, arena) || part(url, CURLUPART_FRAGMENT, 0, arena))
        return "a proxy has no query and no fragment";
    return NULL;
}

static bool take_apart(CURLU *url, pk_arena *arena, pk_proxy *out, pk_err *err) {
    const char *scheme = part(url, CURLUPART_SCHEME, 0, arena);
    const char *host = part(url, CURLUPART_HOST, 0, arena);
    const char *port = part(url, CURLUPART_PORT, CURLU_DEFAULT_PORT, arena);
    if (!scheme || (strcmp(scheme, "http") != 0 && strcmp(scheme, "https") != 0))
        return fail_form("only http and https proxies are known", err);
    if (!host || !port) return fail_form("the host is missing", err);
    const char *why = superfluous(url, arena);
    if (why) return fail_form(why, err);
    pk_proxy proxy = {
        .url = pk_arena_printf(arena, "%s://%s:%s", scheme, host, port),
        .host = without_brackets(host, arena),
        .port = port,
        .user = part(url, CURLUPART_USER, CURLU_URLDECODE, arena),
        .password = part(url, CURLUPART_PASSWORD, CURLU_URLDECODE, arena),
        .is_tls = strcmp(scheme, "https") == 0,
    };
    if (!proxy.url || !proxy.host) {
        pk_fail(err, PK_E_LIMIT, NULL, "out of memory for the proxy");
        return false;
    }
    *out = proxy;
    return true;
}

bool pk_proxy_parse(const char *text, pk_arena *arena, pk_proxy *out, pk_err *err) {
    if (!strstr(text, "://")) return fail_form("the scheme is missing", err);
    CURLU *url = curl_url();
    if (!url) {
        pk_fail(err, PK_E_LIMIT, NULL, "out of memory for the proxy");
        return false;
    }
    CURLUcode code =
        curl_url_set(url, CURLUPART_URL, text, CURLU_NON_SUPPORT_SCHEME | CURLU_PATH_AS_IS);
    bool ok = code == CURLUE_OK ? take_apart(url, arena, out, err)
                                : fail_form(curl_url_strerror(code), err);
    curl_url_cleanup(url);
    return ok;
}
