/* The whole text and JSON of hand-made results against golden files, and each figure by itself.
 * UPDATE_GOLDEN=1 rewrites the files; read the difference before keeping it. */
#include "load_result.h"

#include <errno.h>

#include "load/render.h"
#include "load/report_numbers.h"
#include "report/colour.h"

/* ---- results ---- */

static pk_load_result plain(void) {
    pk_load_result r = result_begin();
    r.status[200] = 900;
    r.status[404] = 60;
    r.status[500] = 20;
    r.status[302] = 20;
    return r;
}

/* Nothing listens: 5 requests, all refused. */
static pk_load_result empty(void) {
    pk_load_result r = result_begin();
    pk_hist *all[] = {r.service, r.first_byte, r.head, r.dns, r.dialup, r.tcp};
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) pk_hist_reset(all[i]);
    r.duration_asked_ns = 0;
    r.requests_asked = 5;
    r.sent = r.errors_total = 5;
    r.responses = r.responses_in_window = r.status[200] = 0;
    r.body_bytes = r.head_bytes = r.sent_bytes = r.connections_opened = 0;
    r.elapsed_ns = 30 * PK_NS_PER_MS;
    r.n_intervals = 0;
    r.generator.achieved_rate_hz = 166.6667;
    r.generator.mean_in_flight = 0.1;
    r.generator.mean_idle = 3.9;
    r.generator.busy_ratio = r.generator.steal_ratio = NAN;
    r.generator.retransmits_known = false;
    add_error(&r, PK_LOAD_E_CONNECT, ECONNREFUSED, 5);
    return r;
}

static pk_load_result all_equal(void) {
    pk_load_result r = result_begin();
    pk_hist_reset(r.service);
    add_ms(r.service, 6, 1000);
    return r;
}

/* At a rate, corrected, with a stall: timeouts, one never sent; plus TLS. */
static pk_load_result at_a_rate(void) {
    pk_load_result r = result_begin();
    r.rate_hz = r.generator.target_rate_hz = 502;
    r.latency_correction = true;
    r.timeout_ns = 20 * PK_NS_PER_MS;
    r.sent = 1003;
    r.timeouts = r.errors_total = 3;
    r.never_sent = 1;
    r.never_sent_oldest_ns = 70 * PK_NS_PER_MS;
    r.retried = 2;
    r.suspicious = 4;
    r.response = hist_of();
    fill_latencies(r.response);
    add_ms(r.response, 45, 3);
    add_ms(r.response, 70, 1);
    add_ms(r.service, 20, 3);
    add_ms(r.tls, 1, 4);
    add_ms(r.tcp, 1015, 2); /* two SYNs were sent again, one of them twice */
    add_ms(r.tcp, 3040, 1);
    add_error(&r, PK_LOAD_E_TIMEOUT, 0, 3);
    r.generator.achieved_rate_hz = 501.5;
    r.generator.rate_ratio = 1003.0 / 1004;
    r.generator.lag_p50_ns = 20e3;
    r.generator.lag_p99_ns = 40e3;
    r.generator.lag_max_ns = 70e6;
    r.generator.mean_in_flight = 3.03;
    return r;
}

/* Ctrl-C after 2 of 10 s. */
static pk_load_result cut_short(void) {
    pk_load_result r = result_begin();
    r.duration_asked_ns = 10 * PK_NS_PER_S;
    r.interrupted = true;
    r.sent = 1004;
    r.aborted = 4;
    r.aborted_oldest_ns = PK_NS_PER_S;
    add_error(&r, PK_LOAD_E_INTERRUPTED, 0, 4);
    return r;
}

