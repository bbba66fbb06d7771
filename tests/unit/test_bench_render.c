/* What people and programs see of hand-made results, against golden files, and the rules by
 * themselves. */
#include "bench_result.h"
#include "check_golden.h"

#include "bench/group_figures.h"
#include "bench/pages.h"
#include "bench/render.h"
#include "bench/result_json.h"
#include "bench/words.h"
#include "report/colour.h"

/* ---- golden files ---- */

typedef struct page {
    FILE *out;
    char *text;
    size_t bytes;
} page;

static FILE *page_open(page *p) {
    p->out = open_memstream(&p->text, &p->bytes);
    assert_non_null(p->out);
    return p->out;
}

/* The text; the caller frees it. */
static char *page_close(page *p) {
    assert_int_equal(fclose(p->out), 0);
    return p->text;
}

static char *blocks(const pk_bench_report *report, pk_bench_detail detail, bool criterion,
                    bool colour) {
    page p;
    FILE *out = page_open(&p);
    for (size_t i = 0; i < report->n_results; i++)
        pk_bench_render_block(out, &report->results[i], detail, criterion, colour);
    return page_close(&p);
}

static void assert_blocks(const char *name, pk_bench_detail detail, bool criterion) {
    pk_bench_report report = bench_report_full();
    bench_add_partial(&report);
    assert_golden(name, blocks(&report, detail, criterion, false));
    bench_report_end(&report);
}

static void blocks_of_each_kind(void **state) {
    (void)state;
    assert_blocks("bench_blocks.txt", PK_DETAIL_NORMAL, false);
    assert_blocks("bench_blocks_verbose.txt", PK_DETAIL_VERBOSE, false);
    assert_blocks("bench_blocks_quiet.txt", PK_DETAIL_QUIET, false);
}

static void blocks_to_the_letter_of_criterion(void **state) {
    (void)state;
    assert_blocks("bench_criterion.txt", PK_DETAIL_NORMAL, true);
    assert_blocks("bench_criterion_verbose.txt", PK_DETAIL_VERBOSE, true);
    assert_blocks("bench_criterion_quiet.txt", PK_DETAIL_QUIET, true);
}

static void a_summary_of_each_kind(void **state) {
    (void)state;
    pk_bench_report report = bench_report_full();
    bench_add_partial(&report);
    page p;
    pk_bench_render_summary(page_open(&p), &report, false);
    assert_golden("bench_summary.txt", page_close(&p));
    bench_report_end(&report);
}

/* Small, since every worker is in it. */
static pk_bench_report report_few(void) {
    pk_bench_report report = bench_report_begin();
    bench_add_regressed(&report);
    bench_add_bytes(&report);
    bench_add_failed(&report, "crash", PK_FAIL_SIGNAL, 11, "", "before\n\x1b[31mred\xff\n");
    for (size_t i = 0; i < 2; i++) report.results[i].n_workers = 3;
    return report;
}

typedef bool renderer(FILE *out, const pk_bench_report *report, pk_err *err);

static char *rendered(renderer *how, const pk_bench_report *report) {
    page p;
    pk_err err = {0};
    assert_ok(how(page_open(&p), report, &err), &err);
    return page_close(&p);
}

static bool messages(FILE *out, const pk_bench_report *report, pk_err *err) {
    for (size_t i = 0; i < report->n_results; i++)
        if (!pk_bench_render_message(out, &report->results[i], report, "reports/x", err))
            return false;
    return pk_bench_render_group_message(out, report, "fib", "reports/fib", err);
}

static bool verbose_text(FILE *out, const pk_bench_report *report, pk_err *err) {
    (void)err;
    for (size_t i = 0; i < report->n_results; i++)
        pk_bench_render_block(out, &report->results[i], PK_DETAIL_VERBOSE, false, false);
    pk_bench_render_summary(out, report, false);
    return true;
}

