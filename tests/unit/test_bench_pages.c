/* The HTML pages of hand-made results: well-formed, with the figures and sentences of the other
 * reports, laid out in the store as Criterion does.
 * With PAGES_DIR=FOLDER it only writes the pages that tests/browser looks at into that folder. */
#include "bench_result.h"
#include "check_xml.h"

#include "base/file.h"
#include "bench/page_charts.h"
#include "bench/page_parts.h"
#include "bench/pages.h"
#include "bench/words.h"

static pk_bench_page_entry entry_of(pk_bench_report *report, const pk_bench_result *r) {
    char directory[512];
    assert_true(pk_store_directory(r->group, r->function, r->value, directory, sizeof directory));
    pk_bench_page_entry entry = {.result = r, .fresh = true};
    entry.directory = pk_arena_strdup(report->arena, directory);
    assert_non_null(entry.directory);
    return entry;
}

/* The page's text; the caller frees it. */
static char *benchmark_page(pk_bench_report *report, const pk_bench_result *r, size_t n,
                            const pk_bench_session sessions[]) {
    char *text = NULL;
    size_t bytes = 0;
    pk_err err = {0};
    FILE *out = open_memstream(&text, &bytes);
    assert_non_null(out);
    pk_bench_page_entry entry = entry_of(report, r);
    assert_ok(pk_bench_page_benchmark(out, &entry, report, n, sessions, &err), &err);
    assert_int_equal(fclose(out), 0);
    assert_well_formed(text);
    assert_no_nan(text);
    return text;
}

static char *group_page(pk_bench_report *report, size_t first, size_t n) {
    char *text = NULL;
    size_t bytes = 0;
    pk_err err = {0};
    pk_bench_page_entry entries[64];
    assert_in_range(n, 1, 64);
    for (size_t i = 0; i < n; i++) entries[i] = entry_of(report, &report->results[first + i]);
    FILE *out = open_memstream(&text, &bytes);
    assert_non_null(out);
    assert_ok(pk_bench_page_group(out, entries[0].result->group, n, entries, &err), &err);
    assert_int_equal(fclose(out), 0);
    assert_well_formed(text);
    assert_no_nan(text);
    return text;
}

#define assert_says(text, what) check_says((text), (what), __FILE__, __LINE__)
static void check_says(const char *text, const char *what, const char *file, int line) {
    if (strstr(text, what)) return;
    print_error("the page does not say \"%s\"\n", what);
    _fail(file, line);
}

/* ---- one benchmark ---- */

static void every_kind_of_result_has_a_page(void **state) {
    (void)state;
    pk_bench_report report = bench_report_full();
    bench_add_partial(&report);
    for (size_t i = 0; i < report.n_results; i++) {
        const pk_bench_result *r = &report.results[i];
        char *text = benchmark_page(&report, r, 0, NULL);
        char words[PK_WORDS_MAX];
        if (r->change.source != PK_CHANGE_NONE)
            assert_says(text, pk_words_verdict(words, sizeof words, r));
        if (!r->failed) assert_says(text, pk_words_headline(words, sizeof words, r));
        assert_says(text, "Test CPU &lt;1&gt; &amp; Co");
        assert_says(text, "Warning: the governor is powersave, not performance");
        free(text);
    }
    bench_report_end(&report);
}

static void figures_are_those_of_the_result(void **state) {
    (void)state;
    pk_bench_report report = bench_report_begin();
    char *text = benchmark_page(&report, bench_add_regressed(&report), 0, NULL);
    assert_says(text, "<th scope=\"row\">time</th><td class=\"number\">12.980 µs</td>"
                      "<td class=\"number\">13.020 µs</td><td class=\"number\">13.060 µs</td>");
    assert_says(text, "<th scope=\"row\">median</th><td class=\"number\">12.960 µs</td>");
    assert_says(text, "standard deviation</th><td class=\"number\">63.007 ns</td>");
    assert_says(text, "regressed: +3.1 % slower (95 % CI +2.6 .. +3.6)");
    assert_says(text, "<th scope=\"row\">time</th><td class=\"number\">+2.6 %</td>"
                      "<td class=\"number\">+3.1 %</td><td class=\"number\">+3.6 %</td>");
    assert_says(text, "<th scope=\"row\">high severe</th><td class=\"number\">1</td>"
                      "<td class=\"number\">5.00 %</td>");
    assert_null(strstr(text, "low severe</th>")); /* there are none */
    assert_says(text, "worker 15: 13.380 µs (severe outlier)");
    assert_int_equal(count_of(text, "<title>worker 15: "), 2); /* below the density, and in order */
    assert_says(text, "Distribution of the time");
    assert_says(text, "Workers in the order they ran");
    assert_says(text, "Base against new");
    assert_says(text, "Change seen by each worker");
    assert_null(strstr(text, "throughput"));
    assert_null(strstr(text, "History"));
    free(text);
    bench_report_end(&report);
}

