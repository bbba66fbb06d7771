/* What a client can send to perfkit serve, and a person type to it: request targets, queries,
 * header fields, ranges, dates, entity tags, weighted statuses, waits, listen addresses. The first
 * line is read as a target, each further line as everything else. */
#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "serve/exchange.h"
#include "serve/listen.h"
#include "serve/range.h"
#include "serve/routes.h"
#include "serve/static_files.h"
#include "serve/target.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

/* Every byte of the path escaped, parsed again: the same path. */
static void check_round_trip(const pk_target *target) {
    char *raw = malloc(3 * target->path_bytes + 1);
    char *buffer = malloc(3 * target->path_bytes + 2);
    assert(raw && buffer);
    raw[0] = '/';
    size_t length = 1;
    for (size_t i = 1; i < target->path_bytes; i++)
        length += (size_t)snprintf(raw + length, 4, "%%%02X", (unsigned char)target->path[i]);
    raw[length] = '\0';
    pk_target again;
    bool ok = pk_target_parse(raw, buffer, &again);
    assert(ok && again.path_bytes == target->path_bytes);
    assert(memcmp(again.path, target->path, target->path_bytes) == 0);
    free(raw);
    free(buffer);
}

/* What may name a file has no part that leads up or is hidden. */
static void check_static(const char *path) {
    if (!pk_static_path_allowed(path)) return;
    assert(path[0] == '/' && !strstr(path, "/.") && !strstr(path, "//") && !strchr(path, '\\'));
}

static void check_target(const char *raw) {
    pk_target target;
    char *buffer = malloc(strlen(raw) + 2);
    char value[32];
    assert(buffer);
    if (pk_target_parse(raw, buffer, &target)) {
        assert(strlen(target.path) == target.path_bytes);
        assert(target.path[0] == '/' || strcmp(target.path, "*") == 0);
        assert(target.query >= raw && target.query <= raw + strlen(raw));
        for (const char *c = target.path; *c; c++) assert((unsigned char)*c >= ' ' && *c != 0x7f);
        if (target.path[0] == '/') check_round_trip(&target);
        check_static(target.path);
        const char *argument;
        const pk_route *route = pk_route_find(target.path, target.path_bytes, &argument);
        assert(argument >= target.path && argument <= target.path + target.path_bytes);
        if (route) assert(route->prefix ? *argument != '\0' : *argument == '\0');
        pk_query_result found = pk_query_get(target.query, "url", value, sizeof value);
        assert(strlen(value) < sizeof value && (found == PK_QUERY_FOUND || !*value));
    }
    free(buffer);
}

static void check_range(const char *text) {
    static const uint64_t sizes[] = {0, 1, 1000, UINT64_MAX};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        uint64_t first = 7, last = 3, again_first, again_last;
        char printed[64];
        if (pk_range_parse(text, sizes[i], &first, &last) != PK_RANGE_PART) {
            assert(first == 7 && last == 3);
            continue;
        }
        assert(first <= last && last < sizes[i]);
        snprintf(printed, sizeof printed, "bytes=%" PRIu64 "-%" PRIu64, first, last);
        pk_range_result result = pk_range_parse(printed, sizes[i], &again_first, &again_last);
        assert(result == PK_RANGE_PART && again_first == first && again_last == last);
    }
}

static void check_date(const char *text) {
    time_t when, again;
    char printed[PK_HTTP_DATE_MAX];
    if (!pk_http_date_parse(text, &when)) return;
    pk_http_date_format(when, printed);
    if (!*printed) return; /* the year 0, which has no such form */
    bool ok = pk_http_date_parse(printed, &again);
    assert(ok && again == when);
}

static void check_status_list(const char *text) {
    static const double draws[] = {0, 0.25, 0.5, 0x1.fffffffffffffp-1};
    pk_status_choice choices[PK_STATUS_CHOICES_MAX];
    size_t count = 0;
    pk_err err = {0};
    if (!pk_status_list_parse(text, choices, &count, &err)) {
        assert(err.kind != PK_OK && err.what[0] && err.fix[0] && count == 0);
        return;
    }
    for (size_t d = 0; d < sizeof draws / sizeof *draws; d++) {
        unsigned status = pk_status_list_choose(choices, count, draws[d]);
        bool listed = false;
        for (size_t i = 0; i < count; i++)
            listed |= choices[i].status == status && choices[i].weight > 0;
        assert(listed && status >= 200 && status <= 599);
    }
}

static void check_listen(const char *text) {
    pk_listen_address address, again;
    pk_err err = {0};
    if (!pk_listen_parse(text, &address, &err)) {
        assert(err.kind == PK_E_USAGE && err.what[0] && err.fix[0]);
        return;
    }
    char printed[sizeof address.host + 16];
    bool brackets = text[0] == '[';
    snprintf(printed, sizeof printed, "%s%s%s:%u", brackets ? "[" : "", address.host,
             brackets ? "]" : "", address.port);
    bool ok = pk_listen_parse(printed, &again, &err);
    assert(ok && again.port == address.port && strcmp(again.host, address.host) == 0);
}

static void check_wait(const char *text) {
    pk_err err = {0};
    uint64_t ns = 77;
    if (pk_wait_parse(text, &ns, &err)) assert(ns <= PK_SERVE_WAIT_MAX_NS);
    else assert(err.what[0] && err.fix[0] && ns == 77);
}

static void check_field(pk_head_check *check, const char *line) {
    const char *colon = strchr(line, ':');
    if (!colon || check->status) return;
    bool ok =
        pk_head_check_field(check, line, (size_t)(colon - line), colon + 1, strlen(colon + 1));
    assert(ok == (check->status == 0));
    assert(ok || check->status == 400 || check->status == 501);
    assert(!ok || !check->content_length || !check->transfer_encoding);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes) {
    char *text = malloc(bytes + 1);
    pk_head_check check = {.status = 0};
    assert(text);
    memcpy(text, data, bytes);
    text[bytes] = '\0';
    char *rest = text;
    for (bool first = true; rest; first = false) {
        char *line = strsep(&rest, "\n");
        if (first) check_target(line);
        pk_err err;
        check_field(&check, line);
        check_range(line);
        check_date(line);
        check_status_list(line);
        check_listen(line);
        check_wait(line);
        (void)pk_etag_listed(line, "\"a\"");
        if (pk_serve_check_header(line, &err)) assert(strchr(line, ':') && !strchr(line, '\r'));
    }
    free(text);
    return 0;
}
