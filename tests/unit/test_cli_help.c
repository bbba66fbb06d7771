#include "check.h"

#include "base/version.h"
#include "cli/help.h"
#include "cli_sample.h"

/* How one page is written; `columns` and `colour` as pk_help_command has them. */
typedef void writer(FILE *out, int columns, bool colour);

static void sample_page(FILE *out, int columns, bool colour) {
    pk_help_command(out, &sample_command, "perfkit sample", columns, colour);
}
static void peer_page(FILE *out, int columns, bool colour) {
    pk_help_command(out, &sample_command, "peer", columns, colour);
}
static void tools_page(FILE *out, int columns, bool colour) {
    pk_help_tools(out, sample_commands, columns, colour);
}
static void sample_man(FILE *out, int columns, bool colour) {
    (void)columns, (void)colour;
    pk_man_command(out, sample_commands, &sample_command);
}
static void tools_man(FILE *out, int columns, bool colour) {
    (void)columns, (void)colour;
    pk_man_tools(out, sample_commands);
}

static char *written(writer *write, int columns, bool colour) {
    char *text = NULL;
    size_t bytes = 0;
    FILE *out = open_memstream(&text, &bytes);
    assert_non_null(out);
    write(out, columns, colour);
    assert_int_equal(fclose(out), 0);
    return text;
}

/* The version changes with every release. */
static void hide_version(char *text) {
    static const char version[] = PK_VERSION;
    for (char *at = text; (at = strstr(at, version));) {
        memmove(at + 1, at + sizeof version - 1, strlen(at + sizeof version - 1) + 1);
        *at++ = 'V';
    }
}

static void assert_golden(const char *name, writer *write, int columns) {
    char path[CHECK_PATH_MAX];
    static char expected[64 << 10];
    char *text = written(write, columns, false);
    hide_version(text);
    check_path(path, "tests/unit/golden", name);
    if (getenv("UPDATE_GOLDEN")) check_write_file(path, text);
    check_read_file(expected, sizeof expected, path);
    if (strcmp(text, expected) != 0) print_error("%s is not what comes out now:\n%s", path, text);
    assert_string_equal(text, expected);
    free(text);
}

static void pages_are_as_they_were(void **state) {
    (void)state;
    assert_golden("cli_help.txt", sample_page, 80);
    assert_golden("cli_help_narrow.txt", sample_page, 50);
    assert_golden("cli_tools.txt", tools_page, 80);
    assert_golden("cli_man.1", sample_man, 0);
    assert_golden("cli_man_tools.1", tools_man, 0);
}

static size_t widest_line(const char *text) {
    size_t widest = 0;
    for (size_t n; *text; text += n + (text[n] == '\n')) {
        n = strcspn(text, "\n");
        if (n > widest) widest = n;
    }
    return widest;
}

static void lines_keep_to_the_width_within_reason(void **state) {
    (void)state;
    static const struct {
        int columns;
        size_t at_most;
    } widths[] = {{80, 80}, {64, 64}, {100, 100}, {1000, 100}};
    for (size_t i = 0; i < sizeof widths / sizeof *widths; i++) {
        char *text = written(sample_page, widths[i].columns, false);
        assert_in_range(widest_line(text), widths[i].at_most - 20, widths[i].at_most);
        free(text);
    }
    char *narrow = written(sample_page, 1, false), *least = written(sample_page, 40, false);
    assert_string_equal(narrow, least);
    free(narrow);
    free(least);
}

static void words_are_never_lost_by_wrapping(void **state) {
    (void)state;
    char *wide = written(sample_page, 100, false), *narrow = written(sample_page, 50, false);
    char *a = wide, *b = narrow, *save_a, *save_b;
    char *word_a = strtok_r(a, " \n", &save_a), *word_b = strtok_r(b, " \n", &save_b);
    while (word_a && word_b) {
        assert_string_equal(word_a, word_b);
        word_a = strtok_r(NULL, " \n", &save_a);
        word_b = strtok_r(NULL, " \n", &save_b);
    }
    assert_null(word_a);
    assert_null(word_b);
    free(wide);
    free(narrow);
}