static void throughput_goes_against_the_time(void **state) {
    (void)state;
    pk_bench_report report = bench_report_begin();
    char *text = benchmark_page(&report, bench_add_elements(&report), 0, NULL);
    /* 4096 elements in 82420, 81920, 81420 ns */
    assert_says(text,
                "<th scope=\"row\">throughput</th><td class=\"number\">49.697 Melem/s</td>"
                "<td class=\"number\">50.000 Melem/s</td><td class=\"number\">50.307 Melem/s</td>");
    /* 1 / 0.962 - 1, 1 / 0.958 - 1, 1 / 0.954 - 1 */
    assert_says(text, "<th scope=\"row\">throughput</th><td class=\"number\">+4.0 %</td>"
                      "<td class=\"number\">+4.4 %</td><td class=\"number\">+4.8 %</td>");
    free(text);
    text = benchmark_page(&report, bench_add_bytes(&report), 0, NULL);
    assert_says(text, "14.901 GiB/s"); /* 1 MiB in 65536 ns */
    assert_null(strstr(text, "Base against new"));
    free(text);
    bench_report_end(&report);
}

static void short_work_has_its_parts(void **state) {
    (void)state;
    pk_bench_report report = bench_report_begin();
    char *text = benchmark_page(&report, bench_add_parts(&report), 0, NULL);
    assert_says(text, "<th scope=\"row\">throughput</th><td class=\"number\">65.000 ps</td>");
    assert_says(text, "<th scope=\"row\">latency</th><td class=\"number\">1.3500 ns</td>");
    assert_says(text, "<th scope=\"row\">call</th><td class=\"number\">925.00 ps</td>");
    assert_says(text, "<th scope=\"row\">loop</th><td class=\"number\">230.60 ps</td>");
    assert_null(strstr(text, "Change seen by each worker")); /* stored: no pairs */
    free(text);
    bench_report_end(&report);
}

static void failures_are_told_with_what_was_printed(void **state) {
    (void)state;
    pk_bench_report report = bench_report_begin();
    const pk_bench_result *r = bench_add_failed(&report, "refused", PK_FAIL_REFUSED, 0,
                                                "the compiler removed the work", "<b>\x1b[31m\xff");
    char *text = benchmark_page(&report, r, 0, NULL);
    assert_says(text, "refused: the compiler removed the work");
    assert_says(text, "<pre>&lt;b&gt;\xef\xbf\xbd[31m\xef\xbf\xbd</pre>");
    assert_null(strstr(text, "<svg"));
    free(text);
    r = bench_add_failed(&report, "crash", PK_FAIL_SIGNAL, 11, "", "");
    text = benchmark_page(&report, r, 0, NULL);
    assert_says(text, "killed by SIGSEGV");
    free(text);
    bench_report_end(&report);
}

static void names_from_outside_stay_text(void **state) {
    (void)state;
    pk_bench_report report = bench_report_begin();
    pk_bench_result *r = bench_add(&report, "g<1>", "</title><script>&\"'", "#1?", 100, 1);
    bench_compare(&report, r, PK_CHANGE_LIVE, PK_NO_CHANGE, 0.001, 0.002);
    r->change.baseline = "<i>main</i>";
    r->object = "./a&b.so";
    char *text = benchmark_page(&report, r, 0, NULL);
    assert_null(strstr(text, "<script"));
    assert_null(strstr(text, "<i>"));
    assert_says(text, "./a&amp;b.so");
    free(text);
    text = group_page(&report, 0, 1);
    assert_null(strstr(text, "<script"));
    assert_null(strstr(text, "href=\"../../g<"));
    free(text);
    bench_report_end(&report);
}

