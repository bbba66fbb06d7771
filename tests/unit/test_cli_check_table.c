#include "check.h"

#include "cli/command.h"
#include "cli_sample.h"

static void the_sample_tables_are_sound(void **state) {
    (void)state;
    pk_err err = {0};
    for (size_t i = 0; sample_commands[i]; i++)
        assert_ok(pk_cli_check_table(sample_commands[i], &err), &err);
}

typedef struct fields {
    bool flag, flag2;
    int choice;
    int64_t number;
    uint64_t count;
    const char *text;
    pk_text_list list, list2;
} fields;

/* Checks a table of these rows after a sound one in front. */
static void refused(const pk_opt *rows, size_t n, const char *row_name, const char *why) {
    pk_opt table[8] = {{.letter = 'f',
                        .name = "flag",
                        .kind = PK_OPT_FLAG,
                        .offset = offsetof(fields, flag),
                        .aliases = "old",
                        .help = "a flag"}};
    pk_command command = sample_command;
    pk_err err = {0};
    command.opts = table;
    command.options_bytes = sizeof(fields);
    assert_ok(pk_cli_check_table(&command, &err), &err);
    memcpy(table + 1, rows, n * sizeof *rows);
    if (pk_cli_check_table(&command, &err)) fail_msg("accepted, though: %s", why);
    assert_int_equal(err.kind, PK_E_INTERNAL);
    if (!strstr(err.what, why)) fail_msg("\"%s\" does not say: %s", err.what, why);
    assert_string_equal(err.where, row_name);
}
#define REFUSED(why, ...)                          \
    do {                                           \
        const pk_opt rows[] = {__VA_ARGS__};       \
        size_t n = sizeof rows / sizeof *rows;     \
        refused(rows, n, rows[n - 1].name, (why)); \
    } while (0)

#define AT(member) .offset = offsetof(fields, member)
#define FLAG(...) \
    { .kind = PK_OPT_FLAG, AT(flag2), .help = "a flag", __VA_ARGS__ }
#define NUMBER(...)                                                                       \
    {                                                                                     \
        .name = "number", .kind = PK_OPT_INT, AT(number), .arg = "n", .help = "a number", \
        __VA_ARGS__                                                                       \
    }
#define TEXT(...) \
    { .name = "text", .kind = PK_OPT_TEXT, AT(text), .arg = "t", .help = "a text", __VA_ARGS__ }
#define WORD(...) \
    { .kind = PK_OPT_TEXT, AT(text), .help = "a word", .flags = PK_OPT_POSITIONAL, __VA_ARGS__ }

static void wrong_names_are_found(void **state) {
    (void)state;
    REFUSED("two or more", FLAG(.name = "F"));
    REFUSED("two or more", FLAG(.name = "-flag"));
    REFUSED("two or more", FLAG(.name = "my flag"));
    REFUSED("letter is taken", FLAG(.name = "other", .letter = 'f'));
    REFUSED("letter is one of", FLAG(.name = "other", .letter = '='));
    REFUSED("every tool's", FLAG(.name = "other", .letter = 'h'));
    REFUSED("every tool's", FLAG(.name = "version"));
    REFUSED("name is taken", FLAG(.name = "flag"));
    REFUSED("another row's alias", FLAG(.name = "old"));
    REFUSED("alias is taken", FLAG(.name = "other", .aliases = "fine flag"));
    REFUSED("no option name", FLAG(.name = "other", .aliases = "X"));
    REFUSED("one name only", WORD(.name = "WORD", .letter = 'w'));
}

static void wrong_texts_are_found(void **state) {
    (void)state;
    REFUSED("full stop", {.name = "other", .kind = PK_OPT_FLAG, AT(flag2)});
    REFUSED("full stop", {.name = "other", .kind = PK_OPT_FLAG, AT(flag2), .help = "flag "});
    REFUSED("full stop", {.name = "other", .kind = PK_OPT_FLAG, AT(flag2), .help = "a flag."});
    REFUSED("full stop", {.name = "other", .kind = PK_OPT_FLAG, AT(flag2), .help = "a\nflag"});
    REFUSED("no name", {.name = "number", .kind = PK_OPT_INT, AT(number), .help = "a number"});
    REFUSED("takes no value", FLAG(.name = "other", .arg = "x"));
    REFUSED("two defaults", NUMBER(.fallback = "1", .shown_default = "one"));
    REFUSED("details", NUMBER(.details = ""));
}

