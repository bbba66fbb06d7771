#include "check.h"

#include "cli/command.h"
#include "cli_sample.h"

#define WORDS_MAX 12

/* One line read against a table. Words are copied, since the parser may blank them. */
typedef struct reading {
    sample_options options;
    wrap_options wrap;
    pk_parsed parsed;
    pk_err err;
    char *words[WORDS_MAX];
    int n;
    bool ok;
    char line[PK_ERR_LINE_MAX]; /* the error as people see it, "" if none */
} reading;

static void read_words(reading *r, const pk_command *command, const char *const words[]) {
    memset(r, 0, sizeof *r);
    memset(&r->options, 0xAA, sizeof r->options); /* the parser has to set every field */
    for (; words[r->n]; r->n++) {
        assert_in_range(r->n, 0, WORDS_MAX - 1);
        r->words[r->n] = strdup(words[r->n]);
    }
    void *options = command == &wrap_command ? (void *)&r->wrap : (void *)&r->options;
    char name[64];
    snprintf(name, sizeof name, "perfkit %s", command->name);
    r->ok = pk_cli_parse(command, name, r->n, r->words, options, &r->parsed, &r->err);
    if (!r->ok) pk_err_format(&r->err, r->line, sizeof r->line);
}

static void end(reading *r) {
    if (r->ok) pk_parsed_fini(&r->parsed);
    for (int i = 0; i < r->n; i++) free(r->words[i]);
}

#define READ(r, command, ...) read_words((r), (command), (const char *const[]){__VA_ARGS__, NULL})
#define URL "http://h/"

static void accepted(reading *r) {
    if (!r->ok) fail_msg("refused: %s", r->line);
}

static void fields_start_at_their_defaults(void **state) {
    (void)state;
    reading r;
    READ(&r, &sample_command, URL);
    accepted(&r);
    const sample_options *o = &r.options;
    assert_int_equal(o->connections, 50);
    assert_int_equal(o->duration_ns, 0);
    assert_false(o->wait || o->insecure || o->quiet || o->secret_mode);
    assert_int_equal(o->verbose, 0);
    assert_true(o->rate_hz == 0.0 && o->share == 0.5);
    assert_int_equal(o->format, 0);
    assert_null(o->text);
    assert_string_equal(o->output, "-");
    assert_int_equal(o->headers.count, 1);
    assert_string_equal(o->headers.items[0], "a: default");
    assert_string_equal(o->url, URL);
    assert_int_equal(o->more.count, 0);
    assert_false(pk_parsed_given(&sample_command, &r.parsed, "connections"));
    assert_true(pk_parsed_given(&sample_command, &r.parsed, "URL"));
    end(&r);
}

static void every_kind_is_read(void **state) {
    (void)state;
    reading r;
    READ(&r, &sample_command, "-c", "2.6k", "-n", "-5", "--rate", "9.7", "--size=64KiB", URL);
    accepted(&r);
    assert_int_equal(r.options.connections, 2600);
    assert_int_equal(r.options.depth, -5);
    assert_true(r.options.rate_hz == 9.7);
    assert_int_equal(r.options.size_bytes, 65536);
    end(&r);
    READ(&r, &sample_command, "--share", "1%", "--output-format", "json", "--pid=1", "-d", "", "-w",
         "-z1m30s", URL);
    accepted(&r);
    assert_true(r.options.share == 0.01);
    assert_int_equal(r.options.format, 1);
    assert_int_equal(r.options.pid, 1);
    assert_string_equal(r.options.text, "");
    assert_true(r.options.wait);
    assert_int_equal(r.options.duration_ns, 90000000000ull);
    end(&r);
}