static void a_page_links_up_to_its_group_and_the_index(void **state) {
    (void)state;
    pk_bench_report report = bench_report_begin();
    char *text = benchmark_page(&report, bench_add(&report, "a b", "f", "5", 10, 1), 0, NULL);
    assert_says(text, "<a href=\"../../../../report/index.html\">Benchmarks</a>");
    assert_says(text, "<a href=\"../../../../a%20b/report/index.html\">a b</a>");
    free(text);
    text = benchmark_page(&report, bench_add(&report, "alone", NULL, NULL, 10, 1), 0, NULL);
    assert_says(text, "<a href=\"../../report/index.html\">Benchmarks</a>");
    assert_null(strstr(text, ">alone</a>")); /* its own page is in the group's place */
    free(text);
    bench_report_end(&report);
}

/* ---- the past ---- */

static void make_sessions(pk_bench_session *sessions, size_t n, double ns) {
    memset(sessions, 0, n * sizeof *sessions);
    for (size_t i = 0; i < n; i++) {
        pk_bench_session *s = &sessions[i];
        s->time_unix_ns = 1700000000ull * PK_NS_PER_S + i * 86400 * PK_NS_PER_S;
        s->typical_ns = ns * (1 + 0.01 * sin((double)i * 1.7) + (i > n / 2 ? 0.03 : 0));
        s->low_ns = s->typical_ns * 0.995;
        s->high_ns = s->typical_ns * 1.005;
        s->change = i ? 0.01 * cos((double)i) : NAN;
        snprintf(s->artefact, sizeof s->artefact, "%064zu", i);
        snprintf(s->verdict, sizeof s->verdict, "%s", i % 3 ? "no change" : "regressed");
        if (i % 7 == 0) snprintf(s->history_id, sizeof s->history_id, "v1.%zu <x>", i);
    }
}

static void the_history_shows_the_newest_runs(void **state) {
    (void)state;
    static pk_bench_session sessions[500];
    pk_bench_report report = bench_report_begin();
    const pk_bench_result *r = bench_add(&report, "g", "f", NULL, 1000, 1);
    make_sessions(sessions, 500, 1000);
    char *text = benchmark_page(&report, r, 1, sessions);
    assert_null(strstr(text, "History"));
    free(text);
    text = benchmark_page(&report, r, 14, sessions);
    assert_int_equal(count_of(text, "<title>run "), 14 + 5); /* regressed ones have two marks */
    assert_says(text, "<title>run 8, 2023-11-21 22:13:20 UTC: ");
    assert_says(text, "v1.7 &lt;x&gt;");
    free(text);
    text = benchmark_page(&report, r, 500, sessions);
    assert_int_equal(count_of(text, "<title>run 1,"), 2); /* regressed too: the newest 200 ... */
    assert_int_equal(count_of(text, "<title>run 200,"), 1);
    assert_int_equal(count_of(text, "<title>run 201,"), 0);
    free(text);
    bench_report_end(&report);
}

/* ---- domains ---- */

static void a_far_value_does_not_shrink_the_picture_but_a_second_group_does(void **state) {
    (void)state;
    double sorted[100], low, high;
    size_t beyond;
    for (size_t i = 0; i < 100; i++) sorted[i] = 1000 + (double)i / 10;
    pk_page_domain(sorted, 100, 0, &low, &high, &beyond);
    assert_int_equal(beyond, 0);
    assert_true(low < 1000 && high > 1009.9);
    sorted[98] = sorted[99] = 90000;
    pk_page_domain(sorted, 100, 0, &low, &high, &beyond);
    assert_int_equal(beyond, 2);
    assert_true(high < 1100);
    for (size_t i = 85; i < 100; i++) sorted[i] = 2000;
    pk_page_domain(sorted, 100, 0, &low, &high, &beyond);
    assert_int_equal(beyond, 0);
    assert_true(high > 2000);
    pk_page_domain(sorted, 0, 0, &low, &high, &beyond);
    assert_true(isnan(low) && isnan(high));
    pk_page_domain(sorted, 1, 0, &low, &high, &beyond);
    assert_true(low == 1000 && high == 1000 && beyond == 0);
}