static void documents_of_each_kind(void **state) {
    (void)state;
    pk_bench_report few = report_few(), full = bench_report_full();
    assert_golden("bench.json", rendered(pk_bench_render_json, &few));
    assert_golden("bench_messages.jsonl", rendered(messages, &few));
    assert_golden("bench_gbench.json", rendered(pk_bench_render_gbench_json, &few));
    assert_golden("bench_gbench.csv", rendered(pk_bench_render_gbench_csv, &full));
    assert_golden("bench.om", rendered(pk_bench_render_openmetrics, &full));
    bench_report_end(&few);
    bench_report_end(&full);
}

/* ---- the rules of the block ---- */

static void assert_has(const char *text, const char *part) {
    if (!strstr(text, part)) print_error("no \"%s\" in:\n%s", part, text);
    assert_non_null(strstr(text, part));
}

static void assert_lacks(const char *text, const char *part) {
    if (strstr(text, part)) print_error("\"%s\" is in:\n%s", part, text);
    assert_null(strstr(text, part));
}

static void assert_block_begins(const char *function, const char *expected) {
    pk_bench_report report = bench_report_begin();
    bench_add(&report, "g", function, NULL, 1000, 1);
    char *text = blocks(&report, PK_DETAIL_QUIET, true, false);
    text[strcspn(text, "[")] = '\0';
    assert_string_equal(text, expected);
    free(text);
    bench_report_end(&report);
}

static void time_begins_in_column_25(void **state) {
    (void)state;
    assert_block_begins("x", "g/x                     time:   ");
    assert_block_begins("345678901234567890123", "g/345678901234567890123 time:   ");
    assert_block_begins("3456789012345678901234",
                        "g/3456789012345678901234\n                        time:   ");
    assert_block_begins("\u00e9\u00e9", "g/\u00e9\u00e9                    time:   ");
    assert_block_begins("a\x1bJ\n", "g/a\\x1bJ\\n              time:   ");
}

static void a_long_id_is_cut_at_100_bytes(void **state) {
    (void)state;
    char name[130], expected[300];
    memset(name, 'x', sizeof name);
    name[129] = '\0';
    snprintf(expected, sizeof expected, "g/%.98s...\n                        time:   ", name);
    assert_block_begins(name, expected);
    memcpy(name + 97, "\u00e9", 2); /* bytes 100 and 101 of the id: not to be split */
    snprintf(expected, sizeof expected, "g/%.97s...\n                        time:   ", name);
    assert_block_begins(name, expected);
}

static const char *criterion_words(double estimate, double p, double threshold, char *out,
                                   size_t size) {
    pk_bench_report report = bench_report_begin();
    pk_bench_result *r = bench_add(&report, "g", "f", NULL, 1000, 1);
    bench_compare(&report, r, PK_CHANGE_LIVE, PK_CANNOT_TELL, estimate, 0.001);
    r->change.verdict.p_zero = p;
    r->noise_threshold = threshold;
    char *text = blocks(&report, PK_DETAIL_NORMAL, true, false);
    const char *change = strstr(text, "(p = ");
    assert_non_null(change);
    snprintf(out, size, "%.*s", (int)(strstr(change, "Found") - change), change);
    free(text);
    bench_report_end(&report);
    return out;
}

static void criterions_words_come_from_p_and_threshold(void **state) {
    (void)state;
    char out[256];
#define WORDS(p, sign, words) "(p = " p " " sign " 0.05)\n                        " words "\n"
    assert_string_equal(criterion_words(0.02, 0.049, 0.01, out, sizeof out),
                        WORDS("0.05", "<", "Performance has regressed."));
    assert_string_equal(criterion_words(-0.02, 0.0, 0.01, out, sizeof out),
                        WORDS("0.00", "<", "Performance has improved."));
    assert_string_equal(criterion_words(0.02, 0.0, 0.02, out, sizeof out),
                        WORDS("0.00", "<", "Change within noise threshold."));
    assert_string_equal(criterion_words(0.2, 0.05, 0.01, out, sizeof out),
                        WORDS("0.05", ">", "No change in performance detected."));
#undef WORDS
}

