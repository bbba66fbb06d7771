/* Options whose value is several words, or may be missing, or is judged late. */
#include "check.h"

#include "cli/command.h"
#include "cli/complete.h"
#include "cli/help.h"

typedef struct options {
    pk_text_list scan, lists, words;
    const char *mode;
    bool quiet;
    uint64_t runs;
} options;

#define ROW(member, type) PK_FIELD(options, member, type)
// clang-format off
static const pk_opt rows[] = {
    {'P', "scan", PK_OPT_TEXT_LIST, ROW(scan, pk_text_list), .arg = "var min max", .words = 3, .help = "a range", .flags = PK_OPT_ONCE},
    {'L', "list", PK_OPT_TEXT_LIST, ROW(lists, pk_text_list), .arg = "var values", .words = 2, .help = "a list"},
    {'i', "ignore", PK_OPT_TEXT, ROW(mode, const char *), .arg = "mode", .bare = "all", .help = "failures to ignore"},
    {'q', "quiet", PK_OPT_FLAG, ROW(quiet, bool), .help = "print nothing"},
    {'r', "runs", PK_OPT_COUNT, ROW(runs, uint64_t), .arg = "number", .min = 1, .max = 1000, .help = "runs",
     .flags = PK_OPT_LATE, .conflicts = "quiet"},
    {0, "WORD", PK_OPT_TEXT_LIST, ROW(words, pk_text_list), .help = "words", .flags = PK_OPT_POSITIONAL},
    {0},
};
// clang-format on

static int run(const pk_invocation *invocation, const void *parsed, pk_err *err) {
    (void)invocation, (void)parsed, (void)err;
    return 0;
}

static const pk_example examples[] = {{"perfkit words -q", "nothing"}, {0}};
static const pk_command command = {.name = "words",
                                   .summary = "words",
                                   .usage = "[options] WORD",
                                   .opts = rows,
                                   .options_bytes = sizeof(options),
                                   .examples = examples,
                                   .run = run};
static const pk_command *const commands[] = {&command, NULL};

typedef struct reading {
    bool ok;
    options o;
    pk_parsed parsed;
    pk_err err;
} reading;

/* argv of string literals: nothing here is a secret, so nothing is written to. */
static void read_words(reading *r, int n, const char *const words[]) {
    *r = (reading){0};
    r->ok = pk_cli_parse(&command, "perfkit words", n, (char **)(uintptr_t)words, &r->o, &r->parsed,
                         &r->err);
}
#define READ(r, ...)                                                               \
    read_words((r), (int)(sizeof((const char *[]){__VA_ARGS__}) / sizeof(char *)), \
               (const char *[]){__VA_ARGS__})

static void the_table_is_sound(void **state) {
    (void)state;
    pk_err err = {0};
    assert_ok(pk_cli_check_table(&command, &err), &err);
}

static void all_words_of_a_value_are_taken(void **state) {
    (void)state;
    reading r;
    READ(&r, "a", "-P", "x", "-3", "5", "-L", "y", "1,2", "b", "--list", "-z", "--quiet");
    assert_ok(r.ok, &r.err);
    assert_int_equal(r.o.scan.count, 3);
    assert_string_equal(r.o.scan.items[1], "-3");
    assert_int_equal(r.o.lists.count, 4);
    assert_string_equal(r.o.lists.items[2], "-z");
    assert_string_equal(r.o.lists.items[3], "--quiet");
    assert_false(r.o.quiet);
    assert_int_equal(r.o.words.count, 2);
    pk_parsed_fini(&r.parsed);
    READ(&r, "--scan=x", "1", "2", "-Ly", "3");
    assert_ok(r.ok, &r.err);
    assert_string_equal(r.o.scan.items[0], "x");
    assert_string_equal(r.o.scan.items[2], "2");
    assert_string_equal(r.o.lists.items[1], "3");
    pk_parsed_fini(&r.parsed);
    READ(&r, "-P=x", "1", "2");
    assert_ok(r.ok, &r.err);
    assert_string_equal(r.o.scan.items[0], "x");
    pk_parsed_fini(&r.parsed);
    READ(&r, "-P", "x", "1");
    assert_fails(r.ok, &r.err, PK_E_USAGE);
    assert_string_equal(r.err.fix, "write -P <var> <min> <max>");
}

static void a_missing_value_has_a_meaning(void **state) {
    (void)state;
    static const struct {
        const char *word, *mode;
        bool quiet;
    } cases[] = {{"-i", "all", false},       {"--ignore", "all", false}, {"-i=1,2", "1,2", false},
                 {"--ignore=3", "3", false}, {"-qi", "all", true},       {"-iq", "all", true},
                 {"-qi=7", "7", true},       {"--ignore=", "", false}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        reading r;
        READ(&r, cases[i].word, "1");
        assert_ok(r.ok, &r.err);
        assert_string_equal(r.o.mode, cases[i].mode);
        assert_int_equal(r.o.quiet, cases[i].quiet);
        assert_int_equal(r.o.words.count, 1); /* the next word is no value */
        pk_parsed_fini(&r.parsed);
    }
}