/* -w: ten answers after the deadline; a client at its limit, of CPU and of local ports. */
static pk_load_result overloaded(void) {
    pk_load_result r = result_begin();
    r.wait_ongoing = true;
    r.drain_ns = 600 * PK_NS_PER_MS;
    r.responses_in_window = 990;
    r.threads = 1;
    r.generator.cpu_ratio_max = r.generator.cpu_ratio_mean = 0.97;
    r.generator.ports = 28232;
    r.generator.port_hold_s = 60;
    r.sent = 1007;
    r.errors_total = r.errors_ours = 7;
    add_error(&r, PK_LOAD_E_PORTS, EADDRNOTAVAIL, 7);
    return r;
}

/* ---- golden files ---- */

typedef bool renderer(FILE *out, const pk_load_result *result, pk_err *err);

static bool as_text(FILE *out, const pk_load_result *result, pk_err *err) {
    (void)err;
    pk_load_render_text(out, result, false);
    return true;
}
static bool in_colour(FILE *out, const pk_load_result *result, pk_err *err) {
    (void)err;
    pk_load_render_text(out, result, true);
    return true;
}

static char *render(renderer *how, const pk_load_result *result) {
    char *text = NULL;
    size_t bytes = 0;
    pk_err err = {0};
    FILE *out = open_memstream(&text, &bytes);
    assert_non_null(out);
    assert_ok(how(out, result, &err), &err);
    assert_int_equal(fclose(out), 0);
    return text;
}

/* Replaces the string behind each `key` by "V": the version changes with every release, and what
 * zlib makes of a histogram with every zlib. */
static void hide_text(char *text, const char *key) {
    for (char *value = text; (value = strstr(value, key));) {
        value += strlen(key);
        char *end = strchr(value, '"');
        assert_non_null(end);
        memmove(value + 1, end, strlen(end) + 1);
        *value = 'V';
    }
}

static void assert_golden(const char *name, renderer *how, pk_load_result result) {
    char path[CHECK_PATH_MAX];
    static char expected[128 << 10];
    char *text = render(how, &result);
    hide_text(text, "\"perfkit\": \"");
    hide_text(text, ": \"HISTF");
    check_path(path, "tests/unit/golden", name);
    if (getenv("UPDATE_GOLDEN")) check_write_file(path, text);
    check_read_file(expected, sizeof expected, path);
    if (strcmp(text, expected) != 0) print_error("%s is not what comes out now:\n%s", path, text);
    assert_string_equal(text, expected);
    free(text);
    pk_load_result_fini(&result);
}

static void a_plain_run(void **state) {
    (void)state;
    assert_golden("load_plain.txt", as_text, plain());
    assert_golden("load_plain.json", pk_load_render_json, plain());
}

static void a_run_without_answers_shows_dashes_and_nulls(void **state) {
    (void)state;
    assert_golden("load_empty.txt", as_text, empty());
    assert_golden("load_empty.json", pk_load_render_json, empty());
}

static void equal_latencies_make_one_bin(void **state) {
    (void)state;
    assert_golden("load_equal.txt", as_text, all_equal());
    assert_golden("load_equal.json", pk_load_render_json, all_equal());
}

static void a_run_at_a_rate_shows_both_latencies(void **state) {
    (void)state;
    assert_golden("load_rate.txt", as_text, at_a_rate());
    assert_golden("load_rate.json", pk_load_render_json, at_a_rate());
}

static void an_interrupted_run_says_so_first(void **state) {
    (void)state;
    assert_golden("load_partial.txt", in_colour, cut_short());
    assert_golden("load_partial.json", pk_load_render_json, cut_short());
    pk_load_result r = cut_short();
    r.duration_asked_ns = 0;
    r.requests_asked = 5000;
    char *text = render(as_text, &r);
    assert_memory_equal(text,
                        "Partial: interrupted after 2 s, 1004 of 5000 requests\n\nSummary:", 58);
    free(text);
    pk_load_result_fini(&r);
}

static void a_client_at_its_limit_is_the_last_word(void **state) {
    (void)state;
    assert_golden("load_overloaded.txt", in_colour, overloaded());
    assert_golden("load_overloaded.json", pk_load_render_json, overloaded());
}

