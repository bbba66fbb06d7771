/* What is printed reads back as the same, and nothing else reads at all. */
#include "tests/unit/check.h"

#include "bench/protocol.h"

enum { ARENA_BYTES = 1 << 20 };

typedef struct fixture {
    pk_arena *arena;
    pk_strbuf text;
    pk_err err;
} fixture;

static int begin(void **state) {
    fixture *f = calloc(1, sizeof *f);
    f->arena = pk_arena_new(ARENA_BYTES);
    pk_strbuf_init(&f->text, PK_WORKER_TEXT_MAX);
    *state = f;
    return f->arena ? 0 : -1;
}

static int end(void **state) {
    fixture *f = *state;
    pk_arena_free(f->arena);
    pk_strbuf_fini(&f->text);
    free(f);
    return 0;
}

static const pk_worker_job a_job = {
    .task = PK_TASK_MEASURE,
    .objects = {"/tmp/a b\nc\\n.so", "/proc/self/fd/12"},
    .index = {2, UINT32_MAX},
    .param = " 20",
    .old_first = true,
    .metric = PK_METRIC_CPU,
    .worker_ns = 30000000,
    .warm_ns = 0,
    .unit_ns = INT64_MAX,
    .parts = true,
};

static const char a_job_text[] = "task measure\n"
                                 "object.new /tmp/a b\\nc\\\\n.so\n"
                                 "object.old /proc/self/fd/12\n"
                                 "index.new 2\n"
                                 "index.old 4294967295\n"
                                 "param  20\n"
                                 "old-first 1\n"
                                 "metric cpu\n"
                                 "worker-ns 30000000\n"
                                 "warm-ns 0\n"
                                 "unit-ns 9223372036854775807\n"
                                 "parts 1\n"
                                 "end\n";

static void assert_same_text(const char *a, const char *b) {
    if (a && b) assert_string_equal(a, b);
    else assert_true(a == b);
}

static void assert_same_job(const pk_worker_job *a, const pk_worker_job *b) {
    for (int side = 0; side < PK_SIDES; side++) {
        assert_same_text(a->objects[side], b->objects[side]);
        assert_int_equal(a->index[side], b->index[side]);
    }
    assert_same_text(a->param, b->param);
    assert_int_equal(a->task, b->task);
    assert_int_equal(a->old_first, b->old_first);
    assert_int_equal(a->metric, b->metric);
    assert_true(a->worker_ns == b->worker_ns && a->warm_ns == b->warm_ns);
    assert_true(a->unit_ns == b->unit_ns && a->parts == b->parts);
}

static void a_job_is_these_lines(void **state) {
    fixture *f = *state;
    pk_worker_job_print(&a_job, &f->text);
    assert_string_equal(f->text.data, a_job_text);
}

static void a_job_reads_back(void **state) {
    fixture *f = *state;
    const pk_worker_job jobs[] = {
        a_job, {.task = PK_TASK_LIST, .objects = {"x.so"}}, {.objects = {NULL, "only the old"}}};
    for (size_t i = 0; i < sizeof jobs / sizeof jobs[0]; i++) {
        pk_worker_job read;
        pk_strbuf_clear(&f->text);
        pk_worker_job_print(&jobs[i], &f->text);
        assert_ok(pk_worker_job_parse(f->text.data, f->text.length, f->arena, &read, &f->err),
                  &f->err);
        assert_same_job(&jobs[i], &read);
    }
}

static const pk_bench_worker a_worker = {
    .side = {{1.5, 1.75, 0.1, 0.25, 1e-9, 123456789.125, 3, NAN, 700, INT64_MAX, {0}},
             {0.7, 0.8, 0.6, 0.65, 0.7, 0.75, 0.7, 0.71, 1, 3, {0}}},
    .old_first = true,
    .layout = -1,
    .reference_ns = 0.9 + 0.1 / 3,
    .latency_ns = NAN,
    .throughput_ns = 0.065,
    .loop_ns = NAN,
    .metric = PK_METRIC_WALL,
    .duration_ns = 1,
    .wait_ns = 2,
    .switches_voluntary = 3,
    .switches_involuntary = 4,
    .faults_minor = 5,
    .faults_major = 6,
};

static void assert_same_side(const pk_bench_side *a, const pk_bench_side *b) {
    assert_near(b->trimmed_ns, a->trimmed_ns, 0);
    assert_near(b->mean_ns, a->mean_ns, 0);
    assert_near(b->min_ns, a->min_ns, 0);
    assert_near(b->q1_ns, a->q1_ns, 0);
    assert_near(b->median_ns, a->median_ns, 0);
    assert_near(b->q3_ns, a->q3_ns, 0);
    assert_near(b->wall_ns, a->wall_ns, 0);
    assert_near(b->cpu_ns, a->cpu_ns, 0);
    assert_true(a->units == b->units && a->iterations == b->iterations);
}