static void what_is_judged_late_is_no_wrong_line(void **state) {
    (void)state;
    reading r;
    READ(&r, "-r", "many");
    assert_fails(r.ok, &r.err, PK_E_INPUT);
    assert_string_equal(r.err.where, "-r many");
    READ(&r, "-r=many");
    assert_fails(r.ok, &r.err, PK_E_INPUT);
    assert_string_equal(r.err.where, "-r=many");
    READ(&r, "-r", "0", "--nonsense");
    assert_fails(r.ok, &r.err, PK_E_USAGE);
    assert_string_equal(r.err.what, "unknown option --nonsense");
    READ(&r, "-r", "-1");
    assert_fails(r.ok, &r.err, PK_E_USAGE);
    assert_string_equal(r.err.what, "needs a value");
    READ(&r, "-r=-1");
    assert_fails(r.ok, &r.err, PK_E_INPUT);
    READ(&r, "-r", "0", "-q");
    assert_fails(r.ok, &r.err, PK_E_USAGE);
}

static void what_stands_twice_is_known(void **state) {
    (void)state;
    reading r;
    READ(&r, "-r", "1", "-L", "a", "b", "-L", "c", "d", "x", "y");
    assert_ok(r.ok, &r.err);
    assert_null(pk_parsed_again(&command, &r.parsed));
    pk_parsed_fini(&r.parsed);
    READ(&r, "-r", "1", "--runs=2");
    assert_ok(r.ok, &r.err);
    assert_ptr_equal(pk_parsed_again(&command, &r.parsed), &rows[4]);
    assert_int_equal(r.o.runs, 2);
    pk_parsed_fini(&r.parsed);
    READ(&r, "-P", "x", "1", "2", "-P", "y", "3", "4");
    assert_ok(r.ok, &r.err);
    assert_ptr_equal(pk_parsed_again(&command, &r.parsed), &rows[0]);
    assert_int_equal(r.o.scan.count, 3);
    assert_string_equal(r.o.scan.items[0], "y");
    pk_parsed_fini(&r.parsed);
}

static void help_and_manual_show_the_form(void **state) {
    (void)state;
    char *text = NULL;
    size_t bytes = 0;
    FILE *out = open_memstream(&text, &bytes);
    assert_non_null(out);
    pk_help_command(out, &command, "perfkit words", 80, false);
    pk_man_command(out, commands, &command);
    assert_int_equal(fclose(out), 0);
    assert_non_null(strstr(text, "  -P, --scan <var> <min> <max>  "));
    assert_non_null(strstr(text, "  -i, --ignore[=<mode>]  "));
    assert_non_null(strstr(text, "\\fB\\-\\-scan\\fR \\fIvar\\fR \\fImin\\fR \\fImax\\fR\n"));
    assert_non_null(strstr(text, "\\fB\\-\\-ignore\\fR[=\\fImode\\fR]\n"));
    free(text);
}

static void check_answer(const char *expected, int n, const char *const words[]) {
    char *text = NULL;
    size_t bytes = 0;
    FILE *out = open_memstream(&text, &bytes);
    assert_non_null(out);
    pk_complete(out, commands, &command, false, n, (char **)(uintptr_t)words);
    assert_int_equal(fclose(out), 0);
    assert_string_equal(text, expected);
    free(text);
}
#define ANSWER(expected, ...)                                                               \
    check_answer((expected), (int)(sizeof((const char *[]){__VA_ARGS__}) / sizeof(char *)), \
                 (const char *[]){__VA_ARGS__})

static void the_words_of_a_value_complete_as_a_value(void **state) {
    (void)state;
    ANSWER(":4\n", "-P", "");
    ANSWER(":4\n", "-P", "x", "1", "-");
    ANSWER("--quiet\n:36\n", "-P", "x", "1", "2", "--q");
    ANSWER("--quiet\n:36\n", "-i", "--q");
    ANSWER("-iq\n:4\n", "-iq");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_table_is_sound),
        cmocka_unit_test(all_words_of_a_value_are_taken),
        cmocka_unit_test(a_missing_value_has_a_meaning),
        cmocka_unit_test(what_is_judged_late_is_no_wrong_line),
        cmocka_unit_test(what_stands_twice_is_known),
        cmocka_unit_test(help_and_manual_show_the_form),
        cmocka_unit_test(the_words_of_a_value_complete_as_a_value),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
