#include <ctype.h>
#include <string.h>
#include "cli/command.h"
#include "cli/value.h"
#include "cli/walk.h"

static bool wrong(const pk_opt *row, pk_err *err, const char *what) {
    pk_fail(err, PK_E_INTERNAL, row->name, "%s", what);
    return false;
}

/* A line as help shows it: not empty, one line, no full stop. That it starts in lower case is the
 * rule too, but names such as Host may stand first, which no table can know. */
static bool is_help_line(const char *text) {
    if (!text || !text[0] || strpbrk(text, "\n\t")) return false;
    size_t length = strlen(text);
    return text[length - 1] != '.' && text[length - 1] != ' ' && text[0] != ' ';
}

static bool is_option_name(const char *name, size_t length) {
    if (length < 2 || name[0] == '-' || name[length - 1] == '-') return false;
    for (size_t i = 0; i < length; i++) {
        unsigned char c = (unsigned char)name[i];
        if (!islower(c) && !isdigit(c) && c != '-') return false;
    }
    return true;
}

static bool check_names(const pk_command *command, const pk_opt *row, pk_err *err) {
    if (row->flags & PK_OPT_POSITIONAL) {
        if (row->letter || row->aliases) return wrong(row, err, "a positional has one name only");
        return row->name[0] || wrong(row, err, "has no name");
    }
    if (!is_option_name(row->name, strlen(row->name)))
        return wrong(row, err, "a long name is two or more of a-z, 0-9 and -");
    for (const pk_opt *common = pk_common_opts; common->name; common++)
        if (row->letter == common->letter || strcmp(row->name, common->name) == 0)
            return wrong(row, err, "-h, --help, -V and --version are every tool's");
    if (row->letter && !isalnum((unsigned char)row->letter))
        return wrong(row, err, "a letter is one of a-z, A-Z, 0-9");
    if (row->letter && pk_opt_by_letter(command, row->letter) != row)
        return wrong(row, err, "its letter is taken");
    return true;
}

/* Every long name and alias leads to its own row, and none is another positional's. */
static bool check_unique(const pk_command *command, const pk_opt *row, pk_err *err) {
    if (pk_opt_row(command, row->name) != row) return wrong(row, err, "its name is taken");
    if (row->flags & PK_OPT_POSITIONAL) return true;
    if (pk_opt_by_name(command, row->name, strlen(row->name)) != row)
        return wrong(row, err, "its name is another row's alias");
    const char *list = row->aliases;
    size_t length;
    for (const char *alias; (alias = pk_name_next(&list, &length));) {
        if (!is_option_name(alias, length)) return wrong(row, err, "an alias is no option name");
        if (pk_opt_by_name(command, alias, length) != row)
            return wrong(row, err, "an alias is taken");
    }
    return true;
}

static int count_names(const char *list) {
    int n = 0;
    size_t length;
    while (pk_name_next(&list, &length)) n++;
    return n;
}

static bool check_texts(const pk_opt *row, pk_err *err) {
    if (!is_help_line(row->help)) return wrong(row, err, "help is one line without a full stop");
    if (row->details && !row->details[0]) return wrong(row, err, "details are empty");
    if (!(row->flags & PK_OPT_POSITIONAL)) {
        if (pk_opt_takes_value(row) && (!row->arg || !row->arg[0]))
            return wrong(row, err, "the value has no name");
        if (!pk_opt_takes_value(row) && row->arg) return wrong(row, err, "it takes no value");
        if (row->words > 1 && count_names(row->arg) != row->words)
            return wrong(row, err, "each word of its value has a name");
    }
    return !(row->fallback && row->shown_default) || wrong(row, err, "has two defaults to show");
}