static void counters_say_when_the_kernels_part_is_missing(void **state) {
    (void)state;
    pk_load_result r = plain();
    char *text = render(pk_load_render_json, &r);
    assert_non_null(strstr(text, "\"userOnly\": null")); /* no counters at all */
    free(text);
    r.generator.counters.known[PK_COUNTER_CYCLES] = true;
    r.generator.counters.value[PK_COUNTER_CYCLES] = 123456;
    text = render(pk_load_render_json, &r);
    assert_non_null(strstr(text, "\"cycles\": 123456"));
    assert_non_null(strstr(text, "\"userOnly\": false"));
    free(text);
    r.generator.counters.user_only = true;
    text = render(pk_load_render_json, &r);
    assert_non_null(strstr(text, "\"userOnly\": true"));
    free(text);
    pk_load_result_fini(&r);
}

/* ---- figures ---- */

static void summary_divides_by_what_it_says(void **state) {
    (void)state;
    pk_load_result r = plain();
    pk_load_summary s;
    r.errors_total = 250; /* and 4 aborted, which count in no rate */
    r.aborted = 4;
    pk_load_summarize(&r, &s);
    assert_near(s.success_ratio, 1000.0 / 1250, 1e-12);
    assert_int_equal(s.good, 920); /* 900 x 200 and 20 x 302 */
    assert_near(s.good_ratio, 920.0 / 1250, 1e-12);
    r.errors_ours = 50; /* of the 250: not the server's */
    pk_load_summarize(&r, &s);
    assert_near(s.success_ratio, 1000.0 / 1200, 1e-12);
    assert_near(s.good_ratio, 920.0 / 1200, 1e-12);
    assert_near(s.rate_hz, 500, 1e-12);
    assert_int_equal(s.bytes_per_answer, 13);
    assert_near(s.bytes_per_s, 6500, 1e-12);
    r.drain_ns = 2 * PK_NS_PER_S; /* bytes came for 4 s; answers are those of the 2 s */
    r.responses_in_window = 800;
    pk_load_summarize(&r, &s);
    assert_near(s.rate_hz, 400, 1e-12);
    assert_near(s.bytes_per_s, 3250, 1e-12);
    assert_near(s.average_ns, 6e6, 1e-12);
    assert_near(s.fastest_ns, 1e6, 0);
    assert_near(s.slowest_ns, 11e6, 0);
    pk_load_result_fini(&r);
}

static void good_is_200_to_399(void **state) {
    (void)state;
    static const int codes[] = {199, 200, 299, 300, 399, 400, 500};
    pk_load_result r = result_begin();
    pk_load_summary s;
    r.status[200] = 0;
    for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++) r.status[codes[i]] = 1;
    pk_load_summarize(&r, &s);
    assert_int_equal(s.good, 4);
    pk_load_result_fini(&r);
}

static void summary_of_nothing_is_unknown(void **state) {
    (void)state;
    pk_load_result r = empty();
    pk_load_summary s;
    r.errors_total = 0;
    r.elapsed_ns = 0;
    pk_load_summarize(&r, &s);
    assert_true(isnan(s.success_ratio) && isnan(s.good_ratio) && isnan(s.rate_hz));
    assert_true(isnan(s.fastest_ns) && isnan(s.slowest_ns) && isnan(s.average_ns));
    assert_false(s.has_answers);
    pk_load_result_fini(&r);
}

static void bins_hold_what_lies_below_their_edge(void **state) {
    (void)state;
    static const uint64_t counts[] = {1, 99, 100, 100, 100, 100, 100, 100, 100, 100, 100};
    pk_hist *h = hist_of();
    pk_load_bins bins;
    fill_latencies(h);
    pk_load_bins_fill(h, &bins);
    assert_int_equal(bins.n, PK_LOAD_BINS);
    for (size_t i = 0; i < PK_LOAD_BINS; i++) {
        assert_near(bins.edge_ns[i], (double)(i + 1) * 1e6, 1e-12);
        assert_int_equal(bins.count[i], counts[i]);
    }
    pk_hist_free(h);
}

