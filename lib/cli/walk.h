/* One command line, word by word, against a table. The parser (strict) and completion (lenient)
 * both read lines through it, so that they cannot disagree about what a word is.
 * Private to the room. */
#ifndef PK_CLI_WALK_H
#define PK_CLI_WALK_H

#include <stdbool.h>
#include <stddef.h>
#include "cli/command.h"

#define PK_OPTS_MAX 256 /* rows of one table: the bits of pk_parsed.given */

typedef enum pk_token_kind {
    PK_TOKEN_OPTION,      /* `row`, with `value` if it takes one */
    PK_TOKEN_NO_VALUE,    /* `row` needs a value, but the line has ended */
    PK_TOKEN_EXTRA_VALUE, /* `row` takes no value, but "=value" was given */
    PK_TOKEN_UNKNOWN,     /* an option that no row has */
    PK_TOKEN_HELP,
    PK_TOKEN_VERSION,
    PK_TOKEN_WORD, /* a positional: `value` */
} pk_token_kind;

typedef struct pk_token {
    pk_token_kind kind;
    const pk_opt *row; /* NULL for UNKNOWN, HELP, VERSION and WORD */
    char *word;        /* the word that it stands in */
    char *value;       /* inside one of the words, or the row's `bare`; NULL: none */
    char *const *more; /* the words that follow as further values (pk_opt.words) */
    int n_more;
    char letter; /* as it was typed; 0: by a long name */
    bool joined; /* the value stands in the same word */
    bool rest;   /* WORD: after "--" */
} pk_token;

typedef struct pk_walk {
    const pk_command *command;
    int n;
    char *const *words;
    int next;
    char *bundle; /* the letters of a bundle that are still to come; NULL: none */
    bool after_dashes;
} pk_walk;

void pk_walk_begin(pk_walk *walk, const pk_command *command, int n, char *const words[]);
/* False at the end of the line. */
bool pk_walk_next(pk_walk *walk, pk_token *token);

/* Whether the row's option takes a value. */
bool pk_opt_takes_value(const pk_opt *row);
/* How many words that value is. */
int pk_opt_words(const pk_opt *row);
/* Whether it may be given several times, each with an effect. */
bool pk_opt_repeats(const pk_opt *row);
/* The option with this long name or hidden alias (name[0..length)), or this letter; NULL: none.
 * Positionals have neither. */
const pk_opt *pk_opt_by_name(const pk_command *command, const char *name, size_t length);
const pk_opt *pk_opt_by_letter(const pk_command *command, char letter);
/* The row with exactly this name, positionals too. */
const pk_opt *pk_opt_row(const pk_command *command, const char *name);
/* The row that takes the n-th positional word (from 0), or the REST row; NULL: none does. */
const pk_opt *pk_opt_positional(const pk_command *command, size_t n);
const pk_opt *pk_opt_rest(const pk_command *command);

/* The next of the names in a list separated by blanks ("conflicts", "needs", "aliases"): advances
 * *list past it, returns it and sets *length; NULL at the end. *list may be NULL. */
const char *pk_name_next(const char **list, size_t *length);
/* Whether the list holds this name. */
bool pk_name_in(const char *list, const char *name);

/* The option of -h, --help and of -V, --version, as every tool has them. Two rows and {0}. */
extern const pk_opt pk_common_opts[];

#endif
