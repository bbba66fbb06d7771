/* Texts of perf script as folded stacks. What stands in `as_inferno` was put through
 * inferno-collapse-perf 0.12.8, which gave the same; where we mean to differ stands in tests of its
 * own. The texts were written by hand, after what perf 6.1 prints. */
#include "tests/unit/check.h"

#include "flame/perf_text.h"
#include "profile/folded.h"

typedef struct run {
    pk_profile profile;
    pk_perf_text_counts counts;
    char *folded;
} run;

/* In pieces of `step` bytes. */
static run read_text(const pk_collapse_options *options, const char *text, size_t step) {
    run r;
    pk_err err = {0};
    assert_ok(pk_profile_init(&r.profile, 1, options->in_order, &err), &err);
    pk_perf_text *t = pk_perf_text_new(options, &r.profile, &err);
    assert_ok(t != NULL, &err);
    size_t bytes = strlen(text);
    for (size_t i = 0; i < bytes; i += step)
        assert_ok(pk_perf_text_add(t, text + i, bytes - i < step ? bytes - i : step, &err), &err);
    assert_ok(pk_perf_text_end(t, &err), &err);
    r.counts = pk_perf_text_counted(t);
    pk_perf_text_free(t);
    pk_strbuf out;
    pk_strbuf_init(&out, 1 << 20);
    assert_ok(pk_folded_write(&r.profile.tree, &out, &err), &err);
    r.folded = pk_strbuf_detach(&out, NULL);
    assert_non_null(r.folded);
    return r;
}

static void end(run *r) {
    free(r->folded);
    pk_profile_fini(&r->profile);
}

static void expect(const pk_collapse_options *options, const char *text, const char *folded) {
    static const size_t steps[] = {1, 7, 1 << 20};
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        run r = read_text(options, text, steps[i]);
        assert_string_equal(r.folded, folded);
        end(&r);
    }
}

static const pk_collapse_options usual = {0};

#define TWO_THREADS                                                    \
    "# ========\n"                                                     \
    "# hostname : house\n"                                             \
    "# os release : 6.1.0\n"                                           \
    "# cmdline : /usr/bin/perf record -g ./burn 3 \n"                  \
    "#\n"                                                              \
    "burn  845/845  [000] 100.000001:    1003009 cpu-clock:ppp: \n"    \
    "\t            1154 a+0x1b (/tmp/burn)\n"                          \
    "\t            11ae main+0x2b (/tmp/burn)\n"                       \
    "\t           2724a start (/lib/libc.so.6)\n"                      \
    "\n"                                                               \
    "my pool  845/846  [001] 100.001001:    1003010 cpu-clock:ppp: \n" \
    "\tffffffff81001010 do_work+0x10 ([kernel.kallsyms])\n"            \
    "\t            1179 b+0x1b (/tmp/burn)\n"                          \
    "\t              12 [unknown] (/tmp/burn)\n"                       \
    "\t              13 [unknown] ([unknown])\n"                       \
    "\t            1999 f(int)+0x1b (/tmp/perf-845.map)\n"             \
    "\n"                                                               \
    "burn  845/845  [000] 100.002001:    1003009 cpu-clock:ppp: \n"    \
    "\t            1158 a+0x1f (/tmp/burn)\n"                          \
    "\t            11ae main+0x2b (/tmp/burn)\n"                       \
    "\t           2724a start (/lib/libc.so.6)\n"                      \
    "\n"

static const char *const stop_at_b[] = {"b"};

