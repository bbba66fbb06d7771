#include "check.h"

#include "base/units.h"
#include "load/syn_retry.h"

static void the_schedule_doubles(void **state) {
    (void)state;
    static const uint64_t seconds[] = {1, 3, 7, 15, 31, 63, 127, 247, 367};
    for (unsigned i = 0; i < sizeof seconds / sizeof seconds[0]; i++)
        assert_int_equal(pk_syn_retry_ns(i + 1, 0), seconds[i] * PK_NS_PER_S);
    assert_int_equal(pk_syn_retry_ns(0, 0), 0);
}

/* Seen on Linux 6.18 with the default of 4: a queue that opens after 0.5, 1.5, 3.5, 5.5 s is
 * reached at 1, 2, 4, 7 s. */
static void newer_kernels_repeat_the_first_wait(void **state) {
    (void)state;
    static const uint64_t seconds[] = {1, 2, 3, 4, 5, 7, 11, 19};
    for (unsigned i = 0; i < sizeof seconds / sizeof seconds[0]; i++)
        assert_int_equal(pk_syn_retry_ns(i + 1, 4), seconds[i] * PK_NS_PER_S);
}

static pk_hist *hist_of(void) {
    pk_err err = {0};
    pk_hist *hist = pk_hist_new_latency(&err);
    assert_ok(hist != NULL, &err);
    return hist;
}

static void add_ms(pk_hist *hist, uint64_t ms, uint64_t n) {
    pk_hist_record_n(hist, ms * PK_NS_PER_MS, n);
}

static void connects_just_after_1_3_and_7_s_are_named(void **state) {
    (void)state;
    pk_hist *h = hist_of();
    pk_syn_retries found;
    add_ms(h, 1, 129);
    for (uint64_t ms = 992; ms < 1040; ms += 4) add_ms(h, ms, 20); /* 240; 992: a tick early */
    add_ms(h, 3020, 30);
    add_ms(h, 7150, 1);
    pk_syn_retries_find(h, 0, &found);
    assert_int_equal(found.n, 3);
    assert_int_equal(found.count, 271);
    static const uint64_t seconds[] = {1, 3, 7}, counts[] = {240, 30, 1};
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(found.clusters[i].retries, i + 1);
        assert_int_equal(found.clusters[i].at_ns, seconds[i] * PK_NS_PER_S);
        assert_int_equal(found.clusters[i].count, counts[i]);
    }
    pk_syn_retries_find(h, 4, &found); /* the third retry then goes out at 3 s, the sixth at 7 */
    assert_int_equal(found.n, 3);
    assert_int_equal(found.clusters[1].retries, 3);
    assert_int_equal(found.clusters[2].retries, 6);
    pk_hist_free(h);
}

static void a_gap_in_the_schedule_is_no_end(void **state) {
    (void)state;
    pk_hist *h = hist_of();
    pk_syn_retries found;
    add_ms(h, 1, 2);
    add_ms(h, 15100, 8);
    pk_syn_retries_find(h, 0, &found);
    assert_int_equal(found.n, 1);
    assert_int_equal(found.clusters[0].retries, 4);
    assert_int_equal(found.clusters[0].count, 8);
    pk_hist_free(h);
}

static void slow_connects_are_no_cluster(void **state) {
    (void)state;
    pk_syn_retries found;
    pk_hist *h = hist_of();
    pk_syn_retries_find(h, 0, &found); /* nothing */
    assert_int_equal(found.n, 0);
    pk_syn_retries_find(NULL, 0, &found);
    assert_int_equal(found.n, 0);
    add_ms(h, 20, 100);
    add_ms(h, 980, 5); /* before the timer */
    pk_syn_retries_find(h, 0, &found);
    assert_int_equal(found.n, 0);
    pk_hist_reset(h);
    for (uint64_t ms = 1; ms < 9000; ms += 3) add_ms(h, ms, 1); /* spread evenly */
    pk_syn_retries_find(h, 0, &found);
    assert_int_equal(found.n, 0);
    add_ms(h, 1010, 300); /* four times as dense as before it, and more: 340 in 150 ms */
    pk_syn_retries_find(h, 0, &found);
    assert_int_equal(found.n, 1);
    assert_in_range(found.count, 340, 350);
    pk_hist_free(h);
}

/* The network's own delay comes on top of the timer's. */
static void a_far_server_has_its_cluster_later(void **state) {
    (void)state;
    pk_hist *h = hist_of();
    pk_syn_retries found;
    add_ms(h, 300, 100);
    add_ms(h, 1320, 10);
    pk_syn_retries_find(h, 0, &found);
    assert_int_equal(found.n, 1);
    assert_int_equal(found.count, 10);
    pk_hist_free(h);
}

static void this_machines_setting_is_readable_or_0(void **state) {
    (void)state;
    unsigned linear = pk_syn_linear_timeouts();
    char text[64] = "0\n";
    const char *path = "/proc/sys/net/ipv4/tcp_syn_linear_timeouts";
    if (access(path, R_OK) == 0) check_read_file(text, sizeof text, path);
    char expected[64];
    snprintf(expected, sizeof expected, "%u\n", linear);
    assert_string_equal(expected, text);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_schedule_doubles),
        cmocka_unit_test(newer_kernels_repeat_the_first_wait),
        cmocka_unit_test(connects_just_after_1_3_and_7_s_are_named),
        cmocka_unit_test(a_gap_in_the_schedule_is_no_end),
        cmocka_unit_test(slow_connects_are_no_cluster),
        cmocka_unit_test(a_far_server_has_its_cluster_later),
        cmocka_unit_test(this_machines_setting_is_readable_or_0),
    };
    return cmocka_run_group_tests_name("load/syn_retry", tests, NULL, NULL);
}
