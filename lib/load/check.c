#include "load/load.h"

#include <curl/curl.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "load/plan.h"

/* A person who leaves the scheme out means http; say so instead of guessing. */
static void fail_url(const char *url, const char *why, pk_err *err) {
    pk_fail(err, PK_E_INPUT, NULL, "\"%s\" is no usable URL: %s", url, why);
    if (strstr(url, "://") || !*url)
        pk_fix(err, "write it as http://HOST[:PORT]/PATH or https://...");
    else pk_fix(err, "write http://%s", url);
}

bool pk_load_check_url(const char *url, pk_err *err) {
    CURLU *parts = curl_url();
    char *scheme = NULL;
    bool ok = false;
    if (!parts) {
        pk_fail(err, PK_E_LIMIT, NULL, "out of memory");
        return false;
    }
    if (!strstr(url, "://")) {
        fail_url(url, "the scheme is missing", err);
        goto out;
    }
    CURLUcode code = curl_url_set(parts, CURLUPART_URL, url, CURLU_PATH_AS_IS);
    if (code == CURLUE_OK) code = curl_url_get(parts, CURLUPART_SCHEME, &scheme, 0);
    if (code != CURLUE_OK) {
        fail_url(url, curl_url_strerror(code), err);
        goto out;
    }
    if (strcmp(scheme, "http") != 0 && strcmp(scheme, "https") != 0) {
        fail_url(url, "only http and https can be loaded", err);
        goto out;
    }
    if (strlen(url) >= sizeof(((pk_load_result *)NULL)->url)) {
        fail_url("http://...", "it is longer than 2047 bytes", err);
        goto out;
    }
    ok = true;
out:
    curl_free(scheme);
    curl_url_cleanup(parts);
    return ok;
}

/* RFC 9110, 5.6.2: tchar */
static bool is_token(const char *text, size_t bytes) {
    for (size_t i = 0; i < bytes; i++)
        if (!strchr("!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyz"
                    "ABCDEFGHIJKLMNOPQRSTUVWXYZ",
                    text[i]))
            return false;
    return bytes > 0;
}

bool pk_load_check_header(const char *header, pk_err *err) {
    const char *colon = strchr(header, ':');
    if (!colon || !is_token(header, (size_t)(colon - header))) {
        pk_fail(err, PK_E_USAGE, NULL, "\"%s\" is no header", header);
        pk_fix(err, "write it as 'Name: value'");
        return false;
    }
    if (strpbrk(colon, "\r\n")) {
        pk_fail(err, PK_E_USAGE, NULL, "the value of header %.*s holds a line break",
                (int)(colon - header), header);
        pk_fix(err, "give each header in a -H of its own");
        return false;
    }
    return true;
}

bool pk_load_check_value(const char *value, pk_err *err) {
    if (!strpbrk(value, "\r\n")) return true;
    pk_fail(err, PK_E_USAGE, NULL, "there is a line break in it");
    pk_fix(err, "give the header's value in one line");
    return false;
}

bool pk_load_check_basic_auth(const char *auth, pk_err *err) {
    if (strchr(auth, ':')) return true;
    pk_fail(err, PK_E_USAGE, NULL, "the password is missing"); /* never shown: it may be one */
    pk_fix(err, "write it as user:password");
    return false;
}

bool pk_load_check_method(const char *method, pk_err *err) {
    if (is_token(method, strlen(method))) return true;
    pk_fail(err, PK_E_USAGE, NULL, "\"%s\" is no HTTP method", method);
    pk_fix(err, "use a word such as GET, POST or DELETE");
    return false;
}

/* An arena for the texts of a check, which are not kept. */
static pk_arena *scratch(pk_err *err) {
    pk_arena *arena = pk_arena_new(64u << 10);
    if (!arena) pk_fail(err, PK_E_LIMIT, NULL, "out of memory");
    return arena;
}

bool pk_load_check_connect_to(const char *text, pk_err *err) {
    pk_connect_to parts;
    pk_arena *arena = scratch(err);
    bool ok = arena && pk_connect_to_parse(text, arena, &parts, err);
    pk_arena_free(arena);
    return ok;
}

bool pk_load_check_proxy(const char *url, pk_err *err) {
    pk_proxy proxy;
    pk_arena *arena = scratch(err);
    bool ok = arena && pk_proxy_parse(url, arena, &proxy, err);
    pk_arena_free(arena);
    return ok;
}
