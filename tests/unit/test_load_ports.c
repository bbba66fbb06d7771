#include "check.h"

#include "base/units.h"
#include "load/ports.h"

/* Debian 12 as it is installed. */
static const pk_ports_files debian = {
    .ip_local_port_range = "32768\t60999\n",
    .ip_local_reserved_ports = "\n",
    .tcp_tw_reuse = "2\n",
    .tcp_timestamps = "1\n",
};

static pk_ports parse(pk_ports_files files) {
    pk_ports ports = {0};
    assert_true(pk_ports_parse(&files, &ports));
    return ports;
}

static void the_usual_range_is_28232_ports_for_a_minute(void **state) {
    (void)state;
    pk_ports p = parse(debian);
    assert_int_equal(p.per_target, 28232);
    assert_int_equal(p.hold_ns, 60 * PK_NS_PER_S);
    assert_int_equal(p.hold_loopback_ns, PK_NS_PER_S);
    assert_true(p.can_reuse);
}

static void reuse_is_a_matter_of_three_files(void **state) {
    (void)state;
    const struct {
        const char *reuse, *delay, *timestamps;
        uint64_t hold_ms, hold_loopback_ms;
    } cases[] = {
        {"0\n", NULL, "1\n", 60000, 60000},  {"1\n", NULL, "1\n", 1000, 1000},
        {"2\n", NULL, "1\n", 60000, 1000},   {"2\n", "250\n", "1\n", 60000, 250},
        {"1\n", "0\n", "1\n", 0, 0},         {"1\n", NULL, "0\n", 60000, 60000},
        {"2\n", NULL, "0\n", 60000, 60000},  {NULL, NULL, NULL, 60000, 60000},
        {"x\n", "y\n", "z\n", 60000, 60000},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        pk_ports_files files = debian;
        files.tcp_tw_reuse = cases[i].reuse;
        files.tcp_tw_reuse_delay = cases[i].delay;
        files.tcp_timestamps = cases[i].timestamps;
        pk_ports p = parse(files);
        assert_int_equal(p.hold_ns, cases[i].hold_ms * PK_NS_PER_MS);
        assert_int_equal(p.hold_loopback_ns, cases[i].hold_loopback_ms * PK_NS_PER_MS);
    }
}

static void reserved_ports_count_inside_the_range_only(void **state) {
    (void)state;
    const struct {
        const char *range, *reserved;
        uint64_t count;
    } cases[] = {
        {"1000 1000", NULL, 1},           {"1000\t1009\n", "1000\n", 9},
        {"1000\t1009\n", "1009", 9},      {"1000\t1009\n", "999,1010\n", 10},
        {"1000\t1009\n", "1-1001\n", 8},  {"1000\t1009\n", "1002-1004,1006,2000-3000\n", 6},
        {"1000\t1009\n", "1-65535\n", 0}, {"1000\t1009\n", "x,,1-,-3,5-4,1003\n", 9},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        pk_ports p = parse((pk_ports_files){.ip_local_port_range = cases[i].range,
                                            .ip_local_reserved_ports = cases[i].reserved});
        assert_int_equal(p.per_target, cases[i].count);
    }
}

static void what_is_no_range_is_unknown(void **state) {
    (void)state;
    const char *const bad[] = {NULL,      "",      "\n",      "32768\n",        "a b",
                               "1 70000", "-1 10", "60 \t50", "1 2 3",          "1,2",
                               "1 2x",    "\t5 6", " ",       "99999999999 1\n"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        pk_ports p = {.per_target = 7};
        if (pk_ports_parse(&(pk_ports_files){.ip_local_port_range = bad[i]}, &p))
            print_error("accepted: %s\n", bad[i]);
        assert_int_equal(p.per_target, 7); /* untouched */
    }
}