static void colours_mark_what_criterion_marks(void **state) {
    (void)state;
    pk_bench_report report = bench_report_begin();
    bench_add_regressed(&report);
    bench_add_elements(&report);
    char *text = blocks(&report, PK_DETAIL_NORMAL, true, true);
    assert_has(text, "\033[32mfib/recursive/20\033[0m        time:   [\033[2m12.980 \u00b5s\033[0m "
                     "\033[1m13.020 \u00b5s\033[0m \033[2m13.060 \u00b5s\033[0m]\n");
    assert_has(text, "\033[1;31m+3.1000%\033[0m");
    assert_has(text, "Performance has \033[31mregressed\033[0m.\n");
    assert_has(text, "\033[1;32m-4.2000%\033[0m");
    assert_has(text, "Performance has \033[32mimproved\033[0m.\n");
    assert_has(text, "\033[33mFound 2 outliers among 20 measurements (10.00%)\033[0m\n");
    free(text);
    text = blocks(&report, PK_DETAIL_NORMAL, false, true);
    assert_has(text, "\033[31mregressed: +3.1 % slower");
    assert_has(text, "\033[32mimproved: 4.2 % faster");
    free(text);
    bench_report_end(&report);
}

/* y = 2 x exactly, then with known residuals: x 1 2 3, y 2 4 7; slope 31/14. */
static void r_squared_is_one_minus_residual_over_total(void **state) {
    (void)state;
    static const double y[] = {2, 4, 7};
    pk_bench_report report = bench_report_begin();
    pk_bench_result *r = bench_add(&report, "g", "f", NULL, 2, 0.1);
    r->n_workers = 3;
    for (size_t i = 0; i < 3; i++) {
        r->workers[i].side[PK_SIDE_NEW].iterations = i + 1;
        r->workers[i].side[PK_SIDE_NEW].trimmed_ns = y[i] / (double)(i + 1);
    }
    r->criterion.has_slope = true;
    r->criterion.slope = (pk_estimate){31.0 / 14, 2, 31.0 / 14, 0.1};
    char *text = blocks(&report, PK_DETAIL_VERBOSE, true, false);
    /* mean 13/3, total 12.6667; residuals 1 for slope 2, 0.357143 for 31/14 */
    assert_has(text, "slope  [2.0000 ns 2.2143 ns] R^2            [0.9210526 0.9718045]\n"
                     "mean   [");
    free(text);
    bench_report_end(&report);
}

static void a_slope_has_its_line_only_when_there_is_one(void **state) {
    (void)state;
    pk_bench_report report = bench_report_begin();
    bench_add_regressed(&report);
    char *text = blocks(&report, PK_DETAIL_VERBOSE, true, false);
    assert_lacks(text, "slope");
    assert_has(text, "\nmean   [12.980 \u00b5s 13.060 \u00b5s] std. dev.      [");
    free(text);
    bench_report_end(&report);
}

/* ---- failures ---- */

static void every_kind_of_failure_names_its_cause(void **state) {
    (void)state;
    pk_bench_report report = bench_report_begin();
    bench_add_failed(&report, "crash", PK_FAIL_SIGNAL, 11, "", "");
    bench_add_failed(&report, "odd", PK_FAIL_SIGNAL, 63, "", "");
    bench_add_failed(&report, "exit", PK_FAIL_EXIT, 3, "", "");
    bench_add_failed(&report, "hang", PK_FAIL_TIMEOUT, 0, "", "");
    bench_add_failed(&report, "babble", PK_FAIL_GARBAGE, 0, "line 3: \"x\" is no number", "");
    bench_add_failed(&report, "gone", PK_FAIL_REFUSED, 0,
                     "the compiler removed the work; use perfkit_keep()", "");
    char *text = blocks(&report, PK_DETAIL_QUIET, false, false);
    assert_has(text, "killed by SIGSEGV (invalid memory access)\n");
    assert_has(text, "killed by signal 63\n");
    assert_has(text, "exited with code 3\n");
    assert_has(text, "not done after 10 s (--timeout)\n");
    assert_has(text, "broke the protocol between perfkit and its worker\n");
    assert_has(text, "                        line 3: \"x\" is no number\n");
    assert_has(text, "refused\n                        the compiler removed the work;");
    free(text);
    bench_report_end(&report);
}