/* ---- groups ---- */

static void a_group_finds_how_the_time_grows(void **state) {
    (void)state;
    pk_bench_report report = bench_report_begin();
    bench_add_scan(&report);
    char *text = group_page(&report, 0, 4);
    assert_says(text, "<td>N lg N</td><td class=\"number\">2.0000 ns</td>");
    assert_says(text, "Time over the parameter");
    assert_says(text, "parameter, logarithmic");
    assert_says(text, "<a href=\"../../scan/merge/1024/report/index.html\">merge/1024</a>");
    assert_says(text, "<td class=\"number\">160</td>"); /* times the fastest: 20480 / 128 */
    assert_null(strstr(text, "verdict")); /* compared with nothing: no empty columns */
    free(text);
    bench_report_end(&report);
}

static void a_parameter_of_0_has_no_logarithm(void **state) {
    (void)state;
    pk_bench_report report = bench_report_begin();
    bench_add(&report, "fib", "f", "0", 1, 0.01);
    bench_add(&report, "fib", "f", "10", 100, 1);
    bench_add(&report, "fib", "f", "20", 12000, 10);
    char *text = group_page(&report, 0, 3);
    assert_says(text, "Time over the parameter, logarithmic");
    assert_null(
        strstr(text, ">parameter, logarithmic</text>")); /* the time is, the parameter is not */
    assert_null(strstr(text, "Complexity")); /* two values above 0 are too few for a growth */
    free(text);
    bench_report_end(&report);
}

static void throughput_is_drawn_only_where_all_have_the_same_kind(void **state) {
    (void)state;
    pk_bench_report report = bench_report_begin();
    pk_bench_result *a = bench_add(&report, "g", "a", NULL, 100, 1);
    pk_bench_result *b = bench_add(&report, "g", "b", NULL, 200, 1);
    a->throughput = b->throughput = (pk_bench_throughput){true, true, 64};
    char *text = group_page(&report, 0, 2);
    assert_says(text, ">throughput (MiB/s)</text>");
    free(text);
    b->throughput.bytes = false;
    text = group_page(&report, 0, 2);
    assert_null(strstr(text, ">throughput ("));
    assert_says(text, "610.35 MiB/s"); /* the table has each one's own: 64 B in 100 ns */
    assert_says(text, "320.00 Melem/s");
    free(text);
    bench_report_end(&report);
}

static void a_group_of_failures_has_a_page(void **state) {
    (void)state;
    pk_bench_report report = bench_report_begin();
    bench_add_failed(&report, "crash", PK_FAIL_SIGNAL, 11, "", "");
    bench_add_failed(&report, "exit", PK_FAIL_EXIT, 3, "", "");
    char *text = group_page(&report, 0, 2);
    assert_int_equal(count_of(text, ">failed</td>"), 2);
    assert_null(strstr(text, "<svg"));
    free(text);
    bench_report_end(&report);
}

/* ---- the store ---- */

static char *read_page(const char *home, const char *directory) {
    char path[CHECK_PATH_MAX * 2];
    pk_strbuf text;
    pk_err err = {0};
    snprintf(path, sizeof path, "%s/%s%sreport/index.html", home, directory, *directory ? "/" : "");
    pk_strbuf_init(&text, 16 << 20);
    assert_ok(pk_file_read(path, 16 << 20, &text, &err), &err);
    return pk_strbuf_detach(&text, NULL);
}

/* Saves what was measured, then writes the pages. */
static void save_and_write(const char *home, const pk_bench_report *report) {
    pk_err err = {0};
    pk_store *store = pk_store_open(home, true, true, &err);
    assert_ok(store != NULL, &err);
    for (size_t i = 0; i < report->n_results; i++)
        if (!report->results[i].failed)
            assert_ok(pk_store_save(store, &report->results[i], report, "main", &err), &err);
    assert_ok(pk_bench_write_pages(store, report, &err), &err);
    pk_store_close(store);
}

