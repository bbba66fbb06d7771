/* From records to a profile: events, parts of a recording, charts over time, times off the CPU. */
#include "tests/unit/collapse_records.h"

#include "base/file.h"

static void sample(collapse_fixture *f, uint64_t time, uint64_t period, uint64_t address) {
    perf_sample(&f->records, 70, time, period, CHAIN(PK_CHAIN_USER, address));
}

/* Of the thread pid + 1 of another process with the same maps. */
static void other_sample(collapse_fixture *f, uint64_t time, uint64_t period, uint64_t address) {
    perf_sample(&f->records, 80, time, period, CHAIN(PK_CHAIN_USER, address));
}

static void other_process(collapse_fixture *f) {
    perf_fork(&f->records, PERF_RECORD_FORK, 80, 80, 70, 1);
}

/* ---- what it says of itself ---- */

static void a_profile_says_what_it_is(void **state) {
    collapse_fixture *f = *state;
    collapse_burner(f);
    sample(f, 1001, 1003009, 0x1000);
    perf_words(&f->records, PERF_RECORD_LOST, 0, 70, 1002, 2, (uint64_t[]){1, 7});
    perf_words(&f->records, PERF_RECORD_LOST_SAMPLES, 0, 70, 1003, 1, (uint64_t[]){30});
    perf_words(&f->records, PERF_RECORD_THROTTLE, 0, 70, 1004, 3, (uint64_t[]){1004, 1, 1});
    perf_words(&f->records, PERF_RECORD_UNTHROTTLE, 0, 70, 1005, 3, (uint64_t[]){1005, 1, 1});
    sample(f, 2001, 2, 0x1000);
    collapse_gives(f, "burner;[a] 1003011\n");
    const pk_profile *p = &f->profile;
    assert_string_equal(p->event, "cpu-clock");
    assert_string_equal(p->unit, "ns");
    assert_true(p->weight_is_time);
    assert_near(p->frequency_hz, 997, 0);
    assert_int_equal(p->period, 0);
    assert_int_equal(p->duration_ns, 2000);
    assert_string_equal(p->command, "perf record ./burner");
    assert_string_equal(p->host, "here");
    assert_string_equal(p->kernel, "6.1");
    assert_int_equal(p->n_samples, 2);
    assert_int_equal(p->lost, 30); /* the seven are among them */
    assert_int_equal(p->throttled, 1);
    assert_int_equal(p->other_events, 0);
    assert_int_equal(p->samples.count, 0);
    assert_false(p->stacks_copied || p->off_cpu || p->incomplete);
}

static void samples_can_be_counted(void **state) {
    collapse_fixture *f = *state;
    f->options.count_samples = true;
    collapse_burner(f);
    sample(f, 2, 1003009, 0x1000);
    sample(f, 3, 5, 0x1000);
    collapse_gives(f, "burner;[a] 2\n");
    assert_string_equal(f->profile.unit, "samples");
    assert_false(f->profile.weight_is_time);
}

static void threads_are_told_by_first_sample(void **state) {
    collapse_fixture *f = *state;
    collapse_burner(f);
    other_process(f);
    other_sample(f, 10, 1, 0x1000);
    sample(f, 20, 1, 0x1000);
    other_sample(f, 30, 1, 0x1000);
    perf_comm(&f->records, 80, 40, "renamed", false);
    other_sample(f, 50, 1, 0x1000);
    collapse_feed(f);
    collapse_gives(f, "burner;[a] 3\nrenamed;[a] 1\n");
    assert_int_equal(f->profile.threads.count, 2);
    const pk_profile_thread *t = f->profile.threads.items;
    assert_int_equal(t[0].pid, 80);
    assert_int_equal(t[0].tid, 81);
    assert_int_equal(t[0].samples, 3);
    assert_int_equal(t[0].first_ns, 10);
    assert_int_equal(t[0].last_ns, 50);
    assert_string_equal(pk_names_text(f->profile.names, t[0].name, NULL), "renamed");
    assert_int_equal(t[1].pid, 70);
    assert_int_equal(t[1].samples, 1);
    assert_string_equal(pk_names_text(f->profile.names, t[1].name, NULL), "burner");
}

