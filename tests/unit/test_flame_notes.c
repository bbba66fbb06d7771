/* What is said of a profile, for each thing that can be wrong with it; and nothing where all is
 * well. */
#include "tests/unit/check.h"

#include "base/units.h"
#include "flame/notes.h"

typedef struct fixture {
    pk_flame_options options;
    pk_flame_result result;
} fixture;

/* A recording in which nothing is wrong. */
static int begin(void **state) {
    static char word[] = "prog";
    static char *argv[] = {word, NULL};
    fixture *f = calloc(1, sizeof *f);
    pk_err err = {0};
    f->options.record = (pk_record_options){.argv = argv,
                                            .frequency_hz = 1000,
                                            .call_graph = PK_CALL_GRAPH_DWARF,
                                            .stack_bytes = PK_STACK_COPY_MAX};
    f->result.notes = PK_ARRAY(pk_flame_note, 100);
    assert_ok(pk_profile_init(&f->result.profile, 1, false, &err), &err);
    f->result.recorded = true;
    f->result.recorder = "builtin";
    f->result.recording =
        (pk_recording){.frequency_hz = 1000, .event = "cycles", .duration_ns = PK_NS_PER_S};
    f->result.profile.n_samples = 1000;
    f->result.profile.whole = 1000;
    f->result.profile.stacks_copied = true;
    f->result.profile.event = "cycles";
    *state = f;
    return 0;
}

static int end(void **state) {
    fixture *f = *state;
    pk_flame_fini(&f->result);
    free(f);
    return 0;
}

static pk_profile_module *add_module(fixture *f, const char *path) {
    pk_profile_module *module = pk_array_push(&f->result.profile.modules);
    assert_non_null(module);
    *module = (pk_profile_module){.path = path,
                                  .frames = 100,
                                  .symbols = true,
                                  .debug_information = true,
                                  .call_frame_information = true};
    return module;
}

/* Exactly one note, with this text and a fix that holds the other; NULL: without a fix. */
static void one(fixture *f, const char *text, const char *fix) {
    pk_flame_notes_make(&f->options, false, &f->result);
    for (size_t i = 0; i < f->result.notes.count && f->result.notes.count != 1; i++)
        print_error("note: %s\n", PK_AT(&f->result.notes, pk_flame_note, i).text);
    assert_int_equal(f->result.notes.count, 1);
    pk_flame_note note = PK_AT(&f->result.notes, pk_flame_note, 0);
    assert_string_equal(note.text, text);
    if (!fix) assert_null(note.fix);
    else if (!note.fix || !strstr(note.fix, fix)) fail_msg("fix: %s", note.fix ? note.fix : "-");
}

static void nothing_is_said_of_a_good_profile(void **state) {
    fixture *f = *state;
    add_module(f, "/usr/bin/prog");
    add_module(f, "[kernel.kallsyms]");
    f->result.profile.truncated = 4; /* of 1000 */
    f->result.profile.unfinished = 9;
    pk_flame_notes_make(&f->options, false, &f->result);
    assert_int_equal(f->result.notes.count, 0);
}

static void records_that_were_lost(void **state) {
    fixture *f = *state;
    f->result.profile.lost = 250;
    one(f,
        "250 records were lost (20.0 % of the samples): they came faster than they could be taken",
        "--freq");
}

static void records_that_were_lost_for_want_of_locked_memory(void **state) {
    fixture *f = *state;
    f->result.profile.lost = 250;
    f->result.recording.ring_bytes = 512 << 10;
    f->result.recording.ring_bytes_wanted = 8 << 20;
    one(f,
        "250 records were lost (20.0 % of the samples): they came faster than they could be taken",
        "kernel.perf_event_mlock_kb=8256, or a larger ulimit -l");
}

static void records_that_perf_lost(void **state) {
    fixture *f = *state;
    f->result.profile.lost = 1;
    f->result.recorder = "perf";
    one(f, "1 record was lost (0.1 % of the samples): they came faster than they could be taken",
        "--recorder builtin");
}

static void throttling(void **state) {
    fixture *f = *state;
    f->result.profile.throttled = 2;
    one(f, "the kernel held sampling back 2 times, since it took too much of a processor",
        "--freq");
}

