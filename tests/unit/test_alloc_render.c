/* What is made of a result of perfkit alloc, against figures that are known. With PAGES_DIR=FOLDER
 * it only writes the page that tests/browser looks at. */
#include "alloc_sample.h"

#include <errno.h>
#include <sys/stat.h>

#include "check_golden.h"
#include "base/compress.h"
#include "check_xml.h"

static char *taken(pk_strbuf *out) {
    assert_true(pk_strbuf_ok(out));
    char *text = pk_strbuf_detach(out, NULL);
    assert_non_null(text);
    return text;
}

static pk_strbuf buffer(void) {
    pk_strbuf out;
    pk_strbuf_init(&out, 16u << 20);
    return out;
}

/* ---- dtrace's layout ---- */

static char *dtrace(const pk_alloc_result *r, const pk_alloc_dtrace_style *style) {
    pk_strbuf out = buffer();
    pk_err err = {0};
    assert_ok(pk_alloc_dtrace(r, style, &out, &err), &err);
    return taken(&out);
}

static void dtraces_layout_byte_for_byte(void **state) {
    (void)state;
    pk_alloc_result r;
    alloc_known(&r);
    assert_golden("alloc.dtrace", dtrace(&r, &(pk_alloc_dtrace_style){0}));
    assert_golden("alloc_sum.dtrace",
                  dtrace(&r, &(pk_alloc_dtrace_style){
                                 .aggregation = PK_ALLOC_SUM, .indent = 3, .reversed = true}));
    char *text = dtrace(&r, &(pk_alloc_dtrace_style){.aggregation = PK_ALLOC_QUANTIZE});
    assert_golden("alloc_quantize.dtrace", text);
    pk_alloc_fini(&r);
}

/* Cut after two frames, both callers of g are one: 300 + 150 + 50. */
static void stacks_cut_alike_are_one(void **state) {
    (void)state;
    pk_alloc_result r;
    alloc_known(&r);
    char *text = dtrace(&r, &(pk_alloc_dtrace_style){.frames = 2, .by_key = true});
    assert_string_equal(text, "\n              libc.so.6`malloc\n"
                              "              libstdc++.so.6`operator new(unsigned long)+0x14\n"
                              "               50\n"
                              "\n              libc.so.6`malloc\n"
                              "              prog`f+0x1f\n"
                              "             1000\n"
                              "\n              libc.so.6`malloc\n"
                              "              prog`g+0x10\n"
                              "              500\n");
    free(text);
    pk_alloc_fini(&r);
}

static void no_stack_breaks_the_lines(void **state) {
    (void)state;
    pk_alloc_result r;
    alloc_begin(&r, &alloc_no_options);
    uint32_t place = alloc_place(&r, "a\nb", "f\r\n99", 0, 0x10);
    alloc_stack(&r, &(pk_alloc_stack){.calls = 7}, 1, &place);
    char *text = dtrace(&r, &(pk_alloc_dtrace_style){0});
    assert_string_equal(text, "\n              a b`f  99\n                7\n");
    free(text);
    pk_alloc_fini(&r);
}

static void nothing_counted_prints_nothing(void **state) {
    (void)state;
    pk_alloc_result r;
    alloc_begin(&r, &alloc_no_options);
    for (int i = 0; i < 3; i++) {
        const pk_alloc_dtrace_style style = {.aggregation = (pk_alloc_aggregation)i};
        char *text = dtrace(&r, &style);
        assert_string_equal(text, "");
        free(text);
    }
    pk_alloc_fini(&r);
}

/* ---- files ---- */

static void folded_has_each_weight(void **state) {
    (void)state;
    static const char *const expected[PK_WEIGHTS] = {
        "prog;[unknown];push<</text><script>alert('1')</script>>;operator new(unsigned long);"
        "malloc 50\nprog;main;f;malloc 1000\nprog;main;g;malloc 300\nprog;main;h;g;malloc 200\n",
        NULL, "prog;main;f;malloc 1600\nprog;main;g;malloc 8000\nprog;main;h;g;malloc 2000\n",
        "prog;main;f;malloc 64\nprog;main;h;g;malloc 5000\n",
        "prog;[unknown];push<</text><script>alert('1')</script>>;operator new(unsigned long);"
        "malloc 50\nprog;main;f;malloc 100\n"};
    pk_alloc_result r;
    alloc_known(&r);
    for (int w = 0; w < PK_WEIGHTS; w++) {
        pk_strbuf out = buffer();
        pk_err err = {0};
        assert_ok(pk_alloc_folded(&r, (pk_alloc_weight)w, &out, &err), &err);
        if (expected[w]) assert_string_equal(out.data, expected[w]);
        pk_strbuf_fini(&out);
    }
    pk_alloc_fini(&r);
}

