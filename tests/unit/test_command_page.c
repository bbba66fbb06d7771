/* The HTML page of hand-made reports of commands: well-formed, with the figures and sentences of
 * the text. With PAGES_DIR=FOLDER it only writes the pages that tests/browser looks at. */
#include "check_xml.h"
#include "command_texts.h"

#include <sys/stat.h>

#include "bench/command_render_parts.h"

enum { PAGE_BYTES_MAX = 16 << 20 };

/* The page's text; the caller frees it. */
static char *page_of(const pk_command_report *report) {
    pk_strbuf out;
    pk_err err = {0};
    pk_strbuf_init(&out, PAGE_BYTES_MAX);
    assert_ok(pk_command_page(report, &out, &err), &err);
    char *text = pk_strbuf_detach(&out, NULL);
    assert_non_null(text);
    assert_well_formed(text);
    assert_no_nan(text);
    return text;
}

static void several_commands_are_compared(void **state) {
    (void)state;
    pk_command_options options = command_options();
    pk_command_report report = command_report_full(&options);
    char *text = page_of(&report), words[PK_COMMAND_WORDS_MAX];
    assert_says(text, "<title>3 commands</title>");
    assert_says(text, "Wall time of each command");
    assert_says(text, "Against the reference");
    assert_says(text, "sort -g &lt;data | uniq</th>");
    for (size_t i = 1; i < 3; i++) {
        assert_says(text, pk_command_change_text(words, &report, i, 0));
        assert_says(text, pk_command_change_text(words, &report, i, 1));
    }
    assert_says(text, pk_command_stored_text(words, &report, 2, 0));
    assert_says(text, "Against sort -n data: 20 blocks of interleaved rounds.");
    assert_says(text, "<td class=\"number\">2.77 ± 0.11</td>"); /* as in the text */
    assert_says(text, pk_command_failed_text(words, &report, &report.results[1]));
    assert_says(text, "sort: cannot read:");
    assert_says(text, "<title>run 21: timed out after 1.5000 s</title>");
    assert_says(text, "<title>run 4: failed after 30.900 ms</title>");
    assert_says(text, "Failed runs beyond the picture stand at its edge.");
    assert_says(text, "Warning: 3 of 20 runs are outliers: trust the median");
    assert_says(text, "&lt;= 548 KiB (no more than the launcher takes)");
    assert_says(text, "Hardware counters: n/a.");
    assert_says(text, "Test CPU &lt;1&gt; &amp; Co");
    assert_lacks(text, "<script");
    free(text);
    command_report_end(&report);
}

static void figures_are_those_of_the_result(void **state) {
    (void)state;
    pk_command_options options = command_options();
    pk_command_report report = command_report_begin(&options);
    command_add(&report, "sort -n data", 0.0125, 0, 20);
    command_finish(&report);
    char *text = page_of(&report);
    assert_says(text, "<title>sort -n data</title>");
    assert_says(text, "12.50 ms ± 0 ns");
    assert_says(text, "<th scope=\"row\">CPU</th><td class=\"number\">9.375 ms</td>");
    assert_says(text, "<th scope=\"row\">peak memory</th><td class=\"number\">1.500 MiB</td>");
    assert_lacks(text, "Comparison");
    assert_lacks(text, "instructions");
    free(text);
    command_report_end(&report);
}

static void what_failed_altogether_has_a_page(void **state) {
    (void)state;
    pk_command_options options = command_options();
    pk_command_report report = command_report_begin(&options);
    pk_command_result *r = command_add(&report, "false", 0.001, 0, 5);
    for (size_t i = 0; i < 5; i++) command_fail(&r->runs[i], 1, 0);
    command_add(&report, "one run", 0.001, 0, 1);
    command_finish(&report);
    char *text = page_of(&report);
    assert_says(text, "5 of 5 runs failed (exit code 1); not in the figures.");
    free(text);
    report.n_results = 0;
    free(page_of(&report));
    command_report_end(&report);
}

/* Two commands over three values, behind a reference. */
static pk_command_report report_scan(pk_command_options *options) {
    static const pk_command_line commands[] = {{.text = "make -j{threads}"},
                                               {.text = "ninja -j{threads}"}};
    static const pk_parameter_value values[] = {
        {"threads", "1"}, {"threads", "2"}, {"threads", "4"}};
    options->commands = commands;
    options->n_commands = 2;
    pk_command_report report = command_report_begin(options);
    command_case(command_add(&report, "make", 2, 0.05, 20))->reference = true;
    for (size_t i = 0; i < 6; i++) {
        double wall = (i % 2 ? 1.5 : 2.0) / pow(2, (double)(i / 2));
        pk_command_result *r =
            command_add(&report, i % 2 ? "ninja -jN" : "make -jN", wall, wall * 0.02, 20);
        command_case(r)->parameters = &values[i / 2];
        command_case(r)->n_parameters = 1;
    }
    command_finish(&report);
    return report;
}