/* ---- events ---- */

/* Three events by ids, the last of which is no clock. */
static void several_events(collapse_fixture *f) {
    static const char *const names[] = {"cpu-clock:ppp", "cpu-clock:u", "sched:sched_switch"};
    for (size_t i = 0; i < COLLAPSE_ATTRS; i++) {
        f->attrs[i] = f->attrs[0];
        f->attrs[i].sample_type |= PERF_SAMPLE_IDENTIFIER;
        f->names[i] = names[i];
        f->ids[i] = (pk_perf_id){100 + i, i};
    }
    f->attrs[2].type = PERF_TYPE_TRACEPOINT;
    f->attrs[2].is_frequency = false;
    f->attrs[2].sample_period = 3;
    f->info.events.n_attrs = f->info.events.n_ids = COLLAPSE_ATTRS;
}

static void event_sample(collapse_fixture *f, size_t event, uint64_t time, uint64_t period) {
    size_t at = perf_record_begin(&f->records, PERF_RECORD_SAMPLE, PERF_RECORD_MISC_USER);
    put(&f->records, 100 + event, 8);
    put(&f->records, 0x1000, 8);
    put(&f->records, 70, 4);
    put(&f->records, 71, 4);
    put(&f->records, time, 8);
    put(&f->records, period, 8);
    put(&f->records, 0, 8);
    perf_record_end(&f->records, at);
}

static void one_event_is_taken(void **state) {
    static const struct {
        const char *wanted, *event, *unit;
        bool is_time;
        uint64_t samples, others, weight, fixed;
        double frequency;
    } cases[] = {
        {NULL, "cpu-clock", "ns", true, 1, 3, 2, 0, 997},
        {"cpu-clock", "cpu-clock", "ns", true, 3, 1, 13, 0, 997},
        {"cpu-clock:ppp", "cpu-clock", "ns", true, 2, 2, 11, 0, 997},
        {"sched:sched_switch", "sched:sched_switch", "sched:sched_switch", false, 1, 3, 4, 3, 0},
        {"sched", "cpu-clock", "ns", true, 0, 4, 0, 0, 997},
        {"cycles", "cpu-clock", "ns", true, 0, 4, 0, 0, 997},
    };
    collapse_fixture *f = *state;
    several_events(f);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        collapse_again(f);
        f->options.event = cases[i].wanted;
        event_sample(f, 1, 2, 2);
        event_sample(f, 2, 3, 4);
        event_sample(f, 0, 4, 5);
        event_sample(f, 0, 5, 6);
        collapse_feed(f);
        assert_ok(pk_collapse_end(f->collapse, &f->err), &f->err);
        (void)pk_stack_tree_sum(&f->profile.tree);
        assert_int_equal(pk_node(&f->profile.tree, 0)->total[0], cases[i].weight);
        assert_int_equal(f->profile.n_samples, cases[i].samples);
        assert_int_equal(f->profile.other_events, cases[i].others);
        assert_string_equal(f->profile.event, cases[i].event);
        assert_string_equal(f->profile.unit, cases[i].unit);
        assert_int_equal(f->profile.weight_is_time, cases[i].is_time);
        assert_int_equal(f->profile.period, cases[i].fixed);
        assert_near(f->profile.frequency_hz, cases[i].frequency, 0);
    }
}