static void the_bounds_themselves_are_allowed(void **state) {
    (void)state;
    reading r;
    READ(&r, &sample_command, "-c100k", "-n5", "--size=1024", "--share=1", URL);
    accepted(&r);
    assert_int_equal(r.options.connections, 100000);
    assert_int_equal(r.options.depth, 5);
    end(&r);
    READ(&r, &sample_command, "-c1", "-z1h", "--share=0", "--size=8GiB", URL);
    accepted(&r);
    assert_int_equal(r.options.duration_ns, 3600000000000ull);
    end(&r);
    READ(&r, &sample_command, "-z1ms", URL);
    accepted(&r);
    assert_int_equal(r.options.duration_ns, 1000000);
    end(&r);
}

static void all_spellings_of_an_option_mean_the_same(void **state) {
    (void)state;
    static const char *const spellings[][4] = {
        {"-c", "7", URL},
        {"-c7", URL},
        {"-c=7", URL},
        {"-vc=7", URL},
        {"--connections", "7", URL},
        {"--connections=7", URL},
        {URL, "-c7"},
        {"-vc", "7", URL},
        {"-vc7", URL},
        {"-c9", "-c7", URL},
        {URL, "--connections", "7"},
    };
    for (size_t i = 0; i < sizeof spellings / sizeof *spellings; i++) {
        reading r;
        read_words(&r, &sample_command, spellings[i]);
        accepted(&r);
        assert_int_equal(r.options.connections, 7);
        assert_string_equal(r.options.url, URL);
        assert_true(pk_parsed_given(&sample_command, &r.parsed, "connections"));
        end(&r);
    }
}

static void hidden_names_are_understood(void **state) {
    (void)state;
    reading r;
    READ(&r, &sample_command, "--fmt=quiet", "--secret-mode", URL);
    accepted(&r);
    assert_int_equal(r.options.format, 2);
    assert_true(r.options.secret_mode);
    assert_true(pk_parsed_given(&sample_command, &r.parsed, "output-format"));
    end(&r);
}

static void lists_and_tallies_add_up(void **state) {
    (void)state;
    reading r;
    READ(&r, &sample_command, "-vv", "-H", "a: 1", "--header=b: 2", "-Hc: 3", "-v", URL, "x", "y");
    accepted(&r);
    assert_int_equal(r.options.verbose, 3);
    assert_int_equal(r.options.headers.count, 3); /* the default is gone */
    assert_string_equal(r.options.headers.items[0], "a: 1");
    assert_string_equal(r.options.headers.items[1], "b: 2");
    assert_string_equal(r.options.headers.items[2], "c: 3");
    assert_int_equal(r.options.more.count, 2);
    assert_string_equal(r.options.more.items[1], "y");
    end(&r);
}

static void two_dashes_end_the_options(void **state) {
    (void)state;
    reading r;
    READ(&r, &sample_command, URL, "--", "-c", "--", "--help");
    accepted(&r);
    assert_int_equal(r.options.connections, 50);
    assert_false(r.parsed.help);
    assert_int_equal(r.options.more.count, 3);
    assert_string_equal(r.options.more.items[1], "--");
    end(&r);
    READ(&r, &sample_command, URL, "-");
    accepted(&r);
    assert_string_equal(r.options.more.items[0], "-");
    end(&r);
}

static void the_rest_goes_to_its_own_row(void **state) {
    (void)state;
    reading r;
    READ(&r, &wrap_command, "-k", "name", "--", "sleep", "-k", "--help");
    accepted(&r);
    assert_true(r.wrap.keep);
    assert_string_equal(r.wrap.name, "name");
    assert_int_equal(r.wrap.command.count, 3);
    assert_string_equal(r.wrap.command.items[0], "sleep");
    assert_string_equal(r.wrap.command.items[2], "--help");
    end(&r);
    READ(&r, &wrap_command, "--", "sleep");
    accepted(&r);
    assert_null(r.wrap.name);
    assert_int_equal(r.wrap.command.count, 1);
    end(&r);
}

