/* Whole commands, before they run: words, shells, parameters, names. */
#include "bench/command_parts.h"

#include "check.h"

enum { ARENA_BYTES = 64 << 20, LIST_MAX = 8 };

typedef struct fixture {
    pk_arena *arena;
    pk_err err;
    pk_command_options options;
    pk_command_line lines[LIST_MAX];
    pk_command_case *cases;
    size_t n;
} fixture;

static int set_up(void **state) {
    fixture *f = calloc(1, sizeof *f);
    if (!f) return -1;
    f->arena = pk_arena_new(ARENA_BYTES);
    f->options.commands = f->lines;
    *state = f;
    return 0;
}

static int tear_down(void **state) {
    fixture *f = *state;
    pk_arena_free(f->arena);
    free(f);
    return 0;
}

static void give_command(fixture *f, const char *text) {
    f->lines[f->options.n_commands++] = (pk_command_line){.text = text};
}

static void plan(fixture *f) {
    assert_ok(pk_command_cases(&f->options, f->arena, &f->cases, &f->n, &f->err), &f->err);
}

static void refuse(fixture *f, pk_err_kind kind, const char *word) {
    f->err = (pk_err){0};
    f->n = 77;
    assert_fails(pk_command_cases(&f->options, f->arena, &f->cases, &f->n, &f->err), &f->err, kind);
    assert_int_equal(f->n, 77);
    char line[PK_ERR_LINE_MAX];
    pk_err_format(&f->err, line, sizeof line);
    if (!strstr(line, word)) fail_msg("\"%s\" does not say \"%s\"", line, word);
}

/* Words joined by '|'. */
static const char *joined(fixture *f, const char *const *words) {
    char *text = pk_arena_strdup(f->arena, "");
    for (size_t i = 0; words[i]; i++)
        text = pk_arena_printf(f->arena, "%s%s%s", text, i > 0 ? "|" : "", words[i]);
    return text;
}

static const char *words_of(fixture *f, const char *line) {
    const char *const *words;
    assert_ok(pk_command_words(line, f->arena, &words, &f->err), &f->err);
    return joined(f, words);
}