static void pages_lie_where_criterion_has_them(void **state) {
    const char *home = *state;
    pk_bench_report report = bench_report_full();
    save_and_write(home, &report);
    static const char *const directories[] = {"",     "fib",       "fib/recursive/20",
                                              "scan", "bad/crash", "copy/1048576"};
    for (size_t i = 0; i < sizeof directories / sizeof directories[0]; i++) {
        char *text = read_page(home, directories[i]);
        assert_well_formed(text);
        assert_no_nan(text);
        free(text);
    }
    char *index = read_page(home, "");
    for (size_t i = 0; i < report.n_results; i++) assert_says(index, report.results[i].id);
    assert_says(index, "<a href=\"../fib/recursive/20/report/index.html\">fib/recursive/20</a>");
    assert_says(index, "<a href=\"../fib/report/index.html\">fib</a>");
    assert_says(index,
                "<th scope=\"row\" class=\"number bad\">1</th>" /* regressed, improved, ... */
                "<td class=\"number good\">1</td><td class=\"number warn\">2</td>"
                "<td class=\"number muted\">2</td><td class=\"number\">5</td>"
                "<td class=\"number bad\">1</td>");
    assert_true(strstr(index, "scan/merge/64<") < strstr(index, "scan/merge/256<")); /* by size */
    free(index);
    bench_report_end(&report);
}

static void a_later_run_leaves_the_other_pages_alone(void **state) {
    const char *home = *state;
    pk_bench_report report = bench_report_begin();
    bench_add(&report, "g", "old", NULL, 100, 1);
    bench_add(&report, "g", "both", NULL, 200, 1);
    bench_add(&report, "other", "x", NULL, 300, 1);
    save_and_write(home, &report);
    char *old = read_page(home, "g/old"), *other = read_page(home, "other");
    bench_report_end(&report);

    report = bench_report_begin();
    report.started_unix_ns += 3600 * PK_NS_PER_S;
    bench_add(&report, "g", "both", NULL, 250, 1);
    save_and_write(home, &report);
    char *now = read_page(home, "g/old");
    assert_string_equal(now, old);
    free(now);
    now = read_page(home, "other");
    assert_string_equal(now, other);
    free(now);
    now = read_page(home, "g/both");
    assert_says(now, "250.00 ns");
    assert_says(now, "History"); /* two runs by now */
    free(now);
    now = read_page(home, "g"); /* what was measured before is still in the group */
    assert_says(now, "100.00 ns");
    assert_says(now, "250.00 ns");
    free(now);
    now = read_page(home, "");
    assert_says(now, "3 benchmarks, 1 of them measured in the last run");
    assert_says(now, "300.00 ns");
    free(now);
    free(old);
    free(other);
    bench_report_end(&report);
}

/* Without our own file the folder is what Criterion itself leaves. */
static void what_criterion_alone_has_stored_is_listed(void **state) {
    const char *home = *state;
    char path[CHECK_PATH_MAX];
    pk_bench_report report = bench_report_begin();
    bench_add(&report, "g", "theirs", "7", 100, 1);
    save_and_write(home, &report);
    bench_report_end(&report);
    assert_int_equal(unlink(check_path(path, home, "g/theirs/7/new/perfkit.json")), 0);

    report = bench_report_begin();
    bench_add(&report, "g", "ours", "7", 250, 1);
    save_and_write(home, &report);
    char *text = read_page(home, "");
    assert_says(text, "2 benchmarks, 1 of them measured in the last run");
    assert_says(text, ">g/theirs/7</a></th><td class=\"number\">100.00 ns</td>"
                      "<td class=\"number\">99.000 ns .. 101.00 ns</td>");
    free(text);
    text = read_page(home, "g");
    assert_says(text, ">theirs/7</a></th><td class=\"number\">100.00 ns</td>");
    free(text);
    bench_report_end(&report);
}

