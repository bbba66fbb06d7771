/* serve/metrics: counting in threads, summing, and the text of a scrape. */
#include "check.h"

#include <pthread.h>

#include "serve/metrics.h"

enum { THREADS = 4, EACH = 10000 };

static void *count(void *context) {
    pk_counters *mine = context;
    for (int i = 0; i < EACH; i++) {
        pk_count(mine, PK_COUNTER(answered) + 200, 1);
        pk_count(mine, PK_COUNTER(body_bytes), 13);
    }
    return NULL;
}

static pk_totals sum(const pk_counters *blocks, size_t n) {
    pk_totals totals = {.started = 0};
    for (size_t i = 0; i < n; i++) pk_counters_add(&blocks[i], &totals);
    return totals;
}

static void counts_of_all_threads_are_summed_exactly(void **state) {
    (void)state;
    pthread_t threads[THREADS];
    pk_counters *blocks = pk_counters_new(THREADS);
    assert_non_null(blocks);
    assert_int_equal(sum(blocks, THREADS).answered[200], 0);
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, count, &blocks[i]), 0);
    for (uint64_t last = 0; last < THREADS * EACH;) { /* a reader beside writers: never backwards */
        uint64_t now = sum(blocks, THREADS).answered[200];
        assert_true(now >= last);
        last = now;
    }
    for (int i = 0; i < THREADS; i++) assert_int_equal(pthread_join(threads[i], NULL), 0);
    pk_totals totals = sum(blocks, THREADS);
    assert_int_equal(totals.answered[200], THREADS * EACH);
    assert_int_equal(totals.body_bytes, THREADS * EACH * 13);
    assert_int_equal(totals.answered[404], 0);
    free(blocks);
    assert_null(pk_counters_new(SIZE_MAX));
}

static void each_counter_has_its_place(void **state) {
    (void)state;
    pk_counters *mine = pk_counters_new(1);
    assert_non_null(mine);
    assert_int_equal((uintptr_t)mine % 64, 0);
    pk_count(mine, PK_COUNTER(started), 1);
    pk_count(mine, PK_COUNTER(scrapes), 2);
    pk_count(mine, PK_COUNTER(opened), 3);
    pk_count(mine, PK_COUNTER(closed), 4);
    pk_count(mine, PK_COUNTER(heads_cut), 5);
    pk_count(mine, PK_COUNTER(aborted) + PK_ABORT_SHUTDOWN, 6);
    pk_count(mine, PK_COUNTER(faults) + PK_SERVE_FAULT_SLOW, 7);
    pk_count(mine, PK_COUNTER(answered) + 599, 8);
    pk_totals totals = sum(mine, 1);
    assert_int_equal(totals.started, 1);
    assert_int_equal(totals.scrapes, 2);
    assert_int_equal(totals.opened, 3);
    assert_int_equal(totals.closed, 4);
    assert_int_equal(totals.heads_cut, 5);
    assert_int_equal(totals.aborted[PK_ABORT_SHUTDOWN], 6);
    assert_int_equal(totals.faults[PK_SERVE_FAULT_SLOW], 7);
    assert_int_equal(totals.answered[599], 8);
    free(mine);
}

static char *scrape(const pk_totals *totals, const pk_gauges *gauges) {
    pk_strbuf text;
    pk_strbuf_init(&text, 1 << 20);
    pk_metrics_write(&text, totals, gauges);
    assert_true(pk_strbuf_ok(&text));
    char *data = pk_strbuf_detach(&text, NULL);
    pk_strbuf_fini(&text);
    return data;
}

static void has(const char *text, const char *line) {
    char framed[256];
    snprintf(framed, sizeof framed, "\n%s\n", line);
    if (!strstr(text, framed)) {
        print_error("no line \"%s\" in:\n%s\n", line, text);
        fail();
    }
}

