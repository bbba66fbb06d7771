/* From options to a profile: texts, files, and recordings of this program itself. */
#include "tests/unit/perf_file.h"

#include <time.h>

#include "base/units.h"
#include "flame/flame.h"
#include "flame/flame_record.h"

/* ---- what is profiled: this program again ---- */

static double cpu_s(void) {
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static volatile unsigned spin;

__attribute__((noinline)) static void spend_it(double end_s) {
    while (cpu_s() < end_s)
        for (int i = 0; i < 20000; i++) spin++;
}

/* ---- fixture ---- */

typedef struct fixture {
    char folder[CHECK_PATH_MAX], path[CHECK_PATH_MAX];
    pk_flame_options options;
    pk_flame_result result;
    pk_err err;
} fixture;

static int begin(void **state) {
    fixture *f = calloc(1, sizeof *f);
    check_folder_begin(f->folder);
    f->options.record = (pk_record_options){.frequency_hz = 997,
                                            .call_graph = PK_CALL_GRAPH_DWARF,
                                            .stack_bytes = PK_STACK_COPY_MAX,
                                            .grace_ns = PK_NS_PER_S,
                                            .perf = "perf"};
    *state = f;
    return 0;
}

static int end(void **state) {
    fixture *f = *state;
    pk_flame_fini(&f->result);
    check_folder_end(f->folder);
    free(f);
    return 0;
}

static bool run(fixture *f) {
    f->err = (pk_err){0};
    pk_flame_fini(&f->result);
    return pk_flame_run(&f->options, NULL, &f->result, &f->err);
}

static bool read_texts(fixture *f, size_t n, const char *const texts[]) {
    static const char *const names[] = {"a", "b", "c"};
    char paths[3][CHECK_PATH_MAX];
    const char *items[3];
    for (size_t i = 0; i < n; i++) {
        check_write_file(check_path(paths[i], f->folder, names[i]), texts[i]);
        items[i] = paths[i];
    }
    f->options.inputs = (pk_text_list){.items = items, .count = n};
    return run(f);
}

static uint64_t total_of(fixture *f) {
    pk_stack_tree_sum(&f->result.profile.tree);
    return pk_node(&f->result.profile.tree, PK_NODE_ROOT)->total[0];
}

/* The total of the topmost nodes with this name, together. */
static uint64_t total_below(const pk_stack_tree *tree, uint32_t node, uint32_t name) {
    const pk_stack_node *at = pk_node(tree, node);
    if (at->name == name) return at->total[0];
    uint64_t sum = 0;
    for (uint32_t child = at->first_child; child != PK_NODE_NONE;
         child = pk_node(tree, child)->next)
        sum += total_below(tree, child, name);
    return sum;
}

static double share_of(fixture *f, const char *name) {
    pk_stack_tree *tree = &f->result.profile.tree;
    uint64_t all = total_of(f);
    uint32_t number = pk_names_find(tree->names, name, strlen(name));
    if (number == PK_NAME_NONE || all == 0) return 0;
    return (double)total_below(tree, PK_NODE_ROOT, number) / (double)all;
}

static const char *note(const fixture *f, size_t i) {
    assert_true(i < f->result.notes.count);
    return PK_AT(&f->result.notes, pk_flame_note, i).text;
}

/* ---- texts ---- */

static void folded_texts_are_merged(void **state) {
    fixture *f = *state;
    static const char *const texts[] = {"a;b 3\na;c 4\n", "# comment\na;b 5\nrubbish\nd 1"};
    assert_ok(read_texts(f, 2, texts), &f->err);
    assert_int_equal(total_of(f), 13);
    assert_int_equal(f->result.profile.n_samples, 13);
    assert_string_equal(f->result.profile.unit, "samples");
    assert_near(share_of(f, "b"), 8.0 / 13, 1e-12);
    assert_int_equal(f->result.notes.count, 1);
    assert_non_null(strstr(note(f, 0), "/b: 1 line was passed over"));
    assert_false(f->result.recorded);
}

static void the_text_of_perf_script(void **state) {
    fixture *f = *state;
    static const char *const texts[] = {"prog 12 5.000001:    1003009 cpu-clock: \n"
                                        "\t    401010 inner+0x10 (/bin/prog)\n"
                                        "\t    401000 main+0x20 (/bin/prog)\n"
                                        "\n"
                                        "prog 12 5.000002:    1003009 cpu-clock: \n"
                                        "\t    401000 main+0x20 (/bin/prog)\n"
                                        "\n"};
    assert_ok(read_texts(f, 1, texts), &f->err);
    assert_int_equal(f->result.profile.n_samples, 2);
    assert_int_equal(total_of(f), 2 * 1003009);
    assert_near(share_of(f, "inner"), 0.5, 1e-12);
}

/* Longer than a piece that is read, with lines across the cut. */
static void a_long_text_is_read_piece_by_piece(void **state) {
    fixture *f = *state;
    pk_strbuf text;
    pk_strbuf_init(&text, 8 << 20);
    for (int i = 0; i < 100000; i++) pk_strbuf_addf(&text, "main;work_%d;inner 2\n", i % 7);
    const char *texts[] = {text.data};
    bool ok = read_texts(f, 1, texts);
    pk_strbuf_fini(&text);
    assert_ok(ok, &f->err);
    assert_int_equal(f->result.profile.n_samples, 200000);
    assert_int_equal(f->result.notes.count, 0);
}

static void what_is_no_text_of_stacks(void **state) {
    fixture *f = *state;
    static const char *const other[] = {"PERFILE2 and so on\n"}, *const words[] = {
                                                                     "what is this\n"};
    assert_fails(read_texts(f, 1, words), &f->err, PK_E_INPUT);
    assert_fails(read_texts(f, 1, other), &f->err, PK_E_INPUT);
    assert_non_null(strstr(f->err.fix, "--perfdata"));
    const char *items[] = {"/no/such/file"};
    f->options.inputs = (pk_text_list){.items = items, .count = 1};
    assert_fails(run(f), &f->err, PK_E_SYS);
}

static void an_empty_text_has_no_sample(void **state) {
    fixture *f = *state;
    static const char *const texts[] = {""};
    assert_ok(read_texts(f, 1, texts), &f->err);
    assert_int_equal(f->result.profile.n_samples, 0);
    assert_string_equal(note(f, 0), "it holds no sample of any event");
}

static bool stop(void *context, double share) {
    double *last = context;
    assert_true(share >= 0 && share <= 1);
    *last = share;
    return false;
}

static void reading_can_be_stopped(void **state) {
    fixture *f = *state;
    static const char *const texts[] = {"a;b 3\n"};
    double last = -1;
    f->options.progress = stop;
    f->options.progress_context = &last;
    assert_ok(read_texts(f, 1, texts), &f->err);
    assert_near(last, 1, 0);
    assert_true(f->result.profile.incomplete);
}

/* ---- perf.data ---- */

static void a_file_of_perf(void **state) {
    fixture *f = *state;
    uint64_t chain[] = {PERF_CONTEXT_USER, 0x401000, 0x402000};
    pk_strbuf records, file;
    pk_strbuf_init(&records, 1 << 20);
    pk_strbuf_init(&file, 1 << 20);
    perf_comm(&records, 11, 1, "prog", true);
    for (uint64_t i = 0; i < 10; i++) perf_sample(&records, 11, 10 + i, 1003009, 3, chain);
    perf_file(&file, &records, true);
    check_path(f->path, f->folder, "perf.data");
    int fd = open(f->path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
    assert_int_equal(write(fd, file.data, file.length), file.length);
    close(fd);
    pk_strbuf_fini(&records);
    pk_strbuf_fini(&file);
    f->options.perf_data = f->path;
    assert_ok(run(f), &f->err);
    assert_int_equal(f->result.profile.n_samples, 10);
    assert_int_equal(total_of(f), 10 * 1003009);
    assert_false(f->result.recorded);
    assert_null(f->result.recorder);
}

/* ---- recorders ---- */

static void which_recorder(void **state) {
    fixture *f = *state;
    static const char *const root[] = {"sudo", NULL}, *const words[] = {"record", NULL};
    static char program[] = "prog";
    char *argv[] = {program, NULL};
    const struct {
        pk_recorder_choice choice;
        pk_record_options record;
        const char *recorder, *reason; /* recorder NULL: an error */
    } cases[] = {
        {PK_RECORDER_AUTO, {.argv = argv}, "builtin", "begins sooner"},
        {PK_RECORDER_PERF, {.argv = argv}, "perf", "asked for"},
        {PK_RECORDER_OWN, {.argv = argv}, "builtin", "asked for"},
        {PK_RECORDER_AUTO, {.root = root}, "perf", "--root"},
        {PK_RECORDER_AUTO, {.perf_words = words}, "perf", "words"},
        {PK_RECORDER_AUTO, {.keep = "x"}, "perf", "kept"},
        {PK_RECORDER_AUTO, {.call_graph = PK_CALL_GRAPH_LBR}, "perf", "LBR"},
        {PK_RECORDER_OWN, {.keep = "x"}, NULL, NULL},
        {PK_RECORDER_AUTO, {.event = "page-faults", .perf = "sh"}, "builtin", "begins sooner"},
        {PK_RECORDER_AUTO, {.event = "no-such-event", .perf = "sh"}, "perf", "this event"},
        {PK_RECORDER_AUTO, {.event = "no-such-event", .perf = "no-such-perf"}, "builtin", ""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        pk_flame_options options = {.recorder = cases[i].choice, .record = cases[i].record};
        pk_flame_result result = {0};
        bool ok = pk_flame_choose(&options, &result, &f->err);
        if (!cases[i].recorder) {
            assert_fails(ok, &f->err, PK_E_USAGE);
            continue;
        }
        assert_ok(ok, &f->err);
        assert_string_equal(result.recorder, cases[i].recorder);
        assert_non_null(strstr(result.recorder_reason, cases[i].reason));
    }
}

static char *self(char path[CHECK_PATH_MAX]) {
    ssize_t n = readlink("/proc/self/exe", path, CHECK_PATH_MAX - 1);
    assert_true(n > 0);
    path[n] = '\0';
    return path;
}

/* Skips the test where this recorder may not record. */
static void record_us(fixture *f, pk_recorder_choice choice, const char *ms) {
    char path[CHECK_PATH_MAX], word[] = "spend", time[16];
    snprintf(time, sizeof time, "%s", ms);
    char *argv[] = {self(path), word, time, NULL};
    f->options.recorder = choice;
    f->options.record.argv = argv;
    bool ok = run(f);
    f->options.record.argv = NULL;
    if (ok) return;
    char text[PK_ERR_LINE_MAX];
    pk_err_format(&f->err, text, sizeof text);
    print_message("cannot record here: %s\n", text);
    skip();
}

static void check_recording(fixture *f, const char *recorder) {
    const pk_profile *p = &f->result.profile;
    assert_true(f->result.recorded);
    assert_string_equal(f->result.recorder, recorder);
    assert_int_equal(f->result.recording.exit.code, 3);
    assert_in_range(p->n_samples + p->lost, 350, 650); /* 997 a second, for 0.5 s */
    assert_true(share_of(f, "main") >= 0.97);          /* the rest is the dynamic linker */
    assert_true(share_of(f, "spend_it") >= 0.95);
    assert_int_equal(p->truncated, 0); /* as a sample within exec would be */
    assert_true(p->whole + 5 >= p->n_samples);
    assert_near(p->frequency_hz, 997, 0);
    assert_true(p->duration_ns >= 4 * PK_NS_PER_S / 10); /* of CPU time, some before exec */
    assert_non_null(strstr(p->command, "spend 500"));
    assert_false(p->incomplete);
}

static void perf_records_us(void **state) {
    fixture *f = *state;
    record_us(f, PK_RECORDER_PERF, "500");
    check_recording(f, "perf");
}

static void we_record_us(void **state) {
    fixture *f = *state;
    record_us(f, PK_RECORDER_OWN, "500");
    check_recording(f, "builtin");
}

static void no_sample_is_said_in_one_line(void **state) {
    fixture *f = *state;
    record_us(f, PK_RECORDER_AUTO, "0"); /* or nothing can be recorded */
    char sleep_word[] = "sleep", time[] = "0.2";
    char *argv[] = {sleep_word, time, NULL};
    f->options.record.argv = argv;
    f->options.record.frequency_hz = 1; /* so that its start is not sampled either */
    assert_ok(run(f), &f->err);
    assert_int_equal(f->result.profile.n_samples, 0);
    assert_int_equal(f->result.notes.count, 1);
    assert_ptr_equal(strstr(note(f, 0), "no sample of "), note(f, 0));
}

int main(int argc, char **argv) {
    if (argc == 3 && strcmp(argv[1], "spend") == 0) {
        int64_t ms;
        pk_err err;
        if (!pk_parse_int(argv[2], 0, 60000, &ms, &err)) return 99;
        spend_it((double)ms / 1e3);
        return 3;
    }
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)
    const struct CMUnitTest tests[] = {
        TEST(folded_texts_are_merged),
        TEST(the_text_of_perf_script),
        TEST(a_long_text_is_read_piece_by_piece),
        TEST(what_is_no_text_of_stacks),
        TEST(an_empty_text_has_no_sample),
        TEST(reading_can_be_stopped),
        TEST(a_file_of_perf),
        TEST(which_recorder),
        TEST(perf_records_us),
        TEST(we_record_us),
        TEST(no_sample_is_said_in_one_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