static void a_measurement_reads_back(void **state) {
    fixture *f = *state;
    pk_worker_reply reply = {.throughput = {true, true, 4096}, .worker = a_worker}, read;
    pk_worker_reply_print(&reply, &f->text);
    assert_ok(pk_worker_reply_parse(f->text.data, f->text.length, f->arena, &read, &f->err),
              &f->err);
    assert_int_equal(read.kind, PK_REPLY_DONE);
    assert_null(read.why);
    assert_true(read.throughput.given && read.throughput.bytes);
    assert_int_equal(read.throughput.per_iteration, 4096);
    assert_int_equal(read.n_offers, 0);
    const pk_bench_worker *a = &a_worker, *b = &read.worker;
    for (int side = 0; side < PK_SIDES; side++) assert_same_side(&a->side[side], &b->side[side]);
    assert_near(b->reference_ns, a->reference_ns, 0);
    assert_near(b->latency_ns, NAN, 0);
    assert_near(b->throughput_ns, a->throughput_ns, 0);
    assert_near(b->loop_ns, NAN, 0);
    assert_true(b->old_first && b->layout == -1 && b->metric == PK_METRIC_WALL);
    assert_true(b->duration_ns == 1 && b->wait_ns == 2 && b->switches_voluntary == 3);
    assert_true(b->switches_involuntary == 4 && b->faults_minor == 5 && b->faults_major == 6);
}

static void a_refusal_reads_back(void **state) {
    fixture *f = *state;
    pk_worker_reply reply = {
        .kind = PK_REPLY_TOO_SLOW, .why = "both take\n2 s", .worker.layout = -1};
    pk_worker_reply read;
    pk_worker_reply_print(&reply, &f->text);
    assert_ok(pk_worker_reply_parse(f->text.data, f->text.length, f->arena, &read, &f->err),
              &f->err);
    assert_int_equal(read.kind, PK_REPLY_TOO_SLOW);
    assert_string_equal(read.why, reply.why);
    assert_int_equal(read.worker.side[PK_SIDE_NEW].units, 0);
}

static void offers_read_back(void **state) {
    fixture *f = *state;
    pk_worker_offer offers[] = {
        {.group = "fib",
         .function = "lookup",
         .params = "1,2,\n3",
         .param_min = INT64_MIN,
         .param_max = -1,
         .bounds_reason = "because",
         .has_bounds = true,
         .has_latency = true,
         .throughput = {true, false, 7},
         .sample_size = 50,
         .measurement_time_s = 2.5,
         .confidence_level = 0.99},
        {.group = "alone", .has_throughput = true, .warm_up_time_s = 1e-3, .noise_threshold = 0.02},
    };
    pk_worker_reply reply = {.offers = offers, .n_offers = 2}, read;
    pk_worker_reply_print(&reply, &f->text);
    assert_ok(pk_worker_reply_parse(f->text.data, f->text.length, f->arena, &read, &f->err),
              &f->err);
    assert_int_equal(read.n_offers, 2);
    const pk_worker_offer *a = &read.offers[0], *b = &read.offers[1];
    assert_string_equal(a->group, "fib");
    assert_string_equal(a->function, "lookup");
    assert_string_equal(a->params, "1,2,\n3");
    assert_string_equal(a->bounds_reason, "because");
    assert_true(a->param_min == INT64_MIN && a->param_max == -1 && a->has_bounds);
    assert_true(a->has_latency && !a->has_throughput && a->throughput.given);
    assert_true(!a->throughput.bytes && a->throughput.per_iteration == 7 && a->sample_size == 50);
    assert_near(a->measurement_time_s, 2.5, 0);
    assert_near(a->confidence_level, 0.99, 0);
    assert_string_equal(b->group, "alone");
    assert_null(b->function);
    assert_null(b->params);
    assert_true(b->has_throughput && !b->has_latency && !b->has_bounds);
    assert_near(b->warm_up_time_s, 1e-3, 0);
    assert_near(b->noise_threshold, 0.02, 0);
}

/* The text with `from` replaced is no reply or job any more. */
static void assert_breaks(fixture *f, const char *text, const char *from, const char *to,
                          bool is_job) {
    const char *at = strstr(text, from);
    assert_non_null(at);
    char broken[8192];
    int length =
        snprintf(broken, sizeof broken, "%.*s%s%s", (int)(at - text), text, to, at + strlen(from));
    assert_in_range(length, 0, sizeof broken - 1);
    pk_worker_job job = {.param = "untouched"};
    pk_worker_reply reply = {.why = "untouched"};
    memset(&f->err, 0, sizeof f->err);
    bool ok = is_job ? pk_worker_job_parse(broken, (size_t)length, f->arena, &job, &f->err)
                     : pk_worker_reply_parse(broken, (size_t)length, f->arena, &reply, &f->err);
    if (ok) fail_msg("still read: %s", broken);
    assert_int_equal(f->err.kind, PK_E_INPUT);
    assert_ptr_equal(strstr(f->err.where, "line "), f->err.where);
    assert_string_equal(is_job ? job.param : reply.why, "untouched");
}