static void test_words_follow_the_quoting_rules(void **state) {
    fixture *f = *state;
    static const struct {
        const char *line, *words;
    } cases[] = {
        {"", ""},
        {" \t\n ", ""},
        {"ls -l  /tmp\n", "ls|-l|/tmp"},
        {"a 'b c' d", "a|b c|d"},
        {"a'b'\"c\"d", "abcd"},
        {"'' \"\"", "|"},
        {"'a\\'b", "a\\b"},
        {"\"a\\$\\`\\\"\\\\b\"", "a$`\"\\b"},
        {"\"a\\nb\"", "a\\nb"},
        {"\"a\\\nb\"", "ab"},
        {"a\\ b \\c \\\\", "a b|c|\\"},
        {"a\\\nb c", "ab|c"},
        {"a \\\n b", "a|b"},
        {"a\\", "a\\"},
        {"a # b 'c", "a"},
        {"a#b '#c'", "a#b|#c"},
        {"a #b\nc", "a|c"},
        {"a # b \\\nc", "a|c"},
        {"# only\n", ""},
        {"$HOME *.c ~ A=b", "$HOME|*.c|~|A=b"},
        {"a \"'\" '\"'", "a|'|\""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_string_equal(words_of(f, cases[i].line), cases[i].words);
}

static void test_an_open_quote_is_an_error_naming_the_line(void **state) {
    fixture *f = *state;
    static const char *const lines[] = {"a 'b", "a \"b", "a \"b\\", "'", "a 'b' 'c"};
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        const char *const *words;
        f->err = (pk_err){0};
        assert_fails(pk_command_words(lines[i], f->arena, &words, &f->err), &f->err, PK_E_INPUT);
        assert_string_equal(f->err.where, lines[i]);
    }
}

static void test_only_what_a_shell_alone_can_do_needs_one(void **state) {
    (void)state;
    static const char *const yes[] = {
        "a | b",       "a; b",     "a && b",       "a > f",  "a < f", "(a)",     "echo $x",
        "echo \"$x\"", "echo `a`", "echo \"`a`\"", "ls *.c", "ls ?",  "ls [ab]", "ls ~",
        "ls a ~/b",    "A=b cmd",  "_x1= cmd",     "if a",   "cd /",  "exit 1",  "! a",
        ": x",         "a\nb",     "a\n# c\nb",    "",       "  ",    "# x",     "a &",
        "'exit' 1",    "{ a",      "a 2>&1"};
    static const char *const no[] = {"ls -l",     "true",       "a 'x | y' \"b;c\"",
                                     "a \\$x",    "a \"\\$x\"", "a '$x'",
                                     "a b=c",     "=a b",       "1a=b c",
                                     "a~b",       "a # | b",    "a\\\nb",
                                     "a\n",       "\na b",      "'a*'",
                                     "echo x",    "test a = b", "sleep 0.1",
                                     "a {x}",     "cd2",        "a 'b\nc'",
                                     "ls --x=~/a"};
    for (size_t i = 0; i < sizeof yes / sizeof yes[0]; i++)
        if (!pk_command_needs_shell(yes[i])) fail_msg("\"%s\" needs a shell", yes[i]);
    for (size_t i = 0; i < sizeof no / sizeof no[0]; i++)
        if (pk_command_needs_shell(no[i])) fail_msg("\"%s\" needs no shell", no[i]);
}

static void test_the_shell_is_split_into_words_itself(void **state) {
    fixture *f = *state;
    const char *const *argv;
    bool through;
    f->options.shell_kind = PK_SHELL_GIVEN;
    f->options.shell = "bash --norc 'x y'";
    assert_ok(pk_command_argv(&f->options, "a 'b", f->arena, &argv, &through, &f->err), &f->err);
    assert_true(through);
    assert_string_equal(joined(f, argv), "bash|--norc|x y|-c|a 'b");

    f->options.shell = " ";
    f->err = (pk_err){0};
    assert_fails(pk_command_argv(&f->options, "a", f->arena, &argv, &through, &f->err), &f->err,
                 PK_E_USAGE);
    f->options = (pk_command_options){0};
    assert_ok(pk_command_argv(&f->options, "a | b", f->arena, &argv, &through, &f->err), &f->err);
    assert_string_equal(joined(f, argv), "sh|-c|a | b");
    assert_ok(pk_command_argv(&f->options, "a 'b c'", f->arena, &argv, &through, &f->err), &f->err);
    assert_false(through);
    assert_string_equal(joined(f, argv), "a|b c");
    f->options.shell_kind = PK_SHELL_NONE;
    assert_ok(pk_command_argv(&f->options, "a | b", f->arena, &argv, &through, &f->err), &f->err);
    assert_string_equal(joined(f, argv), "a|||b");
    f->err = (pk_err){0};
    assert_fails(pk_command_argv(&f->options, " # x", f->arena, &argv, &through, &f->err), &f->err,
                 PK_E_INPUT);
}

static void test_a_range_is_exact_and_includes_its_end(void **state) {
    fixture *f = *state;
    static const struct {
        pk_parameter_scan scan;
        const char *values;
    } cases[] = {
        {{"x", "1", "4", NULL}, "1|2|3|4"},
        {{"x", "0", "10", "4"}, "0|4|8"},
        {{"x", "-2", "1", NULL}, "-2|-1|0|1"},
        {{"x", "7", "7", NULL}, "7"},
        {{"x", "0.5", "1.50", "0.5"}, "0.5|1.0|1.5"},
        {{"x", "0.1", "0.3", "0.1"}, "0.1|0.2|0.3"},
        {{"x", "1", "2", "0.25"}, "1.00|1.25|1.50|1.75|2.00"},
        {{"x", "0", "0.99", "0.5"}, "0.0|0.5"},
        {{"x", "-1", "-0.05", "0.5"}, "-1.0|-0.5"},
        {{"x", "4000000000", "4000000001", "1"}, "4000000000|4000000001"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        pk_parameter_axis *axes;
        size_t n;
        f->options.scan = cases[i].scan;
        assert_ok(pk_parameter_axes(&f->options, f->arena, &axes, &n, &f->err), &f->err);
        assert_int_equal(n, 1);
        const char **list = PK_NEW(f->arena, axes->n + 1, const char *);
        memcpy(list, axes->values, axes->n * sizeof *list);
        assert_string_equal(joined(f, list), cases[i].values);
    }
    f->options.scan = (pk_parameter_scan){"x", "1", "100000", NULL};
    give_command(f, "a {x}");
    plan(f);
    assert_int_equal(f->n, 100000);
}

static void test_wrong_ranges_say_what_is_wrong(void **state) {
    fixture *f = *state;
    static const struct {
        pk_parameter_scan scan;
        const char *word;
    } cases[] = {
        {{"x", "2", "1", NULL}, "empty"},
        {{"x", "1", "2", "0"}, "zero"},
        {{"x", "1", "2", "0.0"}, "zero"},
        {{"x", "1", "2", "-1"}, "too large"},
        {{"x", "0", "100000", NULL}, "too large"},
        {{"x", "0.5", "1", NULL}, "step"},
        {{"x", "4000000000", "4000000001", NULL}, "step"},
        {{"x", "a", "1", NULL}, "decimal"},
        {{"x", "1", "", NULL}, "decimal"},
        {{"x", "1", "2", "1e1"}, "decimal"},
        {{"x", "0", "1234567890123456789012345678", "0.0000000000000000000000000001"}, "digits"},
    };
    give_command(f, "a");
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        f->options.scan = cases[i].scan;
        refuse(f, PK_E_USAGE, cases[i].word);
    }
}

static void test_a_list_is_split_at_commas_without_backslash(void **state) {
    fixture *f = *state;
    static const struct {
        const char *text, *items;
        size_t n;
    } cases[] = {
        {"a,b,c", "a|b|c", 3},   {"", "", 1},           {",", "|", 2},     {"a\\,b,c", "a,b|c", 2},
        {"a\\\\,b", "a\\|b", 2}, {"a\\nb", "a\\nb", 1}, {"a\\", "a\\", 1}, {"a,,b", "a||b", 3}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        size_t n;
        const char *const *items = pk_parameter_split(cases[i].text, f->arena, &n);
        assert_non_null(items);
        assert_int_equal(n, cases[i].n);
        const char **list = PK_NEW(f->arena, n + 1, const char *);
        memcpy(list, items, n * sizeof *list);
        assert_string_equal(joined(f, list), cases[i].items);
    }
}

static void test_what_was_put_in_is_not_replaced_again(void **state) {
    fixture *f = *state;
    static const pk_parameter_value values[] = {{"x", "{y}"}, {"y", "{x}"}, {"n", "3"}};
    static const struct {
        const char *text, *to;
    } cases[] = {{"{x} {y}", "{y} {x}"}, {"{n}{n}", "33"}, {"{{n}}", "{3}"}, {"{m} {", "{m} {"},
                 {"{n", "{n"},           {"${n}", "$3"},   {"{ n}", "{ n}"}, {"", ""}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_string_equal(pk_parameter_replace(cases[i].text, 3, values, f->arena), cases[i].to);
    assert_true(pk_parameter_used("a {{x}", "x"));
    assert_false(pk_parameter_used("a {x {xx}", "x"));
}

static void test_a_product_runs_commands_fastest_then_the_first_list(void **state) {
    fixture *f = *state;
    static const pk_parameter_list lists[] = {{"b", "1,2"}, {"a", "x,y"}};
    static const char *const commands[] = {"p 1 x", "q 1 x", "p 2 x", "q 2 x",
                                           "p 1 y", "q 1 y", "p 2 y", "q 2 y"};
    give_command(f, "p {b} {a}");
    give_command(f, "q {b} {a}");
    f->options.lists = lists;
    f->options.n_lists = 2;
    f->options.setup = "make {a}";
    plan(f);
    assert_int_equal(f->n, 8);
    for (size_t i = 0; i < 8; i++) {
        assert_string_equal(f->cases[i].command, commands[i]);
        assert_string_equal(f->cases[i].shown, commands[i]);
        assert_string_equal(f->cases[i].setup, i < 4 ? "make x" : "make y");
        assert_int_equal(f->cases[i].n_parameters, 2);
        assert_string_equal(f->cases[i].parameters[0].name, "a");
        assert_string_equal(f->cases[i].parameters[1].name, "b");
    }
    static const pk_parameter_list twice[] = {{"b", "1,2"}, {"b", "x,y"}};
    f->options.lists = twice;
    refuse(f, PK_E_USAGE, "\"b\"");
    f->options.scan = (pk_parameter_scan){"x", "1", "2", NULL};
    refuse(f, PK_E_USAGE, "combined");
}

static void test_the_reference_comes_first_as_it_is(void **state) {
    fixture *f = *state;
    static const pk_parameter_list list = {"x", "1,2"};
    const char *prepares[] = {"p {x}", "q {x}", "r {x}"};
    give_command(f, "a {x}");
    f->options.reference = "old {x} | b";
    f->options.lists = &list;
    f->options.n_lists = 1;
    f->options.prepares = (pk_text_list){prepares, 3};
    plan(f);
    assert_int_equal(f->n, 3);
    assert_true(f->cases[0].reference && f->cases[0].through_shell);
    assert_string_equal(f->cases[0].command, "old {x} | b");
    assert_string_equal(f->cases[0].shown, "old {x} | b");
    assert_string_equal(f->cases[0].prepare, "p {x}");
    assert_int_equal(f->cases[0].n_parameters, 0);
    assert_string_equal(f->cases[1].prepare, "q 1");
    assert_string_equal(f->cases[2].prepare, "r 2");
    assert_false(f->cases[1].reference || f->cases[1].through_shell);
    f->options.reference_name = "before";
    plan(f);
    assert_string_equal(f->cases[0].name, "before");
    f->options.prepares.count = 2;
    refuse(f, PK_E_USAGE, "--prepare");
    f->options.prepares.count = 0;
    f->options.concludes = (pk_text_list){prepares, 2};
    refuse(f, PK_E_USAGE, "--conclude");
    f->options.concludes.count = 1;
    plan(f);
    assert_string_equal(f->cases[2].conclude, "p 2");
}

static void test_names_are_in_order_or_a_template(void **state) {
    fixture *f = *state;
    const char *names[] = {"N {x}", "two", "three", "four", "five"};
    give_command(f, "a");
    give_command(f, "b {x}");
    f->options.names = (pk_text_list){names, 1};
    plan(f);
    assert_string_equal(f->cases[0].name, "N {x}");
    assert_string_equal(f->cases[1].name, "b {x}");
    f->options.names.count = 3;
    refuse(f, PK_E_USAGE, "at most 2");
    f->options.scan = (pk_parameter_scan){"x", "1", "2", NULL};
    refuse(f, PK_E_USAGE, "3 names for 4 benchmarks");
    f->options.names.count = 4;
    plan(f);
    assert_string_equal(f->cases[0].name, "N 1");
    assert_string_equal(f->cases[0].shown, "N 1 (x = 1)");
    assert_string_equal(f->cases[3].name, "four");
    assert_string_equal(f->cases[3].shown, "four");
    f->options.names.count = 1;
    plan(f);
    assert_string_equal(f->cases[3].name, "N 2");
    assert_string_equal(f->cases[3].command, "b 2");
}

static void test_unused_parameters_are_shown_behind_the_name(void **state) {
    fixture *f = *state;
    static const pk_parameter_list lists[] = {{"z", "1"}, {"branch", "master,dev"}, {"k", "3"}};
    give_command(f, "echo test {z}");
    f->options.lists = lists;
    f->options.n_lists = 3;
    plan(f);
    assert_string_equal(f->cases[1].command, "echo test 1");
    assert_string_equal(f->cases[1].name, "echo test 1");
    assert_string_equal(f->cases[1].shown, "echo test 1 (branch = dev, k = 3)");
}

static void test_given_words_are_never_split_nor_run_by_a_shell(void **state) {
    fixture *f = *state;
    static const char *const words[] = {"printf", "a b|{x}", "it's", "", NULL};
    f->lines[0] = (pk_command_line){.argv = words, .argc = 4};
    f->options.n_commands = 1;
    f->options.scan = (pk_parameter_scan){"x", "5", "5", NULL};
    f->options.shell_kind = PK_SHELL_GIVEN;
    plan(f);
    assert_false(f->cases[0].through_shell);
    assert_string_equal(joined(f, f->cases[0].argv), "printf|a b|5|it's|");
    assert_string_equal(f->cases[0].command, "printf 'a b|5' 'it'\\''s' ''");
    assert_string_equal(f->cases[0].shown, f->cases[0].command);
    assert_string_equal(words_of(f, f->cases[0].command), "printf|a b|5|it's|");
    f->lines[0].argc = 0;
    refuse(f, PK_E_USAGE, "empty");
}

static void test_outputs_are_words_or_paths(void **state) {
    fixture *f = *state;
    const char *outputs[] = {"pipe", "./out", "foo"};
    give_command(f, "a");
    give_command(f, "b");
    plan(f);
    assert_int_equal(f->cases[0].output, PK_OUTPUT_NULL);
    f->options.outputs = (pk_text_list){outputs, 1};
    plan(f);
    assert_int_equal(f->cases[1].output, PK_OUTPUT_PIPE);
    f->options.outputs.count = 2;
    plan(f);
    assert_int_equal(f->cases[1].output, PK_OUTPUT_FILE);
    assert_string_equal(f->cases[1].output_path, "./out");
    f->options.outputs.count = 3;
    refuse(f, PK_E_USAGE, "--output");
    f->options.outputs = (pk_text_list){outputs + 2, 1};
    refuse(f, PK_E_USAGE, "./foo");
    outputs[2] = "inherit";
    plan(f);
    assert_int_equal(f->cases[0].output, PK_OUTPUT_INHERIT);
}

static void test_bad_lines_are_found_before_anything_runs(void **state) {
    fixture *f = *state;
    give_command(f, "a");
    f->options.shell_kind = PK_SHELL_NONE;
    f->options.cleanup = "rm 'x";
    refuse(f, PK_E_INPUT, "quote");
    f->options.cleanup = NULL;
    f->lines[0].text = "  ";
    refuse(f, PK_E_INPUT, "empty");
}

static void test_too_many_benchmarks_are_refused(void **state) {
    fixture *f = *state;
    char *list = calloc(1, 2001);
    assert_non_null(list);
    memset(list, ',', 2000);
    const pk_parameter_list lists[] = {{"a", list}, {"b", list}};
    give_command(f, "a");
    f->options.lists = lists;
    f->options.n_lists = 2;
    refuse(f, PK_E_USAGE, "100000");
    free(list);
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        CASE(test_words_follow_the_quoting_rules),
        CASE(test_an_open_quote_is_an_error_naming_the_line),
        CASE(test_only_what_a_shell_alone_can_do_needs_one),
        CASE(test_the_shell_is_split_into_words_itself),
        CASE(test_a_range_is_exact_and_includes_its_end),
        CASE(test_wrong_ranges_say_what_is_wrong),
        CASE(test_a_list_is_split_at_commas_without_backslash),
        CASE(test_what_was_put_in_is_not_replaced_again),
        CASE(test_a_product_runs_commands_fastest_then_the_first_list),
        CASE(test_the_reference_comes_first_as_it_is),
        CASE(test_names_are_in_order_or_a_template),
        CASE(test_unused_parameters_are_shown_behind_the_name),
        CASE(test_given_words_are_never_split_nor_run_by_a_shell),
        CASE(test_outputs_are_words_or_paths),
        CASE(test_bad_lines_are_found_before_anything_runs),
        CASE(test_too_many_benchmarks_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