static void a_place_that_cannot_be_written_is_an_error(void **state) {
    const char *home = *state;
    pk_bench_report report = bench_report_begin();
    pk_err err = {0};
    char path[CHECK_PATH_MAX];
    bench_add(&report, "g", "f", NULL, 100, 1);
    pk_store *store = pk_store_open(home, true, true, &err);
    assert_ok(store != NULL, &err);
    assert_ok(pk_store_save(store, &report.results[0], &report, NULL, &err), &err);
    check_write_file(check_path(path, home, "g/f/report"), "a file in the way");
    assert_fails(pk_bench_write_pages(store, &report, &err), &err, PK_E_SYS);
    assert_non_null(strstr(err.where, "g/f/report"));
    pk_store_close(store);
    bench_report_end(&report);
}

/* ---- for the browser ---- */

/* Three functions over a parameter, and names as long as they come. */
static void add_wide(pk_bench_report *report) {
    static const char *const values[] = {"0", "5", "10", "15", "20", "25"};
    static const double n[] = {0, 5, 10, 15, 20, 25};
    for (size_t i = 0; i < 6; i++) {
        bench_add(report, "growth", "recursive", values[i], 2 * pow(1.618, n[i]), 0.02);
        bench_add(report, "growth", "iterative", values[i], 1 + 0.3 * n[i], 0.005);
        bench_add(report, "growth", "lookup", values[i], 0.925, 0.001);
    }
    pk_bench_result *r = bench_add_n(
        report, "a group with a very long name, as people give them when they feel free to",
        "a_function_with_a_name_that_no_line_of_a_small_screen_can_hold", "1048576", 1.25e9, 1e6,
        140);
    bench_compare(report, r, PK_CHANGE_LIVE, PK_IMPROVED, -0.25, 0.01);
}

static void write_for_browser(const char *home) {
    static pk_bench_session history[40];
    pk_bench_report report = bench_report_begin();
    bench_add_regressed(&report);
    bench_add_bimodal(&report);
    bench_add_parts(&report);
    bench_add_elements(&report);
    bench_add_stored_refused(&report);
    bench_add_failed(&report, "crash", PK_FAIL_SIGNAL, 11, "", "before\n\x1b[31mred\xff\n");
    add_wide(&report);
    save_and_write(home, &report);
    make_sessions(history, 40, 13020);
    char *text = benchmark_page(&report, &report.results[0], 40, history);
    char path[CHECK_PATH_MAX * 2];
    snprintf(path, sizeof path, "%s/fib/recursive/20/report/index.html", home);
    check_write_file(path, text);
    free(text);
    bench_report_end(&report);
}

static int setup(void **state) {
    static char home[CHECK_PATH_MAX];
    check_folder_begin(home);
    *state = home;
    return 0;
}

static int teardown(void **state) {
    check_folder_end(*state);
    return 0;
}

#define IN_FOLDER(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

static void the_pages_for_the_browser(void **state) {
    (void)state;
    write_for_browser(getenv("PAGES_DIR"));
}

int main(void) {
    const struct CMUnitTest browser[] = {cmocka_unit_test(the_pages_for_the_browser)};
    if (getenv("PAGES_DIR")) return cmocka_run_group_tests(browser, NULL, NULL);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_kind_of_result_has_a_page),
        cmocka_unit_test(figures_are_those_of_the_result),
        cmocka_unit_test(throughput_goes_against_the_time),
        cmocka_unit_test(short_work_has_its_parts),
        cmocka_unit_test(failures_are_told_with_what_was_printed),
        cmocka_unit_test(names_from_outside_stay_text),
        cmocka_unit_test(a_page_links_up_to_its_group_and_the_index),
        cmocka_unit_test(the_history_shows_the_newest_runs),
        cmocka_unit_test(a_far_value_does_not_shrink_the_picture_but_a_second_group_does),
        cmocka_unit_test(a_group_finds_how_the_time_grows),
        cmocka_unit_test(a_parameter_of_0_has_no_logarithm),
        cmocka_unit_test(throughput_is_drawn_only_where_all_have_the_same_kind),
        cmocka_unit_test(a_group_of_failures_has_a_page),
        IN_FOLDER(pages_lie_where_criterion_has_them),
        IN_FOLDER(a_later_run_leaves_the_other_pages_alone),
        IN_FOLDER(what_criterion_alone_has_stored_is_listed),
        IN_FOLDER(a_place_that_cannot_be_written_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