static void flame_shows_bytes_and_escapes_names(void **state) {
    (void)state;
    pk_alloc_result r;
    pk_strbuf out = buffer();
    pk_err err = {0};
    alloc_known(&r);
    assert_ok(pk_alloc_flame(&r, PK_WEIGHT_BYTES, NULL, &out, NULL, &err), &err);
    assert_non_null(strstr(out.data, "<title>f (15.62 KiB, 23.67%)</title>"));
    assert_non_null(strstr(out.data, "data-bytes=\"1\""));
    assert_non_null(strstr(out.data, "total_samples=\"67600\""));
    assert_non_null(strstr(out.data, "push&lt;&lt;/text&gt;&lt;script&gt;"));
    assert_null(strstr(out.data, "</text><script>alert"));
    pk_strbuf_clear(&out);
    assert_ok(pk_alloc_flame(&r, PK_WEIGHT_CALLS, NULL, &out, NULL, &err), &err);
    assert_non_null(strstr(out.data, "<title>f (1,000 allocations, 64.52%)</title>"));
    assert_null(strstr(out.data, "data-bytes"));
    pk_strbuf_fini(&out);
    pk_alloc_fini(&r);
}

static void massif_has_the_peak_and_the_end(void **state) {
    (void)state;
    pk_alloc_result r;
    pk_strbuf out = buffer();
    pk_err err = {0};
    alloc_known(&r);
    assert_ok(pk_alloc_massif(&r, 0.01, &out, &err), &err);
    assert_golden("alloc.massif", taken(&out));
    assert_ok(pk_alloc_massif(&r, 0.2, &out, &err), &err);
    assert_non_null(strstr(out.data, " n0: 1600 in 1 place, below massif's threshold (20.00%)\n"));
    pk_strbuf_fini(&out);
    pk_alloc_fini(&r);
}

static void heapprofile_and_csv(void **state) {
    (void)state;
    pk_alloc_result r;
    pk_strbuf out = buffer();
    pk_err err = {0};
    alloc_known(&r);
    assert_ok(pk_alloc_heapprofile(&r, &out, &err), &err);
    assert_golden("alloc.heap", taken(&out));
    assert_ok(pk_alloc_csv(&r, &out, &err), &err);
    assert_golden("alloc.csv", taken(&out));
    pk_strbuf_fini(&out);
    pk_alloc_fini(&r);
}

/* The strings and the values as they stand in the message. */
static void pprof_has_all_values(void **state) {
    (void)state;
    static const char *const types[] = {"alloc_objects",    "alloc_space",  "inuse_objects",
                                        "inuse_space",      "peak_objects", "peak_space",
                                        "temporary_objects"};
    /* Of f, as varints: 1000, 16000, 4, 64, 100, 1600, 100. */
    static const unsigned char values[] = {0xe8, 0x07, 0x80, 0x7d, 4, 64, 100, 0xc0, 0x0c, 100};
    pk_alloc_result r;
    pk_strbuf out = buffer(), plain = buffer();
    pk_err err = {0};
    alloc_known(&r);
    assert_ok(pk_alloc_pprof(&r, &out, &err), &err);
    assert_true(pk_inflate(out.data, out.length, &plain));
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++)
        assert_non_null(memmem(plain.data, plain.length, types[i], strlen(types[i])));
    assert_non_null(memmem(plain.data, plain.length, values, sizeof values));
    r.live_known = false;
    pk_strbuf_clear(&out);
    pk_strbuf_clear(&plain);
    assert_ok(pk_alloc_pprof(&r, &out, &err), &err);
    assert_true(pk_inflate(out.data, out.length, &plain));
    assert_null(memmem(plain.data, plain.length, "inuse", 5));
    pk_strbuf_fini(&out);
    pk_strbuf_fini(&plain);
    pk_alloc_fini(&r);
}

/* ---- the terminal ---- */

static char *text_of(const pk_alloc_result *r, const pk_alloc_view *view) {
    char *text = NULL;
    size_t bytes;
    pk_err err = {0};
    FILE *out = open_memstream(&text, &bytes);
    assert_non_null(out);
    bool ok = pk_alloc_text(out, r, view, &err);
    fclose(out);
    assert_ok(ok, &err);
    return text;
}

