/* What is to be watched, from the words on the line: a command, processes; and where files about
 * them are. Shared by the tools that watch programs. Texts live in the arena. */
#ifndef PK_CMD_TARGET_H
#define PK_CMD_TARGET_H

#include <sys/types.h>

#include "base/arena.h"
#include "base/textlist.h"
#include "cli/command.h"
#include "profile/debug_file.h"

/* The command, word by word: those before "--", then those behind it. *argv gets a list with NULL
 * behind, or NULL where there is no word. */
bool target_command(const pk_text_list *words, const pk_text_list *rest, pk_arena *arena,
                    char ***argv, pk_err *err) PK_MUST_CHECK;

/* Words split at blanks; quotes are letters like any other. before: put in front, NULL: nothing.
 * NULL behind. */
const char *const *target_split(const char *before, const char *text, pk_arena *arena,
                                pk_err *err) PK_MUST_CHECK;

/* The processes of --pid: numbers and names, several with commas between. `too_many`: what to do
 * instead where there are more than can be. *pids: NULL for an empty list. */
bool target_pids(const pk_text_list *lists, const char *too_many, pk_arena *arena,
                 const pid_t **pids, size_t *n, pk_err *err) PK_MUST_CHECK;
pk_checker target_check_pids;
pk_completer target_complete_pids;

/* Where separate debug information is installed, and perf's own cache of it. */
bool target_debug_folders(pk_arena *arena, pk_debug_folders *folders, pk_err *err) PK_MUST_CHECK;

#endif
