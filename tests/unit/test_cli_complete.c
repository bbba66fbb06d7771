#include "check.h"

#include <arpa/inet.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include "cli/complete.h"
#include "cli_sample.h"

#define WORDS_MAX 12

/* The answer to one line; free it. */
static char *answer_to(const pk_command *const commands[], const pk_command *fixed,
                       bool descriptions, const char *const words[]) {
    char *copies[WORDS_MAX];
    int n = 0;
    char *text = NULL;
    size_t bytes = 0;
    for (; words[n]; n++) copies[n] = strdup(words[n]);
    FILE *out = open_memstream(&text, &bytes);
    assert_non_null(out);
    pk_complete(out, commands, fixed, descriptions, n, copies);
    assert_int_equal(fclose(out), 0);
    for (int i = 0; i < n; i++) {
        assert_string_equal(copies[i], words[i]); /* nothing is blanked here */
        free(copies[i]);
    }
    return text;
}

typedef struct example {
    const char *words[8];
    const char *answer;
} example;

static void answered(const example examples[], size_t n) {
    for (size_t i = 0; i < n; i++) {
        char *text = answer_to(sample_commands, NULL, false, examples[i].words);
        assert_string_equal(text, examples[i].answer);
        free(text);
    }
}
#define ANSWERED(examples) answered((examples), sizeof(examples) / sizeof *(examples))

static void tools_are_offered_but_not_hidden_ones(void **state) {
    (void)state;
    static const example examples[] = {
        {{""}, "sample\nwrap\n:36\n"},
        {{"w"}, "wrap\n:36\n"},
        {{"x"}, ":4\n"},
        {{"__"}, ":4\n"},
        {{"peer"}, ":4\n"},
        {{"-"}, "--help\n-h\n--version\n-V\n:36\n"},
        {{"--v"}, "--version\n:36\n"},
        {{"nothing", ""}, ":4\n"},
        {{"__hidden", ""}, ":4\n"},
        {{NULL}, "sample\nwrap\n:36\n"},
    };
    ANSWERED(examples);
    char *text = answer_to(sample_commands, NULL, true, (const char *const[]){"", NULL});
    assert_string_equal(text, "sample\ttool with a row of every kind\nwrap\truns a command\n:36\n");
    free(text);
}

static void options_are_offered_by_their_beginning(void **state) {
    (void)state;
    static const example examples[] = {
        {{"sample", "--con"}, "--connections\n:36\n"},
        {{"sample", "--co"}, "--connections\n--color\n:36\n"},
        {{"sample", "--out"}, "--output-format\n--output\n:36\n"},
        {{"sample", "--secret"}, ":4\n"}, /* hidden */
        {{"sample", "--fmt"}, ":4\n"},    /* a hidden alias */
        {{"sample", "--nothing"}, ":4\n"},
        {{"sample", "--vers"}, "--version\n:36\n"},
        {{"sample", "http://h/", "more", "--wa"}, "--wait\n:36\n"},
        {{"wrap", "-"}, "--keep\n-k\n--help\n-h\n--version\n-V\n:36\n"},
        /* no word belongs there: the options are shown */
        {{"wrap", "name", ""}, "--keep\n-k\n--help\n-h\n--version\n-V\n:36\n"},
        {{"wrap", "name", "x"}, ":4\n"},
    };
    ANSWERED(examples);
}

/* Whether the answer to "sample ... -" holds this option. */
static bool offers(const char *const words[], const char *option) {
    char *text = answer_to(sample_commands, NULL, false, words);
    char line[64];
    snprintf(line, sizeof line, "\n%s\n", option);
    char *all = NULL;
    assert_true(asprintf(&all, "\n%s", text) > 0);
    bool found = strstr(all, line);
    free(all);
    free(text);
    return found;
}
#define OFFERS(option, ...) offers((const char *const[]){"sample", __VA_ARGS__, "-", NULL}, option)

static void what_is_given_is_not_offered_again(void **state) {
    (void)state;
    assert_true(OFFERS("--connections", "-v") && OFFERS("-c", "-v"));
    assert_false(OFFERS("--connections", "-c5"));
    assert_false(OFFERS("-c", "--connections=5"));
    assert_false(OFFERS("-c", "--connections", "5"));
    assert_false(OFFERS("--wait", "-wz3s"));
    assert_false(OFFERS("--duration", "-wz3s"));
    assert_false(OFFERS("--connections", "-c", "nonsense"));
    assert_false(OFFERS("--output-format", "--fmt=json")); /* by its alias */
    assert_true(OFFERS("--connections", "-d", "-c5"));     /* the value of -d */
    assert_true(OFFERS("--connections", "--bogus=1", "-%"));
    assert_true(OFFERS("--connections", "-%c", "5")); /* behind an unknown letter nothing is sure */
    /* but what may be repeated is */
    assert_true(OFFERS("--header", "-H", "a: b"));
    assert_true(OFFERS("--verbose", "-v"));
}

