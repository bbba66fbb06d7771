/* The list of tools; one cmd/NAME.c each. */
#ifndef PK_CMD_COMMANDS_H
#define PK_CMD_COMMANDS_H

#include "cli/command.h"

extern const pk_command pk_cmd_bench;
extern const pk_command pk_cmd_time;
extern const pk_command pk_cmd_compare;
extern const pk_command pk_cmd_serve;
extern const pk_command pk_cmd_load;
extern const pk_command pk_cmd_flame;
extern const pk_command pk_cmd_alloc;
extern const pk_command pk_cmd_flame_fold;
extern const pk_command pk_cmd_flame_draw;
extern const pk_command pk_cmd_flame_difference;
extern const pk_command pk_cmd_completion;
extern const pk_command pk_cmd_help;
extern const pk_command pk_cmd_man;
extern const pk_command pk_cmd_version;
extern const pk_command pk_cmd_complete;
extern const pk_command pk_cmd_complete_no_desc;

/* All of them, NULL-terminated: the five tools first, then the helpers, then hidden ones. */
extern const pk_command *const pk_commands[];

/* Answers `perfkit __complete WORD... CUR`; `fixed` is the tool when a link chose it. */
int pk_cmd_answer_completion(const pk_command *fixed, bool descriptions, int argc, char **argv);

/* The shells whose completion there is, and the script of one (a place in that list) on stdout;
 * link: a name of ours to be completed as well, or NULL. */
extern const char *const pk_cmd_shells[];
void pk_cmd_print_completion(int which, const char *link);

#endif
