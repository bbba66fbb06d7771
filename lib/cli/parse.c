#include <inttypes.h>
#include <string.h>
#include "base/suggest.h"
#include "cli/command.h"
#include "cli/describe.h"
#include "cli/example.h"
#include "cli/value.h"
#include "cli/walk.h"

#define ARENA_BYTES (64u << 20) /* well over what the kernel accepts as one command line */

typedef struct parser {
    const pk_command *command;
    const char *name;
    char *options;
    pk_parsed *parsed;
    pk_err late;    /* what is wrong with the first value of a LATE row; PK_OK: nothing */
    size_t n_words; /* positional words so far, but for those after "--" of a REST row */
    struct {
        const char *word; /* how the row was typed last, for errors about pairs of options */
        char letter;
    } typed[PK_OPTS_MAX];
} parser;

static bool is_given(const pk_parsed *parsed, size_t i) {
    return parsed->given[i / 64] >> (i % 64) & 1;
}

static void *field_of(const parser *p, const pk_opt *row) {
    return p->options + row->offset;
}

/* "-c" or "--connections", as the person typed it. */
static void typed_name(char *out, size_t bytes, const char *word, char letter) {
    if (letter) snprintf(out, bytes, "-%c", letter);
    else snprintf(out, bytes, "%.*s", (int)strcspn(word, "="), word);
}

/* The option and its value as they were typed: "-c 0", "-c0", "-c=0", "--connections=0". */
static void typed_option(char *out, size_t bytes, const pk_token *token) {
    char name[128];
    typed_name(name, sizeof name, token->word, token->letter);
    const char *between = !token->joined ? " " : token->value[-1] == '=' ? "=" : "";
    bool shown = token->value && (token->value[0] || token->joined);
    if (shown && !(token->row->flags & PK_OPT_SECRET))
        snprintf(out, bytes, "%s%s%s", name, between, token->value);
    else snprintf(out, bytes, "%s", name);
}

/* ---- unknown options ---- */

/* The one name that starts like this; a person used to abbreviations is told the whole. */
static const char *only_longer_name(const char *word, const char *const names[], size_t n) {
    const char *found = NULL;
    size_t length = strlen(word);
    for (size_t i = 0; length >= 2 && i < n; i++) {
        if (strncmp(names[i], word, length) != 0) continue;
        if (found) return NULL;
        found = names[i];
    }
    return found;
}

static const char *near_option(const parser *p, const char *word) {
    const char *names[PK_OPTS_MAX + 2];
    size_t n = 0;
    for (const pk_opt *row = p->command->opts; row && row->name && n < PK_OPTS_MAX; row++)
        if (!(row->flags & (PK_OPT_POSITIONAL | PK_OPT_HIDDEN))) names[n++] = row->name;
    for (const pk_opt *row = pk_common_opts; row->name; row++) names[n++] = row->name;
    const char *near = pk_suggest(word, names, n);
    return near ? near : only_longer_name(word, names, n);
}

static bool fail_unknown(const parser *p, const pk_token *token, pk_err *err) {
    char word[128] = "";
    snprintf(word, sizeof word, "%.*s", (int)strcspn(token->word, "="), token->word);
    /* "-connections" was read as a bundle of letters */
    const char *near = near_option(p, word + strspn(word, "-"));
    bool bundled = token->letter && token->word[2] != '\0';
    if (!bundled) pk_fail(err, PK_E_USAGE, NULL, "unknown option %s", word);
    else if (token->letter > ' ' && token->letter < 127 && !near)
        pk_fail(err, PK_E_USAGE, NULL, "unknown option -%c in %s", token->letter, word);
    else pk_fail(err, PK_E_USAGE, NULL, "unknown option %s", word);
    if (near && (!token->letter || bundled)) pk_fix(err, "did you mean --%s?", near);
    else pk_fix(err, "see %s --help", p->name);
    return false;
}

/* ---- tokens ---- */

static bool store(parser *p, const pk_opt *row, const char *text, pk_err *err) {
    size_t i = (size_t)(row - p->command->opts);
    if (!is_given(p->parsed, i)) {
        /* what is typed replaces the default, also where values add up */
        if (row->kind == PK_OPT_TEXT_LIST) *(pk_text_list *)field_of(p, row) = (pk_text_list){0};
        if (row->kind == PK_OPT_TALLY) *(int *)field_of(p, row) = 0;
        p->parsed->given[i / 64] |= 1ull << (i % 64);
    } else if (!pk_opt_repeats(row)) {
        p->parsed->again[i / 64] |= 1ull << (i % 64);
        if (row->kind == PK_OPT_TEXT_LIST) *(pk_text_list *)field_of(p, row) = (pk_text_list){0};
    }
    return pk_value_store(row, text, true, field_of(p, row), p->parsed->arena, err);
}