// clang-format off
static const struct { pk_collapse_options options; const char *text, *folded; } as_inferno[] = {
    {.text = TWO_THREADS,
     "burn;start;main;a 2006018\n"
     "my_pool;f;[unknown];[burn];b;do_work 1003010\n"},
    {{.label = PK_LABEL_PID}, TWO_THREADS,
     "burn-845;start;main;a 2006018\n"
     "my_pool-845;f;[unknown];[burn];b;do_work 1003010\n"},
    {{.label = PK_LABEL_TID}, TWO_THREADS,
     "burn-845/845;start;main;a 2006018\n"
     "my_pool-845/846;f;[unknown];[burn];b;do_work 1003010\n"},
    {{.symbolise = {.annotate_kernel = true, .annotate_jit = true, .addresses = true}}, TWO_THREADS,
     "burn;start;main;a 2006018\n"
     "my_pool;f_[j];[unknown <13>];[burn <12>];b;do_work_[k] 1003010\n"},
    {{.symbolise = {.skip_after = {(const char **)stop_at_b, 1}}}, TWO_THREADS,
     "b;do_work 1003010\n"
     "burn;start;main;a 2006018\n"},
    {{.event = "cycles"}, TWO_THREADS, ""},
    {{.event = "cpu-clock"}, TWO_THREADS,
     "burn;start;main;a 2006018\n"
     "my_pool;f;[unknown];[burn];b;do_work 1003010\n"},
    /* Only the first event, and samples without a period. */
    {.text = "a 1 1.0: cycles:u: \n\t1 f (/x)\n\na 1 1.1: branches: \n\t1 g (/x)\n\na 1 1.2: cycles:u: \n\t1 f (/x)\n\n",
     "a;f 2\n"},
    {{.event = "branches"}, "a 1 1.0: cycles: \n\t1 f (/x)\n\na 1 1.1: branches: \n\t1 g (/x)\n\n", "a;g 1\n"},
    /* The last event ends with the text; a thread of which the process is not told. */
    {{.label = PK_LABEL_PID}, "a b 1 1.0: 7 cycles: \n\t1 f (/x)\n\t2 g (/x)", "a_b-?;g;f 7\n"},
    {{.label = PK_LABEL_TID}, "a b 1 1.0: 7 cycles: \n\t1 f (/x)\n\t2 g (/x)\r\n", "a_b-?/1;g;f 7\n"},
    /* A callchain of one frame in the event's line. */
    {.text = "a 1 1.0: 7 cycles:u:  ffff f+0x1 (/x)\na 1 1.1: 5 cycles:  ffff [unknown] ([unknown])\n",
     "a;[unknown] 5\na;f 7\n"},
    /* Inlined functions, and lines that perf adds. */
    {.text = "a 1 1.0: 7 cycles: \n\t1 f+0x1 (inlined)\n  a.c:5\n\t1 g+0x5 (/x)\n  a.c:9\n\n", "a;g;f 7\n"},
    {.text = "a 1 1.0: 7 cycles: \n\t1 (x) (/x)\n\t2  (/x)\n# no line of it\n\t3 g (/x)\n\n", "a;g;  7\n"},
    {.text = "java 1 1.0: 7 cycles: \n\t1 La/B;::c->Ld/E;::f (/tmp/perf-1.map)\n\n", "java;a/B:::c;d/E:::f_[i] 7\n"},
    /* Events without a callchain. */
    {.text = "a 1 1.0: 7 cycles: \n\na 1 1.1: 5 cycles: \n\t1 f (/x)\n\n", "a;f 5\n"},
    {.text = "\n\n# nothing\n\n", ""},
    {.text = "", ""},
    /* A name that the kernel cut within a character. */
    {.text = "w\xc3\xb6rk\xe6\x97 1 1.0: 7 cycles: \n\t1 gr\xc3\xb6\xc3\x9f\xff (/x)\n\n",
     "w\xc3\xb6rk\xef\xbf\xbd;gr\xc3\xb6\xc3\x9f\xef\xbf\xbd 7\n"},
};