static void conflicting_options_are_left_out(void **state) {
    (void)state;
    assert_true(OFFERS("--body-file", "-v") && OFFERS("--depth", "-v"));
    assert_false(OFFERS("--body-file", "-d", "text")); /* the other row says so */
    assert_false(OFFERS("--depth", "-z", "3s"));
    assert_false(OFFERS("--duration", "-n", "1"));
    assert_false(OFFERS("--quiet", "--output-format=json"));
}

static void values_are_offered_in_every_spelling(void **state) {
    (void)state;
    static const example examples[] = {
        {{"sample", "--color="}, "auto\nalways\nnever\n:36\n"},
        {{"sample", "--color=a"}, "auto\nalways\n:36\n"},
        {{"sample", "--color", ""}, "auto\nalways\nnever\n:36\n"},
        {{"sample", "--color", "n"}, "never\n:36\n"},
        {{"sample", "--fmt=j"}, "json\n:36\n"}, /* complete the alias's value, not the alias */
        {{"sample", "--color=x"}, ":4\n"},
        {{"sample", "--bogus="}, ":4\n"},
        {{"sample", "--wait="}, ":4\n"},
        /* numbers, times and free text: nothing, and no file names */
        {{"sample", "-c", ""}, ":4\n"},
        {{"sample", "-z", ""}, ":4\n"},
        {{"sample", "--body="}, ":4\n"},
        {{"sample", "-c5"}, ":4\n"},
        /* the option whose value is asked for stands in the word before, in a bundle */
        {{"sample", "-wz", ""}, ":4\n"},
        {{"sample", "-vD", ""}, ":0\n"},
        /* whole words are confirmed, so that TAB goes on */
        {{"sample", "-w"}, "-w\n:4\n"},
        {{"sample", "-vw"}, "-vw\n:4\n"},
        {{"sample", "-c"}, "-c\n:4\n"},
        {{"sample", "-vh"}, "-vh\n:4\n"},
        {{"sample", "-v%"}, ":4\n"},
    };
    ANSWERED(examples);
    char *text = answer_to(sample_commands, NULL, true,
                           (const char *const[]){"sample", "--output-format", "", NULL});
    assert_string_equal(text, "text\tfor people\njson\tfor scripts\nquiet\tnothing at all\n:36\n");
    free(text);
}

static void files_and_directories_are_left_to_the_shell(void **state) {
    (void)state;
    static const example examples[] = {
        {{"sample", "-D", ""}, ":0\n"},
        {{"sample", "--body-file=da"}, ":0\n"},
        {{"sample", "-Dda"}, ":4\n"}, /* no shell finds the file name in that word */
        {{"sample", "--cacert", ""}, "pem\ncrt\n:8\n"},
        {{"sample", "--cacert=my"}, "pem\ncrt\n:8\n"},
        {{"sample", "--socket=", ""},
         "http://127.0.0.1:3000/\nhttp://[::1]:3001/\nhttp://x/\n:6\n"},
        {{"sample", "--socket="}, "sock\n:8\n"},
        {{"sample", "--static", ""}, ":16\n"},
        {{"sample", "-o", "x"}, ":0\n"},
    };
    ANSWERED(examples);
}

static void behind_two_dashes_the_wrapped_command_completes_itself(void **state) {
    (void)state;
    static const example examples[] = {
        {{"wrap", "--", ""}, ":64\n"},
        {{"wrap", "-k", "--", "sleep", "-"}, ":64\n"},
        {{"wrap", "--"}, "--keep\n--help\n--version\n:36\n"}, /* still a word being typed */
        /* without such a row: positional words, never options */
        {{"sample", "--", "http://[", NULL}, "http://[::1]:3001/\n:6\n"},
        {{"sample", "--", "-"}, ":6\n"},
        {{"sample", "--", "http://h/", ""}, ":4\n"},
    };
    ANSWERED(examples);
}

static void hostile_values_are_tamed(void **state) {
    (void)state;
    char *text = answer_to(sample_commands, NULL, true, (const char *const[]){"sample", "", NULL});
    assert_string_equal(text, "http://127.0.0.1:3000/\tperf kit [31m server \n"
                              "http://[::1]:3001/\n"
                              "http://x/\ta name with a line break\n:6\n");
    free(text);
}

/* ---- many candidates ---- */

static void offer_many(pk_choices *choices) {
    char value[32];
    for (int i = 0; i < 2000; i++) {
        snprintf(value, sizeof value, "v%04d", i);
        pk_choices_add(choices, value, "x");
    }
}