static bool check_kind(const pk_opt *row, pk_err *err) {
    bool text = row->kind == PK_OPT_TEXT || row->kind == PK_OPT_TEXT_LIST;
    bool file = row->kind == PK_OPT_FILE || row->kind == PK_OPT_OUTPUT;
    if (row->kind < PK_OPT_FLAG || row->kind > PK_OPT_PID) return wrong(row, err, "has no kind");
    if ((row->kind == PK_OPT_ENUM) != (row->values != NULL))
        return wrong(row, err, "values belong to ENUM, and ENUM has values");
    if (row->value_help && !row->values) return wrong(row, err, "value_help without values");
    if (row->words > 1 && row->kind != PK_OPT_TEXT_LIST)
        return wrong(row, err, "several words belong to TEXT_LIST");
    if (row->flags & PK_OPT_ONCE && row->words < 2)
        return wrong(row, err, "ONCE belongs to a value of several words");
    if (row->bare && row->kind != PK_OPT_TEXT)
        return wrong(row, err, "a value that may be missing belongs to TEXT");
    if (row->suffixes && !file && row->kind != PK_OPT_TEXT)
        return wrong(row, err, "suffixes belong to FILE, OUTPUT and TEXT");
    if (row->check && !text) return wrong(row, err, "a checker belongs to TEXT and TEXT_LIST");
    if ((row->flags & PK_OPT_SECRET) && !text) return wrong(row, err, "a secret is a TEXT");
    if ((row->flags & PK_OPT_REST) &&
        (!(row->flags & PK_OPT_POSITIONAL) || row->kind != PK_OPT_TEXT_LIST))
        return wrong(row, err, "REST is a positional TEXT_LIST");
    return !(row->flags & PK_OPT_POSITIONAL) || pk_opt_takes_value(row) ||
           wrong(row, err, "a positional is a value");
}

static bool check_values(const pk_opt *row, pk_err *err) {
    size_t n = 0;
    for (; row->values && row->values[n]; n++) {
        if (!row->values[n][0]) return wrong(row, err, "a value is empty");
        for (size_t i = 0; i < n; i++)
            if (strcmp(row->values[i], row->values[n]) == 0)
                return wrong(row, err, "a value stands twice");
        if (row->value_help && !is_help_line(row->value_help[n]))
            return wrong(row, err, "value_help is one line per value, without a full stop");
    }
    return !row->values || n > 0 || wrong(row, err, "has no values");
}

static bool check_bounds(const pk_opt *row, pk_err *err) {
    if (!row->min && !row->max) return true;
    bool number = row->kind >= PK_OPT_INT && row->kind <= PK_OPT_RATIO;
    if (!number) return wrong(row, err, "only numbers have bounds");
    if (row->min > row->max) return wrong(row, err, "min is over max (INT64_MAX: no limit)");
    return row->min >= 0 || row->kind == PK_OPT_INT || wrong(row, err, "cannot be negative");
}

static bool check_fallback(const pk_opt *row, pk_err *err) {
    union {
        int64_t number;
        double real;
        const char *text;
        pk_text_list list;
    } field = {0};
    if (!row->fallback) return true;
    if (!pk_opt_takes_value(row)) return wrong(row, err, "a flag is off by default");
    if (row->flags & PK_OPT_REQUIRED) return wrong(row, err, "is required and has a default");
    pk_arena *arena = pk_arena_new(1u << 16);
    bool ok = arena && pk_value_store(row, row->fallback, false, &field, arena, err);
    pk_arena_free(arena);
    if (ok) return true;
    char why[sizeof err->what];
    snprintf(why, sizeof why, "%s", arena ? err->what : "out of memory");
    pk_fail(err, PK_E_INTERNAL, row->name, "its default: %s", why);
    return false;
}