static void tables_by_function_object_and_stack(void **state) {
    (void)state;
    pk_alloc_result r;
    alloc_known(&r);
    assert_golden("alloc_function.txt",
                  text_of(&r, &(pk_alloc_view){
                                  .sort = PK_WEIGHT_BYTES, .by = PK_ALLOC_BY_FUNCTION, .rows = 5}));
    assert_golden("alloc_object.txt", text_of(&r, &(pk_alloc_view){.sort = PK_WEIGHT_LEAKED,
                                                                   .by = PK_ALLOC_BY_OBJECT}));
    assert_golden(
        "alloc_stack.txt",
        text_of(&r, &(pk_alloc_view){.sort = PK_WEIGHT_TEMPORARY, .frames = 3, .rows = 3}));
    pk_alloc_fini(&r);
}

static void estimates_have_their_errors(void **state) {
    (void)state;
    pk_alloc_result r;
    alloc_known(&r);
    r.sampled = true;
    r.sample_bytes = 4096;
    r.total.temporary = 7; /* samples, not what they stand for */
    for (size_t i = 0; i < r.stacks.count; i++) {
        PK_AT(&r.stacks, pk_alloc_stack, i).calls_error = 3;
        PK_AT(&r.stacks, pk_alloc_stack, i).bytes_error = 300;
    }
    /* main has four stacks: sqrt(4 * 3 * 3); h two of them. */
    char *text = text_of(&r, &(pk_alloc_view){.by = PK_ALLOC_BY_FUNCTION});
    assert_non_null(strstr(text, "\xc2\xb1 6 "));
    assert_null(strstr(text, "\xc2\xb1 12 "));
    assert_non_null(strstr(text, "one allocation per 4.00 KiB on average"));
    assert_non_null(strstr(text, "temporary  150 (9.68 % of the calls)"));
    free(text);
    text = text_of(&r, &(pk_alloc_view){.sort = PK_WEIGHT_BYTES});
    assert_non_null(strstr(text, "15.62 KiB \xc2\xb1 300 B (23.67 %)"));
    free(text);
    pk_alloc_fini(&r);
}

static void what_is_not_known_is_not_shown(void **state) {
    (void)state;
    pk_alloc_result r;
    pk_err err = {0};
    pk_strbuf out = buffer();
    alloc_known(&r);
    r.live_known = false;
    char *text = text_of(&r, &(pk_alloc_view){.by = PK_ALLOC_BY_FUNCTION});
    assert_null(strstr(text, "leaked"));
    assert_null(strstr(text, "peak"));
    free(text);
    for (int w = PK_WEIGHT_PEAK; w < PK_WEIGHTS; w++) {
        assert_false(pk_alloc_folded(&r, (pk_alloc_weight)w, &out, &err));
        assert_int_equal(err.kind, PK_E_USAGE);
    }
    assert_false(pk_alloc_massif(&r, 0.01, &out, &err));
    assert_int_equal(err.kind, PK_E_USAGE);
    assert_int_equal(out.length, 0);
    pk_strbuf_fini(&out);
    pk_alloc_fini(&r);
}

static void terminals_get_no_control_characters(void **state) {
    (void)state;
    pk_alloc_result r;
    pk_err err = {0};
    alloc_begin(&r, &alloc_no_options);
    uint32_t place = alloc_place(&r, "x", "f\x1b[31m\n", 0, 0x10);
    alloc_stack(&r, &(pk_alloc_stack){.calls = 7}, 1, &place);
    pk_alloc_note_add(&r, NULL, "a\x1b]0;b");
    assert_ok(pk_alloc_tree_ready(&r, &err), &err);
    for (int by = 0; by < 3; by++) {
        char *text = text_of(&r, &(pk_alloc_view){.by = (pk_alloc_by)by});
        assert_null(strchr(text, '\x1b'));
        free(text);
    }
    pk_alloc_fini(&r);
}

/* ---- the page ---- */

static char *page_of(const pk_alloc_result *r) {
    char *text = NULL;
    size_t bytes;
    pk_err err = {0};
    FILE *out = open_memstream(&text, &bytes);
    assert_non_null(out);
    bool ok = pk_alloc_page(out, r, &err);
    fclose(out);
    assert_ok(ok, &err);
    return text;
}

