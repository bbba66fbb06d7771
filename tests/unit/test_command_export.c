/* Commands in the export formats: against golden files, and beside the installed hyperfine. */
#include "check_golden.h"
#include "command_texts.h"

#include "base/process.h"
#include "report/json_read.h"

/* ---- exports ---- */

static void exports_in_each_format(void **state) {
    (void)state;
    pk_command_options options = command_options();
    pk_command_report report = command_report_full(&options);
    for (size_t i = 0; i < report.n_results; i++) report.results[i].n_runs = 6;
    report.results[1].n_runs = 21;
    command_finish(&report);
    assert_golden("time_export.json", export_text(&report, PK_EXPORT_JSON, &own_style));
    assert_golden("time_hyperfine.json", export_text(&report, PK_EXPORT_JSON, &hyperfine_style));
    assert_golden("time.csv", export_text(&report, PK_EXPORT_CSV, &own_style));
    assert_golden("time_runs.csv", export_text(&report, PK_EXPORT_CSV_RUNS, &own_style));
    assert_golden("time.md", export_text(&report, PK_EXPORT_MARKDOWN, &own_style));
    assert_golden("time.adoc", export_text(&report, PK_EXPORT_ASCIIDOC, &own_style));
    assert_golden("time.org", export_text(&report, PK_EXPORT_ORG, &own_style));
    pk_command_style style = own_style;
    style.sort = PK_SORT_MEAN;
    style.unit = PK_UNIT_SECOND;
    assert_golden("time_sorted.md", export_text(&report, PK_EXPORT_MARKDOWN, &style));
    pk_strbuf out;
    pk_err err = {0};
    pk_strbuf_init(&out, TEXT_BYTES_MAX);
    assert_ok(pk_command_json(&report, &out, &err), &err);
    assert_golden("time.json", text_of(&out));
    command_report_end(&report);
}

static void one_run_has_null_in_json_and_0_in_csv(void **state) {
    (void)state;
    pk_command_options options = command_options();
    pk_command_report report = command_report_begin(&options);
    pk_command_result *r = command_add(&report, "say \"a, b\"", 0, 0, 1);
    r->runs[0].code = -1;
    r->runs[0].signal = 9;
    command_finish(&report);
    assert_text(export_text(&report, PK_EXPORT_JSON, &hyperfine_style),
                "{\n"
                "  \"results\": [\n"
                "    {\n"
                "      \"command\": \"say \\\"a, b\\\"\",\n"
                "      \"mean\": 0.0,\n"
                "      \"stddev\": null,\n"
                "      \"median\": 0.0,\n"
                "      \"user\": 0.0,\n"
                "      \"system\": 0.0,\n"
                "      \"min\": 0.0,\n"
                "      \"max\": 0.0,\n"
                "      \"times\": [\n"
                "        0.0\n"
                "      ],\n"
                "      \"memory_usage_byte\": [\n"
                "        1572864\n"
                "      ],\n"
                "      \"exit_codes\": [\n"
                "        137\n"
                "      ]\n"
                "    }\n"
                "  ]\n"
                "}\n");
    assert_text(export_text(&report, PK_EXPORT_CSV, &hyperfine_style),
                "command,mean,stddev,median,user,system,min,max\n"
                "\"say \"\"a, b\"\"\",0,0,0,0,0,0,0\n");
    command_case(r)->name = "say \"a\"";
    assert_text(export_text(&report, PK_EXPORT_CSV, &hyperfine_style),
                "command,mean,stddev,median,user,system,min,max\n"
                "\"say \"\"a\"\"\",0,0,0,0,0,0,0\n");
    command_report_end(&report);
}

static void tables_are_relative_to_the_fastest_even_with_a_reference(void **state) {
    (void)state;
    pk_command_options options = command_options();
    pk_command_report report = command_report_begin(&options);
    pk_command_result *r = command_add(&report, "a | b", 0.02, 0, 10);
    command_add(&report, "c", 0.01, 0, 10);
    command_case(r)->reference = true;
    command_finish(&report);
    assert_text(export_text(&report, PK_EXPORT_MARKDOWN, &hyperfine_style),
                "| Command | Mean [ms] | Min [ms] | Max [ms] | Relative |\n"
                "|:---|---:|---:|---:|---:|\n"
                "| `a \\| b` | 20.0 ± 0.0 | 20.0 | 20.0 | 2.00 ± 0.00 |\n"
                "| `c` | 10.0 ± 0.0 | 10.0 | 10.0 | 1.00 |\n");
    command_report_end(&report);
}