/* Values on the edges 0.1, 0.2 .. 0.9 of the range lie below or above the middle of their bucket,
 * and the middle decides. The bucket of the minimum counts at the minimum itself. */
static void bins_take_a_bucket_at_its_middle(void **state) {
    (void)state;
    pk_hist *h = hist_of();
    pk_load_bins bins;
    uint64_t expected[PK_LOAD_BINS] = {1, 0};
    uint64_t min = pk_hist_lowest_equivalent(h, 100000000);
    unsigned above = 0;
    pk_hist_record(h, min);
    for (uint64_t i = 1; i < 10; i++) {
        uint64_t edge = min + i * 100000000;
        double low = (double)pk_hist_lowest_equivalent(h, edge);
        double high = (double)pk_hist_highest_equivalent(h, edge);
        bool is_above = (low + high) / 2 > (double)edge;
        above += is_above;
        expected[i + is_above]++;
        pk_hist_record(h, edge);
    }
    pk_hist_record(h, min + 1000000000);
    expected[10]++;
    assert_in_range(above, 1, 8); /* both kinds are there */
    pk_load_bins_fill(h, &bins);
    for (size_t i = 0; i < PK_LOAD_BINS; i++) assert_int_equal(bins.count[i], expected[i]);
    pk_hist_free(h);
}

static void bins_keep_the_total(void **state) {
    (void)state;
    pk_hist *h = hist_of();
    pk_load_bins bins;
    uint64_t seed = 1, sum = 0;
    for (int i = 0; i < 5000; i++) {
        seed = seed * 6364136223846793005ull + 1442695040888963407ull;
        pk_hist_record(h, (seed >> 33) % 50000000u);
    }
    pk_hist_record(h, PK_HIST_LATENCY_HIGHEST_NS * 2); /* beyond the histogram */
    pk_load_bins_fill(h, &bins);
    for (size_t i = 0; i < bins.n; i++) sum += bins.count[i];
    assert_int_equal(sum, 5001);
    assert_int_equal(bins.count[PK_LOAD_BINS - 1], 1);
    pk_hist_free(h);
}

/* 100000001 and 100000003 share a bucket; still one is the minimum and one the maximum. */
static void bins_of_values_in_one_bucket_tell_minimum_from_maximum(void **state) {
    (void)state;
    pk_hist *h = hist_of();
    pk_load_bins bins;
    pk_hist_record_n(h, 100000001, 7);
    pk_hist_record(h, 100000003);
    pk_load_bins_fill(h, &bins);
    assert_int_equal(bins.n, PK_LOAD_BINS);
    assert_int_equal(bins.count[0], 7);
    assert_int_equal(bins.count[PK_LOAD_BINS - 1], 1);
    pk_hist_free(h);
}

static void percentiles_beyond_the_sample_are_unknown(void **state) {
    (void)state;
    pk_hist *h = hist_of();
    add_ms(h, 1, 100);
    assert_near(pk_load_percentile_ns(h, 0.99), 1e6, 1e-3);
    assert_true(isnan(pk_load_percentile_ns(h, 0.999)));
    assert_true(isnan(pk_load_percentile_ns(NULL, 0.5)));
    pk_hist_free(h);
}

/* 240, 245, 255, 260 answers in half a second each. */
static void rps_comes_from_whole_intervals(void **state) {
    (void)state;
    pk_load_result r = result_begin();
    pk_load_rps rps;
    assert_true(pk_load_rps_fill(&r, &rps));
    assert_near(rps.mean, 500, 1e-12);
    assert_near(rps.min, 480, 1e-12);
    assert_near(rps.max, 520, 1e-12);
    assert_near(rps.stddev, sqrt((400 + 100 + 100 + 400) / 3.0), 1e-12);
    assert_near(rps.percentile[2], 490, 1e-12); /* p50: the second of four */
    assert_near(rps.percentile[3], 510, 1e-12); /* p75: the third */
    assert_true(isnan(rps.percentile[4]));      /* p90: four intervals do not see that far */
    pk_load_result_fini(&r);
}

