#include "cli/walk.h"

#include <string.h>

// clang-format off
const pk_opt pk_common_opts[] = {
    {'h', "help", PK_OPT_FLAG, .help = "show this help", .group = "Help"},
    {'V', "version", PK_OPT_FLAG, .help = "show the version", .group = "Help"},
    {0},
};
// clang-format on

bool pk_opt_takes_value(const pk_opt *row) {
    return row->kind != PK_OPT_FLAG && row->kind != PK_OPT_TALLY;
}

int pk_opt_words(const pk_opt *row) {
    return row->words > 1 ? row->words : 1;
}

bool pk_opt_repeats(const pk_opt *row) {
    bool adds_up = row->kind == PK_OPT_TEXT_LIST || row->kind == PK_OPT_TALLY;
    return adds_up && !(row->flags & PK_OPT_ONCE);
}

const char *pk_name_next(const char **list, size_t *length) {
    if (!*list) return NULL;
    const char *name = *list + strspn(*list, " ");
    *length = strcspn(name, " ");
    *list = name + *length;
    return *length > 0 ? name : NULL;
}

static bool same(const char *name, const char *text, size_t length) {
    return strlen(name) == length && memcmp(name, text, length) == 0;
}

bool pk_name_in(const char *list, const char *name) {
    size_t length;
    for (const char *item; (item = pk_name_next(&list, &length));)
        if (same(name, item, length)) return true;
    return false;
}

static bool has_alias(const pk_opt *row, const char *text, size_t length) {
    const char *list = row->aliases;
    size_t n;
    for (const char *item; (item = pk_name_next(&list, &n));)
        if (n == length && memcmp(item, text, length) == 0) return true;
    return false;
}

const pk_opt *pk_opt_by_name(const pk_command *command, const char *name, size_t length) {
    for (const pk_opt *row = command->opts; row && row->name; row++) {
        if (row->flags & PK_OPT_POSITIONAL) continue;
        if (same(row->name, name, length) || has_alias(row, name, length)) return row;
    }
    return NULL;
}

const pk_opt *pk_opt_by_letter(const pk_command *command, char letter) {
    for (const pk_opt *row = command->opts; letter && row && row->name; row++)
        if (row->letter == letter && !(row->flags & PK_OPT_POSITIONAL)) return row;
    return NULL;
}

const pk_opt *pk_opt_row(const pk_command *command, const char *name) {
    for (const pk_opt *row = command->opts; row && row->name; row++)
        if (strcmp(row->name, name) == 0) return row;
    return NULL;
}

const pk_opt *pk_opt_positional(const pk_command *command, size_t n) {
    for (const pk_opt *row = command->opts; row && row->name; row++) {
        if (!(row->flags & PK_OPT_POSITIONAL) || (row->flags & PK_OPT_REST)) continue;
        if (n == 0 || pk_opt_repeats(row)) return row;
        n--;
    }
    return NULL;
}

const pk_opt *pk_opt_rest(const pk_command *command) {
    for (const pk_opt *row = command->opts; row && row->name; row++)
        if (row->flags & PK_OPT_REST) return row;
    return NULL;
}

void pk_walk_begin(pk_walk *walk, const pk_command *command, int n, char *const words[]) {
    *walk = (pk_walk){.command = command, .n = n, .words = words};
}

static bool is_option(const char *word) {
    return word[0] == '-' && word[1] != '\0';
}

/* The value of an option that stands at the end of its word: the next word, whatever it looks
 * like ("-n -1" is a wrong number, not an unknown option). */
static void take_next_word(pk_walk *walk, pk_token *token) {
    bool late = token->row->flags & PK_OPT_LATE;
    if (walk->next < walk->n && !(late && is_option(walk->words[walk->next]))) {
        token->value = walk->words[walk->next++];
        token->kind = PK_TOKEN_OPTION;
    } else {
        token->kind = PK_TOKEN_NO_VALUE;
    }
}

