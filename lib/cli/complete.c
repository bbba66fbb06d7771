#include "cli/complete.h"

#include <stdlib.h>
#include <string.h>
#include "cli/choices.h"
#include "cli/walk.h"

#define ARENA_BYTES (4u << 20) /* 500 candidates with their descriptions, several times */

/* What stands on the line before the word under the cursor. */
typedef struct line {
    const pk_command *command;
    uint64_t given[PK_OPTS_MAX / 64];
    size_t n_words;        /* positional words */
    const pk_opt *pending; /* the option whose value the word under the cursor is; NULL: none */
    bool after_dashes;
} line;

static bool is_given(const line *l, const pk_opt *row) {
    size_t i = (size_t)(row - l->command->opts);
    return l->given[i / 64] >> (i % 64) & 1;
}

static void set_given(line *l, const pk_opt *row) {
    size_t i = (size_t)(row - l->command->opts);
    l->given[i / 64] |= 1ull << (i % 64);
}

/* Leniently: what is wrong or unknown is passed over. */
static void read_line(line *l, const pk_command *command, int n, char *const words[]) {
    pk_walk walk;
    pk_token token;
    *l = (line){.command = command};
    pk_walk_begin(&walk, command, n, words);
    while (pk_walk_next(&walk, &token)) {
        if (token.kind == PK_TOKEN_NO_VALUE) l->pending = token.row;
        if (token.kind == PK_TOKEN_WORD) {
            const pk_opt *row = token.rest ? pk_opt_rest(command) : NULL;
            if (!row) row = pk_opt_positional(command, l->n_words++);
            if (row) set_given(l, row);
        } else if (token.row && token.kind == PK_TOKEN_OPTION) {
            set_given(l, token.row);
        }
    }
    l->after_dashes = walk.after_dashes;
}

/* ---- values ---- */

static unsigned complete_suffixes(pk_choices *choices, const pk_opt *row) {
    const char *list = row->suffixes;
    size_t length;
    choices->typed = ""; /* the lines are suffixes, whatever the file's name starts with */
    for (const char *suffix; (suffix = pk_name_next(&list, &length));) {
        char copy[32];
        snprintf(copy, sizeof copy, "%.*s", (int)length, suffix);
        pk_choices_add(choices, copy, NULL);
    }
    return choices->count ? PK_COMPLETE_EXT : 0;
}

static unsigned complete_value(pk_choices *choices, const pk_opt *row) {
    if (row->complete) {
        row->complete(choices);
        return PK_COMPLETE_NOFILE;
    }
    switch (row->kind) {
    case PK_OPT_ENUM:
        pk_choices_keep_order(choices);
        for (size_t i = 0; row->values[i]; i++)
            pk_choices_add(choices, row->values[i], row->value_help ? row->value_help[i] : NULL);
        return PK_COMPLETE_NOFILE;
    case PK_OPT_PID:
        pk_complete_pids(choices);
        return PK_COMPLETE_NOFILE;
    case PK_OPT_FILE:
    case PK_OPT_OUTPUT:
        return complete_suffixes(choices, row);
    case PK_OPT_DIR:
        return PK_COMPLETE_DIRS;
    case PK_OPT_TEXT:
        return row->suffixes ? complete_suffixes(choices, row) : PK_COMPLETE_NOFILE;
    default:
        return PK_COMPLETE_NOFILE;
    }
}

/* ---- options ---- */

static bool excludes(const pk_opt *a, const pk_opt *b) {
    return pk_name_in(a->conflicts, b->name) || pk_name_in(b->conflicts, a->name);
}

static bool is_offered(const line *l, const pk_opt *row) {
    if (row->flags & (PK_OPT_HIDDEN | PK_OPT_POSITIONAL)) return false;
    if (is_given(l, row) && !pk_opt_repeats(row)) return false;
    for (const pk_opt *other = l->command->opts; other->name; other++)
        if (is_given(l, other) && excludes(row, other)) return false;
    return true;
}

static void offer_row(pk_choices *choices, const pk_opt *row) {
    char name[80], letter[3] = {'-', row->letter, '\0'};
    snprintf(name, sizeof name, "--%s", row->name);
    pk_choices_add(choices, name, row->help);
    if (row->letter) pk_choices_add(choices, letter, row->help);
}

static unsigned complete_options(pk_choices *choices, const line *l) {
    pk_choices_keep_order(choices); /* common ones first, as in the help */
    for (const pk_opt *row = l->command->opts; row && row->name; row++)
        if (is_offered(l, row)) offer_row(choices, row);
    for (const pk_opt *row = pk_common_opts; row->name; row++) offer_row(choices, row);
    return PK_COMPLETE_NOFILE;
}

/* "--name=val": the shells put the part up to '=' back before each candidate. */
static unsigned complete_long_value(pk_choices *choices, const line *l, const char *cur) {
    size_t length = strcspn(cur + 2, "=");
    const pk_opt *row = pk_opt_by_name(l->command, cur + 2, length);
    if (!row || !pk_opt_takes_value(row)) return PK_COMPLETE_NOFILE;
    choices->typed = cur + 2 + length + 1;
    return complete_value(choices, row);
}