static void wrong_kinds_are_found(void **state) {
    (void)state;
    static const char *const values[] = {"one", "two", NULL};
    static const char *const twice[] = {"one", "one", NULL};
    static const char *const none[] = {NULL};
    static const char *const stops[] = {"the first.", "the second"};
    REFUSED("no kind", {.name = "other", .help = "a flag"});
    REFUSED("ENUM has values", {.name = "choice", .kind = PK_OPT_ENUM, AT(choice), .help = "x"});
    REFUSED("belong to ENUM", TEXT(.values = values));
    REFUSED("twice", {.name = "choice",
                      .kind = PK_OPT_ENUM,
                      AT(choice),
                      .help = "x",
                      .arg = "x",
                      .values = twice});
    REFUSED("no values", {.name = "choice",
                          .kind = PK_OPT_ENUM,
                          AT(choice),
                          .help = "x",
                          .arg = "x",
                          .values = none});
    REFUSED("value_help", {.name = "choice",
                           .kind = PK_OPT_ENUM,
                           AT(choice),
                           .help = "x",
                           .arg = "x",
                           .values = values,
                           .value_help = stops});
    REFUSED("suffixes", NUMBER(.suffixes = "pem"));
    REFUSED("checker", NUMBER(.check = sample_check_url));
    REFUSED("secret", NUMBER(.flags = PK_OPT_SECRET));
    REFUSED("REST", TEXT(.flags = PK_OPT_REST));
    REFUSED(
        "is a value",
        {.name = "WORD", .kind = PK_OPT_FLAG, AT(flag2), .help = "x", .flags = PK_OPT_POSITIONAL});
}

static void wrong_bounds_and_defaults_are_found(void **state) {
    (void)state;
    REFUSED("only numbers", TEXT(.max = 3));
    REFUSED("over max", NUMBER(.min = 1));
    REFUSED("negative", {.name = "count",
                         .kind = PK_OPT_COUNT,
                         AT(count),
                         .arg = "n",
                         .help = "x",
                         .min = -1,
                         .max = 3});
    REFUSED("must be at most 3", NUMBER(.min = 1, .max = 3, .fallback = "4"));
    REFUSED("its default", NUMBER(.fallback = "many"));
    REFUSED("off by default", FLAG(.name = "other", .fallback = "true"));
    REFUSED("required and has", NUMBER(.fallback = "1", .flags = PK_OPT_REQUIRED));
}

static void wrong_relations_are_found(void **state) {
    (void)state;
    REFUSED("not there", NUMBER(.conflicts = "flag nothing"));
    REFUSED("not there", NUMBER(.needs = "old")); /* an alias is no row */
    REFUSED("itself", NUMBER(.needs = "number"));
    REFUSED("needs what it", NUMBER(.needs = "flag", .conflicts = "flag"));
    REFUSED("shares its field", NUMBER(.letter = 'n'),
            {.name = "other", .kind = PK_OPT_INT, AT(number), .arg = "n", .help = "x"});
    REFUSED("outside", {.name = "number",
                        .kind = PK_OPT_INT,
                        .offset = sizeof(fields) - 4,
                        .arg = "n",
                        .help = "x"});
}

static void wrong_orders_of_words_are_found(void **state) {
    (void)state;
    REFUSED("takes everything",
            {.name = "LIST",
             .kind = PK_OPT_TEXT_LIST,
             AT(list),
             .help = "words",
             .flags = PK_OPT_POSITIONAL},
            WORD(.name = "WORD"));
    REFUSED("required behind", WORD(.name = "WORD"),
            {.name = "LIST",
             .kind = PK_OPT_TEXT_LIST,
             AT(list),
             .help = "words",
             .flags = PK_OPT_POSITIONAL | PK_OPT_REQUIRED});
    REFUSED("second REST",
            {.name = "LIST",
             .kind = PK_OPT_TEXT_LIST,
             AT(list),
             .help = "words",
             .flags = PK_OPT_POSITIONAL | PK_OPT_REST},
            {.name = "MORE",
             .kind = PK_OPT_TEXT_LIST,
             AT(list2),
             .help = "words",
             .flags = PK_OPT_POSITIONAL | PK_OPT_REST});
}

static void command_refused(const pk_command *command, const char *why) {
    pk_err err = {0};
    if (pk_cli_check_table(command, &err)) fail_msg("accepted, though: %s", why);
    if (!strstr(err.what, why)) fail_msg("\"%s\" does not say: %s", err.what, why);
}

static void wrong_commands_are_found(void **state) {
    (void)state;
    static const pk_example foreign[] = {{"ls -l", "list files"}, {0}};
    pk_command command = sample_command;
    command.summary = "Ends with a stop.";
    command_refused(&command, "summary");
    command = sample_command;
    command.run_words = sample_run_words;
    command_refused(&command, "run or run_words");
    command = sample_command;
    command.opts = NULL;
    command_refused(&command, "needs a table");
    command = sample_command;
    command.examples = NULL;
    command_refused(&command, "no example");
    command = sample_command;
    command.usage = NULL;
    command_refused(&command, "no usage");
    command = sample_command;
    command.examples = foreign;
    command_refused(&command, "an example calls its tool");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_sample_tables_are_sound),
        cmocka_unit_test(wrong_names_are_found),
        cmocka_unit_test(wrong_texts_are_found),
        cmocka_unit_test(wrong_kinds_are_found),
        cmocka_unit_test(wrong_bounds_and_defaults_are_found),
        cmocka_unit_test(wrong_relations_are_found),
        cmocka_unit_test(wrong_orders_of_words_are_found),
        cmocka_unit_test(wrong_commands_are_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