static void equal_failures_are_shown_once_with_their_number(void **state) {
    (void)state;
    pk_bench_report report = bench_report_begin();
    pk_bench_result *r = bench_add_failed(&report, "crash", PK_FAIL_SIGNAL, 11, "", "first\n");
    pk_bench_failure all[3] = {r->failures[0], {.kind = PK_FAIL_EXIT, .number = 1}, r->failures[0]};
    r->failures = all;
    r->n_failures = 3;
    char *text = blocks(&report, PK_DETAIL_NORMAL, false, false);
    assert_string_equal(text,
                        "bad/crash               failed\n"
                        "                        killed by SIGSEGV (invalid memory access) (2 "
                        "workers)\n"
                        "                        the end of its output:\n"
                        "                          | first\n"
                        "                        exited with code 1\n");
    free(text);
    bench_report_end(&report);
}

/* ---- words ---- */

static void assert_time_words(double ns, double half_width, const char *expected) {
    char out[PK_WORDS_MAX];
    assert_string_equal(pk_words_time(out, sizeof out, ns, half_width), expected);
}

static void times_show_the_digits_that_are_known(void **state) {
    (void)state;
    assert_time_words(13020, 40, "13.02 \u00b5s +- 0.04");
    assert_time_words(13020, 14, "13.020 \u00b5s +- 0.014"); /* 0.01 would be off by 40 % */
    assert_time_words(13020, 196, "13.0 \u00b5s +- 0.2");
    assert_time_words(4.9, 0.1, "4.90 ns +- 0.10");
    assert_time_words(0.925, 0.001, "925.0 ps +- 1.0");
    assert_time_words(812345678, 50e6, "812 ms +- 50");
    assert_time_words(13020, 0, "13.02 \u00b5s");
    assert_time_words(13020, NAN, "13.02 \u00b5s");
    assert_time_words(NAN, NAN, "-");
}

static void assert_verdict(pk_verdict_word word, double change, double half_width, double bound,
                           uint64_t workers, const char *expected) {
    char out[PK_WORDS_MAX];
    pk_bench_report report = bench_report_begin();
    pk_bench_result *r = bench_add(&report, "g", "f", NULL, 1000, 1);
    bench_compare(&report, r, PK_CHANGE_LIVE, word, change, half_width);
    r->change.verdict.bound = bound;
    r->change.verdict.workers_needed = workers;
    r->duration_ns = 720 * PK_NS_PER_MS; /* 36 ms for each of 20 workers */
    assert_string_equal(pk_words_verdict(out, sizeof out, r), expected);
    bench_report_end(&report);
}

static void verdicts_are_sentences(void **state) {
    (void)state;
    assert_verdict(PK_REGRESSED, 0.031, 0.005, NAN, 0,
                   "regressed: +3.1 % slower (95 % CI +2.6 .. +3.6)");
    assert_verdict(PK_REGRESSED, 0.02134, 0.0002, NAN, 0,
                   "regressed: +2.13 % slower (95 % CI +2.11 .. +2.15)");
    assert_verdict(PK_IMPROVED, -0.042, 0.004, NAN, 0,
                   "improved: 4.2 % faster (95 % CI -4.6 .. -3.8)");
    assert_verdict(PK_NO_CHANGE, 0.001, 0.003, 0.004, 0, "no change beyond 0.4 %");
    assert_verdict(PK_NO_CHANGE, 0.001, 0.003, 0.0012, 0, "no change beyond 0.12 %");
    assert_verdict(PK_NO_CHANGE, 0.001, 0.003, 0.012, 0, "no change beyond 1.2 %");
    assert_verdict(PK_CANNOT_TELL, 0.0095, 0.0285, NAN, 310,
                   "cannot tell: -1.9 .. +3.8 %; about 310 workers (11 s) would give +-1 %");
    assert_verdict(PK_CANNOT_TELL, 0.0095, 0.0285, NAN, 0, "cannot tell: -1.9 .. +3.8 %");
}