static void help_wins_over_everything_else(void **state) {
    (void)state;
    static const char *const lines[][4] = {
        {"-h"},           {"--help"},     {"--bogus", "-h"},     {"-c", "0", "--help"}, {"-vh"},
        {"--help", "-c"}, {"-h", "-z3x"}, {"a", "b", "c", "-h"}, {"--help=all"},
    };
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        reading r;
        const char *words[5] = {lines[i][0], lines[i][1], lines[i][2], lines[i][3], NULL};
        read_words(&r, &sample_command, words);
        accepted(&r);
        assert_true(r.parsed.help);
        end(&r);
    }
    reading r;
    READ(&r, &sample_command, "-V");
    accepted(&r);
    assert_true(r.parsed.version && !r.parsed.help);
    end(&r);
    READ(&r, &sample_command, "-d", "--help", URL);
    accepted(&r);
    assert_false(r.parsed.help); /* the value of -d */
    end(&r);
}

typedef struct mistake {
    const char *words[5];
    const char *line;
} mistake;

static void refused(const pk_command *command, const mistake mistakes[], size_t n) {
    for (size_t i = 0; i < n; i++) {
        reading r;
        read_words(&r, command, mistakes[i].words);
        if (r.ok) fail_msg("accepted, though: %s", mistakes[i].line);
        assert_string_equal(r.line, mistakes[i].line);
        assert_int_equal(r.err.kind, PK_E_USAGE);
        end(&r);
    }
}

static void values_out_of_bounds_are_told_with_the_bounds(void **state) {
    (void)state;
    static const mistake mistakes[] = {
        {{"-c", "0", URL}, "-c 0: must be at least 1; use a number from 1 to 100000"},
        {{"-c0", URL}, "-c0: must be at least 1; use a number from 1 to 100000"},
        {{"-vc0", URL}, "-c0: must be at least 1; use a number from 1 to 100000"},
        {{"-c", "-1", URL}, "-c -1: must be at least 1; use a number from 1 to 100000"},
        {{"--connections=1m", URL},
         "--connections=1m: must be at most 100000; use a number from 1 to 100000"},
        {{"-n", "-6", URL}, "-n -6: must be at least -5; use a number from -5 to 5"},
        {{"-n", "6", URL}, "-n 6: must be at most 5; use a number from -5 to 5"},
        {{"-z", "1us", URL}, "-z 1us: must be at least 1ms; use a duration from 1ms to 1h"},
        {{"-z2h", URL}, "-z2h: must be at most 1h; use a duration from 1ms to 1h"},
        {{"--size", "10", URL}, "--size 10: must be at least 1KiB; use a size of 1KiB or more"},
    };
    refused(&sample_command, mistakes, sizeof mistakes / sizeof *mistakes);
}

static void unknown_options_are_told_with_a_guess(void **state) {
    (void)state;
    static const mistake mistakes[] = {
        {{"--conections", "3", URL}, "unknown option --conections; did you mean --connections?"},
        {{"--conections=3", URL}, "unknown option --conections; did you mean --connections?"},
        {{"--conn", "3", URL}, "unknown option --conn; did you mean --connections?"},
        {{"--hlep", URL}, "unknown option --hlep; did you mean --help?"},
        {{"--xyz", URL}, "unknown option --xyz; see perfkit sample --help"},
        {{"--o", URL}, "unknown option --o; see perfkit sample --help"},
        {{"--secret-mod", URL}, "unknown option --secret-mod; see perfkit sample --help"},
        {{"--=3", URL}, "unknown option --; see perfkit sample --help"},
        {{"-x", URL}, "unknown option -x; see perfkit sample --help"},
        {{"-vx3", URL}, "unknown option -x in -vx3; see perfkit sample --help"},
        {{"-insecure", URL}, "unknown option -insecure; did you mean --insecure?"},
        {{"-\303\244", URL}, "unknown option -\303\244; see perfkit sample --help"},
    };
    refused(&sample_command, mistakes, sizeof mistakes / sizeof *mistakes);
    reading r; /* -c with a strange value */
    READ(&r, &sample_command, "-connections", "3", URL);
    assert_false(r.ok);
    assert_string_equal(r.err.where, "-connections");
    assert_string_equal(r.err.fix, "did you mean --connections?");
    end(&r);
}