static void the_page_has_everything_and_no_script(void **state) {
    (void)state;
    static const char *const has[] = {"4.95 KiB in 54 blocks were never freed.",
                                      "1,550 (775/s)",
                                      "Live bytes over time",
                                      "Allocations per second",
                                      "Resident set over time",
                                      ">16 B<",
                                      "Live at the peak",
                                      "f (15.62 KiB, 23.67%)",
                                      "push&lt;&lt;/text&gt;&lt;script&gt;",
                                      "lt;b&gt;not",
                                      "1,000 (64.52 %)\n    malloc\n    f\n    main\n    prog"};
    pk_alloc_result r;
    alloc_known(&r);
    char *text = page_of(&r);
    for (size_t i = 0; i < sizeof has / sizeof has[0]; i++) {
        if (!strstr(text, has[i])) print_error("not there: %s\n", has[i]);
        assert_non_null(strstr(text, has[i]));
    }
    assert_null(strstr(text, "<script"));
    assert_null(strstr(text, "onload"));
    assert_null(strstr(text, "id=\"frames\""));
    assert_well_formed(text);
    free(text);
    pk_alloc_fini(&r);
}

static void the_page_of_nothing(void **state) {
    (void)state;
    pk_alloc_result r;
    pk_err err = {0};
    alloc_begin(&r, &alloc_no_options);
    assert_ok(pk_alloc_tree_ready(&r, &err), &err);
    char *text = page_of(&r);
    assert_non_null(strstr(text, "Everything that was allocated was freed."));
    assert_null(strstr(text, "nan"));
    assert_well_formed(text);
    free(text);
    r.live_known = false;
    text = page_of(&r);
    assert_null(strstr(text, "was freed"));
    free(text);
    pk_alloc_fini(&r);
}

/* ---- JSON ---- */

static char *json_of(const pk_alloc_result *r) {
    char *text = NULL;
    size_t bytes;
    pk_err err = {0};
    pk_json *document = pk_alloc_to_json(r, &err);
    assert_non_null(document);
    FILE *out = open_memstream(&text, &bytes);
    assert_non_null(out);
    bool ok = pk_json_write(out, document, &err);
    fclose(out);
    pk_json_free(document);
    assert_ok(ok, &err);
    return text;
}

/* All that is made of a result is the same of what was read back. */
static void json_is_complete(void **state) {
    (void)state;
    pk_alloc_result r, back;
    pk_err err = {0};
    alloc_known(&r);
    r.sampled = true;
    r.sample_bytes = 512;
    PK_AT(&r.stacks, pk_alloc_stack, 1).bytes_error = 1.5;
    PK_AT(&r.stacks, pk_alloc_stack, 1).flags = PK_STACK_LOST | PK_STACK_GUESSED;
    PK_AT(&r.stacks, pk_alloc_stack, 1).function = PK_CALL_NEW;
    char *text = json_of(&r);
    assert_true(pk_alloc_is_json(text, strlen(text)));
    assert_ok(pk_alloc_from_json("x.json", text, strlen(text), &back, &err), &err);
    char *again = json_of(&back);
    assert_string_equal(text, again);
    free(again);
    char *first = text_of(&r, &(pk_alloc_view){0}), *second = text_of(&back, &(pk_alloc_view){0});
    assert_string_equal(first, second);
    free(first);
    free(second);
    first = dtrace(&r, &(pk_alloc_dtrace_style){0});
    second = dtrace(&back, &(pk_alloc_dtrace_style){0});
    assert_string_equal(first, second);
    free(first);
    free(second);
    free(text);
    pk_alloc_fini(&r);
    pk_alloc_fini(&back);
}

static void json_as_it_stands(void **state) {
    (void)state;
    pk_alloc_result r;
    alloc_known(&r);
    assert_golden("alloc.json", json_of(&r));
    pk_alloc_fini(&r);
}

