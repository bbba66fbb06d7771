/* Commands as text: hyperfine's lines to the letter, ours against golden files. */
#include "check_golden.h"
#include "command_texts.h"

#include "bench/command_text_own.h"

/* One command whose figures are given as they are. */
static pk_command_report one_command(const pk_command_options *options, double mean, double sd,
                                     double min, double max, size_t n) {
    pk_command_report report = command_report_begin(options);
    pk_command_result *r = command_add(&report, "sleep 0.01", mean, 0, n);
    command_finish(&report);
    r->wall.mean = mean;
    r->wall.sd = sd;
    r->wall.min = min;
    r->wall.max = max;
    r->user.mean = 0.0008;
    r->system.mean = 0.0001;
    return report;
}

/* ---- hyperfine's lines ---- */

static void a_block_is_laid_out_as_hyperfine_does(void **state) {
    (void)state;
    pk_command_options options = command_options();
    pk_command_report report = one_command(&options, 0.01134, 0.00052, 0.01098, 0.01321, 20);
    assert_text(result_text(&report, 0, &hyperfine_style),
                "Benchmark 1: sleep 0.01\n"
                "  Time (mean ± σ):      11.3 ms ±   0.5 ms    [User: 0.8 ms, System: 0.1 ms]\n"
                "  Range (min … max):    11.0 ms …  13.2 ms    20 runs\n"
                " \n");
    command_report_end(&report);
}

static void padding_is_inside_the_coloured_span(void **state) {
    (void)state;
    pk_command_options options = command_options();
    pk_command_report report = one_command(&options, 0.01134, 0.00052, 0.01098, 0.01321, 20);
    pk_command_style style = hyperfine_style;
    style.colour = true;
    assert_text(
        result_text(&report, 0, &style),
        "\033[1mBenchmark \033[0m\033[1m1\033[0m: sleep 0.01\n"
        "  Time (\033[1;32mmean\033[0m ± \033[32mσ\033[0m):     \033[1;32m 11.3 ms\033[0m ± "
        "\033[32m  0.5 ms\033[0m    [User: \033[34m0.8 ms\033[0m, System: \033[34m0.1 ms\033[0m]\n"
        "  Range (\033[36mmin\033[0m … \033[35mmax\033[0m):   \033[36m 11.0 ms\033[0m … "
        "\033[35m 13.2 ms\033[0m    \033[2m20 runs\033[0m\n"
        " \n");
    command_report_end(&report);
}

static void one_run_has_no_range(void **state) {
    (void)state;
    pk_command_options options = command_options();
    pk_command_report report = one_command(&options, 0.0117, NAN, 0.0117, 0.0117, 1);
    assert_text(result_text(&report, 0, &hyperfine_style),
                "Benchmark 1: sleep 0.01\n"
                "  Time (abs ≡):         11.7 ms               [User: 0.8 ms, System: 0.1 ms]\n"
                " \n");
    command_report_end(&report);
}

