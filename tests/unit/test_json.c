#include "report/json.h"

#include "check.h"

#include <cjson/cJSON.h>
#include <errno.h>
#include "base/process.h"
#include "base/version.h"

/* The text of a document, which it frees. The caller frees the text. */
static char *text_of(pk_json *document) {
    char *text;
    size_t bytes;
    FILE *out = open_memstream(&text, &bytes);
    assert_non_null(out);
    pk_err err;
    assert_ok(pk_json_write(out, document, &err), &err);
    assert_int_equal(fclose(out), 0);
    pk_json_free(document);
    return text;
}

static void check_text(pk_json *document, const char *expected) {
    char *text = text_of(document);
    assert_string_equal(text, expected);
    free(text);
}

#define HEAD "{\n  \"perfkit\": \"" PK_VERSION "\",\n  \"schema\": \"test/1\""

static void a_document_names_program_and_schema_first(void **state) {
    (void)state;
    check_text(pk_json_document("test/1"), HEAD "\n}\n");
}

static void nesting_is_indented_by_two(void **state) {
    (void)state;
    pk_json *d = pk_json_document("test/1");
    pk_json *o = pk_json_object(d, "inner");
    pk_json_bool(o, "yes", true);
    pk_json_bool(o, "no", false);
    pk_json *a = pk_json_array(o, "list");
    pk_json_uint(a, NULL, 1);
    pk_json_text(a, NULL, "two");
    pk_json *in_list = pk_json_object(a, NULL);
    pk_json_null(in_list, "n");
    pk_json_array(a, NULL);
    pk_json_object(d, "empty");
    check_text(d, HEAD ",\n"
                       "  \"inner\": {\n"
                       "    \"yes\": true,\n"
                       "    \"no\": false,\n"
                       "    \"list\": [\n"
                       "      1,\n"
                       "      \"two\",\n"
                       "      {\n"
                       "        \"n\": null\n"
                       "      },\n"
                       "      []\n"
                       "    ]\n"
                       "  },\n"
                       "  \"empty\": {}\n"
                       "}\n");
}

static void compact_has_no_blanks_and_no_line_break(void **state) {
    (void)state;
    char *text;
    size_t bytes;
    pk_err err;
    FILE *out = open_memstream(&text, &bytes);
    pk_json *d = pk_json_new();
    pk_json *a = pk_json_array(d, "list");
    pk_json_double(a, NULL, 1.5);
    pk_json_text(pk_json_object(a, NULL), "key", "a \"b\"");
    pk_json_object(d, "empty");
    assert_ok(pk_json_write_compact(out, d, &err), &err);
    fclose(out);
    assert_string_equal(text, "{\"list\":[1.5,{\"key\":\"a \\\"b\\\"\"}],\"empty\":{}}");
    free(text);
    pk_json_free(d);
}

static void integers_are_exact_over_their_whole_range(void **state) {
    (void)state;
    pk_json *d = pk_json_document("test/1");
    pk_json_uint(d, "zero", 0);
    pk_json_uint(d, "exact", 9007199254740992);
    pk_json_uint(d, "odd", 9007199254740993);
    pk_json_uint(d, "most", UINT64_MAX);
    pk_json_int(d, "minus", -1);
    pk_json_int(d, "minus_odd", -9007199254740993);
    pk_json_int(d, "least", INT64_MIN);
    check_text(d, HEAD ",\n"
                       "  \"zero\": 0,\n"
                       "  \"exact\": 9007199254740992,\n"
                       "  \"odd\": 9007199254740993,\n"
                       "  \"most\": 18446744073709551615,\n"
                       "  \"minus\": -1,\n"
                       "  \"minus_odd\": -9007199254740993,\n"
                       "  \"least\": -9223372036854775808\n"
                       "}\n");
}

