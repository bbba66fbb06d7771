/* serve/target: request targets, query parameters, waits and weighted statuses. */
#include "check.h"

#include "base/units.h"
#include "serve/target.h"

/* Parses into memory of exactly the size that the header promises to be enough. */
static bool parse(const char *raw, char path[1024], pk_target *target) {
    char *buffer = malloc(strlen(raw) + 2);
    assert_non_null(buffer);
    bool ok = pk_target_parse(raw, buffer, target);
    if (ok) {
        assert_int_equal(strlen(buffer), target->path_bytes);
        snprintf(path, 1024, "%s", target->path);
    }
    free(buffer);
    return ok;
}

static void the_forms_of_a_target_name_the_same_path(void **state) {
    (void)state;
    static const struct {
        const char *raw, *path, *query;
    } cases[] = {
        {"/", "/", ""},
        {"/a/b?x=1&y", "/a/b", "x=1&y"},
        {"/a?", "/a", ""},
        {"/a?b?c", "/a", "b?c"},
        {"/a#frag", "/a", ""},
        {"/%41%2e%2E/", "/A../", ""},
        {"/caf\xc3\xa9", "/caf\xc3\xa9", ""},
        {"http://host/x?y", "/x", "y"},
        {"HTTPS://host:1/x", "/x", ""},
        {"http://host", "/", ""},
        {"http://host?q=1", "/", "q=1"},
        {"*", "*", ""},
        {"//host/x", "//host/x", ""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        pk_target target;
        char path[1024];
        assert_true(parse(cases[i].raw, path, &target));
        assert_string_equal(path, cases[i].path);
        assert_string_equal(target.query, cases[i].query);
    }
}

static void malformed_targets_are_refused(void **state) {
    (void)state;
    static const char *const wrong[] = {
        "",     "a",    "host:80", "ftp://h/", "http://", "http:///x", "**",    "/%", "/%4",
        "/%4g", "/%g4", "/%00",    "/a%0ab",   "/a%7f",   "/a\tb",     "/%%41", "?x", "#",
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        pk_target target = {.path = "untouched"};
        char path[1024];
        assert_false(parse(wrong[i], path, &target));
        assert_string_equal(target.path, "untouched");
    }
}

static void an_encoded_slash_is_told_apart(void **state) {
    (void)state;
    pk_target target;
    char path[1024];
    assert_true(parse("/a/b", path, &target));
    assert_false(target.encoded_slash);
    assert_true(parse("/..%2f..%2Fetc", path, &target));
    assert_true(target.encoded_slash);
    assert_string_equal(path, "/../../etc");
    assert_true(parse("/a?x=%2f", path, &target));
    assert_false(target.encoded_slash);
}

static void query_parameters_are_found_and_decoded(void **state) {
    (void)state;
    char out[16];
    const char *query = "chunk=10&every=1.5s&url=a%20b%3D+c&flag&empty=&chunk=99&x=%41#f=1";
    assert_int_equal(pk_query_get(query, "chunk", out, sizeof out), PK_QUERY_FOUND);
    assert_string_equal(out, "10");
    assert_int_equal(pk_query_get(query, "every", out, sizeof out), PK_QUERY_FOUND);
    assert_string_equal(out, "1.5s");
    assert_int_equal(pk_query_get(query, "url", out, sizeof out), PK_QUERY_FOUND);
    assert_string_equal(out, "a b= c");
    assert_int_equal(pk_query_get(query, "empty", out, sizeof out), PK_QUERY_FOUND);
    assert_string_equal(out, "");
    assert_int_equal(pk_query_get(query, "x", out, sizeof out), PK_QUERY_FOUND);
    assert_string_equal(out, "A");
    static const char *const absent[] = {"flag", "chun", "chunks", "ery", "f", ""};
    for (size_t i = 0; i < sizeof absent / sizeof *absent; i++)
        assert_int_equal(pk_query_get(query, absent[i], out, sizeof out), PK_QUERY_ABSENT);
    assert_int_equal(pk_query_get("", "a", out, sizeof out), PK_QUERY_ABSENT);
}

static void bad_query_values_are_told_apart_from_absent_ones(void **state) {
    (void)state;
    char out[4] = "???";
    static const char *const bad[] = {"a=%", "a=%4", "a=%zz", "a=%00", "a=1234", "a=%4&b=1"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_int_equal(pk_query_get(bad[i], "a", out, sizeof out), PK_QUERY_BAD);
        assert_string_equal(out, "");
    }
    assert_int_equal(pk_query_get("a=123", "a", out, sizeof out), PK_QUERY_FOUND);
    assert_string_equal(out, "123");
}

static void a_bare_wait_is_in_milliseconds(void **state) {
    (void)state;
    static const struct {
        const char *text;
        uint64_t ns;
    } cases[] = {{"0", 0},
                 {"50", 50 * PK_NS_PER_MS},
                 {"0.5", 500 * PK_NS_PER_US},
                 {"50ms", 50 * PK_NS_PER_MS},
                 {"200us", 200 * PK_NS_PER_US},
                 {"1.5s", 1500 * PK_NS_PER_MS},
                 {"1h", 3600 * PK_NS_PER_S}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        uint64_t ns = 1;
        pk_err err = {0};
        assert_ok(pk_wait_parse(cases[i].text, &ns, &err), &err);
        assert_int_equal(ns, cases[i].ns);
    }
    static const char *const wrong[] = {
        "",      "x",   "-1",  "3x",
        "1h1ms", "61m", "1e3", "99999999999999999999999999999999999999999999999999999999"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        uint64_t ns = 7;
        pk_err err = {0};
        assert_fails(pk_wait_parse(wrong[i], &ns, &err), &err, PK_E_USAGE);
        assert_int_equal(ns, 7);
    }
}

static void status_lists_are_parsed_and_chosen_by_weight(void **state) {
    (void)state;
    pk_status_choice choices[PK_STATUS_CHOICES_MAX];
    size_t count = 0;
    pk_err err = {0};
    assert_ok(pk_status_list_parse("404", choices, &count, &err), &err);
    assert_int_equal(count, 1);
    assert_int_equal(pk_status_list_choose(choices, count, 0.999), 404);

    /* 200 has 6 of 10, 404 none, 503 3, 500 1 */
    assert_ok(pk_status_list_parse("200:6,404:0,503:3,500", choices, &count, &err), &err);
    assert_int_equal(count, 4);
    assert_int_equal(pk_status_list_choose(choices, count, 0), 200);
    assert_int_equal(pk_status_list_choose(choices, count, 0.599), 200);
    assert_int_equal(pk_status_list_choose(choices, count, 0.601), 503);
    assert_int_equal(pk_status_list_choose(choices, count, 0.899), 503);
    assert_int_equal(pk_status_list_choose(choices, count, 0.901), 500);
    assert_int_equal(pk_status_list_choose(choices, count, 0x1.fffffffffffffp-1), 500);

    /* the largest draw never falls on a choice of weight 0 behind the last */
    assert_ok(pk_status_list_parse("200:0.1,201:0.2,500:0", choices, &count, &err), &err);
    assert_int_equal(pk_status_list_choose(choices, count, 0x1.fffffffffffffp-1), 201);
}

static void wrong_status_lists_are_refused(void **state) {
    (void)state;
    static const char *const wrong[] = {
        "",
        ",",
        "200,",
        "199",
        "600",
        "abc",
        "200:",
        "200:-1",
        "200:x",
        "200:0",
        "200:inf",
        "200:1:2",
        "200:1e308,201:1e308",
        "200,200,200,200,200,200,200,200,200,200,200,200,200,200,200,200,200",
        "200:11111111111111111111111111111111111111111111111111111111111111111111111111111"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        pk_status_choice choices[PK_STATUS_CHOICES_MAX];
        size_t count = 77;
        pk_err err = {0};
        assert_fails(pk_status_list_parse(wrong[i], choices, &count, &err), &err, PK_E_USAGE);
        assert_int_equal(count, 77);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_forms_of_a_target_name_the_same_path),
        cmocka_unit_test(malformed_targets_are_refused),
        cmocka_unit_test(an_encoded_slash_is_told_apart),
        cmocka_unit_test(query_parameters_are_found_and_decoded),
        cmocka_unit_test(bad_query_values_are_told_apart_from_absent_ones),
        cmocka_unit_test(a_bare_wait_is_in_milliseconds),
        cmocka_unit_test(status_lists_are_parsed_and_chosen_by_weight),
        cmocka_unit_test(wrong_status_lists_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