static void stacks_that_were_cut(void **state) {
    fixture *f = *state;
    f->result.profile.truncated = 100;
    f->options.record.stack_bytes = 8192;
    one(f, "100 stacks (10.0 %) were deeper than what was copied; they begin with [truncated]",
        "dwarf copies 64 KiB");
}

static void stacks_that_were_cut_in_a_file(void **state) {
    fixture *f = *state;
    f->result.profile.truncated = 100;
    f->result.recorded = false;
    one(f, "100 stacks (10.0 %) were deeper than what was copied; they begin with [truncated]",
        "record with --call-graph dwarf,65528");
}

static void stacks_that_were_not_there(void **state) {
    fixture *f = *state;
    f->result.profile.unfinished = 20;
    one(f, "20 stacks (2.0 %) could not be followed to their beginning", "execve");
}

static void one_stack_that_was_cut(void **state) {
    fixture *f = *state;
    f->result.profile.n_samples = 83;
    f->result.profile.truncated = 1;
    one(f, "1 stack (1.2 %) was deeper than what was copied; it begins with [truncated]",
        "--call-graph fp");
}

static void stacks_that_end_early(void **state) {
    fixture *f = *state;
    add_module(f, "/usr/lib/a.so")->lost = 4;
    add_module(f, "/usr/lib/b.so")->lost = 16;
    f->result.profile.unfinished = 20;
    one(f,
        "20 stacks (2.0 %) could not be followed to their beginning, most of them in "
        "/usr/lib/b.so",
        "-fasynchronous-unwind-tables");
}

static void another_event_than_usual(void **state) {
    fixture *f = *state;
    f->result.recording.event_fell_back = true;
    one(f, "the event is cpu-clock, since this machine counts no cycles", NULL);
}

static void a_kernel_that_was_not_sampled(void **state) {
    fixture *f = *state;
    f->result.recording.kernel_excluded = true;
    one(f, "the kernel was not sampled: this user may not", "kernel.perf_event_paranoid=1");
}

static void a_frequency_that_is_not_allowed(void **state) {
    fixture *f = *state;
    f->options.record.frequency_hz = 5000;
    one(f, "the kernel allows 1000 samples a second, not 5000", "perf_event_max_sample_rate=5000");
}

static void a_kernel_without_names(void **state) {
    fixture *f = *state;
    add_module(f, "[kernel.kallsyms]")->symbols = false;
    pk_flame_notes_make(&f->options, true, &f->result);
    assert_int_equal(f->result.notes.count, 1);
    assert_non_null(
        strstr(PK_AT(&f->result.notes, pk_flame_note, 0).fix, "kernel.kptr_restrict=0"));
}

static void a_hidden_kernel_that_is_in_no_stack(void **state) {
    fixture *f = *state;
    add_module(f, "/usr/bin/prog");
    pk_flame_notes_make(&f->options, true, &f->result);
    assert_int_equal(f->result.notes.count, 0);
}

static void modules_without_symbols(void **state) {
    fixture *f = *state;
    static const char *const names[] = {"/bin/a", "/bin/b", "/bin/c", "/bin/d", "/bin/e"};
    for (size_t i = 0; i < 5; i++) {
        pk_profile_module *m = add_module(f, names[i]);
        m->symbols = m->debug_information = false;
        m->unknown = 90;
    }
    one(f, "a, b, c and 2 more have neither symbols nor debug information", "-g");
}

static void a_small_module_without_symbols_is_not_worth_a_word(void **state) {
    fixture *f = *state;
    add_module(f, "/bin/large")->frames = 10000;
    pk_profile_module *m = add_module(f, "/bin/small");
    m->symbols = m->debug_information = false;
    m->unknown = 100;
    pk_flame_notes_make(&f->options, false, &f->result);
    assert_int_equal(f->result.notes.count, 0);
}

static void a_file_that_changed(void **state) {
    fixture *f = *state;
    pk_profile_module *m = add_module(f, "/bin/prog");
    m->changed = true;
    m->symbols = m->debug_information = false;
    m->unknown = 100;
    one(f, "prog changed since the recording: its functions have no names", "record again");
}