static void this_machine_has_ports(void **state) {
    (void)state;
    pk_ports p;
    if (access("/proc/sys/net/ipv4/ip_local_port_range", R_OK) != 0) skip();
    assert_true(pk_ports_read(&p));
    assert_in_range(p.per_target, 1, 65535);
}

/* ---- what a run asks for ---- */

static pk_ports_need need_of(const pk_load_options *o) {
    pk_plan plan;
    pk_err err = {0};
    assert_ok(pk_plan_init(&plan, o, &err), &err);
    pk_ports_need need = pk_ports_need_of(o, &plan);
    pk_plan_fini(&plan);
    return need;
}

static void targets_are_counted_once_each(void **state) {
    (void)state;
    const char *to[] = {"n.invalid:80:127.0.0.1:1", "n.invalid:80:127.0.0.1:2",
                        "n.invalid:80:127.0.0.1:1", "other.invalid:80:127.0.0.1:3"};
    pk_load_options o = {.url = "http://n.invalid/",
                         .connect_to = {to, 4},
                         .connections = 5,
                         .threads = 2,
                         .requests = 10,
                         .disable_keepalive = true};
    pk_ports_need n = need_of(&o);
    assert_int_equal(n.targets, 2);
    assert_true(n.is_loopback);
    assert_false(n.keepalive);
    assert_int_equal(n.requests, 10);
    o.duration_ns = 1; /* -n is a default that does not count beside -z */
    assert_int_equal(need_of(&o).requests, 0);
}