static void nothing_measured_is_still_a_document(void **state) {
    (void)state;
    pk_command_report report = command_report_begin(NULL);
    assert_text(export_text(&report, PK_EXPORT_JSON, &hyperfine_style),
                "{\n  \"results\": []\n}\n");
    assert_text(export_text(&report, PK_EXPORT_CSV, &hyperfine_style),
                "command,mean,stddev,median,user,system,min,max\n");
    pk_strbuf out;
    pk_err err = {0};
    pk_strbuf_init(&out, TEXT_BYTES_MAX);
    assert_ok(pk_command_json(&report, &out, &err), &err);
    pk_strbuf_fini(&out);
    pk_strbuf_init(&out, 10); /* no room */
    assert_false(pk_command_json(&report, &out, &err));
    assert_int_equal(err.kind, PK_E_LIMIT);
    pk_strbuf_fini(&out);
    command_report_end(&report);
}

/* ---- beside the installed hyperfine ---- */

#define PEER_NS (60 * PK_NS_PER_S)
enum { PEER_BYTES_MAX = 64 << 10 };

/* hyperfine's own files of three commands in folder, and what it printed in "text"; false: it is
 * not installed. Times above 1 ms, since 1.15 knows no microseconds. */
static bool peer_ran(const char *folder) {
    char path[6][CHECK_PATH_MAX];
    static const char *const names[] = {"json", "csv", "md", "adoc", "org", "text"};
    for (size_t i = 0; i < 6; i++) check_path(path[i], folder, names[i]);
    char *const argv[] = {"hyperfine",
                          "-N",
                          "-r",
                          "3",
                          "--style",
                          "color",
                          "-L",
                          "time",
                          "0.01,0.02,0.01",
                          "sleep {time}",
                          "--export-json",
                          path[0],
                          "--export-csv",
                          path[1],
                          "--export-markdown",
                          path[2],
                          "--export-asciidoc",
                          path[3],
                          "--export-orgmode",
                          path[4],
                          NULL};
    int out = open(path[5], O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
    int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
    pk_spawn_options options = PK_SPAWN_DEFAULT;
    options.stdout_fd = out;
    options.stderr_fd = null;
    pk_process process;
    pk_err err = {0};
    pk_exit ended = {0};
    assert_true(out >= 0 && null >= 0);
    bool ran = pk_process_spawn(argv, &options, &process, &err);
    if (ran) assert_true(pk_process_wait(&process, PEER_NS, &ended));
    close(out);
    close(null);
    if (ran) assert_int_equal(ended.code, 0);
    return ran;
}

static char *peer_text(const char *folder, const char *name) {
    char path[CHECK_PATH_MAX];
    char *text = calloc(1, PEER_BYTES_MAX);
    assert_non_null(text);
    return check_read_file(text, PEER_BYTES_MAX, check_path(path, folder, name));
}

/* The results of its JSON, figures as they stand there: it is the writing that is compared, and
 * their last digits depend on the order of summing. */
static pk_command_report peer_report(const pk_command_options *options, const char *json) {
    pk_err err = {0};
    pk_command_report report = command_report_begin(options);
    pk_json_reader reader = {.where = "json", .arena = report.arena, .err = &err};
    const pk_json_value *document = pk_json_read(&reader, json, strlen(json));
    const pk_json_value *results = pk_json_get_array(&reader, document, "results");
    for (const pk_json_value *o = results->first; o; o = o->next) {
        const pk_json_value *times = pk_json_get_array(&reader, o, "times");
        const pk_json_value *values = pk_json_get_object(&reader, o, "parameters");
        pk_parameter_value *parameter = PK_NEW(report.arena, 1, pk_parameter_value);
        double *wall;
        pk_command_result *r = command_add(&report, pk_json_get_text(&reader, o, "command"), 0, 0,
                                           pk_json_doubles_of(&reader, times, &wall));
        for (size_t i = 0; i < r->n_runs; i++) r->runs[i].wall_s = wall[i];
        *parameter = (pk_parameter_value){"time", pk_json_get_text(&reader, values, "time")};
        command_case(r)->parameters = parameter;
        command_case(r)->n_parameters = 1;
    }
    command_finish(&report);
    for (const pk_json_value *o = results->first; o; o = o->next) {
        pk_command_result *r = &report.results[o->index];
        r->wall.mean = pk_json_get_double(&reader, o, "mean");
        r->wall.sd = pk_json_get_double(&reader, o, "stddev");
        r->wall.median.point = pk_json_get_double(&reader, o, "median");
        r->user.mean = pk_json_get_double(&reader, o, "user");
        r->system.mean = pk_json_get_double(&reader, o, "system");
    }
    assert_false(reader.failed);
    return report;
}

/* Cuts what stands between begin and end, both included, wherever it is. */
static void cut(char *text, const char *begin, const char *end) {
    for (char *at = text; (at = strstr(at, begin));) {
        char *behind = strstr(at, end);
        assert_non_null(behind);
        behind += strlen(end);
        memmove(at, behind, strlen(behind) + 1);
    }
}

/* Line by line the same, but that its writer has an exponent below 1e-5. Frees ours. */
static void assert_same_json(char *ours, const char *theirs) {
    const char *a = ours, *b = theirs;
    while (*a && *b) {
        char left[256], right[256];
        double x = 0, y = 1;
        pk_err err = {0};
        size_t n = strcspn(a, "\n"), m = strcspn(b, "\n");
        snprintf(left, sizeof left, "%.*s", (int)n, a);
        snprintf(right, sizeof right, "%.*s", (int)m, b);
        a += n + (a[n] == '\n');
        b += m + (b[m] == '\n');
        if (strcmp(left, right) == 0) continue;
        char *number = strstr(left, ": "), *other = strstr(right, ": ");
        assert_true(number && other && strchr(other, 'e'));
        number[strcspn(number, ",")] = other[strcspn(other, ",")] = '\0';
        assert_ok(pk_parse_double(number + 2, &x, &err), &err);
        assert_ok(pk_parse_double(other + 2, &y, &err), &err);
        assert_near(x, y, 0);
    }
    assert_int_equal(*a, *b);
    free(ours);
}

/* 1.15 puts the names of its summary between quotes; later ones, and we, do not. */
static void the_installed_hyperfine_writes_the_same_bytes(void **state) {
    const char *folder = *state;
    static const struct {
        pk_command_export format;
        const char *file;
    } tables[] = {{PK_EXPORT_CSV, "csv"},
                  {PK_EXPORT_MARKDOWN, "md"},
                  {PK_EXPORT_ASCIIDOC, "adoc"},
                  {PK_EXPORT_ORG, "org"}};
    if (!peer_ran(folder)) skip();
    pk_command_options options = command_options();
    pk_command_style style = hyperfine_style;
    style.colour = true;
    char *json = peer_text(folder, "json"), *theirs = peer_text(folder, "text");
    pk_command_report report = peer_report(&options, json);
    char *ours = shown_text(&report, &style, false);
    for (char *quote; (quote = strchr(theirs, '\''));) memmove(quote, quote + 1, strlen(quote));
    assert_text(ours, theirs);
    char *mine = export_text(&report, PK_EXPORT_JSON, &hyperfine_style);
    if (!strstr(json, "memory_usage_byte"))
        cut(mine, "      \"memory_usage_byte\"", "],\n"); /* from 1.20 on */
    assert_same_json(mine, json);
    for (size_t i = 0; i < sizeof tables / sizeof tables[0]; i++) {
        char *expected = peer_text(folder, tables[i].file);
        assert_text(export_text(&report, tables[i].format, &hyperfine_style), expected);
        free(expected);
    }
    free(theirs);
    free(json);
    command_report_end(&report);
}

static int folder_begin(void **state) {
    static char folder[CHECK_PATH_MAX];
    check_folder_begin(folder);
    *state = folder;
    return 0;
}

static int folder_end(void **state) {
    check_folder_end(*state);
    return 0;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(exports_in_each_format),
        cmocka_unit_test(one_run_has_null_in_json_and_0_in_csv),
        cmocka_unit_test(tables_are_relative_to_the_fastest_even_with_a_reference),
        cmocka_unit_test(nothing_measured_is_still_a_document),
        cmocka_unit_test_setup_teardown(the_installed_hyperfine_writes_the_same_bytes, folder_begin,
                                        folder_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
