/* Shell completion: answers `perfkit __complete WORD... CUR` in cobra's protocol.
 * One candidate a line ("value" or "value TAB description"), then ":N", the directive bits. */
#ifndef PK_CLI_COMPLETE_H
#define PK_CLI_COMPLETE_H

#include <stdio.h>
#include "cli/command.h"

enum pk_complete_bits {
    PK_COMPLETE_ERROR = 1,
    PK_COMPLETE_NOSPACE = 2,
    PK_COMPLETE_NOFILE = 4,
    PK_COMPLETE_EXT = 8, /* the lines are suffixes to filter files by */
    PK_COMPLETE_DIRS = 16,
    PK_COMPLETE_KEEP = 32,     /* keep our order */
    PK_COMPLETE_DELEGATE = 64, /* after "--": the shell completes the wrapped command itself */
};

/* words[0..n): what follows the program's name, the last one is under the cursor (may be empty).
 * `fixed` is the tool when the program was called by a link (oha, perfkit-load): then words[0] is
 * already one of its own. Never fails: an unusable line offers nothing. */
void pk_complete(FILE *out, const pk_command *const commands[], const pk_command *fixed,
                 bool descriptions, int n, char *const words[]);

/* Completers shared by tools. */
void pk_complete_pids(pk_choices *choices); /* own processes first, with their command lines */
void pk_complete_listener_urls(pk_choices *choices); /* loopback listeners as http://... */
/* Paths that go on from what was typed: directories ("lib/") and files whose name ends in one of
 * the suffixes ("so c"; "": none; "*": all files), hidden ones only if their dot was typed. For
 * words that may be something else as well; what can only be a file is left to the shell
 * (PK_OPT_FILE). */
void pk_complete_paths(pk_choices *choices, const char *suffixes);

#endif