static void misused_options_are_told_with_the_right_use(void **state) {
    (void)state;
    static const mistake mistakes[] = {
        {{URL, "-c"}, "-c: needs a value; write -c <number>"},
        {{URL, "--header"}, "--header: needs a value; write --header <name: value>"},
        {{URL, "-vz"}, "-z: needs a value; write -z <duration>"},
        {{"--wait=yes", URL}, "--wait=yes: takes no value; write --wait alone"},
        {{"--output-format", "jsn", URL},
         "--output-format jsn: unknown value; did you mean json? It takes text, json or quiet"},
        {{"--fmt=csv", URL}, "--fmt=csv: unknown value; use text, json or quiet"},
        {{"-D", "", URL}, "-D: is empty; name a file"},
        {{"-p0", URL}, "-p0: \"0\" is out of range; use the number of a running process"},
        {{"ftp://h/"}, "ftp://h/: is no URL; start it with http://"},
        {{""}, "URL: is no URL; start it with http://"},
    };
    refused(&sample_command, mistakes, sizeof mistakes / sizeof *mistakes);
}

static void the_line_as_a_whole_is_checked(void **state) {
    (void)state;
    static const mistake mistakes[] = {
        {{"-v"}, "URL is missing; try: perfkit sample -z 3s http://127.0.0.1:3000"},
        {{"-n", "1", "-z3s", URL}, "-z and -n exclude each other; give one of them"},
        {{"--depth=1", "--duration=3s", URL},
         "--duration and --depth exclude each other; give one of them"},
        {{"--quiet", "--format=text", URL},
         "--quiet and --format exclude each other; give one of them"},
        {{"-w", URL}, "-w needs --duration; add --duration <duration>, or leave -w out"},
        {{"--wait", URL},
         "--wait needs --duration; add --duration <duration>, or leave --wait out"},
    };
    refused(&sample_command, mistakes, sizeof mistakes / sizeof *mistakes);
    static const mistake too_many[] = {
        {{"a", "b"}, "b: one word too many; usage: perfkit wrap [NAME] [-- COMMAND...]"},
    };
    refused(&wrap_command, too_many, 1);
}

static void the_first_mistake_is_told(void **state) {
    (void)state;
    reading r;
    READ(&r, &sample_command, "-c0", "--bogus", "-n");
    assert_false(r.ok);
    assert_string_equal(r.err.where, "-c0");
    end(&r);
}

static void the_hints_name_the_caller(void **state) {
    (void)state;
    sample_options options;
    pk_parsed parsed;
    pk_err err;
    char bogus[] = "--xyz";
    assert_false(
        pk_cli_parse(&sample_command, "peer", 1, (char *[]){bogus}, &options, &parsed, &err));
    assert_string_equal(err.fix, "see peer --help");
    assert_false(pk_cli_parse(&sample_command, "peer", 0, NULL, &options, &parsed, &err));
    assert_string_equal(err.fix, "try: peer -z 3s http://127.0.0.1:3000");
}

static void secrets_vanish_from_the_line(void **state) {
    (void)state;
    static const char *const lines[][4] = {
        {"-a", "user:pass", URL},
        {"-auser:pass", URL},
        {"--auth=user:pass", URL},
    };
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        reading r;
        read_words(&r, &sample_command, lines[i]);
        accepted(&r);
        assert_string_equal(r.options.auth, "user:pass");
        for (int k = 0; k < r.n; k++) {
            size_t length = strlen(lines[i][k]); /* all bytes of the word, also behind a NUL */
            assert_null(memmem(r.words[k], length, "pass", 4));
        }
        end(&r);
    }
    reading r; /* also when the line is refused, and never in the message */
    READ(&r, &sample_command, "--auth=user:pass", "--bogus", URL);
    assert_false(r.ok);
    assert_null(strstr(r.words[0], "pass"));
    end(&r);
}