static void assert_has(const char *text, const char *line) {
    if (!strstr(text, line)) print_error("no \"%s\" in:\n%s", line, text);
    assert_non_null(strstr(text, line));
}

/* The unit is the largest one below the slowest latency, for the whole report. */
static void one_unit_fits_the_slowest(void **state) {
    (void)state;
    static const struct {
        double ms;
        const char *line;
    } cases[] = {
        {0.0005, "  Slowest:\t500.0000 ns\n"}, {0.0123, "  Slowest:\t12.3000 us\n"},
        {999.5, "  Slowest:\t999.5000 ms\n"},  {1000, "  Slowest:\t1.0000 sec\n"},
        {59999, "  Slowest:\t59.9990 sec\n"},  {90000, "  Slowest:\t1.5000 min\n"},
        {5400000, "  Slowest:\t1.5000 hr\n"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        pk_load_result r = result_begin();
        pk_hist_reset(r.service);
        add_ms(r.service, cases[i].ms, 1);
        char *text = render(as_text, &r);
        assert_has(text, cases[i].line);
        free(text);
        pk_load_result_fini(&r);
    }
}

static void colours_tell_good_from_bad(void **state) {
    (void)state;
    pk_load_result r = plain();
    add_ms(r.service, 400.5, 1);
    r.errors_total = 5; /* 99.50 % */
    char *text = render(in_colour, &r);
    const char *yellow = pk_style_on(true, PK_YELLOW);
    const char *red = pk_style_on(true, PK_RED);
    const char *green = pk_style_on(true, PK_GREEN);
    char line[128];
    snprintf(line, sizeof line, "%s  Success rate:\t99.50%%", yellow);
    assert_has(text, line);
    snprintf(line, sizeof line, "%s  [404] 60 responses", yellow);
    assert_has(text, line);
    snprintf(line, sizeof line, "%s  [500] 20 responses", red);
    assert_has(text, line);
    snprintf(line, sizeof line, "%s  400.500 ms [1]", red);
    assert_has(text, line);
    snprintf(line, sizeof line, "%s   40.950 ms [", green);
    assert_has(text, line);
    assert_has(text, "\n  [302] 20 responses");
    free(text);
    pk_load_result_fini(&r);
}

/* The histograms of the JSON are whole: what reads them back gets every count. */
static void histograms_survive_the_json(void **state) {
    (void)state;
    pk_load_result r = at_a_rate();
    pk_err err = {0};
    char *text = render(pk_load_render_json, &r);
    static const char key[] = "\"response\": \"";
    char *begin = strstr(text, key);
    assert_non_null(begin);
    begin += sizeof key - 1;
    pk_hist *h = pk_hist_decode(begin, strcspn(begin, "\""), &err);
    assert_ok(h != NULL, &err);
    assert_int_equal(h->total, 1004);
    for (int i = 0; i < 1000; i++)
        assert_near(pk_hist_quantile(h, i / 1000.0), pk_hist_quantile(r.response, i / 1000.0),
                    1e-3);
    pk_hist_free(h);
    free(text);
    pk_load_result_fini(&r);
}

static void assert_line(double slowest_ms, uint64_t responses, uint64_t errors, pk_style style,
                        const char *line) {
    char expected[128];
    pk_load_result r = result_begin();
    pk_hist_reset(r.service);
    pk_hist_record_n(r.service, (uint64_t)(slowest_ms * 1e6), responses);
    r.responses = responses;
    r.errors_total = errors;
    char *text = render(in_colour, &r);
    snprintf(expected, sizeof expected, "%s%s", pk_style_on(true, style), line);
    assert_has(text, expected);
    free(text);
    pk_load_result_fini(&r);
}

static void colours_and_marks_change_at_their_bounds(void **state) {
    (void)state;
    assert_line(100, 1000, 0, PK_GREEN, "  50.00% in 100.0000 ms");
    assert_line(100.2, 1000, 0, PK_YELLOW, "  50.00% in 100.2000 ms");
    assert_line(400, 1000, 0, PK_YELLOW, "  50.00% in 400.0000 ms");
    assert_line(401, 1000, 0, PK_RED, "  50.00% in 401.0000 ms");
    assert_line(1, 1000, 0, PK_GREEN, "  Success rate:\t100.00%");
    assert_line(1, 990, 10, PK_YELLOW, "  Success rate:\t99.00%");
    assert_line(1, 989, 11, PK_RED, "  Success rate:\t98.90%");
    /* the 90th percentile rests on 10 of 91 samples, on 9 of 81 */
    assert_line(1, 91, 0, PK_GREEN, "  90.00% in 1.0000 ms\x1b");
    assert_line(1, 81, 0, PK_GREEN, "  90.00% in 1.0000 ms (rests on 9 samples)\x1b");
}

static void progress_says_where_the_run_is(void **state) {
    (void)state;
    char line[128];
    pk_load_snapshot s = {.elapsed_ns = 1200 * PK_NS_PER_MS,
                          .duration_ns = 3 * PK_NS_PER_S,
                          .responses = 12345,
                          .errors = 6,
                          .in_flight = 50};
    pk_load_render_progress(line, sizeof line, &s);
    assert_string_equal(line, "1.2 s / 3s  12345 answers  10288/s  6 errors  50 in flight");
    s.duration_ns = 0;
    s.requests = 20000;
    pk_load_render_progress(line, sizeof line, &s);
    assert_string_equal(line, "12351 / 20000  1.2 s  10288/s  6 errors  50 in flight");
    s.elapsed_ns = 0;
    pk_load_render_progress(line, sizeof line, &s);
    assert_string_equal(line, "12351 / 20000  0.0 s  0/s  6 errors  50 in flight");
}

static void a_full_disk_is_an_error(void **state) {
    (void)state;
    pk_load_result r = plain();
    pk_err err = {0};
    FILE *out = fopen("/dev/full", "w");
    assert_non_null(out);
    setvbuf(out, NULL, _IONBF, 0);
    assert_false(pk_load_render_json(out, &r, &err));
    assert_int_not_equal(err.kind, PK_OK);
    fclose(out);
    pk_load_result_fini(&r);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_plain_run),
        cmocka_unit_test(a_run_without_answers_shows_dashes_and_nulls),
        cmocka_unit_test(equal_latencies_make_one_bin),
        cmocka_unit_test(a_run_at_a_rate_shows_both_latencies),
        cmocka_unit_test(an_interrupted_run_says_so_first),
        cmocka_unit_test(a_client_at_its_limit_is_the_last_word),
        cmocka_unit_test(counters_say_when_the_kernels_part_is_missing),
        cmocka_unit_test(summary_divides_by_what_it_says),
        cmocka_unit_test(good_is_200_to_399),
        cmocka_unit_test(summary_of_nothing_is_unknown),
        cmocka_unit_test(bins_hold_what_lies_below_their_edge),
        cmocka_unit_test(bins_take_a_bucket_at_its_middle),
        cmocka_unit_test(bins_keep_the_total),
        cmocka_unit_test(bins_of_values_in_one_bucket_tell_minimum_from_maximum),
        cmocka_unit_test(percentiles_beyond_the_sample_are_unknown),
        cmocka_unit_test(rps_comes_from_whole_intervals),
        cmocka_unit_test(one_unit_fits_the_slowest),
        cmocka_unit_test(colours_tell_good_from_bad),
        cmocka_unit_test(colours_and_marks_change_at_their_bounds),
        cmocka_unit_test(histograms_survive_the_json),
        cmocka_unit_test(progress_says_where_the_run_is),
        cmocka_unit_test(a_full_disk_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
