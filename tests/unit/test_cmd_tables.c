/* The tables of all real tools. Linked with the objects of cmd/, main's apart. */
#include "check.h"

#include "base/process.h"
#include "cli/help.h"
#include "cmd/commands.h"

static void every_table_is_sound(void **state) {
    (void)state;
    pk_err err = {0};
    size_t n = 0;
    for (; pk_commands[n]; n++) assert_ok(pk_cli_check_table(pk_commands[n], &err), &err);
    assert_true(n >= 6);
}

static void every_name_leads_to_one_tool(void **state) {
    (void)state;
    for (size_t i = 0; pk_commands[i]; i++) {
        assert_ptr_equal(pk_cli_find_command(pk_commands, pk_commands[i]->name), pk_commands[i]);
        for (const char *const *peer = pk_commands[i]->peers; peer && *peer; peer++) {
            assert_ptr_equal(pk_cli_find_peer(pk_commands, *peer), pk_commands[i]);
            assert_null(pk_cli_find_command(pk_commands, *peer));
            /* the man page has a text on the exit codes of each */
            size_t k = (size_t)(peer - pk_commands[i]->peers);
            assert_true(pk_commands[i]->peer_exits && pk_commands[i]->peer_exits[k][0]);
        }
    }
}

/* Tools, then helpers, then what is hidden: the order that lists print. */
static void tools_stand_before_helpers(void **state) {
    (void)state;
    int before = 0;
    for (size_t i = 0; pk_commands[i]; i++) {
        int rank = pk_commands[i]->hidden ? 2 : pk_commands[i]->helper;
        assert_true(rank >= before);
        before = rank;
    }
}

static char *written(void (*write)(FILE *out)) {
    char *text = NULL;
    size_t bytes = 0;
    FILE *out = open_memstream(&text, &bytes);
    assert_non_null(out);
    write(out);
    assert_int_equal(fclose(out), 0);
    return text;
}

static void write_tools(FILE *out) {
    pk_help_tools(out, pk_commands, 80, false);
}

static void the_list_of_tools_fits_a_screen(void **state) {
    (void)state;
    char *text = written(write_tools);
    size_t lines = 0;
    for (const char *line = text; *line; line += strcspn(line, "\n") + 1, lines++)
        assert_in_range(strcspn(line, "\n"), 0, 80);
    assert_in_range(lines, 5, 24);
    for (size_t i = 0; pk_commands[i]; i++) {
        const pk_command *c = pk_commands[i];
        char row[80];
        snprintf(row, sizeof row, "\n  %s ", c->name);
        assert_int_equal(strstr(text, row) == NULL, c->hidden);
        if (!c->hidden) assert_non_null(strstr(text, c->summary));
        if (!c->hidden && !c->helper) assert_non_null(strstr(text, c->examples->line));
    }
    free(text);
}

/* An example that is refused would be a lie. Files that it names need not be here. */
static void every_example_is_understood(void **state) {
    (void)state;
    for (size_t i = 0; pk_commands[i]; i++) {
        const pk_command *c = pk_commands[i];
        char start[64];
        snprintf(start, sizeof start, "perfkit %s", c->name);
        for (const pk_example *e = c->examples; e && e->line; e++) {
            pk_err err = {0};
            pk_parsed parsed;
            const char *at = strstr(e->line, start);
            if (at != e->line) continue; /* a line for the shell, around the tool */
            char *copy = strdup(e->line + strlen(start));
            copy[strcspn(copy, ">|")] = '\0';
            char **words = pk_words_split(copy, &err);
            assert_ok(words != NULL, &err);
            int n = 0;
            while (words[n]) n++;
            void *options = calloc(1, c->options_bytes + 1);
            bool ok = pk_cli_parse(c, start, n, words, options, &parsed, &err);
            if (ok) pk_parsed_fini(&parsed);
            else if (err.kind == PK_E_USAGE) assert_ok(ok, &err);
            free(options);
            free(words);
            free(copy);
        }
    }
}

/* What completion offers for an option is what the parser takes. */
static void every_enum_value_reads_back(void **state) {
    (void)state;
    for (size_t i = 0; pk_commands[i]; i++) {
        const pk_command *c = pk_commands[i];
        for (const pk_opt *row = c->opts; row && row->name; row++) {
            bool option = !(row->flags & PK_OPT_POSITIONAL);
            for (int v = 0; row->values && row->values[v]; v++) {
                char name[80], value[80], help[] = "-h", bare[] = "";
                snprintf(name, sizeof name, "--%s", row->name);
                snprintf(value, sizeof value, "%s", row->values[v]);
                /* with -h nothing else has to be there */
                char *words[] = {option ? name : bare, value, help};
                char **first = option ? words : words + 1;
                char *options = calloc(1, c->options_bytes);
                pk_parsed parsed;
                pk_err err = {0};
                assert_ok(pk_cli_parse(c, "x", option ? 3 : 2, first, options, &parsed, &err),
                          &err);
                assert_int_equal(*(int *)(void *)(options + row->offset), v);
                pk_parsed_fini(&parsed);
                free(options);
            }
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_table_is_sound),
        cmocka_unit_test(every_name_leads_to_one_tool),
        cmocka_unit_test(tools_stand_before_helpers),
        cmocka_unit_test(the_list_of_tools_fits_a_screen),
        cmocka_unit_test(every_example_is_understood),
        cmocka_unit_test(every_enum_value_reads_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