/* A recording that was cut off does not name its events. */
static void events_have_names_of_their_own(void **state) {
    static const struct {
        uint32_t type;
        uint64_t config;
        const char *name, *unit;
    } cases[] = {{PERF_TYPE_SOFTWARE, PERF_COUNT_SW_TASK_CLOCK, "task-clock", "ns"},
                 {PERF_TYPE_HARDWARE, PERF_COUNT_HW_CPU_CYCLES, "cycles", "cycles"},
                 {PERF_TYPE_RAW, 0x1a8, "event 4:0x1a8", "event 4:0x1a8"}};
    collapse_fixture *f = *state;
    f->info.event_names = NULL;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        collapse_again(f);
        f->attrs[0].type = cases[i].type;
        f->attrs[0].config = cases[i].config;
        sample(f, 1, 1, 0x1000);
        collapse_gives(f, ":71;[unknown] 1\n");
        assert_string_equal(f->profile.event, cases[i].name);
        assert_string_equal(f->profile.unit, cases[i].unit);
    }
}

/* ---- parts ---- */

static void only_a_part_is_taken(void **state) {
    static const struct {
        uint64_t begin, end, duration;
        const char *folded;
    } cases[] = {{0, 0, 30, "burner;[a] 15\n"},
                 {10, 0, 20, "burner;[a] 14\n"},
                 {10, 20, 10, "burner;[a] 2\n"},
                 {0, 11, 11, "burner;[a] 3\n"},
                 {40, 0, 0, ""}};
    collapse_fixture *f = *state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        collapse_again(f);
        f->options.begin_ns = cases[i].begin;
        f->options.end_ns = cases[i].end;
        perf_comm(&f->records, 70, 100, "burner", true);
        perf_mmap2(&f->records, 70, 100, 0x1000, 0x1000, 0, "/gone/a");
        for (uint64_t n = 0; n < 4; n++) sample(f, 100 + 10 * n, 1u << n, 0x1000);
        collapse_gives(f, cases[i].folded);
        assert_int_equal(f->profile.duration_ns, cases[i].duration);
    }
}

static void only_some_threads_are_taken(void **state) {
    static const struct {
        const char *wanted, *folded;
    } cases[] = {{"burner", "burner;[a] 1\n"},
                 {"71", "burner;[a] 1\n"},
                 {"web server", "web_server;[a] 2\n"},
                 {"web_server", "web_server;[a] 2\n"},
                 {"70", ""},
                 {"web", ""}};
    collapse_fixture *f = *state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *list[] = {cases[i].wanted};
        collapse_again(f);
        f->options.threads = (pk_text_list){list, 1};
        collapse_burner(f);
        other_process(f);
        perf_comm(&f->records, 80, 1, "web server", false);
        sample(f, 2, 1, 0x1000);
        other_sample(f, 3, 2, 0x1000);
        collapse_gives(f, cases[i].folded);
    }
}

/* ---- over time ---- */

/* Two processes that take turns, and one whose stack changes. */
static void turns(collapse_fixture *f) {
    collapse_burner(f);
    other_process(f);
    sample(f, 10, 1, 0x1000);
    sample(f, 20, 2, 0x1000);
    other_sample(f, 30, 4, 0x2000);
    sample(f, 40, 8, 0x1000);
    sample(f, 50, 16, 0x3000);
    other_sample(f, 60, 32, 0x2000);
    sample(f, 70, 64, 0x1000);
}

static void assert_sample(const pk_profile *p, size_t i, uint64_t time, uint32_t pid,
                          uint64_t weight, const char *leaf) {
    const pk_profile_sample *s = &PK_AT(&p->samples, pk_profile_sample, i);
    assert_int_equal(s->time_ns, time);
    assert_int_equal(PK_AT(&p->threads, pk_profile_thread, s->thread).pid, pid);
    assert_int_equal(s->weight, weight);
    assert_string_equal(pk_names_text(p->names, pk_node(&p->tree, s->node)->name, NULL), leaf);
}

static void samples_are_kept_in_order(void **state) {
    collapse_fixture *f = *state;
    f->options.keep_samples = true;
    turns(f);
    collapse_gives(f, "burner;[a] 75\nburner;[b] 36\nburner;[c] 16\n");
    assert_int_equal(f->profile.samples.count, 7);
    assert_sample(&f->profile, 0, 10, 70, 1, "[a]");
    assert_sample(&f->profile, 2, 30, 80, 4, "[b]");
    assert_sample(&f->profile, 4, 50, 70, 16, "[c]");
    assert_sample(&f->profile, 6, 70, 70, 64, "[a]");
}