static void what_a_change_rests_on_is_said(void **state) {
    (void)state;
    char out[PK_WORDS_MAX];
    pk_bench_change c = {.source = PK_CHANGE_LIVE, .baseline = "main"};
    assert_string_equal(pk_words_source(out, sizeof out, &c), "live against main");
    c.identical_code = true;
    assert_string_equal(pk_words_source(out, sizeof out, &c), "live against main: identical code");
    c = (pk_bench_change){.source = PK_CHANGE_ISOLATED, .baseline = "./old.so"};
    assert_string_equal(pk_words_source(out, sizeof out, &c),
                        "live against ./old.so, in workers of its own");
    c = (pk_bench_change){.source = PK_CHANGE_STORED, .baseline = "main", .history = 1};
    assert_string_equal(pk_words_source(out, sizeof out, &c),
                        "against stored numbers of main, 1 former session");
    c.history = 5;
    c.normalised = true;
    assert_string_equal(
        pk_words_source(out, sizeof out, &c),
        "against stored numbers of main, 5 former sessions, divided by the reference loop");
    c.source = PK_CHANGE_NONE;
    assert_string_equal(pk_words_source(out, sizeof out, &c), "");
}

/* ---- lines ---- */

static void assert_bencher(double median, double deviation, const char *expected) {
    pk_bench_report report = bench_report_begin();
    pk_bench_result *r = bench_add(&report, "g", "f", NULL, 1, 1);
    r->criterion.median.point = median;
    r->criterion.std_dev.point = deviation;
    page p;
    pk_bench_render_bencher(page_open(&p), r);
    char *text = page_close(&p);
    assert_string_equal(text, expected);
    free(text);
    bench_report_end(&report);
}

static void bencher_lines_have_decimals_below_100_ns(void **state) {
    (void)state;
    assert_bencher(1234567.9, 999.9, "test g/f ... bench:   1,234,567 ns/iter (+/- 999)\n");
    assert_bencher(100, 1000, "test g/f ... bench:         100 ns/iter (+/- 1,000)\n");
    assert_bencher(99.994, 9.9994, "test g/f ... bench:       99.99 ns/iter (+/- 9.999)\n");
    assert_bencher(0.9251, 0.00012, "test g/f ... bench:      0.9251 ns/iter (+/- 0.0001)\n");
    assert_bencher(NAN, NAN, "test g/f ... bench:           - ns/iter (+/- -)\n");
}

static void a_failed_benchmark_is_a_failed_test(void **state) {
    (void)state;
    pk_bench_report report = bench_report_begin();
    page p;
    pk_bench_render_bencher(page_open(&p),
                            bench_add_failed(&report, "crash", PK_FAIL_EXIT, 1, "", ""));
    char *text = page_close(&p);
    assert_string_equal(text, "test bad/crash ... FAILED\n");
    free(text);
    bench_report_end(&report);
}

static void progress_says_where_the_run_is(void **state) {
    (void)state;
    char line[200];
    pk_bench_progress p = {"fib/lookup/20", 1, 4, 120, 560, 4.2, 20};
    pk_bench_render_progress(line, sizeof line, &p);
    assert_string_equal(line,
                        "1 / 4 benchmarks  120 / 560 workers  4 s, about 16 s left  fib/lookup/20");
    p.elapsed_s = 30;
    p.id = NULL;
    pk_bench_render_progress(line, sizeof line, &p);
    assert_string_equal(line, "1 / 4 benchmarks  120 / 560 workers  30 s");
    for (size_t bytes = 1; bytes < sizeof line; bytes++) { /* never beyond the buffer */
        memset(line, 'x', sizeof line);
        pk_bench_render_progress(line, bytes, &p);
        assert_true(strlen(line) < bytes);
    }
}

/* ---- groups ---- */