static bool check_relations(const pk_command *command, const pk_opt *row, pk_err *err) {
    const char *lists[] = {row->conflicts, row->needs};
    for (size_t i = 0; i < 2; i++) {
        size_t length;
        for (const char *name; (name = pk_name_next(&lists[i], &length));) {
            char copy[64];
            snprintf(copy, sizeof copy, "%.*s", (int)length, name);
            const pk_opt *other = pk_opt_row(command, copy);
            if (!other) return wrong(row, err, "conflicts with or needs a row that is not there");
            if (other == row) return wrong(row, err, "conflicts with or needs itself");
            if (i == 1 && pk_name_in(row->conflicts, copy))
                return wrong(row, err, "needs what it conflicts with");
        }
    }
    return true;
}

/* What can be said of positionals only together: a list takes all that follows, and a required one
 * cannot stand behind one that may be missing. */
static bool check_order(const pk_command *command, pk_err *err) {
    bool list = false, optional = false, rest = false;
    for (const pk_opt *row = command->opts; row->name; row++) {
        if (!(row->flags & PK_OPT_POSITIONAL)) continue;
        if (row->flags & PK_OPT_REST) {
            if (rest) return wrong(row, err, "is a second REST");
            rest = true;
            continue;
        }
        if (list) return wrong(row, err, "stands behind a list that takes everything");
        if (optional && (row->flags & PK_OPT_REQUIRED))
            return wrong(row, err, "is required behind one that is not");
        list = pk_opt_repeats(row);
        optional = !(row->flags & PK_OPT_REQUIRED);
    }
    return true;
}

static size_t field_bytes(pk_opt_kind kind) {
    switch (kind) {
    case PK_OPT_FLAG:
        return sizeof(bool);
    case PK_OPT_TALLY:
    case PK_OPT_ENUM:
        return sizeof(int);
    case PK_OPT_TEXT_LIST:
        return sizeof(pk_text_list);
    default:
        return 8;
    }
}

static bool check_fields(const pk_command *command, pk_err *err) {
    for (const pk_opt *a = command->opts; a->name; a++) {
        if (a->offset + field_bytes(a->kind) > command->options_bytes)
            return wrong(a, err, "its field lies outside of the options");
        for (const pk_opt *b = command->opts; b < a; b++)
            if (a->offset < b->offset + field_bytes(b->kind) &&
                b->offset < a->offset + field_bytes(a->kind))
                return wrong(a, err, "shares its field with another row");
    }
    return true;
}

static bool check_row(const pk_command *command, const pk_opt *row, pk_err *err) {
    return check_names(command, row, err) && check_unique(command, row, err) &&
           check_kind(row, err) && check_texts(row, err) && check_values(row, err) &&
           check_bounds(row, err) && check_fallback(row, err) && check_relations(command, row, err);
}

static bool check_command(const pk_command *command, pk_err *err) {
    const char *what = NULL;
    if (!is_help_line(command->summary)) what = "the summary is one line without a full stop";
    else if (!command->run == !command->run_words) what = "has to have run or run_words";
    else if (command->run && !command->opts) what = "run needs a table";
    else if (!command->hidden && (!command->examples || !command->examples->line))
        what = "has no example";
    else if (!command->hidden && !command->usage) what = "has no usage";
    if (what) pk_fail(err, PK_E_INTERNAL, NULL, "%s", what);
    return !what;
}

static bool check_examples(const pk_command *command, pk_err *err) {
    for (const pk_example *e = command->examples; e && e->line; e++) {
        if (strstr(e->line, command->name) && is_help_line(e->what)) continue;
        pk_fail(err, PK_E_INTERNAL, e->line, "an example calls its tool and says what it does");
        return false;
    }
    return true;
}

bool pk_cli_check_table(const pk_command *command, pk_err *err) {
    size_t n = 0;
    if (!check_command(command, err) || !check_examples(command, err)) return false;
    for (const pk_opt *row = command->opts; row && row->name; row++, n++) {
        if (n == PK_OPTS_MAX) return wrong(row, err, "is one row too many");
        if (!check_row(command, row, err)) return false;
    }
    return !command->opts || (check_order(command, err) && check_fields(command, err));
}
