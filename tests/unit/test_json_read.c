/* JSON as others write it: values, limits, and what is wrong where. Examples of RFC 8259. */
#include "tests/unit/check.h"

#include <math.h>

#include "report/json_read.h"

typedef struct fixture {
    pk_arena *arena;
    pk_err err;
    pk_json_reader reader;
} fixture;

static int begin(void **state) {
    fixture *f = calloc(1, sizeof *f);
    f->arena = pk_arena_new(1 << 20);
    f->reader = (pk_json_reader){.where = "file", .arena = f->arena, .err = &f->err};
    *state = f;
    return 0;
}

static int end(void **state) {
    fixture *f = *state;
    pk_arena_free(f->arena);
    free(f);
    return 0;
}

static const pk_json_value *read_text(fixture *f, const char *text) {
    return pk_json_read(&f->reader, text, strlen(text));
}

static void values_of_every_kind(void **state) {
    fixture *f = *state;
    const pk_json_value *o = read_text(f, " {\"n\": -0.5e1, \"t\":true, \"no\":false,\"z\":null "
                                          ",\"s\":\"x\",\"a\":[1,2,3],\"o\":{}}\r\n");
    assert_non_null(o);
    assert_int_equal(o->count, 7);
    assert_near(pk_json_get_double(&f->reader, o, "n"), -5, 0);
    assert_true(pk_json_get_bool(&f->reader, o, "t"));
    assert_false(pk_json_get_bool(&f->reader, o, "no"));
    assert_true(isnan(pk_json_get_double(&f->reader, o, "z")));
    assert_string_equal(pk_json_get_text(&f->reader, o, "s"), "x");
    double *list;
    assert_int_equal(pk_json_doubles_of(&f->reader, pk_json_get_array(&f->reader, o, "a"), &list),
                     3);
    assert_near(list[2], 3, 0);
    assert_int_equal(pk_json_get_object(&f->reader, o, "o")->count, 0);
    assert_null(pk_json_member(&f->reader, o, "absent"));
    assert_int_equal(pk_json_get_int(&f->reader, o, "absent", -7), -7);
    assert_false(f->reader.failed);
}

static void whole_numbers_are_exact(void **state) {
    fixture *f = *state;
    const pk_json_value *o =
        read_text(f, "{\"max\":18446744073709551615,\"ns\":1795585613515000884,\"one\":1.0}");
    assert_true(pk_json_get_uint(&f->reader, o, "max") == UINT64_MAX);
    assert_true(pk_json_get_uint(&f->reader, o, "ns") == 1795585613515000884u);
    assert_true(pk_json_get_uint(&f->reader, o, "one") == 1);
    assert_false(f->reader.failed);
}

static void texts_are_decoded(void **state) {
    fixture *f = *state;
    const pk_json_value *v =
        read_text(f, "\"\\\"\\\\\\/\\b\\f\\n\\r\\t \\u00e9 \\ud834\\udd1e \xc3\xa9\"");
    assert_non_null(v);
    assert_string_equal(v->text, "\"\\/\b\f\n\r\t \xc3\xa9 \xf0\x9d\x84\x9e \xc3\xa9");
}

static void of_a_key_given_twice_the_first_counts(void **state) {
    fixture *f = *state;
    const pk_json_value *o = read_text(f, "{\"a\":1,\"a\":2}");
    assert_near(pk_json_get_double(&f->reader, o, "a"), 1, 0);
}