static void a_broken_job_is_an_error(void **state) {
    static const struct {
        const char *from, *to;
    } cases[] = {
        {"end\n", ""},
        {"end\n", "end"},
        {"end\n", "end\nend\n"},
        {"end\n", "end\nparts 1\n"},
        {"parts 1\n", ""},
        {"parts 1\n", "parts 1\nparts 1\n"},
        {"parts 1\n", "parts 2\n"},
        {"parts 1\n", "parts\n"},
        {"parts 1\n", "\n"},
        {"task measure", "task Measure"},
        {"task measure", "task"},
        {"metric cpu", "metric "},
        {"index.new 2", "index.new 4294967296"},
        {"index.new 2", "index.new -1"},
        {"warm-ns 0", "warm-ns 0 "},
        {"warm-ns 0", "warm-ns 1e3"},
        {"unit-ns 9223372036854775807", "unit-ns 9223372036854775808"},
        {"b\\nc", "b\\tc"},
        {"n.so\n", "n.so\\\n"},
        {"param ", "colour "},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_breaks(*state, a_job_text, cases[i].from, cases[i].to, true);
}

static void a_broken_reply_is_an_error(void **state) {
    fixture *f = *state;
    pk_worker_offer offer = {.group = "g"};
    pk_worker_reply reply = {.worker = a_worker, .offers = &offer, .n_offers = 1};
    static const struct {
        const char *from, *to;
    } cases[] = {
        {"reply done\n", ""},
        {"reply done\n", "garbage\nreply done\n"},
        {"reply done\n", "reply refused\n"},
        {"reply done\n", "reply refused\nwhy \n"},
        {"reply done\n", "reply done\nwhy not\n"},
        {"worker\n", ""},
        {"worker\n", "worker \n"},
        {"worker\n", "worker\nworker\n"},
        {"new.trimmed 1.5", "new.trimmed -1.5"},
        {"new.trimmed 1.5", "new.trimmed inf"},
        {"new.trimmed 1.5", "new.trimmed nano"},
        {"new.units 700", "new.units 70.5"},
        {"loop nan\n", ""},
        {"group g\n", ""},
        {"group g\n", "group g\ngroup h\n"},
        {"bounds 0\n", ""},
        {"offer\n", "offer\nworker\n"},
    };
    pk_worker_reply_print(&reply, &f->text);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_breaks(f, f->text.data, cases[i].from, cases[i].to, false);
}

static void a_NUL_byte_is_an_error(void **state) {
    fixture *f = *state;
    char text[sizeof a_job_text];
    pk_worker_job job;
    memcpy(text, a_job_text, sizeof text);
    *strstr(text, "fd/12") = '\0';
    assert_false(pk_worker_job_parse(text, sizeof text - 1, f->arena, &job, &f->err));
}

static void offers_have_an_end(void **state) {
    fixture *f = *state;
    static pk_worker_offer offers[PK_WORKER_OFFERS_MAX + 1];
    for (size_t i = 0; i < PK_WORKER_OFFERS_MAX + 1; i++) offers[i].group = "g";
    pk_worker_reply reply = {.offers = offers, .n_offers = PK_WORKER_OFFERS_MAX + 1}, read;
    pk_arena *arena = pk_arena_new(64 << 20);
    pk_strbuf text;
    pk_strbuf_init(&text, 8 << 20);
    for (int more = 1; more >= 0; more--) {
        reply.n_offers = PK_WORKER_OFFERS_MAX + (size_t)more;
        pk_strbuf_clear(&text);
        pk_worker_reply_print(&reply, &text);
        assert_true(pk_strbuf_ok(&text));
        bool ok = pk_worker_reply_parse(text.data, text.length, arena, &read, &f->err);
        assert_int_equal(ok, !more);
    }
    pk_strbuf_fini(&text);
    pk_arena_free(arena);
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)
    const struct CMUnitTest tests[] = {
        TEST(a_job_is_these_lines),       TEST(a_job_reads_back),
        TEST(a_measurement_reads_back),   TEST(a_refusal_reads_back),
        TEST(offers_read_back),           TEST(a_broken_job_is_an_error),
        TEST(a_broken_reply_is_an_error), TEST(a_NUL_byte_is_an_error),
        TEST(offers_have_an_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
