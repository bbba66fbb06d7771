/* One option table per subcommand: from it come parsing, --help, the man page, completion and
 * did-you-mean. A table is an array of pk_opt ending in {0}; positionals are rows too. */
#ifndef PK_CLI_COMMAND_H
#define PK_CLI_COMMAND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include "base/arena.h"
#include "base/error.h"
#include "base/textlist.h"

typedef enum pk_opt_kind {                  /* field type            value on the line */
                           PK_OPT_FLAG = 1, /* bool                  none */
                           PK_OPT_TALLY, /* int                   none; each use adds one (-vv) */
                           PK_OPT_INT,   /* int64_t               decimal within [min, max] */
                           PK_OPT_COUNT, /* uint64_t              "200", "10k", "2.6k", "1m"; within
                                            [min, max] */
                           PK_OPT_DURATION, /* uint64_t, ns          "500ms", "1m30s", "3"; within
                                               [min, max] */
                           PK_OPT_BYTES, /* uint64_t              "64k", "1MiB"; within [min, max]
                                          */
                           PK_OPT_RATE,  /* double                >= 0, per second */
                           PK_OPT_RATIO, /* double                0..1 or "1%" */
                           PK_OPT_ENUM,  /* int                   index into values[] */
                           PK_OPT_TEXT,  /* const char *          anything */
                           PK_OPT_TEXT_LIST, /* pk_text_list          anything, repeatable */
                           PK_OPT_FILE,      /* const char *          a file that can be read ("-":
                                                stdin) */
                           PK_OPT_DIR,       /* const char *          a directory */
                           PK_OPT_OUTPUT,    /* const char *          a file to be written ("-":
                                                stdout) */
                           PK_OPT_PID,       /* int64_t               a process */
} pk_opt_kind;

/* Collects candidates while completing. */
typedef struct pk_choices pk_choices;
/* Adds one candidate with its description (may be NULL). Those that do not start with the typed
 * prefix are dropped, the same value twice counts once, control characters are removed (in
 * descriptions they become blanks), at most 500 are kept. */
void pk_choices_add(pk_choices *choices, const char *value, const char *description);
/* No blank after a single match ("http://", "key="). */
void pk_choices_nospace(pk_choices *choices);
/* What was typed of the value so far. */
const char *pk_choices_typed(const pk_choices *choices);
/* Keeps the given order instead of sorting. */
void pk_choices_keep_order(pk_choices *choices);
/* What stands on the line before the word under the cursor: the last value of the option with this
 * long name, and the n-th positional word (from 0); NULL: there is none. Unchecked, as typed. */
const char *pk_choices_option(const pk_choices *choices, const char *name);
const char *pk_choices_word(const pk_choices *choices, size_t n);
typedef void pk_completer(pk_choices *choices);

/* Checks a parsed text early ("Name: value", a URL): false with err->what and err->fix set. */
typedef bool pk_checker(const char *text, pk_err *err);

enum pk_opt_flags {
    PK_OPT_POSITIONAL = 1, /* taken by place; `name` is what is shown ("URL") */
    PK_OPT_REQUIRED = 2,
    PK_OPT_SECRET = 4, /* the value is blanked in argv after parsing, so that ps shows none */
    PK_OPT_HIDDEN = 8, /* parsed, but not in help, man page or completion */
    PK_OPT_REST = 16,  /* positional TEXT_LIST that takes all that follows "--" */
    PK_OPT_LATE = 32,  /* as hyperfine reads numbers: a wrong value is an input that cannot be
                          used (PK_E_INPUT), told only when nothing else is wrong with the line;
                          a next word that starts with '-' is an option and no value */
    PK_OPT_ONCE = 64,  /* TEXT_LIST of several words: not repeatable, the last use counts */
};

typedef struct pk_opt {
    char letter;      /* 0: none */
    const char *name; /* long name without dashes; NULL ends the table */
    pk_opt_kind kind;
    size_t offset;                 /* PK_FIELD(struct, member, type) */
    const char *arg;               /* name of the value in help: "duration" */
    const char *fallback;          /* default as text, parsed like a typed value; NULL: zero */
    const char *shown_default;     /* where the default is computed: "min(cores, connections)" */
    const char *help;              /* one line, lower case, no full stop */
    const char *details;           /* further sentences for the man page, or NULL */
    const char *group;             /* heading in help; same-group rows stand together */
    const char *const *values;     /* ENUM: NULL-terminated */
    const char *const *value_help; /* ENUM: descriptions, parallel to values, or NULL */
    const char *aliases;           /* hidden other long names, separated by blanks */
    const char *conflicts;         /* long names, separated by blanks (one side is enough) */
    const char *needs;             /* long names that must be given too */
    int64_t min, max;              /* both 0: no bounds */
    const char *suffixes;          /* FILE, OUTPUT: "pem crt": what completion offers
                                    first; a TEXT with suffixes completes as a file */
    pk_completer *complete;        /* live values; NULL: by kind */
    pk_checker *check;             /* TEXT, TEXT_LIST: NULL: anything goes */
    unsigned flags;                /* enum pk_opt_flags */
    int words; /* TEXT_LIST: words that one use takes, named in `arg` ("var min max"); 0: 1 */
    const char *bare; /* TEXT: the value when none is given; one is given behind '=' only. NULL:
                         the option needs a value */
} pk_opt;