static void set_where(pk_err *err, const char *where) {
    snprintf(err->where, sizeof err->where, "%s", where);
}

static bool take_option(parser *p, const pk_token *token, pk_err *err) {
    const pk_opt *row = token->row;
    size_t i = (size_t)(row - p->command->opts);
    char where[sizeof err->where];
    p->typed[i].word = token->word;
    p->typed[i].letter = token->letter;
    typed_option(where, sizeof where, token);
    bool ok = store(p, row, token->value, err);
    for (int k = 0; k < token->n_more && ok; k++)
        ok = pk_value_store(row, token->more[k], true, field_of(p, row), p->parsed->arena, err);
    if (!ok) {
        set_where(err, where);
        /* "-connections 5" is -c with a strange value */
        const char *long_name = token->word + 1;
        if (token->letter && pk_opt_by_name(p->command, long_name, strcspn(long_name, "=")))
            pk_fix(err, "did you mean -%s?", token->word);
        if (row->flags & PK_OPT_LATE && err->kind == PK_E_USAGE) {
            err->kind = PK_E_INPUT;
            if (p->late.kind == PK_OK) p->late = *err;
            return true;
        }
    }
    if (token->value && (row->flags & PK_OPT_SECRET))
        explicit_bzero(token->value, strlen(token->value));
    return ok;
}

static bool take_word(parser *p, const pk_token *token, pk_err *err) {
    const pk_opt *row = token->rest ? pk_opt_rest(p->command) : NULL;
    if (!row) row = pk_opt_positional(p->command, p->n_words++);
    if (!row) {
        pk_fail(err, PK_E_USAGE, token->value, "one word too many");
        pk_fix(err, "usage: %s %s", p->name, p->command->usage ? p->command->usage : "");
        return false;
    }
    p->typed[row - p->command->opts].word = row->name;
    if (store(p, row, token->value, err)) return true;
    if (token->value[0]) set_where(err, token->value);
    else set_where(err, row->name);
    return false;
}

static bool take_token(parser *p, const pk_token *token, pk_err *err) {
    char name[128], value[128];
    switch (token->kind) {
    case PK_TOKEN_HELP:
        p->parsed->help = true;
        return true;
    case PK_TOKEN_VERSION:
        p->parsed->version = true;
        return true;
    case PK_TOKEN_WORD:
        return take_word(p, token, err);
    case PK_TOKEN_OPTION:
        return take_option(p, token, err);
    case PK_TOKEN_UNKNOWN:
        return fail_unknown(p, token, err);
    case PK_TOKEN_NO_VALUE:
        typed_name(name, sizeof name, token->word, token->letter);
        pk_fail(err, PK_E_USAGE, name, "needs a value");
        pk_fix(err, "write %s%s", name, pk_describe_value(token->row, value, sizeof value));
        return false;
    case PK_TOKEN_EXTRA_VALUE:
        typed_name(name, sizeof name, token->word, token->letter);
        pk_fail(err, PK_E_USAGE, token->word, "takes no value");
        pk_fix(err, "write %s alone", name);
        return false;
    }
    return true;
}

/* ---- the line as a whole ---- */

static bool check_required(const parser *p, pk_err *err) {
    for (const pk_opt *row = p->command->opts; row && row->name; row++) {
        if (!(row->flags & PK_OPT_REQUIRED)) continue;
        if (is_given(p->parsed, (size_t)(row - p->command->opts))) continue;
        bool word = row->flags & PK_OPT_POSITIONAL;
        const pk_example *example = p->command->examples;
        char line[PK_RANGE_MAX];
        pk_fail(err, PK_E_USAGE, NULL, "%s%s is missing", word ? "" : "--", row->name);
        if (row->values) pk_fix(err, "give %s", pk_value_names(row, line, sizeof line));
        else if (example && example->line)
            pk_fix(err, "try: %s",
                   pk_example_line(p->command, p->name, example, line, sizeof line));
        else pk_fix(err, "usage: %s %s", p->name, p->command->usage);
        return false;
    }
    return true;
}