static void what_is_no_JSON_is_refused_with_its_place(void **state) {
    (void)state;
    static const char *const bad[] = {"",          "{",           "[1,]",         "[1 2]",
                                      "{\"a\" 1}", "{\"a\":1,}",  "{a:1}",        "nul",
                                      "tru",       "01",          "1.",           ".5",
                                      "+1",        "1e",          "- 1",          "\"a",
                                      "\"\\x\"",   "\"\\u12\"",   "\"\\ud834\"",  "\"\n\"",
                                      "\"\xff\"",  "[1] x",       "NaN",          "Infinity",
                                      "'a'",       "\"\\u0000\"", "{\"a\":}",     "[",
                                      "{\"a\":1",  "/* c */ 1",   "\357\273\2771"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        fixture f = {.arena = pk_arena_new(1 << 20)};
        f.reader = (pk_json_reader){.where = "file", .arena = f.arena, .err = &f.err};
        if (read_text(&f, bad[i])) fail_msg("taken: %s", bad[i]);
        assert_true(f.reader.failed);
        assert_int_equal(f.err.kind, PK_E_INPUT);
        assert_non_null(strstr(f.err.where, "file"));
        pk_arena_free(f.arena);
    }
    fixture f = {.arena = pk_arena_new(1 << 20)};
    f.reader = (pk_json_reader){.where = "file", .arena = f.arena, .err = &f.err};
    assert_null(read_text(&f, "{\n  \"a\": 1,\n  \"b\": nix\n}"));
    char line[PK_ERR_LINE_MAX];
    pk_err_format(&f.err, line, sizeof line);
    assert_non_null(strstr(line, "line 3"));
    pk_arena_free(f.arena);
}

static void depth_and_memory_have_limits(void **state) {
    fixture *f = *state;
    char deep[2 * PK_JSON_DEPTH_MAX + 8];
    memset(deep, '[', PK_JSON_DEPTH_MAX);
    memset(deep + PK_JSON_DEPTH_MAX, ']', PK_JSON_DEPTH_MAX);
    assert_non_null(pk_json_read(&f->reader, deep, 2 * (size_t)PK_JSON_DEPTH_MAX));
    memset(deep, '[', sizeof deep);
    assert_null(pk_json_read(&f->reader, deep, sizeof deep));
    fixture small = {.arena = pk_arena_new(512)};
    small.reader = (pk_json_reader){.where = "file", .arena = small.arena, .err = &small.err};
    assert_null(read_text(&small, "[1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20]"));
    assert_int_equal(small.err.kind, PK_E_LIMIT);
    pk_arena_free(small.arena);
}

static void the_first_mistake_is_kept_with_its_path(void **state) {
    fixture *f = *state;
    const pk_json_value *o = read_text(f, "{\"list\":[{},{\"n\":\"x\"}],\"m\":-1}");
    const pk_json_value *second = pk_json_get_array(&f->reader, o, "list")->first->next;
    assert_true(isnan(pk_json_get_double(&f->reader, second, "n")));
    assert_true(f->reader.failed);
    char line[PK_ERR_LINE_MAX];
    pk_err_format(&f->err, line, sizeof line);
    assert_non_null(strstr(line, "file"));
    assert_non_null(strstr(line, "list[1].n"));
    assert_true(pk_json_get_uint(&f->reader, o, "m") == 0); /* -1 would be another mistake */
    char again[PK_ERR_LINE_MAX];
    pk_err_format(&f->err, again, sizeof again);
    assert_string_equal(again, line);
}

static const char *fruit(int i) {
    static const char *const names[] = {"apple", "pear"};
    return names[i];
}

static void words_and_lengths_are_checked(void **state) {
    fixture *f = *state;
    char little[4];
    const pk_json_value *o = read_text(f, "{\"f\":\"pear\",\"g\":\"plum\",\"s\":\"abc\"}");
    assert_int_equal(pk_json_get_word(&f->reader, o, "f", 2, fruit), 1);
    assert_int_equal(pk_json_get_word(&f->reader, o, "absent", 2, fruit), 0);
    pk_json_get_chars(&f->reader, o, "s", little, sizeof little);
    assert_string_equal(little, "abc");
    assert_false(f->reader.failed);
    pk_json_get_word(&f->reader, o, "g", 2, fruit);
    assert_true(f->reader.failed);
    fixture *g = f;
    g->reader.failed = false;
    pk_json_get_chars(&g->reader, o, "s", little, 3);
    assert_true(g->reader.failed);
    g->reader.failed = false;
    pk_json_require(&g->reader, o, "absent");
    assert_true(g->reader.failed);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(values_of_every_kind),
        TEST(whole_numbers_are_exact),
        TEST(texts_are_decoded),
        TEST(of_a_key_given_twice_the_first_counts),
        cmocka_unit_test(what_is_no_JSON_is_refused_with_its_place),
        TEST(depth_and_memory_have_limits),
        TEST(the_first_mistake_is_kept_with_its_path),
        TEST(words_and_lengths_are_checked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