static void a_file_that_is_gone(void **state) {
    fixture *f = *state;
    pk_profile_module *m = add_module(f, "/bin/prog");
    m->missing = true;
    m->symbols = m->debug_information = false;
    m->unknown = 100;
    one(f, "prog is not there: its functions have no names", "put it where it was");
}

static void no_sample_of_a_command_that_slept(void **state) {
    fixture *f = *state;
    f->result.profile.n_samples = 0;
    f->result.recording.event_fell_back = true; /* not a second sentence */
    one(f, "no sample of cycles in 1 s: it used almost no CPU: it was asleep or waited",
        "--off-cpu");
}

static void no_sample_of_a_short_command(void **state) {
    fixture *f = *state;
    f->result.profile.n_samples = 0;
    f->result.recording.duration_ns = 2 * PK_NS_PER_MS;
    one(f, "no sample of cycles in 2 ms: that is too short", "--freq");
}

static void no_sample_before_the_delay_was_over(void **state) {
    fixture *f = *state;
    f->result.profile.n_samples = 0;
    f->result.recording.duration_ns = 0;
    f->options.record.delay_ns = PK_NS_PER_S;
    one(f, "no sample of cycles in 0: it ended before --delay was over", "");
}

static void no_sample_in_a_file(void **state) {
    fixture *f = *state;
    f->result.profile.n_samples = 0;
    f->result.recorded = false;
    one(f, "it holds no sample of cycles", "which events");
}

static void an_incomplete_file(void **state) {
    fixture *f = *state;
    f->result.recorded = false;
    f->result.profile.incomplete = true;
    one(f, "the recording is not complete: this is what could be read", NULL);
}

static void an_error_becomes_a_note(void **state) {
    fixture *f = *state;
    pk_err err = {0};
    pk_fail(&err, PK_E_UNSUPPORTED, "perf", "it was killed (signal %d)", 9);
    pk_fix(&err, "try again");
    pk_flame_note_error(&f->result, &err);
    assert_string_equal(PK_AT(&f->result.notes, pk_flame_note, 0).text,
                        "perf: it was killed (signal 9)");
    assert_string_equal(PK_AT(&f->result.notes, pk_flame_note, 0).fix, "try again");
}

static void lines_of_a_text(void **state) {
    fixture *f = *state;
    pk_flame_text_read read = {.ignored = 1, .without = 2, .fraction = 3};
    pk_flame_note_text("-", &read, &f->result);
    assert_int_equal(f->result.notes.count, 3);
    static const char *const texts[] = {"standard input: 1 line was passed over",
                                        "standard input: 2 samples have no stack",
                                        "standard input: the fractions of 3 counts were dropped"};
    for (size_t i = 0; i < 3; i++)
        assert_string_equal(PK_AT(&f->result.notes, pk_flame_note, i).text, texts[i]);
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)
    const struct CMUnitTest tests[] = {
        TEST(nothing_is_said_of_a_good_profile),
        TEST(records_that_were_lost),
        TEST(records_that_were_lost_for_want_of_locked_memory),
        TEST(records_that_perf_lost),
        TEST(throttling),
        TEST(stacks_that_were_cut),
        TEST(stacks_that_were_cut_in_a_file),
        TEST(one_stack_that_was_cut),
        TEST(stacks_that_were_not_there),
        TEST(stacks_that_end_early),
        TEST(another_event_than_usual),
        TEST(a_kernel_that_was_not_sampled),
        TEST(a_frequency_that_is_not_allowed),
        TEST(a_kernel_without_names),
        TEST(a_hidden_kernel_that_is_in_no_stack),
        TEST(modules_without_symbols),
        TEST(a_small_module_without_symbols_is_not_worth_a_word),
        TEST(a_file_that_changed),
        TEST(a_file_that_is_gone),
        TEST(no_sample_of_a_command_that_slept),
        TEST(no_sample_of_a_short_command),
        TEST(no_sample_before_the_delay_was_over),
        TEST(no_sample_in_a_file),
        TEST(an_incomplete_file),
        TEST(an_error_becomes_a_note),
        TEST(lines_of_a_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