static void doubles_are_short_and_what_is_no_number_is_null(void **state) {
    (void)state;
    pk_json *d = pk_json_document("test/1");
    pk_json *a = pk_json_array(d, "x");
    static const double values[] = {0.1,      1.0 / 3, 5,        1e15,     1e300,
                                    -2.5e-12, NAN,     INFINITY, -INFINITY};
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++)
        pk_json_double(a, NULL, values[i]);
    char *text = text_of(d);
    const char *list = strchr(text, '[');
    assert_non_null(list);
    assert_string_equal(list,
                        "[\n    0.1,\n    0.3333333333333333,\n    5,\n    1000000000000000,\n"
                        "    1e300,\n    -2.5e-12,\n    null,\n    null,\n    null\n  ]\n}\n");
    free(text);
}

static void every_double_reads_back_as_itself(void **state) {
    (void)state;
    uint64_t random = 88172645463325252ull;
    pk_json *d = pk_json_document("test/1");
    pk_json *a = pk_json_array(d, "x");
    double values[2000];
    for (int i = 0; i < 2000;) {
        random ^= random << 13, random ^= random >> 7, random ^= random << 17;
        memcpy(&values[i], &random, sizeof random);
        if (isfinite(values[i])) pk_json_double(a, NULL, values[i++]);
    }
    char *text = text_of(d);
    cJSON *again = cJSON_Parse(text);
    assert_non_null(again);
    int i = 0;
    for (const cJSON *v = cJSON_GetObjectItem(again, "x")->child; v; v = v->next, i++)
        assert_memory_equal(&v->valuedouble, &values[i], sizeof values[i]);
    assert_int_equal(i, 2000);
    cJSON_Delete(again);
    free(text);
}

static void text_is_escaped_as_rfc_8259_says(void **state) {
    (void)state;
    pk_json *d = pk_json_document("test/1");
    pk_json_text(d, "t", "quote \" back \\ slash / \b\f\n\r\t \x01\x1f\x7f");
    pk_json_text(d, "u", "\xc3\xa4 \xf0\x9f\x98\x80 \xe2\x80\xa8");
    pk_json_text(d, "bad",
                 "a\xff"
                 "b\xc0\xaf");
    pk_json_text(d, "none", NULL);
    pk_json_text(d, "k\"e\ny\xff", "");
    check_text(d, HEAD
               ",\n"
               "  \"t\": \"quote \\\" back \\\\ slash / \\b\\f\\n\\r\\t \\u0001\\u001f\x7f\",\n"
               "  \"u\": \"\xc3\xa4 \xf0\x9f\x98\x80 \xe2\x80\xa8\",\n"
               "  \"bad\": \"a\xef\xbf\xbd"
               "b\xef\xbf\xbd\xef\xbf\xbd\",\n"
               "  \"none\": null,\n"
               "  \"k\\\"e\\ny\xef\xbf\xbd\": \"\"\n"
               "}\n");
}

/* All that a document can hold. */
static pk_json *everything(void) {
    pk_json *d = pk_json_document("test/1");
    pk_json *o = pk_json_object(d, "o");
    pk_json *a = pk_json_array(o, "a");
    char all[257];
    for (int c = 1; c < 256; c++) all[c - 1] = (char)c;
    all[255] = '\0';
    pk_json_text(a, NULL, all);
    pk_json_text(o, all, "key");
    pk_json_double(a, NULL, 0.1);
    pk_json_double(a, NULL, 5e-324);
    pk_json_double(a, NULL, NAN);
    pk_json_uint(a, NULL, UINT64_MAX);
    pk_json_int(o, "i", INT64_MIN);
    pk_json_bool(o, "b", true);
    pk_json_null(o, "n");
    return d;
}

static void check_reader(char *const argv[]) {
    char folder[CHECK_PATH_MAX], path[CHECK_PATH_MAX];
    char *text = text_of(everything());
    check_folder_begin(folder);
    check_write_file(check_path(path, folder, "in.json"), text);
    free(text);
    int in = open(path, O_RDONLY | O_CLOEXEC), nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);
    pk_spawn_options options = PK_SPAWN_DEFAULT;
    options.stdin_fd = in;
    options.stdout_fd = nowhere;
    pk_process process;
    pk_exit ended = {.code = -1};
    pk_err err;
    bool started = pk_process_spawn(argv, &options, &process, &err);
    bool finished = started && pk_process_wait(&process, 30000000000ull, &ended);
    close(in);
    close(nowhere);
    check_folder_end(folder);
    if (!started) {
        print_message("%s is not here to read it\n", argv[0]);
        skip();
    }
    assert_true(finished);
    assert_int_equal(ended.code, 0);
}

