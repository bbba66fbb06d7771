/* What a person gives for a request (URL, header, method, --connect-to): accepted or refused with a
 * reason and a remedy; what is accepted cannot break out of its line on the wire. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "load/plan.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

static void check_refusal(bool ok, const pk_err *err) {
    if (!ok) assert(err->kind != PK_OK && err->what[0] && err->fix[0]);
}

static void check_connect_to(const char *text) {
    pk_err err = {0};
    pk_connect_to c;
    pk_arena *arena = pk_arena_new(1u << 20);
    assert(arena);
    bool ok = pk_connect_to_parse(text, arena, &c, &err);
    check_refusal(ok, &err);
    if (ok) {
        char *again =
            pk_arena_printf(arena, "[%s]:%s:[%s]:%s", c.host, c.port, c.target_host, c.target_port);
        pk_connect_to twice;
        assert(again);
        /* a host that held a closing bracket itself cannot be written in brackets */
        if (!strchr(c.host, ']') && !strchr(c.target_host, ']')) {
            assert(pk_connect_to_parse(again, arena, &twice, &err));
            assert(strcmp(c.host, twice.host) == 0 && strcmp(c.port, twice.port) == 0);
            assert(strcmp(c.target_host, twice.target_host) == 0);
        }
    }
    pk_arena_free(arena);
}

static void check_header(const char *text) {
    pk_err err = {0};
    bool ok = pk_load_check_header(text, &err);
    check_refusal(ok, &err);
    if (!ok) return;
    const char *lines[] = {text};
    const char *const *headers;
    size_t n;
    pk_arena *arena = pk_arena_new(1u << 20);
    assert(arena);
    const pk_load_options options = {.headers = {lines, 1}};
    assert(pk_plan_headers(&options, arena, &headers, &n, &err));
    for (size_t i = 0; i < n; i++) assert(!strpbrk(headers[i], "\r\n"));
    pk_arena_free(arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes) {
    char text[1024];
    pk_err err = {0};
    if (bytes >= sizeof text) return 0;
    memcpy(text, data, bytes);
    text[bytes] = '\0';
    check_refusal(pk_load_check_url(text, &err), &err);
    err = (pk_err){0};
    check_refusal(pk_load_check_method(text, &err), &err);
    check_header(text);
    check_connect_to(text);
    return 0;
}
