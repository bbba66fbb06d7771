#include "timing/cpu.h"

#include "check.h"

#include <pthread.h>
#include <sched.h>
#include <time.h>
#include "timing/clock.h"

#define MS 1000000ull

static uint64_t thread_cpu_ns(void) {
    struct timespec ts;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
    return (uint64_t)ts.tv_sec * 1000 * MS + (uint64_t)ts.tv_nsec;
}

static void spin_ns(uint64_t duration_ns) {
    uint64_t start = thread_cpu_ns();
    while (thread_cpu_ns() - start < duration_ns) {
    }
}

static uint64_t sum(const pk_cpu_usage *usage) {
    return usage->user_ns + usage->system_ns;
}

static void fifty_milliseconds_of_work_are_fifty_milliseconds(void **state) {
    (void)state;
    pk_cpu_usage before, after;
    pk_cpu_thread(&before);
    spin_ns(50 * MS);
    pk_cpu_thread(&after);
    pk_cpu_usage used = pk_cpu_usage_between(&before, &after);
    assert_true(sum(&used) >= 50 * MS);
    assert_near((double)sum(&used), 50e6, 0.02);
}

static void sleeping_costs_no_cpu_but_a_switch(void **state) {
    (void)state;
    pk_cpu_usage before, after;
    pk_cpu_thread(&before);
    for (int i = 0; i < 10; i++) pk_sleep_until_ns(pk_now_ns() + 5 * MS);
    pk_cpu_thread(&after);
    pk_cpu_usage used = pk_cpu_usage_between(&before, &after);
    assert_true(sum(&used) < 10 * MS);
    assert_true(used.switches_voluntary >= 10);
}

enum { SLEEPS = 20 };

static void *work_and_report(void *usage) {
    spin_ns(50 * MS);
    for (int i = 0; i < SLEEPS; i++) pk_sleep_until_ns(pk_now_ns() + MS);
    pk_cpu_thread(usage);
    return NULL;
}

static void a_thread_counts_itself_the_process_counts_all(void **state) {
    (void)state;
    pk_cpu_usage thread_before, thread_after, process_before, process_after, other;
    pk_cpu_process(&process_before);
    pk_cpu_thread(&thread_before);
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, work_and_report, &other), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
    pk_cpu_thread(&thread_after);
    pk_cpu_process(&process_after);
    pk_cpu_usage own = pk_cpu_usage_between(&thread_before, &thread_after);
    pk_cpu_usage all = pk_cpu_usage_between(&process_before, &process_after);
    assert_true(sum(&own) < 25 * MS);
    assert_true(own.switches_voluntary < SLEEPS); /* it only waits for the other to end */
    assert_true(other.switches_voluntary >= SLEEPS);
    assert_true(all.switches_voluntary >= SLEEPS);
    assert_near((double)sum(&other), 50e6, 0.1); /* from the thread's birth */
    assert_true(sum(&all) >= sum(&other));       /* though that thread has ended */
    assert_near((double)sum(&all), (double)(sum(&other) + sum(&own)), 0.1);
}

static void differences_keep_the_sum_when_the_split_runs_back(void **state) {
    (void)state;
    pk_cpu_usage before = {.user_ns = 1000, .system_ns = 500, .switches_voluntary = 3};
    pk_cpu_usage after = {.user_ns = 5000, .system_ns = 498, .switches_voluntary = 7};
    pk_cpu_usage used = pk_cpu_usage_between(&before, &after);
    assert_int_equal(used.user_ns, 3998);
    assert_int_equal(used.system_ns, 0);
    assert_int_equal(used.switches_voluntary, 4);
    after = (pk_cpu_usage){.user_ns = 998, .system_ns = 1500, .switches_voluntary = 3};
    used = pk_cpu_usage_between(&before, &after);
    assert_int_equal(used.user_ns, 0);
    assert_int_equal(used.system_ns, 998);
    assert_int_equal(used.switches_voluntary, 0);
}