static void offer_long(pk_choices *choices) {
    char text[3001];
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    pk_choices_add(choices, text, "left out: half of it would be another value");
    for (size_t i = 0; i + 1 < sizeof text; i++) text[i] = "\303\244"[i % 2];
    pk_choices_add(choices, "short", text);
    pk_choices_add(choices, "latin-\344\205\302\205-1", "cut \342\202");
}

static pk_command with_completer(const pk_opt rows[2]) {
    pk_command command = wrap_command;
    command.opts = rows;
    return command;
}

static void an_answer_is_bounded(void **state) {
    (void)state;
    const pk_opt many[2] = {{.name = "X",
                             .kind = PK_OPT_TEXT,
                             .complete = offer_many,
                             .help = "x",
                             .flags = PK_OPT_POSITIONAL}};
    pk_command command = with_completer(many);
    char *text = answer_to(sample_commands, &command, true, (const char *const[]){"", NULL});
    size_t lines = 0;
    for (const char *p = text; *p; p++) lines += *p == '\n';
    assert_int_equal(lines, 501);
    assert_non_null(strstr(text, "v0499\tx\n:4\n"));
    free(text);
    text = answer_to(sample_commands, &command, true, (const char *const[]){"v19", NULL});
    assert_non_null(strstr(text, "v1999\tx\n:4\n")); /* the bound counts what fits the prefix */
    free(text);

    const pk_opt wide[2] = {{.name = "X",
                             .kind = PK_OPT_TEXT,
                             .complete = offer_long,
                             .help = "x",
                             .flags = PK_OPT_POSITIONAL}};
    command = with_completer(wide);
    text = answer_to(sample_commands, &command, true, (const char *const[]){"", NULL});
    char *tab = strchr(text, '\t');
    assert_non_null(tab);
    assert_memory_equal(text, "short", 5);
    assert_int_equal(strcspn(tab + 1, "\n"), 160);
    assert_string_equal(tab + 161, "\nlatin--1\tcut   \n:4\n");
    free(text);
}

/* ---- paths, and what stands before ---- */

static void offer_objects(pk_choices *choices) {
    pk_complete_paths(choices, "so c");
}

static void offer_line(pk_choices *choices) {
    const char *name = pk_choices_option(choices, "name");
    const char *first = pk_choices_word(choices, 0), *second = pk_choices_word(choices, 1);
    char text[256];
    snprintf(text, sizeof text, "%s,%s,%s", name ? name : "-", first ? first : "-",
             second ? second : "-");
    pk_choices_add(choices, text, NULL);
}

static void expect_paths(const pk_command *command, const char *folder, const char *typed,
                         const char *const expected[], const char *directive) {
    char word[CHECK_PATH_MAX], line[CHECK_PATH_MAX + 2];
    char *text = answer_to(sample_commands, command, false,
                           (const char *const[]){check_path(word, folder, typed), NULL});
    size_t lines = 0;
    for (const char *p = text; *p; p++) lines += *p == '\n';
    for (size_t i = 0; expected[i]; i++, lines--) {
        snprintf(line, sizeof line, "%s/%s\n", folder, expected[i]);
        assert_non_null(strstr(text, line));
    }
    assert_int_equal(lines, 1);
    assert_string_equal(strrchr(text, ':'), directive);
    free(text);
}

static void paths_are_directories_and_files_of_a_kind(void **state) {
    (void)state;
    char folder[CHECK_PATH_MAX], path[CHECK_PATH_MAX];
    const pk_opt rows[2] = {{.name = "X",
                             .kind = PK_OPT_TEXT_LIST,
                             .complete = offer_objects,
                             .help = "x",
                             .flags = PK_OPT_POSITIONAL}};
    pk_command command = with_completer(rows);
    static const char *const files[] = {"a.so", "a.c", "a.cc", "a", "so", ".c", ".hid.c", "a.so.1"};
    check_folder_begin(folder);
    for (size_t i = 0; i < sizeof files / sizeof *files; i++)
        check_write_file(check_path(path, folder, files[i]), "");
    assert_int_equal(mkdir(check_path(path, folder, "sub"), 0700), 0);
    check_write_file(check_path(path, folder, "sub/b.so"), "");
    assert_int_equal(symlink("/nowhere", check_path(path, folder, "gone.so")), 0);
    expect_paths(&command, folder, "", (const char *const[]){"a.so", "a.c", "sub/", NULL}, ":4\n");
    expect_paths(&command, folder, "a.s", (const char *const[]){"a.so", NULL}, ":4\n");
    expect_paths(&command, folder, "su", (const char *const[]){"sub/", NULL}, ":6\n");
    expect_paths(&command, folder, "sub/", (const char *const[]){"sub/b.so", NULL}, ":4\n");
    expect_paths(&command, folder, ".", (const char *const[]){".hid.c", NULL}, ":4\n");
    expect_paths(&command, folder, "none/", (const char *const[]){NULL}, ":4\n");
    check_folder_end(folder);
}