static void a_parameter_is_an_axis(void **state) {
    (void)state;
    pk_command_options options = command_options();
    pk_command_report report = report_scan(&options);
    char *text = page_of(&report);
    assert_says(text, "Wall time over threads");
    assert_says(text, ">make -j{threads}</p>");
    assert_says(text, ">ninja -j{threads}</p>");
    /* 1.5 s / 4, and a step of 2 % of it below the mean */
    assert_says(text,
                "<tr><td class=\"number\">4.0000</td><td class=\"number\">367.50 ms</td></tr>");
    free(text);
    command_case(&report.results[3])->n_parameters = 0;
    text = page_of(&report);
    assert_lacks(text, "Wall time over");
    free(text);
    command_report_end(&report);
}

static void no_room_is_an_error(void **state) {
    (void)state;
    pk_command_options options = command_options();
    pk_command_report report = command_report_full(&options);
    pk_strbuf out;
    pk_err err = {0};
    pk_strbuf_init(&out, 1000);
    assert_false(pk_command_page(&report, &out, &err));
    assert_int_equal(err.kind, PK_E_LIMIT);
    pk_strbuf_fini(&out);
    command_report_end(&report);
}

/* ---- for the browser ---- */

static void write_page(const char *folder, const char *name, const pk_command_report *report) {
    char directory[CHECK_PATH_MAX], path[CHECK_PATH_MAX + 16];
    char *text = page_of(report);
    check_path(directory, folder, name);
    assert_int_equal(mkdir(directory, 0755), 0);
    snprintf(path, sizeof path, "%s/index.html", directory);
    check_write_file(path, text);
    free(text);
}

/* Many commands, far apart, with names of all lengths. */
static pk_command_report report_many(const pk_command_options *options) {
    static const char *const names[] = {"true",
                                        "find /usr/share -name '*.h' -print0 | xargs -0 grep -l "
                                        "something-rather-long | sort | uniq "
                                        "-c",
                                        "make -j 1 (threads = 1)",
                                        "make -j 2 (threads = 2)",
                                        "make -j 4 (threads = 4)",
                                        "ls",
                                        "gzip -9 <archive.tar >/dev/null"};
    pk_command_report report = command_report_begin(options);
    double wall = 0.0004;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++, wall *= 4) {
        pk_command_result *r = command_add(&report, names[i], wall, wall * 0.02, 60);
        r->runs[17].wall_s = wall * 8;
        if (i == 0) continue;
        double ratio = pow(4, (double)i) - 1;
        r->change[0] = command_change(PK_REGRESSED, ratio * 0.95, ratio * 1.05);
        r->change[1] = command_change(PK_REGRESSED, ratio * 0.99, ratio * 1.01);
        r->change[0].grouped = r->change[1].grouped = true;
    }
    report.rounds = false;
    command_finish(&report);
    return report;
}

static void the_pages_for_the_browser(void **state) {
    (void)state;
    const char *folder = getenv("PAGES_DIR");
    pk_command_options options = command_options();
    pk_command_report report = command_report_full(&options);
    write_page(folder, "time", &report);
    report.n_results = 2;
    report.results[0].of = report.results[2].of;
    write_page(folder, "time_two", &report);
    report.n_results = 1;
    write_page(folder, "time_one", &report);
    command_report_end(&report);
    report = report_scan(&options);
    write_page(folder, "time_scan", &report);
    command_report_end(&report);
    options = command_options();
    report = report_many(&options);
    write_page(folder, "time_many", &report);
    command_report_end(&report);
}

int main(void) {
    const struct CMUnitTest browser[] = {cmocka_unit_test(the_pages_for_the_browser)};
    if (getenv("PAGES_DIR")) return cmocka_run_group_tests(browser, NULL, NULL);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(several_commands_are_compared),
        cmocka_unit_test(figures_are_those_of_the_result),
        cmocka_unit_test(what_failed_altogether_has_a_page),
        cmocka_unit_test(a_parameter_is_an_axis),
        cmocka_unit_test(no_room_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