static void python_reads_it(void **state) {
    (void)state;
    char *python[] = {"python3", "-c",
                      "import json,sys\n"
                      "a=json.load(sys.stdin.buffer)['o']['a']\n"
                      "assert a[0].startswith(''.join(map(chr,range(1,128)))), a[0]\n"
                      "assert a[1]==0.1 and a[2]==5e-324 and a[3] is None and a[4]==2**64-1, a",
                      NULL};
    check_reader(python);
}

static void jq_reads_it(void **state) {
    (void)state;
    char *jq[] = {"jq", "-e", ".o.b and .o.a[1] == 0.1 and .o.a[3] == null", NULL};
    check_reader(jq);
}

/* cJSON calls this one; call number fail_at gets nothing. */
static long allocations, fail_at;

static void *failing_malloc(size_t bytes) {
    return ++allocations == fail_at ? NULL : malloc(bytes);
}

static void a_document_that_lost_a_part_is_never_written(void **state) {
    (void)state;
    cJSON_Hooks hooks = {.malloc_fn = failing_malloc, .free_fn = free};
    cJSON_InitHooks(&hooks);
    bool ok = false;
    for (fail_at = 1; !ok; fail_at++) {
        allocations = 0;
        pk_json *document = everything();
        char *text;
        size_t bytes;
        pk_err err = {0};
        FILE *out = open_memstream(&text, &bytes);
        ok = pk_json_write(out, document, &err);
        fclose(out);
        if (!ok) {
            assert_int_equal(bytes, 0);
            assert_int_equal(err.kind, PK_E_LIMIT);
        }
        assert_true(ok == (allocations < fail_at));
        free(text);
        pk_json_free(document);
    }
    cJSON_InitHooks(NULL);
    assert_true(fail_at > 20);
}

static void nothing_under_construction_is_no_crash(void **state) {
    (void)state;
    pk_err err = {0};
    pk_json_text(NULL, "k", "v");
    pk_json_double(NULL, NULL, 1);
    assert_null(pk_json_object(NULL, "k"));
    assert_null(pk_json_array(NULL, "k"));
    assert_false(pk_json_write(stdout, NULL, &err));
    assert_int_equal(err.kind, PK_E_LIMIT);
    pk_json_free(NULL);
}

static void a_full_disk_is_an_error(void **state) {
    (void)state;
    FILE *out = fopen("/dev/full", "w");
    if (!out) {
        print_message("there is no /dev/full here\n");
        skip();
    }
    pk_err err = {0};
    pk_json *d = pk_json_document("test/1");
    assert_false(pk_json_write(out, d, &err));
    assert_int_equal(err.kind, PK_E_SYS);
    assert_int_equal(err.sys_errno, ENOSPC);
    pk_json_free(d);
    fclose(out);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_document_names_program_and_schema_first),
        cmocka_unit_test(nesting_is_indented_by_two),
        cmocka_unit_test(compact_has_no_blanks_and_no_line_break),
        cmocka_unit_test(integers_are_exact_over_their_whole_range),
        cmocka_unit_test(doubles_are_short_and_what_is_no_number_is_null),
        cmocka_unit_test(every_double_reads_back_as_itself),
        cmocka_unit_test(text_is_escaped_as_rfc_8259_says),
        cmocka_unit_test(python_reads_it),
        cmocka_unit_test(jq_reads_it),
        cmocka_unit_test(a_document_that_lost_a_part_is_never_written),
        cmocka_unit_test(nothing_under_construction_is_no_crash),
        cmocka_unit_test(a_full_disk_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