static void a_completer_sees_what_stands_before(void **state) {
    (void)state;
    const pk_opt rows[4] = {
        {'n', "name", PK_OPT_TEXT, .arg = "name", .help = "a name"},
        {'f', "flag", PK_OPT_FLAG, .help = "a flag"},
        {0, "X", PK_OPT_TEXT_LIST, .complete = offer_line, .help = "x", .flags = PK_OPT_POSITIONAL},
    };
    static const example examples[] = {
        {{""}, "-,-,-\n:4\n"},
        {{"one", ""}, "-,one,-\n:4\n"},
        {{"-fn", "1", "one", "--name=2", "two", "three", ""}, "2,one,two\n:4\n"},
        {{"--unknown", "--name", "1", "--", "-x", ""}, "1,-x,-\n:4\n"},
    };
    pk_command command = with_completer(rows);
    for (size_t i = 0; i < sizeof examples / sizeof *examples; i++) {
        char *text = answer_to(sample_commands, &command, false, examples[i].words);
        assert_string_equal(text, examples[i].answer);
        free(text);
    }
}

static void letters_before_a_value_are_put_back(void **state) {
    (void)state;
    static const char *const values[] = {"ms", "us", NULL};
    const pk_opt rows[3] = {
        {.letter = 'k', .name = "keep", .kind = PK_OPT_FLAG, .help = "x"},
        {.letter = 'u',
         .name = "unit",
         .kind = PK_OPT_ENUM,
         .values = values,
         .arg = "unit",
         .help = "x"},
    };
    pk_command command = with_completer(rows);
    char *text = answer_to(sample_commands, &command, false, (const char *const[]){"-kum", NULL});
    assert_string_equal(text, "-kums\n:36\n");
    free(text);
}

/* ---- what runs on this machine ---- */

static void a_listener_on_loopback_is_offered_as_url(void **state) {
    (void)state;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    assert_true(fd >= 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(listen(fd, 1), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &length), 0);
    char url[64], expected[160];
    snprintf(url, sizeof url, "http://127.0.0.1:%d/", ntohs(address.sin_port));
    snprintf(expected, sizeof expected, "%s\ttest_cli_comple, pid %d\n:6\n", url, (int)getpid());

    const pk_opt rows[2] = {{.name = "X",
                             .kind = PK_OPT_TEXT,
                             .help = "x",
                             .complete = pk_complete_listener_urls,
                             .flags = PK_OPT_POSITIONAL}};
    pk_command command = with_completer(rows);
    char *text = answer_to(sample_commands, &command, true, (const char *const[]){url, NULL});
    assert_string_equal(text, expected);
    free(text);
    close(fd);
    text = answer_to(sample_commands, &command, true, (const char *const[]){url, NULL});
    assert_string_equal(text, ":6\n");
    free(text);
}

static void processes_are_offered_with_their_command_lines(void **state) {
    (void)state;
    const pk_opt rows[2] = {
        {.name = "pid", .kind = PK_OPT_PID, .arg = "pid", .help = "x"},
    };
    pk_command command = with_completer(rows);
    char own[32], parent[32], line[64];
    snprintf(own, sizeof own, "\n%d\t", (int)getpid());
    snprintf(parent, sizeof parent, "%d", (int)getppid());
    char *text =
        answer_to(sample_commands, &command, true, (const char *const[]){"--pid", "", NULL});
    assert_null(strstr(text, own));    /* not the one that answers */
    assert_null(strstr(text, "\t[k")); /* no kernel threads */
    assert_non_null(strstr(text, ":36\n"));
    free(text);
    text = answer_to(sample_commands, &command, true, (const char *const[]){"--pid", parent, NULL});
    snprintf(line, sizeof line, "%s\t", parent);
    assert_memory_equal(text, line, strlen(line));
    free(text);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tools_are_offered_but_not_hidden_ones),
        cmocka_unit_test(options_are_offered_by_their_beginning),
        cmocka_unit_test(what_is_given_is_not_offered_again),
        cmocka_unit_test(conflicting_options_are_left_out),
        cmocka_unit_test(values_are_offered_in_every_spelling),
        cmocka_unit_test(files_and_directories_are_left_to_the_shell),
        cmocka_unit_test(behind_two_dashes_the_wrapped_command_completes_itself),
        cmocka_unit_test(hostile_values_are_tamed),
        cmocka_unit_test(an_answer_is_bounded),
        cmocka_unit_test(paths_are_directories_and_files_of_a_kind),
        cmocka_unit_test(a_completer_sees_what_stands_before),
        cmocka_unit_test(letters_before_a_value_are_put_back),
        cmocka_unit_test(a_listener_on_loopback_is_offered_as_url),
        cmocka_unit_test(processes_are_offered_with_their_command_lines),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