static void given_name(const parser *p, size_t i, char *out, size_t bytes) {
    const char *word = p->typed[i].word;
    typed_name(out, bytes, word ? word : p->command->opts[i].name, p->typed[i].letter);
}

static bool check_pair(const parser *p, size_t i, const char *other, size_t length, bool needed,
                       pk_err *err) {
    char name[128], other_name[128], value[128];
    for (size_t j = 0; p->command->opts[j].name; j++) {
        const pk_opt *row = &p->command->opts[j];
        if (strlen(row->name) != length || memcmp(row->name, other, length) != 0) continue;
        if (is_given(p->parsed, j) == needed) return true;
        given_name(p, i, name, sizeof name);
        if (needed) {
            const char *dashes = row->flags & PK_OPT_POSITIONAL ? "" : "--";
            pk_fail(err, PK_E_USAGE, NULL, "%s needs %s%s", name, dashes, row->name);
            pk_describe_value(row, value, sizeof value);
            pk_fix(err, "add %s%s%s, or leave %s out", dashes, row->name, *dashes ? value : "",
                   name);
        } else {
            given_name(p, j, other_name, sizeof other_name);
            pk_fail(err, PK_E_USAGE, NULL, "%s and %s exclude each other", name, other_name);
            pk_fix(err, "give one of them");
        }
        return false;
    }
    return true;
}

static bool check_pairs(const parser *p, pk_err *err) {
    for (size_t i = 0; p->command->opts && p->command->opts[i].name; i++) {
        if (!is_given(p->parsed, i)) continue;
        const char *list = p->command->opts[i].conflicts;
        size_t length;
        for (const char *name; (name = pk_name_next(&list, &length));)
            if (!check_pair(p, i, name, length, false, err)) return false;
        list = p->command->opts[i].needs;
        for (const char *name; (name = pk_name_next(&list, &length));)
            if (!check_pair(p, i, name, length, true, err)) return false;
    }
    return true;
}

static bool set_fallbacks(const parser *p, pk_err *err) {
    for (const pk_opt *row = p->command->opts; row && row->name; row++) {
        if (!row->fallback) continue;
        if (pk_value_store(row, row->fallback, false, field_of(p, row), p->parsed->arena, err))
            continue;
        err->kind = PK_E_INTERNAL;
        set_where(err, row->name);
        return false;
    }
    return true;
}

static bool read_line(parser *p, int argc, char **argv, pk_err *err) {
    pk_walk walk;
    pk_token token;
    pk_err later;
    bool ok = true;
    /* To the end even after a mistake: a --help further on wins over it. */
    pk_walk_begin(&walk, p->command, argc, argv);
    while (pk_walk_next(&walk, &token))
        if (!take_token(p, &token, ok ? err : &later)) ok = false;
    if (p->parsed->help || p->parsed->version) return true;
    if (!ok || !check_required(p, err) || !check_pairs(p, err)) return false;
    if (p->late.kind != PK_OK) *err = p->late;
    return p->late.kind == PK_OK;
}

bool pk_cli_parse(const pk_command *command, const char *name, int argc, char **argv, void *options,
                  pk_parsed *parsed, pk_err *err) {
    pk_parsed result = {.arena = pk_arena_new(ARENA_BYTES)};
    parser p = {.command = command, .name = name, .options = options, .parsed = &result};
    if (!result.arena) {
        pk_fail(err, PK_E_LIMIT, NULL, "out of memory");
        return false;
    }
    memset(options, 0, command->options_bytes);
    if (!set_fallbacks(&p, err) || !read_line(&p, argc, argv, err)) {
        pk_arena_free(result.arena);
        return false;
    }
    *parsed = result;
    return true;
}

void pk_parsed_fini(pk_parsed *parsed) {
    pk_arena_free(parsed->arena);
    parsed->arena = NULL;
}

bool pk_parsed_given(const pk_command *command, const pk_parsed *parsed, const char *name) {
    const pk_opt *row = pk_opt_row(command, name);
    return row && is_given(parsed, (size_t)(row - command->opts));
}

const pk_opt *pk_parsed_again(const pk_command *command, const pk_parsed *parsed) {
    for (size_t i = 0; command->opts && command->opts[i].name; i++)
        if (parsed->again[i / 64] >> (i % 64) & 1) return &command->opts[i];
    return NULL;
}
