/* The candidates of one answer. Private to the room. */
#ifndef PK_CLI_CHOICES_H
#define PK_CLI_CHOICES_H

#include "base/arena.h"
#include "cli/command.h"

#define PK_CHOICES_MAX 500              /* more than anybody reads; keeps the shells quick */
#define PK_CHOICE_VALUE_BYTES 1024      /* longer values are left out: half of one is another one */
#define PK_CHOICE_DESCRIPTION_BYTES 160 /* longer descriptions are cut: two lines of a terminal */

struct pk_choices {
    pk_arena *arena;
    const char *typed;  /* what candidates have to start with */
    const char *prefix; /* stands before each candidate when printed ("-u" of "-ums") */
    size_t prefix_length;
    size_t count;
    const pk_command *command; /* NULL: no tool is named yet */
    int n_words;               /* the words before the one under the cursor */
    char *const *words;
    bool nospace;
    bool keep_order;
    struct {
        const char *value;
        const char *description; /* NULL: none */
    } items[PK_CHOICES_MAX];
};

#endif