/* inferno loses these samples or calls them otherwise, or ends with an error. */
static const struct { const char *text, *folded; } better[] = {
    /* A number in the thread's name. */
    {"pool 1 thread 846 [001] 1.0: 7 cycles: \n\t1 f (/x)\n\n", "pool_1_thread;f 7\n"},
    /* Of a nameless namespace, and an operator with an arrow in it. */
    {"a 1 1.0: 7 cycles: \n\t1 (anonymous namespace)::f(int)+0x1 (/x)\n\t2 key::operator-> (/x)\n\n",
     "a;key::operator->;(anonymous namespace)::f 7\n"},
    /* Files that are gone, or have a blank in their names. */
    {"a 1 1.0: 7 cycles: \n\t1 f+0x1 (/tmp/x (deleted))\n\t2 [unknown] (/tmp/my prog)\n\n", "a;[my prog];f 7\n"},
    /* perf fills the column of events: the period is the weight nevertheless. */
    {"a 1 1.0:    2000000        cpu-clock: \n\t1 f (/x)\n\n", "a;f 2000000\n"},
    /* An event of another kind in a text without callchains. */
    {"a 1 1.0: 7 cycles:  1 f (/x)\na 1 1.1: 5 branches:  1 g (/x)\na 1 1.2: 3 cycles:  1 f (/x)\n", "a;f 10\n"},
    /* A tracepoint, with fields of its own. */
    {"a 1 1.0: 1 sched:sched_switch: prev_comm=a prev_pid=1\n\tff schedule (k)\n\t1 f (/x)\n\n", "a;f;schedule 1\n"},
    /* Other records between. */
    {"a 1 0.9: PERF_RECORD_COMM exec: a:1/1\na 1 1.0: 7 cycles: \n\t1 f (/x)\n\n", "a;f 7\n"},
    {"a 1 1.0: 7 cycles: \n\t1 f (/x)\na 1 1.1: PERF_RECORD_EXIT(1:1):(1:1)\na 1 1.2: 5 cycles: \n\t1 f (/x)\n\n", "a;f 12\n"},
    /* Fewer fields: -F comm,tid,ip,sym; -F ip,sym; -F comm,ip,sym; -F comm,time,event,ip,sym,dso;
     * +srcline; ip,dso. */
    {"a  13\n\t1 f\n\t2 main\n\na  13\n\t1 f\n\t2 main\n\n", "a;main;f 2\n"},
    {"\n\t1 f\n\t2 main\n\n\n\t3 f\n\t2 main\n\n", "main;f 2\n"},
    {"a b \n\t1 f\n\t2 main\n\na b \n\t1 g (/x)\n\n", "a_b;g 1\na_b;main;f 1\n"},
    {"a b 1.5: cycles: \n\t1 f (/x)\n\n", "a_b;f 1\n"},
    {"a 1 1.0: 7 cycles: \n\t1 f+0x1\n  a.c:5 (inlined)\n\t1 g+0x5 (/x)\n  a.c:9\n\n|4   x = 12 [000] 3.0: y\na 1 1.1: 7 cycles: \n\t1 g (/x)\n\n",
     "a;g 7\na;g;f 7\n"},
    {"a 1 1.0: 7 cycles: \n\t1 (/lib/x.so)\n\n", "a;[x.so] 7\n"},
};
// clang-format on

static void texts_as_inferno_folds_them(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof as_inferno / sizeof *as_inferno; i++)
        expect(&as_inferno[i].options, as_inferno[i].text, as_inferno[i].folded);
}

static void texts_that_inferno_mistakes(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof better / sizeof *better; i++)
        expect(&usual, better[i].text, better[i].folded);
}

static void what_is_known_of_the_recording(void **state) {
    (void)state;
    run r = read_text(&usual, TWO_THREADS, 10);
    const pk_profile *p = &r.profile;
    assert_string_equal(p->host, "house");
    assert_string_equal(p->kernel, "6.1.0");
    assert_string_equal(p->command, "/usr/bin/perf record -g ./burn 3");
    assert_string_equal(p->event, "cpu-clock");
    assert_string_equal(p->unit, "ns");
    assert_true(p->weight_is_time);
    assert_int_equal(p->n_samples, 3);
    assert_int_equal(p->duration_ns, 2000000);
    assert_int_equal(p->samples.count, 0);
    assert_int_equal(p->threads.count, 2);
    const pk_profile_thread *t = p->threads.items;
    assert_int_equal(t[0].pid, 845);
    assert_int_equal(t[0].tid, 845);
    assert_int_equal(t[0].samples, 2);
    assert_int_equal(t[0].first_ns, UINT64_C(100000001000));
    assert_int_equal(t[0].last_ns, UINT64_C(100002001000));
    assert_int_equal(t[1].tid, 846);
    assert_string_equal(pk_names_text(p->names, t[1].name, NULL), "my pool");
    const pk_profile_module *m = p->modules.items;
    assert_int_equal(p->modules.count, 4);
    assert_string_equal(m[0].path, "/tmp/burn");
    assert_int_equal(m[0].frames, 6);
    assert_int_equal(m[0].unknown, 1);
    assert_true(m[0].symbols);
    assert_string_equal(m[1].path, "/lib/libc.so.6");
    assert_int_equal(m[1].frames, 2);
    assert_int_equal(r.counts.samples, 3);
    assert_int_equal(r.counts.ignored, 0);
    end(&r);
}