static void broken_json_is_refused(void **state) {
    (void)state;
    static const struct {
        const char *text, *says;
    } cases[] = {
        {"{\"schema\": \"load/1\"}", "is no document"},
        {"[]", "it is no object"},
        {"{\"schema\": \"alloc/1\", \"names\": [\"a\"], \"tree\": {\"parent\": [1], \"name\": "
         "[0]}}",
         "there is no such one"},
        {"{\"schema\": \"alloc/1\", \"names\": [\"a\"], \"tree\": {\"parent\": [0], \"name\": "
         "[1]}}",
         "there is no such one"},
        {"{\"schema\": \"alloc/1\", \"names\": [\"a\"], \"tree\": {\"parent\": [0], \"name\": []}}",
         "is not as long as the others"},
        {"{\"schema\": \"alloc/1\", \"moments\": {\"time_ns\": [1]}}",
         "is not as long as the others"},
        {"{\"schema\": \"alloc/1\", \"processes\": [{}], \"stacks\": [{\"process\": 0, \"node\": "
         "0}]}",
         "a stack without a frame"},
        {"{\"schema\": \"alloc/1\", \"stacks\": [{\"process\": 0, \"node\": 0}]}",
         "there is no such one"},
        {"{\"schema\": \"alloc/1\", \"processes\": [{}], \"names\": [\"a\"], \"tree\": "
         "{\"parent\": "
         "[0], \"name\": [0]}, \"stacks\": [{\"process\": 0, \"node\": 1, \"function\": "
         "\"malloc\", "
         "\"places\": [0]}]}",
         "there is no such one"},
        {"{\"schema\": \"alloc/1\", \"processes\": [{}], \"names\": [\"a\"], \"tree\": "
         "{\"parent\": "
         "[0], \"name\": [0]}, \"stacks\": [{\"process\": 0, \"node\": 1, \"function\": "
         "\"malloc\", "
         "\"places\": []}]}",
         "a stack has 1 to 513 places"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        pk_alloc_result r;
        pk_err err = {0};
        assert_false(pk_alloc_from_json("x.json", cases[i].text, strlen(cases[i].text), &r, &err));
        if (!strstr(err.what, cases[i].says)) print_error("case %zu: %s\n", i, err.what);
        assert_non_null(strstr(err.what, cases[i].says));
        pk_alloc_fini(&r);
    }
}

static void documents_are_known_by_their_beginning(void **state) {
    (void)state;
    static const char *const yes[] = {"{\"schema\":\"alloc/1\"",
                                      " \n{\n  \"perfkit\": \"1\",\n  \"schema\" : \"alloc/1\"\n"};
    static const char *const no[] = {"",
                                     "{",
                                     "[\"schema\":\"alloc/1\"",
                                     "{\"schema\":\"alloc/10\"",
                                     "{\"schema\":\"bench/1\"",
                                     "{\"schema\""};
    for (size_t i = 0; i < sizeof yes / sizeof yes[0]; i++)
        assert_true(pk_alloc_is_json(yes[i], strlen(yes[i])));
    for (size_t i = 0; i < sizeof no / sizeof no[0]; i++)
        assert_false(pk_alloc_is_json(no[i], strlen(no[i])));
}

static void the_page_for_the_browser(void **state) {
    (void)state;
    char path[CHECK_PATH_MAX];
    pk_alloc_result r;
    alloc_known(&r);
    snprintf(path, sizeof path, "%s/alloc", getenv("PAGES_DIR"));
    assert_true(mkdir(path, 0755) == 0 || errno == EEXIST);
    snprintf(path, sizeof path, "%s/alloc/index.html", getenv("PAGES_DIR"));
    char *text = page_of(&r);
    check_write_file(path, text);
    free(text);
    pk_alloc_fini(&r);
}

int main(void) {
    const struct CMUnitTest browser[] = {cmocka_unit_test(the_page_for_the_browser)};
    if (getenv("PAGES_DIR")) return cmocka_run_group_tests(browser, NULL, NULL);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(dtraces_layout_byte_for_byte),
        cmocka_unit_test(stacks_cut_alike_are_one),
        cmocka_unit_test(no_stack_breaks_the_lines),
        cmocka_unit_test(nothing_counted_prints_nothing),
        cmocka_unit_test(folded_has_each_weight),
        cmocka_unit_test(flame_shows_bytes_and_escapes_names),
        cmocka_unit_test(massif_has_the_peak_and_the_end),
        cmocka_unit_test(heapprofile_and_csv),
        cmocka_unit_test(pprof_has_all_values),
        cmocka_unit_test(tables_by_function_object_and_stack),
        cmocka_unit_test(estimates_have_their_errors),
        cmocka_unit_test(what_is_not_known_is_not_shown),
        cmocka_unit_test(terminals_get_no_control_characters),
        cmocka_unit_test(the_page_has_everything_and_no_script),
        cmocka_unit_test(the_page_of_nothing),
        cmocka_unit_test(json_is_complete),
        cmocka_unit_test(json_as_it_stands),
        cmocka_unit_test(broken_json_is_refused),
        cmocka_unit_test(documents_are_known_by_their_beginning),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