static void a_chart_merges_neighbours(void **state) {
    collapse_fixture *f = *state;
    f->options.in_order = true;
    turns(f);
    collapse_gives(f, "burner;[a] 3\nburner;[b] 4\nburner;[a] 8\nburner;[c] 16\nburner;[b] 32\n"
                      "burner;[a] 64\n");
}

static void each_thread_has_its_own_chart(void **state) {
    collapse_fixture *f = *state;
    f->options.in_order = f->options.by_thread = f->options.keep_samples = true;
    turns(f);
    collapse_gives(f, "burner-70/71;[a] 11\nburner-70/71;[c] 16\nburner-70/71;[a] 64\n"
                      "burner-80/81;[b] 36\n");
    assert_int_equal(f->profile.n_samples, 7);
    assert_int_equal(f->profile.samples.count, 7);
    assert_sample(&f->profile, 2, 30, 80, 4, "[b]");
    assert_sample(&f->profile, 3, 40, 70, 8, "[a]");
    assert_sample(&f->profile, 6, 70, 70, 64, "[a]");
}

/* ---- off the CPU ---- */

static void off_cpu_events(collapse_fixture *f) {
    f->options.off_cpu = true;
    f->attrs[0].config = PERF_COUNT_SW_CONTEXT_SWITCHES;
    f->attrs[0].is_frequency = false;
    f->attrs[0].sample_period = 1;
    f->names[0] = "context-switches";
}

enum { OUT = PERF_RECORD_MISC_SWITCH_OUT, PREEMPTED = OUT | PERF_RECORD_MISC_SWITCH_OUT_PREEMPT };

/* The trailer says which thread: the samples' is pid + 1. */
static void switch_to(collapse_fixture *f, uint32_t pid, uint16_t misc, uint64_t time) {
    size_t at = perf_record_begin(&f->records, PERF_RECORD_SWITCH, misc);
    put(&f->records, pid, 4);
    put(&f->records, pid + 1, 4);
    put(&f->records, time, 8);
    perf_record_end(&f->records, at);
}

static void waits_weigh_what_they_last(void **state) {
    collapse_fixture *f = *state;
    off_cpu_events(f);
    f->options.keep_samples = true;
    collapse_burner(f);
    other_process(f);
    sample(f, 100, 1, 0x1000);
    switch_to(f, 70, OUT, 101);
    other_sample(f, 102, 1, 0x2000);
    switch_to(f, 80, OUT, 103);
    switch_to(f, 80, 0, 110); /* 7 in b */
    switch_to(f, 70, 0, 151); /* 50 in a */
    sample(f, 160, 1, 0x1000);
    switch_to(f, 70, PREEMPTED, 160);
    switch_to(f, 70, 0, 165); /* 5 in a, made to wait */
    sample(f, 170, 1, 0x3000);
    switch_to(f, 70, OUT, 170); /* until the end */
    switch_to(f, 80, OUT, 180); /* without a sample: nobody knows where */
    switch_to(f, 80, 0, 200);
    collapse_gives(f, "burner;[a] 50\nburner;[a];[preempted] 5\nburner;[b] 7\nburner;[c] 30\n");
    const pk_profile *p = &f->profile;
    assert_true(p->off_cpu && p->weight_is_time);
    assert_string_equal(p->unit, "ns");
    assert_string_equal(p->event, "context-switches");
    assert_int_equal(p->n_samples, 4);
    assert_int_equal(p->samples.count, 4);
    assert_sample(p, 0, 101, 70, 50, "[a]");
    assert_sample(p, 1, 103, 80, 7, "[b]");
    assert_sample(p, 2, 160, 70, 5, "[preempted]");
    assert_sample(p, 3, 170, 70, 30, "[c]");
    assert_int_equal(PK_AT(&p->threads, pk_profile_thread, 0).samples, 1);
}