static void readings_one_after_the_other_never_lose_time(void **state) {
    (void)state;
    pk_cpu_usage last, now;
    pk_cpu_thread(&last);
    uint64_t first = sum(&last), total = 0;
    for (int i = 0; i < 20000; i++, last = now) {
        pk_cpu_thread(&now);
        pk_cpu_usage used = pk_cpu_usage_between(&last, &now);
        assert_true(sum(&used) < 1000 * MS); /* no difference has wrapped */
        total += sum(&used);
    }
    assert_int_equal(total, sum(&last) - first);
}

static void the_second_number_of_schedstat_is_the_wait(void **state) {
    (void)state;
    uint64_t ns = 7;
    const char *text = "48071 1234567890123 17\n";
    assert_true(pk_cpu_wait_parse(text, strlen(text), &ns));
    assert_int_equal(ns, 1234567890123);
    static const char *const bad[] = {"",        "\n",      "1\n", "1 2 3" /* cut off? */,
                                      "1 x 3\n", "1 -2 3\n"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_false(pk_cpu_wait_parse(bad[i], strlen(bad[i]), &ns));
        assert_int_equal(ns, 1234567890123);
    }
}

static void *spin_on_first_cpu(void *cpu_time_ns) {
    spin_ns(*(uint64_t *)cpu_time_ns);
    return NULL;
}

/* Two threads want the same CPU for 60 ms each: whichever gets it, one of them waits. */
static void a_thread_that_shares_its_cpu_has_waited(void **state) {
    (void)state;
    uint64_t before, after, work_ns = 60 * MS;
    if (!pk_cpu_thread_wait(&before)) {
        print_message("no /proc/thread-self/schedstat here\n");
        skip();
    }
    cpu_set_t mine, first;
    sched_getaffinity(0, sizeof mine, &mine);
    CPU_ZERO(&first);
    for (size_t cpu = 0; cpu < CPU_SETSIZE && CPU_COUNT(&first) == 0; cpu++)
        if (CPU_ISSET(cpu, &mine)) CPU_SET(cpu, &first);
    assert_int_equal(sched_setaffinity(0, sizeof first, &first), 0); /* the other inherits it */
    assert_true(pk_cpu_thread_wait(&before));
    uint64_t begin_ns = pk_now_ns();
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, spin_on_first_cpu, &work_ns), 0);
    spin_ns(work_ns);
    uint64_t took_ns = pk_now_ns() - begin_ns;
    assert_true(pk_cpu_thread_wait(&after));
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_int_equal(sched_setaffinity(0, sizeof mine, &mine), 0);
    /* what was neither work nor waiting is the scheduler's own, and the hypervisor's */
    assert_true(after - before <= took_ns - work_ns + MS);
    assert_true(after - before > 10 * MS);
}

static pk_machine_cpu parse(const char *text) {
    pk_machine_cpu cpu;
    pk_machine_cpu_parse(text, strlen(text), &cpu);
    return cpu;
}

static void proc_stat_gives_total_idle_and_steal(void **state) {
    (void)state;
    pk_machine_cpu cpu = parse("cpu  100 20 30 4000 500 6 7 80 9 10\ncpu0 1 2 3 4 5 6 7 8 9 10\n");
    assert_true(cpu.known);
    assert_int_equal(cpu.total_ticks, 100 + 20 + 30 + 4000 + 500 + 6 + 7 + 80); /* no guest time */
    assert_int_equal(cpu.idle_ticks, 4500);
    assert_int_equal(cpu.steal_ticks, 80);
    assert_true(parse("cpu  1 2 3 4 5 6 7 8\n").known); /* before guest time existed */
}

