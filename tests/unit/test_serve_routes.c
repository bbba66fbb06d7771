/* serve: the route table, methods, bodies in pieces, the pattern, the summary. */
#include "check.h"

#include "base/units.h"
#include "serve/pattern.h"
#include "serve/routes.h"
#include "serve/server.h"
#include "serve/stream.h"

static const pk_route *find(const char *path, const char **argument) {
    return pk_route_find(path, strlen(path), argument);
}

static void each_row_is_found_by_its_path(void **state) {
    (void)state;
    size_t rows = 0;
    for (const pk_route *route; (route = pk_route_at(rows)); rows++) {
        char path[64];
        const char *argument;
        assert_int_equal(strlen(route->path), route->path_bytes);
        assert_non_null(route->answer);
        assert_non_null(route->help);
        assert_true(route->methods & PK_GET);
        snprintf(path, sizeof path, "%s%s", route->path, route->prefix ? "12" : "");
        assert_ptr_equal(find(path, &argument), route);
        assert_string_equal(argument, route->prefix ? "12" : "");
        if (route->shown)
            assert_int_equal(strncmp(route->shown, route->path, route->path_bytes), 0);
    }
    assert_int_equal(rows, 18);
}

static void near_misses_are_no_routes(void **state) {
    (void)state;
    static const char *const none[] = {"/bytes", "/bytes/",   "/hel",    "/helpx",
                                       "/help/", "/echo/",    "//",      "*",
                                       "/Help",  "/statuses", "/delay/", "/index.html"};
    for (size_t i = 0; i < sizeof none / sizeof *none; i++) {
        const char *argument;
        assert_null(find(none[i], &argument));
        assert_string_equal(argument, "");
    }
}

static void what_is_for_the_operator_never_fails_on_purpose(void **state) {
    (void)state;
    static const char *const safe[] = {"/help", "/healthz", "/readyz", "/metrics"};
    const char *argument;
    for (size_t i = 0; i < sizeof safe / sizeof *safe; i++)
        assert_false(find(safe[i], &argument)->faults);
    assert_true(find("/", &argument)->faults);
}

static void methods_are_case_sensitive(void **state) {
    (void)state;
    static const char *const names[] = {"GET",    "HEAD",    "POST",  "PUT",    "PATCH",
                                        "DELETE", "OPTIONS", "TRACE", "CONNECT"};
    char list[PK_METHODS_LIST_MAX];
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        assert_string_equal(pk_method_name(pk_method_of(names[i])), names[i]);
    assert_int_equal(pk_method_of("get"), PK_UNKNOWN);
    assert_int_equal(pk_method_of(""), PK_UNKNOWN);
    assert_string_equal(pk_method_name(PK_UNKNOWN), "");
    assert_string_equal(pk_methods_list(PK_READ_METHODS, list), "GET, HEAD, OPTIONS");
    assert_string_equal(pk_methods_list(~0u, list),
                        "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS, TRACE, CONNECT");
    assert_string_equal(pk_methods_list(0, list), "OPTIONS");
}

static void pieces_are_due_at_equal_distances(void **state) {
    (void)state;
    static const uint64_t century_ns = 100ull * 366 * 86400 * PK_NS_PER_S;
    pk_stream_plan plan = {.every_ns = 10, .delay_ns = 7};
    assert_int_equal(pk_stream_due_ns(&plan, 0), 7);
    assert_int_equal(pk_stream_due_ns(&plan, 1), 17);
    assert_int_equal(pk_stream_due_ns(&plan, 1000), 10007);
    assert_int_equal(pk_stream_due_ns(&plan, UINT64_MAX), century_ns);
    plan.delay_ns = UINT64_MAX;
    assert_int_equal(pk_stream_due_ns(&plan, 1), century_ns);
}

static void the_pattern_is_lines_that_rotate(void **state) {
    (void)state;
    static const char first[] = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-\n"
                                "123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-0\n";
    char text[sizeof first];
    pk_pattern_fill(text, 0, sizeof text - 1);
    text[sizeof text - 1] = '\0';
    assert_string_equal(text, first);
    for (uint64_t i = 0; i < 300; i++) {
        char one;
        pk_pattern_fill(&one, i, 1);
        assert_int_equal(one, pk_pattern_byte(i));
        assert_int_equal(one, pk_pattern_byte(i + 7 * PK_PATTERN_BLOCK_BYTES));
    }
}

static void the_map_repeats_one_block(void **state) {
    (void)state;
    static const uint64_t sizes[] = {1, PK_PATTERN_BLOCK_BYTES, 5 * PK_PATTERN_BLOCK_BYTES + 1};
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
        pk_err err = {0};
        const char *map = pk_pattern_map(sizes[s], &err);
        assert_ok(map != NULL, &err);
        for (uint64_t i = 0; i < sizes[s]; i += i < 1000 ? 1 : 99991)
            assert_int_equal(map[i], pk_pattern_byte(i));
        assert_int_equal(map[sizes[s] - 1], pk_pattern_byte(sizes[s] - 1));
        pk_pattern_unmap(map, sizes[s]);
    }
    pk_pattern_unmap(NULL, 1);
    pk_err err = {0};
    assert_fails(pk_pattern_map(1ull << 62, &err), &err, PK_E_SYS);
}

static void summary(const pk_serve_result *result, const char *expected) {
    char text[512];
    FILE *out = fmemopen(text, sizeof text, "w");
    assert_non_null(out);
    pk_serve_render_summary(out, result);
    assert_int_equal(fclose(out), 0);
    assert_string_equal(text, expected);
}

static void the_summary_is_one_line(void **state) {
    (void)state;
    pk_serve_result result = {.elapsed_ns = 3200 * PK_NS_PER_MS,
                              .requests = 12345,
                              .body_bytes = 160485,
                              .connections = 64,
                              .connections_peak = 50};
    result.answered[200] = 12000;
    result.answered[204] = 340;
    result.answered[404] = 5;
    summary(&result, "served 12345 requests (12340 2xx, 5 4xx) in 3.2 s, 156.72 KiB of bodies, "
                     "64 connections (at most 50 at once)\n");
    result.faults = 2;
    result.aborted = 3;
    result.connections_left = 1;
    summary(&result, "served 12345 requests (12340 2xx, 5 4xx) in 3.2 s, 156.72 KiB of bodies, "
                     "64 connections (at most 50 at once), 2 injected faults, 3 aborted, "
                     "1 cut off when the drain ended\n");
    summary(&(pk_serve_result){.elapsed_ns = PK_NS_PER_S},
            "served 0 requests in 1 s, 0 B of bodies, 0 connections (at most 0 at once)\n");
    pk_serve_result one = {.elapsed_ns = PK_NS_PER_S,
                           .requests = 1,
                           .body_bytes = 13,
                           .connections = 1,
                           .connections_peak = 1};
    one.answered[503] = 1;
    summary(&one, "served 1 request (1 5xx) in 1 s, 13 B of bodies, 1 connection (at most 1 at "
                  "once)\n");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_row_is_found_by_its_path),
        cmocka_unit_test(near_misses_are_no_routes),
        cmocka_unit_test(what_is_for_the_operator_never_fails_on_purpose),
        cmocka_unit_test(methods_are_case_sensitive),
        cmocka_unit_test(pieces_are_due_at_equal_distances),
        cmocka_unit_test(the_pattern_is_lines_that_rotate),
        cmocka_unit_test(the_map_repeats_one_block),
        cmocka_unit_test(the_summary_is_one_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