static void waits_end_when_the_thread_is_seen_again(void **state) {
    collapse_fixture *f = *state;
    off_cpu_events(f);
    collapse_burner(f);
    sample(f, 100, 1, 0x1000);
    switch_to(f, 70, OUT, 100);
    sample(f, 130, 1, 0x2000); /* its coming back is missing */
    switch_to(f, 70, OUT, 131);
    perf_fork(&f->records, PERF_RECORD_EXIT, 70, 71, 70, 140);
    perf_comm(&f->records, 70, 500, "burner", false);
    collapse_gives(f, "burner;[a] 30\nburner;[b] 9\n");
}

static void waits_are_cut_to_the_part(void **state) {
    collapse_fixture *f = *state;
    off_cpu_events(f);
    f->options.begin_ns = 20;
    f->options.end_ns = 50;
    perf_comm(&f->records, 70, 100, "burner", true);
    perf_mmap2(&f->records, 70, 100, 0x1000, 0x4000, 0, "/gone/a");
    static const uint64_t waits[][2] = {{105, 110}, {115, 125}, {130, 135}, {145, 200}};
    for (size_t i = 0; i < 4; i++) {
        sample(f, waits[i][0], 1, 0x1000);
        switch_to(f, 70, OUT, waits[i][0]);
        switch_to(f, 70, 0, waits[i][1]);
    }
    collapse_gives(f, "burner;[a] 15\n"); /* 5 + 5 + 5 */
    assert_int_equal(f->profile.n_samples, 3);
}

/* A wait is known when it ends, and drawn where it began. */
static void waits_stand_where_they_began(void **state) {
    collapse_fixture *f = *state;
    off_cpu_events(f);
    f->options.in_order = true;
    collapse_burner(f);
    other_process(f);
    sample(f, 100, 1, 0x1000);
    switch_to(f, 70, OUT, 100);
    other_sample(f, 110, 1, 0x2000);
    switch_to(f, 80, OUT, 110);
    switch_to(f, 80, 0, 120);
    switch_to(f, 70, 0, 130);
    collapse_gives(f, "burner;[a] 30\nburner;[b] 10\n");
    assert_int_equal(f->profile.samples.count, 0);
}

/* ---- files ---- */

static const char *write_file(collapse_fixture *f, const char *folder, bool finished,
                              size_t without) {
    static char path[CHECK_PATH_MAX];
    pk_strbuf file;
    pk_strbuf_init(&file, 8 << 20);
    perf_file(&file, &f->records, finished);
    check_path(path, folder, "perf.data");
    assert_ok(pk_file_replace(path, file.data, file.length - without, &f->err), &f->err);
    pk_strbuf_fini(&file);
    return path;
}

static bool count_calls(void *context, double share) {
    size_t *left = context;
    assert_true(share >= 0 && share <= 1);
    return --*left > 0;
}

static void whole_files_are_read(void **state) {
    collapse_fixture *f = *state;
    char folder[CHECK_PATH_MAX];
    size_t left = 100;
    pk_err warning;
    check_folder_begin(folder);
    collapse_burner(f);
    for (uint64_t i = 0; i < 5000; i++) sample(f, 2 + i, 1, 0x1000);
    const char *path = write_file(f, folder, true, 0);
    assert_ok(pk_profile_init(&f->profile, 1, false, &f->err), &f->err);
    assert_ok(
        pk_collapse_file(path, &f->options, count_calls, &left, &f->profile, &warning, &f->err),
        &f->err);
    assert_string_equal(collapse_folded(f), "burner;[a] 5000\n");
    assert_int_equal(warning.kind, PK_OK);
    assert_false(f->profile.incomplete);
    assert_int_equal(left, 95); /* 5005 records: one word in 1024 */
    assert_string_equal(f->profile.command, "perf record");
    pk_profile_fini(&f->profile);
    /* It can be stopped, and keeps what it has. */
    left = 2;
    assert_ok(pk_profile_init(&f->profile, 1, false, &f->err), &f->err);
    assert_ok(
        pk_collapse_file(path, &f->options, count_calls, &left, &f->profile, &warning, &f->err),
        &f->err);
    assert_string_equal(collapse_folded(f), "burner;[a] 1020\n");
    assert_true(f->profile.incomplete);
    check_folder_end(folder);
}