static void loopback_is_where_it_goes_not_what_it_is_called(void **state) {
    (void)state;
    const struct {
        const char *url, *proxy;
        bool is_loopback;
    } cases[] = {
        {"http://127.0.0.1:3000/", NULL, true},
        {"http://127.200.0.7/", NULL, true},
        {"http://[::1]:3000/", NULL, true},
        {"http://[::ffff:127.0.0.1]/", NULL, true},
        {"http://10.0.0.1/", NULL, false},
        {"http://[2001:db8::1]/", NULL, false},
        {"http://name.invalid/", "http://127.0.0.1:3128", true},
        {"http://127.0.0.1/", "http://10.0.0.1:3128", false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        pk_ports_need n = need_of(&(pk_load_options){.url = cases[i].url, .proxy = cases[i].proxy});
        assert_int_equal(n.targets, 1);
        assert_int_equal(n.is_loopback, cases[i].is_loopback);
    }
    const char *mixed[] = {"n.invalid:80:127.0.0.1:1", "n.invalid:80:10.0.0.1:1"};
    pk_ports_need n =
        need_of(&(pk_load_options){.url = "http://n.invalid/", .connect_to = {mixed, 2}});
    assert_int_equal(n.targets, 2);
    assert_false(n.is_loopback);
    n = need_of(&(pk_load_options){.url = "http://127.0.0.1/", .unix_socket = "s"});
    assert_int_equal(n.targets, 0);
}

/* ---- the budget ---- */

/* Without keep-alive, 50 connections, 1 thread, to another machine, for an hour. */
static pk_ports_need churn(void) {
    return (pk_ports_need){
        .targets = 1, .connections = 50, .threads = 1, .duration_ns = 3600 * PK_NS_PER_S};
}

static pk_ports_budget plan(pk_ports_need need) {
    pk_ports ports = parse(debian);
    return pk_ports_plan(&ports, &need);
}

/* 28232 ports in 60 s: 470.5 a second. */
static void a_rate_above_470_runs_out(void **state) {
    (void)state;
    pk_ports_need n = churn();
    n.rate_hz = 470;
    pk_ports_budget b = plan(n);
    assert_int_equal(b.outlook, PK_PORTS_ENOUGH);
    assert_int_equal(b.ports, 28232);
    assert_near(b.sustained_hz, 28232 / 60.0, 1e-12);
    n.rate_hz = 471;
    b = plan(n);
    assert_int_equal(b.outlook, PK_PORTS_RUN_OUT);
    assert_near((double)b.out_after_ns, 28232 / 471.0 * 1e9, 1e-9); /* 59.9 s */
    assert_true(b.reuse_helps);
    n.rate_hz = 1000;
    assert_near((double)plan(n).out_after_ns, 28.232e9, 1e-9);
    n.targets = 2; /* twice as many ports, as each target has all of them */
    b = plan(n);
    assert_near(b.sustained_hz, 2 * 28232 / 60.0, 1e-12);
    assert_near((double)b.out_after_ns, 56.464e9, 1e-9);
    n.targets = 3;
    assert_int_equal(plan(n).outlook, PK_PORTS_ENOUGH);
}

static void on_loopback_a_port_comes_back_after_a_second(void **state) {
    (void)state;
    pk_ports_need n = churn();
    n.is_loopback = true;
    n.rate_hz = 28232;
    pk_ports_budget b = plan(n);
    assert_int_equal(b.outlook, PK_PORTS_ENOUGH);
    assert_near(b.sustained_hz, 28232, 1e-12);
    n.rate_hz = 30000;
    b = plan(n);
    assert_int_equal(b.outlook, PK_PORTS_RUN_OUT);
    assert_near((double)b.out_after_ns, 28232 / 30000.0 * 1e9, 1e-9);
    assert_false(b.reuse_helps);
}

/* A run that ends before it has used the ports up needs none of them twice. */
static void a_short_run_is_enough_by_itself(void **state) {
    (void)state;
    pk_ports_need n = churn();
    n.rate_hz = 1000;
    n.duration_ns = 28 * PK_NS_PER_S;
    assert_int_equal(plan(n).outlook, PK_PORTS_ENOUGH);
    n.duration_ns = 29 * PK_NS_PER_S;
    assert_int_equal(plan(n).outlook, PK_PORTS_RUN_OUT);
    n.duration_ns = 0;
    n.requests = 28232;
    assert_int_equal(plan(n).outlook, PK_PORTS_ENOUGH);
    n.requests = 28233;
    assert_int_equal(plan(n).outlook, PK_PORTS_RUN_OUT);
    n.rate_hz = 0; /* in a closed loop 50 are in use beside those that wait */
    assert_int_equal(plan(n).outlook, PK_PORTS_MAY_RUN_OUT);
    n.requests = 28182;
    assert_int_equal(plan(n).outlook, PK_PORTS_ENOUGH);
}

static void a_closed_loop_may_run_out_if_the_server_is_fast(void **state) {
    (void)state;
    pk_ports_need n = churn();
    pk_ports_budget b = plan(n);
    assert_int_equal(b.outlook, PK_PORTS_MAY_RUN_OUT);
    assert_near(b.sustained_hz, 28182 / 60.0, 1e-12);
    assert_near(b.limit_hz, 28182 / 60.0, 1e-12);
    n.duration_ns = 10 * PK_NS_PER_S; /* within 10 s: 2818 a second, which one thread can do */
    b = plan(n);
    assert_int_equal(b.outlook, PK_PORTS_MAY_RUN_OUT);
    assert_near(b.limit_hz, 2818.2, 1e-12);
    assert_near(b.sustained_hz, 28182 / 60.0, 1e-12);
    n.duration_ns = PK_NS_PER_S / 2; /* 56,364 a second: two threads at least */
    assert_int_equal(plan(n).outlook, PK_PORTS_ENOUGH);
    n.threads = 2;
    assert_int_equal(plan(n).outlook, PK_PORTS_MAY_RUN_OUT);
}

static void kept_connections_need_a_port_each_and_no_more(void **state) {
    (void)state;
    pk_ports_need n = churn();
    n.keepalive = true;
    assert_int_equal(plan(n).outlook, PK_PORTS_ENOUGH);
    n.connections = 28232;
    assert_int_equal(plan(n).outlook, PK_PORTS_ENOUGH);
    n.connections = 28233;
    assert_int_equal(plan(n).outlook, PK_PORTS_TOO_MANY_OPEN);
    n.keepalive = false;
    assert_int_equal(plan(n).outlook, PK_PORTS_TOO_MANY_OPEN);
    n.targets = 2;
    n.keepalive = true;
    assert_int_equal(plan(n).outlook, PK_PORTS_ENOUGH);
    n.targets = 0; /* a Unix socket */
    assert_int_equal(plan(n).outlook, PK_PORTS_ENOUGH);
}

static void no_port_at_all_is_too_few(void **state) {
    (void)state;
    pk_ports_files files = debian;
    files.ip_local_reserved_ports = "1-65535";
    pk_ports none = parse(files);
    pk_ports_need n = churn();
    pk_ports_budget b = pk_ports_plan(&none, &n);
    assert_int_equal(b.outlook, PK_PORTS_TOO_MANY_OPEN);
    assert_near(b.sustained_hz, 0, 0);
}

/* ---- the advice ---- */

static void assert_advice(pk_ports_need need, const char *expected) {
    char line[PK_PORTS_ADVICE_MAX];
    pk_ports_budget b = plan(need);
    assert_int_equal(pk_ports_advice(line, sizeof line, &b, &need), expected[0] != '\0');
    assert_string_equal(line, expected);
}

static void the_advice_says_what_when_and_how_to_fix_it(void **state) {
    (void)state;
    pk_ports_need n = churn();
    assert_advice(n, "each request takes a local port for 60 s: if the server answers more than "
                     "469/s, the 28232 ports run out and requests fail; leave out "
                     "--disable-keepalive, add -q 469, or set net.ipv4.tcp_tw_reuse=1 (ports come "
                     "back after 1 s)");
    n.rate_hz = 1000;
    assert_advice(n, "each request takes a local port for 60 s, and 28232 ports are enough for "
                     "470/s: at 1000/s they run out after 28.2 s and requests fail; leave out "
                     "--disable-keepalive, lower -q, or set net.ipv4.tcp_tw_reuse=1 (ports come "
                     "back after 1 s)");
    n.is_loopback = true;
    n.rate_hz = 40000;
    assert_advice(n, "each request takes a local port for 1 s, and 28232 ports are enough for "
                     "28232/s: at 40000/s they run out after 706 ms and requests fail; leave out "
                     "--disable-keepalive, lower -q, or widen net.ipv4.ip_local_port_range");
    n.connections = 30000;
    assert_advice(n, "30000 connections want a local port each and there are 28232: the others "
                     "will fail; lower -c, widen net.ipv4.ip_local_port_range, or spread them over "
                     "more addresses with --connect-to");
    n = churn();
    n.rate_hz = 10;
    assert_advice(n, "");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_usual_range_is_28232_ports_for_a_minute),
        cmocka_unit_test(reuse_is_a_matter_of_three_files),
        cmocka_unit_test(reserved_ports_count_inside_the_range_only),
        cmocka_unit_test(what_is_no_range_is_unknown),
        cmocka_unit_test(this_machine_has_ports),
        cmocka_unit_test(targets_are_counted_once_each),
        cmocka_unit_test(loopback_is_where_it_goes_not_what_it_is_called),
        cmocka_unit_test(a_rate_above_470_runs_out),
        cmocka_unit_test(on_loopback_a_port_comes_back_after_a_second),
        cmocka_unit_test(a_short_run_is_enough_by_itself),
        cmocka_unit_test(a_closed_loop_may_run_out_if_the_server_is_fast),
        cmocka_unit_test(kept_connections_need_a_port_each_and_no_more),
        cmocka_unit_test(no_port_at_all_is_too_few),
        cmocka_unit_test(the_advice_says_what_when_and_how_to_fix_it),
    };
    return cmocka_run_group_tests_name("load/ports", tests, NULL, NULL);
}