/* The offset of `member`, checked by the compiler to be of type `type`. */
#define PK_FIELD(T, member, type) \
    (offsetof(T, member) + 0 * sizeof(char[_Generic(((T *)0)->member, type : 1, default : -1)]))

typedef struct pk_example {
    const char *line; /* "perfkit load -z 3s http://127.0.0.1:3000" */
    const char *what; /* what it does, no full stop */
} pk_example;

typedef struct pk_section { /* a further section of the man page */
    const char *title;      /* "DEVIATIONS FROM OHA" */
    const char *text;       /* paragraphs separated by an empty line; a paragraph starting with
                               "* " is a list item; lines starting with two blanks are verbatim */
} pk_section;

typedef struct pk_parsed {
    pk_arena *arena;   /* owns lists and copied texts */
    uint64_t given[4]; /* bit i: row i of the table stood on the line */
    uint64_t again[4]; /* bit i: ... more than once, and only the last counts */
    bool help;         /* -h or --help stood on the line: show help, ignore the rest */
    bool version;      /* -V or --version */
} pk_parsed;

/* How the tool was called. */
typedef struct pk_invocation {
    const char *name; /* "perfkit load", or the peer's name as in "oha" */
    bool as_peer;     /* by a peer's name: that peer's grammar and exit codes */
    const char *peer; /* "oha", or NULL */
    const pk_parsed *parsed;
} pk_invocation;

typedef struct pk_command {
    const char *name;           /* "load" */
    const char *summary;        /* "HTTP load tester", no full stop */
    const char *usage;          /* "[options] URL" */
    const pk_opt *opts;         /* at most 256 rows */
    size_t options_bytes;       /* sizeof the options struct */
    const pk_example *examples; /* ends in {0}; the first is the one in perfkit's own list */
    const pk_section *sections; /* ends in {0}; may be NULL */
    const char *const *peers; /* names that call this tool with the peer's grammar; ends in NULL */
    const char *const *peer_exits; /* parallel: text of the man page on the peer's exit codes */
    bool helper;                   /* listed after the five tools */
    bool hidden;                   /* not listed at all (__complete) */
    /* When called by the peer's name: exit code for a usage error / for a set-up failure. 0: 2. */
    int peer_usage_exit, peer_setup_exit;
    bool bare_shows_help; /* by the peer's name without any argument: the help, on stderr, with
                             peer_usage_exit (as oha does); else that is an ordinary parse */
    /* options points to options_bytes filled by the parser. Returns the exit code; when err is
     * set, the caller prints it and chooses the code by its kind. What was written to stdout is
     * flushed and checked by the caller. */
    int (*run)(const pk_invocation *invocation, const void *options, pk_err *err);
    /* Alternative to opts/run for tools with words of their own (help, __complete): gets all
     * words after the tool's name. */
    int (*run_words)(int argc, char **argv, pk_err *err);
    /* Completes the n-th positional word when run_words is used; may be NULL. */
    pk_completer *complete_word;
} pk_command;

/* Parses argv[0..argc) (the words after the tool's name) into *options, after setting every
 * fallback. `name` is how the tool was called ("perfkit load", "oha"), for the hints. Options may
 * follow positionals; "--" ends them; "--opt=val", "--opt val", "-c5", "-c=5", "-c 5", bundles
 * ("-wz 3s");
 * "--no-x" is only known if a row is named so; of an option given twice the last value counts. With
 * -h, --help, -V or --version anywhere before "--", everything else on the line is ignored, wrong
 * or missing as it may be. Values of SECRET rows are blanked in argv once they are copied. A FILE
 * must be readable, a DIR a directory, an OUTPUT have a place to be written. On failure err says
 * what, where and how to fix (with did-you-mean), *options holds no promise and *parsed needs no
 * fini. kind is PK_E_USAGE for a wrong line, another for a file or directory that cannot be used.
 */
bool pk_cli_parse(const pk_command *command, const char *name, int argc, char **argv, void *options,
                  pk_parsed *parsed, pk_err *err) PK_MUST_CHECK;
/* Frees what the options point to; a zeroed struct is fine. */
void pk_parsed_fini(pk_parsed *parsed);
/* Did the row with this long (or positional) name stand on the line? */
bool pk_parsed_given(const pk_command *command, const pk_parsed *parsed, const char *name);
/* The first row that stood there more than once although only its last value counts, for tools
 * whose peer refuses that; NULL: none. */
const pk_opt *pk_parsed_again(const pk_command *command, const pk_parsed *parsed);

/* Proves a table: unique letters and names, help without full stop, defaults parse and lie in
 * range, conflicts and needs name real rows, enums have values. False says which row and why.
 * For the unit test that walks all tables. */
bool pk_cli_check_table(const pk_command *command, pk_err *err) PK_MUST_CHECK;

/* The tool with this name, hidden ones too, among the NULL-terminated commands; or NULL. */
const pk_command *pk_cli_find_command(const pk_command *const commands[], const char *name);
/* The tool that has this name among its peers ("oha"), or NULL. */
const pk_command *pk_cli_find_peer(const pk_command *const commands[], const char *name);
/* The name of a listed tool near to `word`, or NULL. */
const char *pk_cli_suggest_command(const pk_command *const commands[], const char *word);

#endif