static void what_is_counted(void **state) {
    (void)state;
    run r = read_text(&usual,
                      "a 1 1.0: 7 cycles:u: \n\t1 f (/x)\n\tno frame\n\na 1 1.1: 7 cycles:u: \n\n"
                      "a 1 1.2: 7 branches: \n\t1 f (/x)\n\nnonsense\n"
                      "a 1 1.3: PERF_RECORD_LOST lost 12\n",
                      1000);
    assert_int_equal(r.counts.samples, 1);
    assert_int_equal(r.counts.without, 1);
    assert_int_equal(r.counts.other_events, 1);
    assert_int_equal(r.counts.ignored, 2);
    assert_int_equal(r.profile.other_events, 1);
    assert_int_equal(r.profile.lost, 12);
    assert_int_equal(r.profile.n_samples, 1);
    assert_string_equal(r.profile.event, "cycles");
    assert_string_equal(r.profile.unit, "cycles");
    assert_false(r.profile.weight_is_time);
    end(&r);
    pk_collapse_options counting = {.count_samples = true};
    r = read_text(&counting, TWO_THREADS, 1000);
    assert_string_equal(r.folded, "burn;start;main;a 2\nmy_pool;f;[unknown];[burn];b;do_work 1\n");
    assert_string_equal(r.profile.unit, "samples");
    assert_false(r.profile.weight_is_time);
    end(&r);
    r = read_text(&usual, "a 1 1.0: cpu-clock: \n\t1 f (/x)\n\n", 1000);
    assert_string_equal(r.profile.unit, "samples"); /* their periods are not told */
    end(&r);
}

static void parts_of_a_text(void **state) {
    (void)state;
    expect(&(pk_collapse_options){.begin_ns = 1, .end_ns = 2000000}, TWO_THREADS,
           "my_pool;f;[unknown];[burn];b;do_work 1003010\n");
    expect(&(pk_collapse_options){.begin_ns = 2000000}, TWO_THREADS, "burn;start;main;a 1003009\n");
    static const char *wanted[] = {"my pool", "my_pool", "846"}, *other[] = {"845", "pool"};
    for (size_t i = 0; i < 3; i++)
        expect(&(pk_collapse_options){.threads = {&wanted[i], 1}}, TWO_THREADS,
               "my_pool;f;[unknown];[burn];b;do_work 1003010\n");
    expect(&(pk_collapse_options){.threads = {other, 2}}, TWO_THREADS,
           "burn;start;main;a 2006018\n");
    expect(&(pk_collapse_options){.symbolise = {.no_inline = true}},
           "a 1 1.0: 7 cycles: \n\t1 f+0x1 (inlined)\n\t1 g+0x5 (/x)\n\n", "a;g 7\n");
    expect(&(pk_collapse_options){.symbolise = {.raw = true}},
           "a 1 1.0: 7 cycles: \n\t1 f(int)+0x1 (/x)\n\n", "a;f(int) 7\n");
}

static void samples_in_order(void **state) {
    (void)state;
    pk_collapse_options options = {.in_order = true, .keep_samples = true};
    run r = read_text(&options, TWO_THREADS, 1000);
    assert_string_equal(r.folded, "burn;start;main;a 1003009\n"
                                  "my_pool;f;[unknown];[burn];b;do_work 1003010\n"
                                  "burn;start;main;a 1003009\n");
    assert_int_equal(r.profile.samples.count, 3);
    const pk_profile_sample *s = r.profile.samples.items;
    assert_int_equal(s[1].time_ns, UINT64_C(100001001000));
    assert_int_equal(s[1].thread, 1);
    assert_int_equal(s[1].weight, 1003010);
    assert_string_equal(
        pk_names_text(r.profile.names, pk_node(&r.profile.tree, s[1].node)->name, NULL), "do_work");
    end(&r);
    options.by_thread = true;
    r = read_text(&options, TWO_THREADS, 1000);
    assert_string_equal(r.folded, "burn-845/845;start;main;a 2006018\n"
                                  "my_pool-845/846;f;[unknown];[burn];b;do_work 1003010\n");
    assert_int_equal(r.profile.samples.count, 3);
    s = r.profile.samples.items;
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(s[i].time_ns, UINT64_C(100000001000) + i * 1000000);
        assert_int_equal(s[i].thread, i == 1);
        assert_string_equal(
            pk_names_text(r.profile.names, pk_node(&r.profile.tree, s[i].node)->name, NULL),
            i == 1 ? "do_work" : "a");
    }
    end(&r);
}