static void files_that_were_cut_give_what_they_have(void **state) {
    collapse_fixture *f = *state;
    char folder[CHECK_PATH_MAX];
    pk_err warning;
    check_folder_begin(folder);
    collapse_burner(f);
    for (uint64_t i = 0; i < 10; i++) sample(f, 2 + i, 1, 0x1000);
    const char *path = write_file(f, folder, false, 9);
    assert_ok(pk_profile_init(&f->profile, 1, false, &f->err), &f->err);
    assert_ok(pk_collapse_file(path, &f->options, NULL, NULL, &f->profile, &warning, &f->err),
              &f->err);
    assert_string_equal(collapse_folded(f), "burner;[a] 9\n");
    assert_int_equal(warning.kind, PK_E_INPUT);
    assert_non_null(strstr(warning.what, "ended"));
    assert_true(f->profile.incomplete);
    pk_profile_fini(&f->profile);
    /* A record that contradicts itself in the middle. */
    uint64_t absurd = UINT64_MAX;
    size_t half = f->records.length - 5 * 64 + 40;
    memcpy(f->records.data + half, &absurd, sizeof absurd);
    path = write_file(f, folder, true, 0);
    assert_ok(pk_profile_init(&f->profile, 1, false, &f->err), &f->err);
    assert_ok(pk_collapse_file(path, &f->options, NULL, NULL, &f->profile, &warning, &f->err),
              &f->err);
    assert_string_equal(collapse_folded(f), "burner;[a] 5\n");
    assert_int_equal(warning.kind, PK_E_INPUT);
    assert_non_null(strstr(warning.what, "contradicts itself"));
    assert_string_equal(warning.where, path);
    assert_true(f->profile.incomplete);
    pk_profile_fini(&f->profile);
    check_path((char *)path, folder, "no-such-file");
    assert_ok(pk_profile_init(&f->profile, 1, false, &f->err), &f->err);
    assert_false(pk_collapse_file(path, &f->options, NULL, NULL, &f->profile, &warning, &f->err));
    assert_int_equal(f->err.kind, PK_E_SYS);
    check_folder_end(folder);
}

int main(void) {
#define COLLAPSE_TEST(f) cmocka_unit_test_setup_teardown(f, collapse_setup, collapse_teardown)
    const struct CMUnitTest tests[] = {
        COLLAPSE_TEST(a_profile_says_what_it_is),
        COLLAPSE_TEST(samples_can_be_counted),
        COLLAPSE_TEST(threads_are_told_by_first_sample),
        COLLAPSE_TEST(one_event_is_taken),
        COLLAPSE_TEST(events_have_names_of_their_own),
        COLLAPSE_TEST(only_a_part_is_taken),
        COLLAPSE_TEST(only_some_threads_are_taken),
        COLLAPSE_TEST(samples_are_kept_in_order),
        COLLAPSE_TEST(a_chart_merges_neighbours),
        COLLAPSE_TEST(each_thread_has_its_own_chart),
        COLLAPSE_TEST(waits_weigh_what_they_last),
        COLLAPSE_TEST(waits_end_when_the_thread_is_seen_again),
        COLLAPSE_TEST(waits_are_cut_to_the_part),
        COLLAPSE_TEST(waits_stand_where_they_began),
        COLLAPSE_TEST(whole_files_are_read),
        COLLAPSE_TEST(files_that_were_cut_give_what_they_have),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