static void growth_needs_three_values_of_one_function(void **state) {
    (void)state;
    pk_bench_report report = bench_report_begin();
    pk_bench_scan scan;
    bench_add(&report, "other", "f", "16", 1, 0.1);
    bench_add_scan(&report);
    assert_false(pk_bench_scan_of(&report, 0, &scan));
    assert_true(pk_bench_scan_of(&report, 1, &scan));
    assert_int_equal(scan.n, 4);
    assert_int_equal(scan.fit.growth, PK_GROWTH_N_LG_N);
    assert_near(scan.fit.coefficient, 2, 1e-12);
    assert_near(scan.fit.rms + 1, 1, 1e-12);
    assert_false(pk_bench_scan_of(&report, 2, &scan)); /* not the first of its function */
    report.results[1].failed = true;
    assert_true(pk_bench_scan_of(&report, 1, &scan)); /* three are left */
    assert_int_equal(scan.n, 3);
    report.results[2].value_is_number = false;
    assert_false(pk_bench_scan_of(&report, 1, &scan));
    bench_report_end(&report);
}

/* Relative errors 1 % and 0.5 %, 20 workers each: df 27.9, t 2.0487; se 0.01118. */
static void how_much_faster_has_an_interval(void **state) {
    (void)state;
    pk_bench_report report = bench_report_begin();
    pk_bench_relative relative;
    bench_add(&report, "g", "slow", "1", 300, 6); /* the error is half of the interval */
    bench_add(&report, "g", "fast", "1", 100, 1);
    bench_add(&report, "g", "fast", "2", 50, 1);
    bench_add(&report, "h", "fast", "1", 10, 1);
    assert_true(pk_bench_relative_of(&report, 0, &relative));
    assert_ptr_equal(relative.fastest, &report.results[1]);
    assert_near(relative.ratio.point, 3, 1e-12);
    assert_near(relative.ratio.standard_error, 3 * sqrt(0.0001 + 0.000025), 1e-9);
    double df = pow(0.000125, 2) / ((1e-8 + 6.25e-10) / 19);
    assert_near(df, 27.94, 1e-3);
    assert_near(relative.ratio.low, 3 * exp(-2.0486 * sqrt(0.000125)), 1e-5);
    assert_near(relative.ratio.high, 3 * exp(2.0486 * sqrt(0.000125)), 1e-5);
    for (size_t i = 1; i < 4; i++) assert_false(pk_bench_relative_of(&report, i, &relative));
    bench_report_end(&report);
}

/* ---- machine formats ---- */

static void all_formats_report_a_full_disk(void **state) {
    (void)state;
    static renderer *const all[] = {pk_bench_render_json, messages, pk_bench_render_openmetrics,
                                    pk_bench_render_gbench_json, pk_bench_render_gbench_csv};
    pk_bench_report report = report_few();
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        pk_err err = {0};
        FILE *out = fopen("/dev/full", "w");
        assert_non_null(out);
        assert_false(all[i](out, &report, &err));
        assert_int_equal(err.kind, PK_E_SYS);
        fclose(out);
    }
    bench_report_end(&report);
}

/* Whatever is shown of a result is in its JSON: read back, it looks the same in every form. */
static void the_document_holds_all_that_is_shown(void **state) {
    (void)state;
    pk_bench_report report = bench_report_full();
    pk_bench_record record;
    pk_err err = {0};
    report.results[report.n_results - 1].failures[0].output[0] = '\0'; /* its bytes are no UTF-8 */
    char *json = rendered(pk_bench_render_json, &report);
    assert_ok(pk_bench_record_parse(json, strlen(json), "test", report.arena, &record, &err), &err);
    assert_int_equal(record.n_results, report.n_results);
    pk_bench_report again = report;
    again.results = record.results;
    again.environment = record.environment;
    static renderer *const all[] = {pk_bench_render_json,        messages,
                                    pk_bench_render_openmetrics, pk_bench_render_gbench_json,
                                    pk_bench_render_gbench_csv,  verbose_text};
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        char *before = rendered(all[i], &report), *after = rendered(all[i], &again);
        assert_string_equal(after, before);
        free(before);
        free(after);
    }
    free(json);
    bench_report_end(&report);
}

static bool html(FILE *out, const pk_bench_report *report, pk_err *err) {
    const pk_bench_page_entry entry = {&report->results[0], "fib/recursive/20", true};
    return pk_bench_page_benchmark(out, &entry, report, 0, NULL, err);
}