static void other_text_is_unknown_not_zero(void **state) {
    (void)state;
    static const char *const texts[] = {
        "",
        "cpu",
        "cpu ",
        "cpu \n",
        "cpu0 1 2 3 4 5 6 7 8 9 10\n",
        "cpu  1 2 3 4 5 6 7\n",
        "cpu  1 2 3 4 5 6 7\n8 9 10\n",
        "cpu  1 2 3 4 5 6 7 8", /* cut off? */
        "cpu  1 2 3 4 5 6 7 -8 9 10\n",
        "cpu  1 2 x 4 5 6 7 8 9 10\n",
        "cpu  1 2 3 4 5 6 7 99999999999999999999999999 9 10\n",
        "cpu  9223372036854775807 9223372036854775807 9223372036854775807 4 5 6 7 8 9 10\n",
        "intr 1 2 3 4 5 6 7 8 9 10\n",
    };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        pk_machine_cpu cpu = parse(texts[i]);
        assert_false(cpu.known);
    }
}

static void ratios_are_shares_of_the_ticks_between(void **state) {
    (void)state;
    pk_machine_cpu before = {.known = true, .total_ticks = 1000, .idle_ticks = 600};
    pk_machine_cpu after = {
        .known = true, .total_ticks = 1200, .idle_ticks = 650, .steal_ticks = 10};
    assert_near(pk_machine_steal_ratio(&before, &after), 0.05, 1e-15);
    assert_near(pk_machine_busy_ratio(&before, &after), 0.70, 1e-15);
    pk_machine_cpu unknown = {.known = false};
    assert_near(pk_machine_steal_ratio(&unknown, &after), NAN, 0);
    assert_near(pk_machine_busy_ratio(&before, &unknown), NAN, 0);
    assert_near(pk_machine_busy_ratio(&before, &before), NAN, 0); /* no tick passed */
    after.idle_ticks = 599; /* proc(5): waiting for disks may count back */
    assert_near(pk_machine_busy_ratio(&before, &after), 0.95, 1e-15);
}

static void this_machine_is_busy_while_we_spin(void **state) {
    (void)state;
    pk_machine_cpu before, after;
    pk_machine_cpu_read(&before);
    if (!before.known) {
        print_message("/proc/stat cannot be read here\n");
        skip();
    }
    spin_ns(300 * MS);
    pk_machine_cpu_read(&after);
    long cpus = sysconf(_SC_NPROCESSORS_ONLN);
    double busy = pk_machine_busy_ratio(&before, &after);
    double steal = pk_machine_steal_ratio(&before, &after);
    double ticks = (double)(after.total_ticks - before.total_ticks) * busy;
    assert_true(ticks >= 20 && busy <= 1); /* 30 ticks of 10 ms, less what sampling loses */
    assert_true(steal >= 0 && steal <= 1);
    assert_true(busy + steal >= 0.5 / (double)cpus);
}

static void cpu_count_follows_the_affinity(void **state) {
    (void)state;
    cpu_set_t all, one;
    assert_int_equal(sched_getaffinity(0, sizeof all, &all), 0);
    assert_int_equal(pk_cpu_count(), CPU_COUNT(&all));
    size_t cpu = 0;
    while (!CPU_ISSET(cpu, &all)) cpu++;
    CPU_ZERO(&one);
    CPU_SET(cpu, &one);
    assert_int_equal(sched_setaffinity(0, sizeof one, &one), 0);
    assert_int_equal(pk_cpu_count(), 1);
    assert_int_equal(sched_setaffinity(0, sizeof all, &all), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fifty_milliseconds_of_work_are_fifty_milliseconds),
        cmocka_unit_test(sleeping_costs_no_cpu_but_a_switch),
        cmocka_unit_test(a_thread_counts_itself_the_process_counts_all),
        cmocka_unit_test(differences_keep_the_sum_when_the_split_runs_back),
        cmocka_unit_test(readings_one_after_the_other_never_lose_time),
        cmocka_unit_test(the_second_number_of_schedstat_is_the_wait),
        cmocka_unit_test(a_thread_that_shares_its_cpu_has_waited),
        cmocka_unit_test(proc_stat_gives_total_idle_and_steal),
        cmocka_unit_test(other_text_is_unknown_not_zero),
        cmocka_unit_test(ratios_are_shares_of_the_ticks_between),
        cmocka_unit_test(this_machine_is_busy_while_we_spin),
        cmocka_unit_test(cpu_count_follows_the_affinity),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