static void what_is_hidden_is_on_no_page(void **state) {
    (void)state;
    writer *const writers[] = {sample_page, tools_page, sample_man, tools_man};
    for (size_t i = 0; i < sizeof writers / sizeof *writers; i++) {
        char *text = written(writers[i], 80, false);
        assert_null(strstr(text, "secret"));
        assert_null(strstr(text, "fmt"));
        assert_null(strstr(text, "hidden"));
        free(text);
    }
}

static void every_visible_row_is_on_both_pages(void **state) {
    (void)state;
    char *help = written(sample_page, 100, false), *man = written(sample_man, 0, false);
    for (const pk_opt *row = sample_opts; row->name; row++) {
        char name[64], escaped[80], *at = escaped;
        if (row->flags & PK_OPT_HIDDEN) continue;
        bool word = row->flags & PK_OPT_POSITIONAL;
        snprintf(name, sizeof name, word ? "  %s " : "--%s", row->name);
        if (!strstr(help, name)) fail_msg("%s is not in the help", row->name);
        for (const char *c = word ? row->name : name; *c; c++) {
            if (*c == '-') *at++ = '\\';
            *at++ = *c;
        }
        *at = '\0';
        if (!strstr(man, escaped)) fail_msg("%s is not in the man page", row->name);
    }
    free(help);
    free(man);
}

static void colour_adds_escapes_and_nothing_else(void **state) {
    (void)state;
    char *plain = written(sample_page, 80, false), *coloured = written(sample_page, 80, true);
    assert_null(strchr(plain, '\033'));
    assert_non_null(strstr(coloured, "\033[1;4mLoad:\033[0m"));
    char *to = coloured;
    for (char *from = coloured; *from;) {
        if (*from == '\033') from += strcspn(from, "m") + 1;
        else *to++ = *from++;
    }
    *to = '\0';
    assert_string_equal(coloured, plain);
    free(plain);
    free(coloured);
}

static void a_peer_sees_its_own_name(void **state) {
    (void)state;
    char *text = written(peer_page, 80, false);
    assert_memory_equal(text, "peer: ", 6);
    assert_non_null(strstr(text, "Usage: peer [options] URL"));
    assert_non_null(strstr(text, "  peer -z 3s http://"));
    assert_null(strstr(text, "perfkit sample"));
    free(text);
}

static void roff_takes_no_text_for_a_request(void **state) {
    (void)state;
    char *man = written(sample_man, 0, false);
    assert_non_null(strstr(man, "\nverbatim \\eline\n\\&.second\n"));
    assert_non_null(strstr(man, "\n\\&\\(aqquoted start\n"));
    assert_non_null(strstr(man, "\\fB\\-\\-output\\-format\\fR \\fIformat\\fR"));
    free(man);
    static const pk_example examples[] = {
        {"perfkit sample \303\244 \360\237\232\200 \377 \"^~`", ".dot"}, {0}};
    pk_command command = sample_command;
    command.examples = examples;
    char *text = NULL;
    size_t bytes = 0;
    FILE *out = open_memstream(&text, &bytes);
    pk_man_command(out, sample_commands, &command);
    assert_int_equal(fclose(out), 0);
    assert_non_null(strstr(
        text, "\\fBperfkit sample \\[u00E4] \\[u1F680] \\[uFFFD] \\(dq\\(ha\\(ti\\(ga\\fR\n"));
    assert_non_null(strstr(text, "\n\\&.dot.\n"));
    free(text);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pages_are_as_they_were),
        cmocka_unit_test(lines_keep_to_the_width_within_reason),
        cmocka_unit_test(words_are_never_lost_by_wrapping),
        cmocka_unit_test(what_is_hidden_is_on_no_page),
        cmocka_unit_test(every_visible_row_is_on_both_pages),
        cmocka_unit_test(colour_adds_escapes_and_nothing_else),
        cmocka_unit_test(a_peer_sees_its_own_name),
        cmocka_unit_test(roff_takes_no_text_for_a_request),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