static void files_are_looked_at_before_the_run(void **state) {
    (void)state;
    char folder[CHECK_PATH_MAX], file[CHECK_PATH_MAX], missing[CHECK_PATH_MAX],
        deep[CHECK_PATH_MAX];
    check_folder_begin(folder);
    check_write_file(check_path(file, folder, "file"), "x");
    check_path(missing, folder, "missing");
    check_path(deep, folder, "missing/deep");
    const struct {
        const char *option, *path, *what; /* what: NULL for accepted */
        pk_err_kind kind;
    } cases[] = {
        {"-D", file, NULL, PK_OK},
        {"-D", "-", NULL, PK_OK},
        {"-D", missing, "cannot read this file", PK_E_SYS},
        {"-D", folder, "is a directory", PK_E_INPUT},
        {"--static", folder, NULL, PK_OK},
        {"--static", file, "is not a directory", PK_E_INPUT},
        {"--static", missing, "cannot use this directory", PK_E_SYS},
        {"-o", file, NULL, PK_OK},
        {"-o", missing, NULL, PK_OK},
        {"-o", "-", NULL, PK_OK},
        {"-o", "/dev/full", NULL, PK_OK},
        {"-o", folder, "is a directory", PK_E_INPUT},
        {"-o", deep, "cannot create a file there", PK_E_SYS},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        reading r;
        READ(&r, &sample_command, cases[i].option, cases[i].path, URL);
        if (r.ok != !cases[i].what) fail_msg("%s %s: %s", cases[i].option, cases[i].path, r.line);
        if (!r.ok) {
            char where[CHECK_PATH_MAX + 16];
            snprintf(where, sizeof where, "%s %s", cases[i].option, cases[i].path);
            where[sizeof r.err.where - 1] = '\0';
            assert_string_equal(r.err.where, where);
            assert_string_equal(r.err.what, cases[i].what);
            assert_true(r.err.kind == cases[i].kind && r.err.fix[0]);
        }
        end(&r);
    }
    check_folder_end(folder);
}

static void names_lead_to_tools(void **state) {
    (void)state;
    assert_ptr_equal(pk_cli_find_command(sample_commands, "sample"), &sample_command);
    assert_ptr_equal(pk_cli_find_command(sample_commands, "__hidden"), &hidden_command);
    assert_null(pk_cli_find_command(sample_commands, "sampl"));
    assert_null(pk_cli_find_command(sample_commands, "peer"));
    assert_ptr_equal(pk_cli_find_peer(sample_commands, "peer"), &sample_command);
    assert_null(pk_cli_find_peer(sample_commands, "sample"));
    assert_string_equal(pk_cli_suggest_command(sample_commands, "smaple"), "sample");
    assert_null(pk_cli_suggest_command(sample_commands, "__hiden"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fields_start_at_their_defaults),
        cmocka_unit_test(every_kind_is_read),
        cmocka_unit_test(the_bounds_themselves_are_allowed),
        cmocka_unit_test(all_spellings_of_an_option_mean_the_same),
        cmocka_unit_test(hidden_names_are_understood),
        cmocka_unit_test(lists_and_tallies_add_up),
        cmocka_unit_test(two_dashes_end_the_options),
        cmocka_unit_test(the_rest_goes_to_its_own_row),
        cmocka_unit_test(help_wins_over_everything_else),
        cmocka_unit_test(values_out_of_bounds_are_told_with_the_bounds),
        cmocka_unit_test(unknown_options_are_told_with_a_guess),
        cmocka_unit_test(misused_options_are_told_with_the_right_use),
        cmocka_unit_test(the_line_as_a_whole_is_checked),
        cmocka_unit_test(the_first_mistake_is_told),
        cmocka_unit_test(the_hints_name_the_caller),
        cmocka_unit_test(secrets_vanish_from_the_line),
        cmocka_unit_test(files_are_looked_at_before_the_run),
        cmocka_unit_test(names_lead_to_tools),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