static void durations_are_cumulative_and_bounded_above_inclusively(void **state) {
    (void)state;
    static const uint64_t ns[] = {0, 10000, 10001, 999999, 1000000, 10000000000, 10000000001};
    pk_counters *mine = pk_counters_new(1);
    assert_non_null(mine);
    for (size_t i = 0; i < sizeof ns / sizeof *ns; i++) pk_count_duration(mine, ns[i]);
    pk_totals totals = sum(mine, 1);
    char *text = scrape(&totals, &(pk_gauges){0});
    has(text, "request_duration_seconds_bucket{le=\"0.00001\"} 2");
    has(text, "request_duration_seconds_bucket{le=\"0.000025\"} 3");
    has(text, "request_duration_seconds_bucket{le=\"0.0005\"} 3");
    has(text, "request_duration_seconds_bucket{le=\"0.001\"} 5");
    has(text, "request_duration_seconds_bucket{le=\"5\"} 5");
    has(text, "request_duration_seconds_bucket{le=\"10\"} 6");
    has(text, "request_duration_seconds_bucket{le=\"+Inf\"} 7");
    has(text, "request_duration_seconds_count 7");
    has(text, "request_duration_seconds_sum 20.002020001");
    free(text);
    free(mine);
}

static void a_scrape_names_every_figure(void **state) {
    (void)state;
    pk_totals totals = {
        .started = 7, .scrapes = 3, .opened = 10, .closed = 4, .body_bytes = 1234, .heads_cut = 2};
    totals.answered[503] = 2;
    totals.aborted[PK_ABORT_CLIENT] = 5;
    totals.faults[PK_SERVE_FAULT_RESET] = 6;
    char *text = scrape(&totals, &(pk_gauges){.connections_limit = 99,
                                              .suspended = 8,
                                              .draining = true,
                                              .cpu_s = 1.5,
                                              .resident_bytes = 4096,
                                              .uptime_s = 0.25});
    has(text, "requests_started_total 7");
    has(text, "requests_total{code=\"200\"} 0");
    has(text, "requests_total{code=\"503\"} 2");
    assert_null(strstr(text, "code=\"404\""));
    has(text, "requests_aborted_total{reason=\"client\"} 5");
    has(text, "scrapes_total 3");
    has(text, "faults_injected_total{kind=\"reset\"} 6");
    has(text, "faults_injected_total{kind=\"500\"} 0");
    has(text, "bytes_sent_total 1234");
    has(text, "connections 6");
    has(text, "connections_opened_total 10");
    has(text, "connections_limit 99");
    has(text, "connections_waiting 8");
    has(text, "heads_cut_total 2");
    has(text, "draining 1");
    has(text, "process_cpu_seconds_total 1.5");
    has(text, "process_resident_memory_bytes 4096");
    has(text, "uptime_seconds 0.25");
    free(text);
}

/* Prometheus text format 0.0.4: each family has one HELP and one TYPE, then its samples, together;
 * every line ends in a newline. */
static void the_text_keeps_the_format(void **state) {
    (void)state;
    char *text = scrape(&(pk_totals){.closed = 1}, &(pk_gauges){0});
    char family[128] = "";
    size_t families = 0;
    assert_int_equal(text[strlen(text) - 1], '\n');
    for (char *line = text, *next; *line; line = next) {
        char *end = strchr(line, '\n');
        *end = '\0';
        next = end + 1;
        if (strncmp(line, "# HELP ", 7) == 0) {
            size_t bytes = strcspn(line + 7, " ");
            assert_true(bytes < sizeof family && line[7 + bytes] == ' ' && line[8 + bytes]);
            memcpy(family, line + 7, bytes);
            family[bytes] = '\0';
            families++;
            assert_int_equal(strncmp(next, "# TYPE ", 7), 0);
            assert_int_equal(strncmp(next + 7, family, bytes), 0);
        } else if (line[0] != '#') {
            assert_int_equal(strncmp(line, family, strlen(family)), 0);
            assert_non_null(strchr(line, ' '));
        }
    }
    assert_true(families >= 14);
    free(text);
}

static void memory_of_this_process_is_known(void **state) {
    (void)state;
    assert_in_range(pk_resident_bytes(), 100 << 10, 4ull << 40);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counts_of_all_threads_are_summed_exactly),
        cmocka_unit_test(each_counter_has_its_place),
        cmocka_unit_test(durations_are_cumulative_and_bounded_above_inclusively),
        cmocka_unit_test(a_scrape_names_every_figure),
        cmocka_unit_test(the_text_keeps_the_format),
        cmocka_unit_test(memory_of_this_process_is_known),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