/* "-wums": here the letters before the value are ours to put back. The shells know no file name
 * behind them, so values that are files get no candidates. */
static unsigned complete_bundle(pk_choices *choices, const line *l, const char *cur) {
    const pk_opt *row = NULL;
    for (const char *p = cur + 1; *p; p++) {
        row = pk_opt_by_letter(l->command, *p);
        if (!row && (*p == pk_common_opts[0].letter || *p == pk_common_opts[1].letter))
            row = &pk_common_opts[*p == pk_common_opts[1].letter];
        if (!row) return PK_COMPLETE_NOFILE;
        if (!pk_opt_takes_value(row) || !p[1] || (row->bare && p[1] != '=')) continue;
        p += p[1] == '=';
        choices->typed = p + 1;
        choices->prefix = cur;
        choices->prefix_length = (size_t)(p + 1 - cur);
        unsigned bits = complete_value(choices, row);
        if (bits & PK_COMPLETE_NOFILE) return bits;
        choices->count = 0;
        return PK_COMPLETE_NOFILE;
    }
    pk_choices_add(choices, cur, row->help); /* whole as it is: TAB goes on to the next word */
    return PK_COMPLETE_NOFILE;
}

/* ---- the word under the cursor ---- */

static unsigned complete_word(pk_choices *choices, const line *l, const char *cur) {
    if (l->pending) return complete_value(choices, l->pending);
    if (l->after_dashes && pk_opt_rest(l->command)) return PK_COMPLETE_DELEGATE;
    if (!l->after_dashes && cur[0] == '-' && cur[1]) {
        if (cur[1] != '-') return complete_bundle(choices, l, cur);
        if (strchr(cur, '=')) return complete_long_value(choices, l, cur);
    }
    if (!l->after_dashes && cur[0] == '-') return complete_options(choices, l);
    const pk_opt *row = pk_opt_positional(l->command, l->n_words);
    if (row) return complete_value(choices, row);
    /* No word belongs here: show what can. */
    if (!cur[0] && !l->after_dashes) return complete_options(choices, l);
    return PK_COMPLETE_NOFILE;
}

static unsigned complete_tool(pk_choices *choices, const pk_command *command, int n,
                              char *const words[]) {
    line l;
    if (command->run_words) {
        if (command->complete_word) command->complete_word(choices);
        return PK_COMPLETE_NOFILE;
    }
    choices->command = command;
    choices->n_words = n - 1;
    choices->words = words;
    read_line(&l, command, n - 1, words);
    return complete_word(choices, &l, words[n - 1]);
}

static unsigned complete_names(pk_choices *choices, const pk_command *const commands[],
                               const char *cur) {
    line none = {.command = &(const pk_command){0}};
    pk_choices_keep_order(choices);
    if (cur[0] == '-') return complete_options(choices, &none);
    for (; *commands; commands++)
        if (!(*commands)->hidden) pk_choices_add(choices, (*commands)->name, (*commands)->summary);
    return PK_COMPLETE_NOFILE;
}

static void print_answer(FILE *out, const pk_choices *choices, unsigned bits, bool descriptions) {
    for (size_t i = 0; i < choices->count; i++) {
        const char *description = choices->items[i].description;
        if (choices->prefix_length) fwrite(choices->prefix, 1, choices->prefix_length, out);
        fputs(choices->items[i].value, out);
        if (descriptions && description && description[0]) fprintf(out, "\t%s", description);
        fputc('\n', out);
    }
    if (choices->nospace) bits |= PK_COMPLETE_NOSPACE;
    if (choices->keep_order && choices->count) bits |= PK_COMPLETE_KEEP;
    fprintf(out, ":%u\n", bits);
}

void pk_complete(FILE *out, const pk_command *const commands[], const pk_command *fixed,
                 bool descriptions, int n, char *const words[]) {
    char nothing[] = "";
    char *const empty[] = {nothing};
    unsigned bits = PK_COMPLETE_NOFILE;
    pk_choices *choices = calloc(1, sizeof *choices);
    if (choices) choices->arena = pk_arena_new(ARENA_BYTES);
    if (!choices || !choices->arena) {
        fprintf(out, ":%d\n", PK_COMPLETE_ERROR | PK_COMPLETE_NOFILE);
        free(choices);
        return;
    }
    if (n < 1) {
        n = 1;
        words = empty;
    }
    choices->typed = words[n - 1];
    if (fixed) {
        bits = complete_tool(choices, fixed, n, words);
    } else if (n == 1) {
        bits = complete_names(choices, commands, words[0]);
    } else {
        const pk_command *command = pk_cli_find_command(commands, words[0]);
        if (command) bits = complete_tool(choices, command, n - 1, words + 1);
    }
    print_answer(out, choices, bits, descriptions);
    pk_arena_free(choices->arena);
    free(choices);
}