/* The same figure in text, JSON, metrics, CSV and HTML. */
static void all_forms_have_the_same_numbers(void **state) {
    (void)state;
    pk_bench_report report = bench_report_begin();
    bench_add_regressed(&report);
    char *text = rendered(verbose_text, &report);
    char *json = rendered(pk_bench_render_json, &report);
    char *metrics = rendered(pk_bench_render_openmetrics, &report);
    char *csv = rendered(pk_bench_render_gbench_csv, &report);
    char *shown = rendered(html, &report);
    assert_has(text, "time:   [12.980 \u00b5s 13.020 \u00b5s 13.060 \u00b5s]");
    assert_has(text, "fib/recursive/20  13.02 \u00b5s +- 0.04  +3.1 % +- 0.5  regressed\n");
    assert_has(json, "\"typical\": {\n        \"point\": 13020,\n        \"low\": 12980,\n");
    assert_has(json, "\"ratio\": {\n          \"point\": 0.031,\n          \"low\": 0.026,\n");
    assert_has(metrics, "confidence=\"estimate\",aggregation=\"typical\"} 13020\n");
    assert_has(metrics, "confidence=\"lower_bound\",aggregation=\"typical\"} 12980\n");
    assert_has(metrics, "aggregation=\"mean\",source=\"live\",baseline=\"main\"} 0.031\n");
    assert_has(csv, "\"fib/recursive/20_mean\",20,13020,");
    assert_has(shown, "13.02 \u00b5s +- 0.04 in this run; runs differ by about +- 0.4");
    assert_has(shown, "regressed: +3.1 % slower (95 % CI +2.6 .. +3.6)");
    assert_has(text, "                        regressed: +3.1 % slower (95 % CI +2.6 .. +3.6)\n");
    free(shown);
    free(text);
    free(json);
    free(metrics);
    free(csv);
    bench_report_end(&report);
}

static void labels_of_metrics_are_escaped(void **state) {
    (void)state;
    pk_bench_report report = bench_report_begin();
    bench_add(&report, "a\"b\\c\nd", "\xff", NULL, 1, 0.1);
    char *text = rendered(pk_bench_render_openmetrics, &report);
    assert_has(text, "{id=\"a\\\"b\\\\c\\nd\",function=\"\uFFFD\",confidence=\"estimate\"");
    free(text);
    bench_report_end(&report);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(blocks_of_each_kind),
        cmocka_unit_test(blocks_to_the_letter_of_criterion),
        cmocka_unit_test(a_summary_of_each_kind),
        cmocka_unit_test(documents_of_each_kind),
        cmocka_unit_test(time_begins_in_column_25),
        cmocka_unit_test(a_long_id_is_cut_at_100_bytes),
        cmocka_unit_test(criterions_words_come_from_p_and_threshold),
        cmocka_unit_test(colours_mark_what_criterion_marks),
        cmocka_unit_test(r_squared_is_one_minus_residual_over_total),
        cmocka_unit_test(a_slope_has_its_line_only_when_there_is_one),
        cmocka_unit_test(every_kind_of_failure_names_its_cause),
        cmocka_unit_test(equal_failures_are_shown_once_with_their_number),
        cmocka_unit_test(times_show_the_digits_that_are_known),
        cmocka_unit_test(verdicts_are_sentences),
        cmocka_unit_test(what_a_change_rests_on_is_said),
        cmocka_unit_test(bencher_lines_have_decimals_below_100_ns),
        cmocka_unit_test(a_failed_benchmark_is_a_failed_test),
        cmocka_unit_test(progress_says_where_the_run_is),
        cmocka_unit_test(growth_needs_three_values_of_one_function),
        cmocka_unit_test(how_much_faster_has_an_interval),
        cmocka_unit_test(all_formats_report_a_full_disk),
        cmocka_unit_test(the_document_holds_all_that_is_shown),
        cmocka_unit_test(all_forms_have_the_same_numbers),
        cmocka_unit_test(labels_of_metrics_are_escaped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