/* The further words of a value that is several. */
static void take_more(pk_walk *walk, pk_token *token) {
    int n = pk_opt_words(token->row) - 1;
    if (n == 0 || token->kind != PK_TOKEN_OPTION) return;
    if (n > walk->n - walk->next) {
        token->kind = PK_TOKEN_NO_VALUE;
        walk->next = walk->n;
        return;
    }
    token->more = walk->words + walk->next;
    token->n_more = n;
    walk->next += n;
}

/* Of an option whose value may be missing: what stands behind "=", else what that means. */
static void take_bare(pk_token *token, char *value) {
    token->kind = PK_TOKEN_OPTION;
    token->value = value ? value : (char *)token->row->bare;
    token->joined = value != NULL;
}

static void take_letter(pk_walk *walk, pk_token *token) {
    char letter = *walk->bundle++;
    char *left = *walk->bundle ? walk->bundle : NULL;
    walk->bundle = left;
    token->letter = letter;
    token->row = pk_opt_by_letter(walk->command, letter);
    if (letter == 'h' || letter == 'V') {
        token->kind = letter == 'h' ? PK_TOKEN_HELP : PK_TOKEN_VERSION;
    } else if (!token->row) {
        token->kind = PK_TOKEN_UNKNOWN;
        walk->bundle = NULL; /* what follows is as likely a value as more letters */
    } else if (!pk_opt_takes_value(token->row)) {
        token->kind = PK_TOKEN_OPTION;
    } else if (token->row->bare) {
        bool has_value = left && *left == '=';
        take_bare(token, has_value ? left + 1 : NULL);
        if (has_value) walk->bundle = NULL;
    } else if (left) {
        token->kind = PK_TOKEN_OPTION;
        token->value = left + (*left == '=');
        token->joined = true;
        walk->bundle = NULL;
        take_more(walk, token);
    } else {
        take_next_word(walk, token);
        take_more(walk, token);
    }
}

static void take_long(pk_walk *walk, pk_token *token) {
    char *name = token->word + 2;
    size_t length = strcspn(name, "=");
    char *value = name[length] ? name + length + 1 : NULL;
    token->row = pk_opt_by_name(walk->command, name, length);
    if (same("help", name, length)) {
        token->kind = PK_TOKEN_HELP;
    } else if (same("version", name, length)) {
        token->kind = PK_TOKEN_VERSION;
    } else if (!token->row) {
        token->kind = PK_TOKEN_UNKNOWN;
    } else if (!pk_opt_takes_value(token->row)) {
        token->kind = value ? PK_TOKEN_EXTRA_VALUE : PK_TOKEN_OPTION;
        token->value = value;
        token->joined = value != NULL;
    } else if (token->row->bare) {
        take_bare(token, value);
    } else if (value) {
        token->kind = PK_TOKEN_OPTION;
        token->value = value;
        token->joined = true;
        take_more(walk, token);
    } else {
        take_next_word(walk, token);
        take_more(walk, token);
    }
}

bool pk_walk_next(pk_walk *walk, pk_token *token) {
    if (walk->bundle) {
        *token = (pk_token){.word = walk->words[walk->next - 1]};
        take_letter(walk, token);
        return true;
    }
    if (walk->next >= walk->n) return false;
    char *word = walk->words[walk->next++];
    if (!walk->after_dashes && strcmp(word, "--") == 0) {
        walk->after_dashes = true;
        if (walk->next >= walk->n) return false;
        word = walk->words[walk->next++];
    }
    *token = (pk_token){.word = word};
    if (walk->after_dashes || !is_option(word)) {
        token->kind = PK_TOKEN_WORD;
        token->value = word;
        token->rest = walk->after_dashes;
    } else if (word[1] == '-') {
        take_long(walk, token);
    } else {
        walk->bundle = word + 1;
        take_letter(walk, token);
    }
    return true;
}