static void the_mean_chooses_the_unit_unless_one_was_asked_for(void **state) {
    (void)state;
    static const struct {
        double mean;
        pk_time_unit unit;
        const char *time, *user;
    } cases[] = {
        {0.000123456, PK_UNIT_AUTO, "):     123.5 µs ±  10.0 µs    ", "User: 800.0 µs"},
        {0.00099999, PK_UNIT_AUTO, "):     1000.0 µs ±  10.0 µs    ", "User: 800.0 µs"},
        {0.001, PK_UNIT_AUTO, "):       1.0 ms ±   0.0 ms    ", "User: 0.8 ms"},
        {0.9999, PK_UNIT_AUTO, "):     999.9 ms ±   0.0 ms    ", "User: 0.8 ms"},
        {1.234, PK_UNIT_AUTO, "):      1.234 s ±  0.000 s    ", "User: 0.001 s"},
        {1.234, PK_UNIT_MILLISECOND, "):     1234.0 ms ±   0.0 ms    ", "User: 0.8 ms"},
        {0.25e-3, PK_UNIT_SECOND, "):      0.000 s ±  0.000 s    ", "User: 0.001 s"},
        {1.25e-3, PK_UNIT_MILLISECOND, "):       1.2 ms ±   0.0 ms    ", "User: 0.8 ms"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        pk_command_options options = command_options();
        pk_command_style style = hyperfine_style;
        style.unit = cases[i].unit;
        pk_command_report report = one_command(&options, cases[i].mean, 1e-5, 0, 2, 10);
        char *text = result_text(&report, 0, &style);
        assert_says(text, cases[i].time);
        assert_says(text, cases[i].user);
        free(text);
        command_report_end(&report);
    }
}

/* Commands with these means and sigmas; n = 20 each. */
static pk_command_report with_means(const pk_command_options *options, size_t n,
                                    const double means[], const double sds[]) {
    static const char *const names[] = {"alpha", "beta", "gamma"};
    pk_command_report report = command_report_begin(options);
    for (size_t i = 0; i < n; i++) command_add(&report, names[i], means[i], 0, COMMAND_RUNS);
    command_finish(&report);
    for (size_t i = 0; i < n; i++) report.results[i].wall.sd = sds[i];
    for (size_t i = 0; i < n; i++) {
        pk_command_result *r = &report.results[i];
        if (i == report.reference) r->ratio = 1;
        else
            pk_command_ratio(&r->wall, &report.results[report.reference].wall, &r->ratio,
                             &r->ratio_sd);
    }
    return report;
}

static void the_summary_ranks_by_mean(void **state) {
    (void)state;
    pk_command_options options = command_options();
    const double means[] = {0.03, 0.01, 0.02}, sds[] = {0.003, 0.001, 0.002};
    pk_command_report report = with_means(&options, 3, means, sds);
    assert_text(summary_text(&report, &hyperfine_style, false),
                "Summary\n"
                "  beta ran\n"
                "    2.00 ± 0.28 times faster than gamma\n"
                "    3.00 ± 0.42 times faster than alpha\n");
    pk_command_style style = hyperfine_style;
    style.colour = true;
    assert_text(summary_text(&report, &style, false),
                "\033[1mSummary\033[0m\n"
                "  \033[36mbeta\033[0m ran\n"
                "\033[1;32m    2.00\033[0m ± \033[32m0.28\033[0m times faster than "
                "\033[35mgamma\033[0m\n"
                "\033[1;32m    3.00\033[0m ± \033[32m0.42\033[0m times faster than "
                "\033[35malpha\033[0m\n");
    style = hyperfine_style;
    style.sort = PK_SORT_COMMAND;
    assert_text(summary_text(&report, &style, false), "Relative speed comparison\n"
                                                      "        3.00 ±  0.42  alpha\n"
                                                      "        1.00          beta\n"
                                                      "        2.00 ±  0.28  gamma\n");
    command_report_end(&report);
}

static void a_reference_may_be_slower_or_as_fast(void **state) {
    (void)state;
    pk_command_options options = command_options();
    const double means[] = {0.02, 0.01, 0.02}, sds[] = {0, 0, 0};
    pk_command_report report = with_means(&options, 3, means, sds);
    command_case(&report.results[0])->reference = true;
    command_finish(&report);
    assert_text(summary_text(&report, &hyperfine_style, false),
                "Summary\n"
                "  alpha ran\n"
                "    2.00 ± 0.00 times slower than beta\n"
                "    As fast (1.00 ± 0.00) as gamma\n");
    command_report_end(&report);
}

static void single_runs_have_no_sigma(void **state) {
    (void)state;
    pk_command_options options = command_options();
    pk_command_report report = command_report_begin(&options);
    command_add(&report, "alpha", 0.02, 0, 1);
    command_add(&report, "beta", 0.01, 0, 1);
    command_finish(&report);
    pk_command_style style = hyperfine_style;
    assert_text(summary_text(&report, &style, false), "Summary\n"
                                                      "  beta ran\n"
                                                      "    2.00 times faster than alpha\n");
    style.sort = PK_SORT_COMMAND;
    assert_text(summary_text(&report, &style, false), "Relative speed comparison\n"
                                                      "        2.00          alpha\n"
                                                      "        1.00          beta\n");
    command_report_end(&report);
}

static void what_took_no_time_is_not_ranked(void **state) {
    (void)state;
    pk_command_options options = command_options();
    pk_command_report report = command_report_begin(&options);
    command_add(&report, "alpha", 0.02, 0, 10);
    command_add(&report, "beta", 0, 0, 10);
    command_finish(&report);
    assert_text(summary_text(&report, &hyperfine_style, true), "");
    command_report_end(&report);

    report = command_report_begin(&options);
    command_add(&report, "alpha", 0.02, 0, 10);
    command_fail(command_add(&report, "never works", 0.01, 0, 1)->runs, 1, 0);
    command_finish(&report);
    assert_text(summary_text(&report, &hyperfine_style, true), "");
    command_report_end(&report);

    report = command_report_begin(&options);
    command_add(&report, "alone", 0.02, 0, 10);
    command_finish(&report);
    assert_text(summary_text(&report, &hyperfine_style, false), "");
    command_report_end(&report);
}

static void a_command_whose_runs_all_failed_has_no_rank(void **state) {
    (void)state;
    pk_command_options options = command_options();
    const double means[] = {0.03, 0.01, 0.02}, sds[] = {0.003, 0.001, 0.002};
    pk_command_report report = with_means(&options, 3, means, sds);
    for (size_t i = 0; i < COMMAND_RUNS; i++) command_fail(&report.results[2].runs[i], 1, 0);
    command_finish(&report);
    char *text = summary_text(&report, &own_style, false);
    assert_says(text, "times faster than alpha");
    assert_lacks(text, "gamma");
    free(text);
    assert_text(result_text(&report, 2, &own_style),
                "Benchmark 3: gamma\n"
                "  Failed:              20 of 20 runs failed (exit code 1); not in the figures\n"
                " \n");
    command_report_end(&report);
}

/* ---- warnings ---- */

static void warnings_stand_in_hyperfines_order(void **state) {
    (void)state;
    pk_command_options options = command_options();
    pk_command_report report = one_command(&options, 0.002, 0.0005, 0.001, 0.01, 20);
    pk_command_result *r = &report.results[0];
    assert_text(warning_text(&report, 0, &hyperfine_style), "");
    r->below_5ms = r->first_run_slow = r->has_outliers = true;
    r->n_failed = 2;
    r->first_run_s = 0.0123;
    char *text = warning_text(&report, 0, &hyperfine_style);
    assert_int_equal(strncmp(text, " \n  Warning: ", 13), 0);
    const char *five = strstr(text, "5 ms"), *codes = strstr(text, "non-zero exit"),
               *first = strstr(text, "first run (12.3 ms)");
    assert_true(five && codes && first && five < codes && codes < first);
    assert_lacks(text, "far from the others");
    free(text);
    r->first_run_slow = false;
    text = warning_text(&report, 0, &hyperfine_style);
    assert_says(text, "far from the others");
    free(text);
    pk_command_style style = hyperfine_style;
    style.colour = true;
    text = warning_text(&report, 0, &style);
    assert_says(text, "  \033[33mWarning\033[0m: ");
    free(text);
    command_report_end(&report);
}

static void advice_is_not_what_was_already_done(void **state) {
    (void)state;
    pk_command_options options = command_options();
    const char *prepare = "true";
    pk_command_report report = one_command(&options, 0.02, 0.0005, 0.001, 0.01, 20);
    report.results[0].has_outliers = true;
    for (int used = 0; used < 4; used++) {
        options.warmup = used & 1 ? 3 : 0;
        options.prepares = (pk_text_list){&prepare, used & 2 ? 1 : 0};
        char *text = warning_text(&report, 0, &hyperfine_style);
        assert_int_equal(strstr(text, "--warmup") == NULL, used & 1);
        assert_int_equal(strstr(text, "--prepare") == NULL, (used & 2) / 2);
        free(text);
    }
    report.results[0].first_run_slow = true;
    char *seen[4];
    for (int used = 0; used < 4; used++) {
        options.warmup = used & 1 ? 3 : 0;
        options.prepares = (pk_text_list){&prepare, used & 2 ? 1 : 0};
        seen[used] = warning_text(&report, 0, &hyperfine_style);
        for (int i = 0; i < used; i++) assert_string_not_equal(seen[i], seen[used]);
    }
    for (int used = 0; used < 4; used++) free(seen[used]);
    command_report_end(&report);
}

/* ---- ours ---- */

static void blocks_and_summary_of_each_style(void **state) {
    (void)state;
    pk_command_options options = command_options();
    pk_command_report report = command_report_full(&options);
    assert_golden("time.txt", all_text(&report, &own_style));
    assert_golden("time_hyperfine.txt", all_text(&report, &hyperfine_style));
    pk_command_style style = own_style;
    style.compact = true;
    assert_golden("time_compact.txt", all_text(&report, &style));
    style = own_style;
    style.colour = true;
    style.unit = PK_UNIT_MICROSECOND;
    style.sort = PK_SORT_COMMAND;
    style.width = 50;
    report.rounds = false;
    report.results[1].change[0].grouped = report.results[1].change[1].grouped = true;
    report.interrupted = true;
    assert_golden("time_colour.txt", all_text(&report, &style));
    command_report_end(&report);
}

static void cpu_is_split_from_10_ms_on(void **state) {
    (void)state;
    pk_command_options options = command_options();
    pk_command_report report = command_report_begin(&options);
    command_add(&report, "short", 0.0133, 0, 10); /* CPU: 9.975 ms */
    command_add(&report, "long", 0.0134, 0, 10);  /* 10.05 ms */
    command_finish(&report);
    char *text = result_text(&report, 0, &own_style);
    assert_says(text, "  CPU (user + system):  10.0 ms ±   0.0 ms\n");
    free(text);
    text = result_text(&report, 1, &own_style);
    assert_says(text, "  CPU (user + system):  10.1 ms ±   0.0 ms    user 6.7 ms, system 3.4 ms\n");
    free(text);
    command_report_end(&report);
}

static void memory_says_what_is_only_a_bound(void **state) {
    (void)state;
    pk_command_options options = command_options();
    pk_command_report report = command_report_begin(&options);
    pk_command_result *r = command_add(&report, "a", 0.02, 0, 10);
    command_finish(&report);
    static const struct {
        uint64_t first, rest;
        bool floor;
        const char *line;
    } cases[] = {
        {1536 << 10, 1536 << 10, false, "  Peak memory:         1.50 MiB\n"},
        {1536 << 10, 2 << 20, false, "  Peak memory:         1.50 MiB … 2.00 MiB\n"},
        {500 << 10, 548 << 10, true,
         "  Peak memory:         <= 548 KiB (no more than the launcher takes)\n"},
        {0, 0, false, "  Peak memory:         -\n"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        for (size_t k = 0; k < r->n_runs; k++) {
            r->runs[k].rss_bytes = k ? cases[i].rest : cases[i].first;
            r->runs[k].rss_is_floor = cases[i].floor;
        }
        char *text = result_text(&report, 0, &own_style);
        assert_says(text, cases[i].line);
        free(text);
    }
    r->runs[9].rss_is_floor = false; /* the largest is measured */
    r->runs[9].rss_bytes = 700 << 10;
    for (size_t k = 0; k < 9; k++)
        r->runs[k] = (pk_command_run){.rss_bytes = 548 << 10, .rss_is_floor = true};
    char *text = result_text(&report, 0, &own_style);
    assert_says(text, "  Peak memory:         548 KiB … 700 KiB\n");
    free(text);
    command_report_end(&report);
}

static void counters_are_there_or_na_once(void **state) {
    (void)state;
    pk_command_options options = command_options();
    pk_command_report report = command_report_begin(&options);
    pk_command_result *r = command_add(&report, "a", 0.02, 0, 10);
    command_finish(&report);
    char *text = result_text(&report, 0, &own_style);
    assert_says(text, "  Counters:            n/a\n");
    free(text);
    command_counters(r, 2.5e9);
    text = result_text(&report, 0, &own_style);
    assert_says(text, "  Counters:            2.500 G instructions, 2.000 G cycles (1.25 "
                      "instructions each), 2.500 M branch misses, 1.250 M cache misses\n");
    free(text);
    r->runs[4].counters.known[PK_COUNTER_CYCLES] = false;
    r->runs[4].counters.user_only = true;
    text = result_text(&report, 0, &own_style);
    assert_says(text, "2.500 G instructions, 2.500 M branch misses, 1.250 M cache misses (user "
                      "space only)\n");
    free(text);
    command_report_end(&report);
}

static void failed_runs_are_told_apart(void **state) {
    (void)state;
    pk_command_options options = command_options();
    pk_command_report report = command_report_begin(&options);
    pk_command_result *r = command_add(&report, "a", 0.02, 0, 20);
    command_fail(&r->runs[0], -1, 11);
    command_fail(&r->runs[1], -1, 11);
    command_finish(&report);
    char *text = result_text(&report, 0, &own_style);
    assert_says(text, "    18 runs\n");
    assert_says(text,
                "  Failed:              2 of 20 runs failed (signal 11); not in the figures\n");
    free(text);
    command_fail(&r->runs[2], 3, 0);
    command_time_out(&r->runs[3], 5);
    command_finish(&report);
    text = result_text(&report, 0, &own_style);
    assert_says(text, "4 of 20 runs failed, 1 of them by timeout; not in the figures\n");
    free(text);
    options.failed_in_statistics = true;
    command_finish(&report);
    text = result_text(&report, 0, &own_style);
    assert_says(text, "    19 runs\n");
    assert_says(text, "1 of them by timeout; without the timeouts counted in the figures\n");
    free(text);
    command_report_end(&report);
}

static void the_distribution_shows_each_run(void **state) {
    (void)state;
    pk_command_options options = command_options();
    pk_command_report report = command_report_begin(&options);
    pk_command_result *r = command_add(&report, "a", 0, 0, 9);
    static const double walls[] = {1, 1, 1, 1, 2, 2, 3, 5, 5};
    for (size_t i = 0; i < 9; i++) r->runs[i].wall_s = walls[i];
    command_finish(&report);
    pk_strbuf row;
    double low, high;
    size_t beyond;
    pk_strbuf_init(&row, 1000);
    assert_true(pk_command_blocks(&report, r, 4, &row, &low, &high, &beyond));
    assert_string_equal(row.data, "█▄▂▄"); /* [1, 2) [2, 3) [3, 4) [4, 5] */
    assert_near(low, 1, 0);
    assert_near(high, 5, 0);
    assert_int_equal(beyond, 0);

    r->runs[8].wall_s = 500; /* would press all others into one cell */
    command_finish(&report);
    pk_strbuf_clear(&row);
    assert_true(pk_command_blocks(&report, r, 4, &row, &low, &high, &beyond));
    assert_string_equal(row.data, "█▄▂▂"); /* the same from 1 to 5 */
    assert_near(high, 5, 0);
    assert_int_equal(beyond, 1);

    for (size_t i = 0; i < 9; i++) r->runs[i].wall_s = 1;
    command_finish(&report);
    pk_strbuf_clear(&row);
    assert_true(pk_command_blocks(&report, r, 4, &row, &low, &high, &beyond));
    assert_string_equal(row.data, "");
    pk_strbuf_fini(&row);
    command_report_end(&report);
}

static void stored_numbers_say_where_they_come_from(void **state) {
    (void)state;
    pk_command_options options = command_options();
    pk_command_report report = command_report_begin(&options);
    pk_command_result *r = command_add(&report, "a", 0.0095, 0, 10);
    command_finish(&report);
    r->stored[0] = command_change(PK_IMPROVED, -0.06, -0.04);
    char *text = result_text(&report, 0, &own_style);
    /* 9.5 ms is 5 % below 10 */
    assert_says(text, "  Against the baseline, numbers of another session\n"
                      "    wall  improved: 5.0 % faster (99 % CI -6.0 .. -4.0), -500 µs\n");
    free(text);
    r->stored[0].elsewhere = true;
    r->stored[0].verdict.word = PK_CANNOT_TELL;
    r->stored[0].refused = "too few runs";
    text = result_text(&report, 0, &own_style);
    assert_says(text, "numbers of another session and perhaps another machine\n"
                      "    wall  cannot tell: too few runs\n");
    free(text);
    text = result_text(&report, 0, &hyperfine_style);
    assert_lacks(text, "baseline");
    free(text);
    command_report_end(&report);
}

/* Of two commands one is slower; what is compared with a reference has regressed. */
static void only_against_a_reference_a_command_regresses(void **state) {
    (void)state;
    pk_command_options options = command_options();
    const double means[] = {0.01, 0.02}, sds[] = {0.001, 0.001};
    pk_command_report report = with_means(&options, 2, means, sds);
    report.results[1].change[0] = command_change(PK_REGRESSED, 0.9, 1.1);
    report.results[1].change[1] = command_change(PK_IMPROVED, -0.06, -0.04);
    char *text = summary_text(&report, &own_style, false);
    assert_says(text, "    wall  +100.0 % slower (99 % CI +90.0 .. +110.0), +10.0 ms\n");
    assert_says(text, "    CPU   5.0 % faster (99 % CI ");
    free(text);
    options.reference = "alpha";
    text = summary_text(&report, &own_style, false);
    assert_says(text, "    wall  regressed: +100.0 % slower (");
    assert_says(text, "    CPU   improved: 5.0 % faster (");
    free(text);
    command_report_end(&report);
}

static void names_cannot_steer_the_terminal(void **state) {
    (void)state;
    pk_command_options options = command_options();
    pk_command_report report = command_report_begin(&options);
    command_add(&report, "a\x1b[2J\nb", 0.02, 0, 10);
    command_finish(&report);
    char *text = result_text(&report, 0, &own_style);
    assert_says(text, "Benchmark 1: a\\x1b[2J\\nb\n");
    free(text);
    command_report_end(&report);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_block_is_laid_out_as_hyperfine_does),
        cmocka_unit_test(padding_is_inside_the_coloured_span),
        cmocka_unit_test(one_run_has_no_range),
        cmocka_unit_test(the_mean_chooses_the_unit_unless_one_was_asked_for),
        cmocka_unit_test(the_summary_ranks_by_mean),
        cmocka_unit_test(a_reference_may_be_slower_or_as_fast),
        cmocka_unit_test(single_runs_have_no_sigma),
        cmocka_unit_test(what_took_no_time_is_not_ranked),
        cmocka_unit_test(a_command_whose_runs_all_failed_has_no_rank),
        cmocka_unit_test(warnings_stand_in_hyperfines_order),
        cmocka_unit_test(advice_is_not_what_was_already_done),
        cmocka_unit_test(blocks_and_summary_of_each_style),
        cmocka_unit_test(cpu_is_split_from_10_ms_on),
        cmocka_unit_test(memory_says_what_is_only_a_bound),
        cmocka_unit_test(counters_are_there_or_na_once),
        cmocka_unit_test(failed_runs_are_told_apart),
        cmocka_unit_test(the_distribution_shows_each_run),
        cmocka_unit_test(stored_numbers_say_where_they_come_from),
        cmocka_unit_test(only_against_a_reference_a_command_regresses),
        cmocka_unit_test(names_cannot_steer_the_terminal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