static void two_texts_in_one_profile(void **state) {
    (void)state;
    static const char *const texts[] = {TWO_THREADS,
                                        "burn 845/845 7.0: 5 cpu-clock: \n\t1 a (/tmp/burn)\n\n"
                                        "burn 845/845 7.1: 5 cycles: \n\t1 a (/tmp/burn)\n\n"};
    pk_profile profile;
    pk_err err = {0};
    assert_ok(pk_profile_init(&profile, 1, false, &err), &err);
    for (int i = 0; i < 2; i++) {
        pk_perf_text *t = pk_perf_text_new(&usual, &profile, &err);
        assert_ok(t != NULL, &err);
        assert_ok(pk_perf_text_add(t, texts[i], strlen(texts[i]), &err), &err);
        assert_ok(pk_perf_text_end(t, &err), &err);
        pk_perf_text_free(t);
    }
    assert_int_equal(profile.n_samples, 4);
    assert_int_equal(profile.other_events, 1);
    assert_int_equal(profile.threads.count, 2);
    assert_int_equal(PK_AT(&profile.threads, pk_profile_thread, 0).samples, 3);
    assert_int_equal(profile.modules.count, 4);
    assert_int_equal(PK_AT(&profile.modules, pk_profile_module, 0).frames, 7);
    pk_profile_fini(&profile);
}

static void lines_without_end(void **state) {
    (void)state;
    pk_strbuf text;
    pk_strbuf_init(&text, 1 << 20);
    pk_strbuf_add_str(&text, "a 1 1.0: 7 cycles: \n\t1 ");
    for (int i = 0; i < 70000; i++) pk_strbuf_add_char(&text, 'x');
    pk_strbuf_add_str(&text, " (/x)\n\t1 f (/x)\n\n");
    static const size_t steps[] = {1000, 1 << 20};
    for (int i = 0; i < 2; i++) {
        run r = read_text(&usual, text.data, steps[i]);
        assert_string_equal(r.folded, "a;f 7\n");
        assert_int_equal(r.counts.ignored, 1);
        end(&r);
    }
    pk_strbuf_clear(&text);
    pk_strbuf_add_str(&text, "a 1 1.0: 7 cycles: \n"); /* deeper than a stack may be */
    for (int i = 0; i < 100000; i++) pk_strbuf_addf(&text, "\t%x f (/x)\n", i);
    run r = read_text(&usual, text.data, 1 << 20);
    assert_int_equal(strlen(r.folded), 1 + 2 * (PK_STACK_DEPTH_MAX - 1) + 3);
    end(&r);
    pk_strbuf_fini(&text);
    pk_perf_text_free(NULL);
}

static pk_text_kind guess(const char *text, bool whole) {
    return pk_text_guess(text, strlen(text), whole);
}

static void what_a_text_is(void **state) {
    (void)state;
    static const char *const perf[] = {TWO_THREADS,
                                       "\n\t1 f\n",
                                       "a  13\n\t1 f\n\n",
                                       "a\n\t1 f (/x)\n",
                                       "a 1 1.0: 7 cycles:  1 f (/x)\n",
                                       "a 1.0: cycles:\n\t1 f (/x)\n"};
    static const char *const folded[] = {"a;b;c 12\n", "# x\n\na;b 1.5\nb 2\n", "a 1\n",
                                         "main 12 13\n", "a;b: 1\n\n"};
    for (size_t i = 0; i < sizeof perf / sizeof *perf; i++)
        assert_int_equal(guess(perf[i], true), PK_TEXT_PERF);
    for (size_t i = 0; i < sizeof folded / sizeof *folded; i++)
        assert_int_equal(guess(folded[i], true), PK_TEXT_FOLDED);
    assert_int_equal(guess("", true), PK_TEXT_UNCLEAR);
    assert_int_equal(guess("# a;b 1\n\n", false), PK_TEXT_UNCLEAR);
    assert_int_equal(guess("a;b;c 1", false), PK_TEXT_UNCLEAR); /* the line may go on */
    assert_int_equal(guess("a;b;c 1", true), PK_TEXT_FOLDED);
    assert_int_equal(guess("a;b;c 1\na", false), PK_TEXT_UNCLEAR);
    assert_int_equal(guess("a;b;c 1\na 1\n", false), PK_TEXT_FOLDED);
    assert_int_equal(guess("<svg>\n<g>\n</svg>\n", true), PK_TEXT_OTHER);
    assert_int_equal(guess("PERFILE2", true), PK_TEXT_OTHER);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts_as_inferno_folds_them),
        cmocka_unit_test(texts_that_inferno_mistakes),
        cmocka_unit_test(what_is_known_of_the_recording),
        cmocka_unit_test(what_is_counted),
        cmocka_unit_test(parts_of_a_text),
        cmocka_unit_test(samples_in_order),
        cmocka_unit_test(two_texts_in_one_profile),
        cmocka_unit_test(lines_without_end),
        cmocka_unit_test(what_a_text_is),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
