/* --help and man pages, from the option table. */
#ifndef PK_CLI_HELP_H
#define PK_CLI_HELP_H

#include <stdio.h>
#include "cli/command.h"

/* The tool's help: summary, usage, examples, grouped options with defaults and ranges, wrapped to
 * `columns`. `name` is what the person typed ("perfkit load", "oha"). Colour as a bool. */
void pk_help_command(FILE *out, const pk_command *command, const char *name, int columns,
                     bool colour);

/* The one-screen list of tools (commands[0..n): NULL-terminated), first the five tools with an
 * example each, then the helpers. */
void pk_help_tools(FILE *out, const pk_command *const commands[], int columns, bool colour);

/* perfkit-TOOL(1) as man(7) source: NAME, SYNOPSIS, DESCRIPTION, OPTIONS, EXAMPLES, the
 * command's sections, EXIT STATUS, SEE ALSO. Deterministic: no date but the version. */
void pk_man_command(FILE *out, const pk_command *const commands[], const pk_command *command);
/* perfkit(1). */
void pk_man_tools(FILE *out, const pk_command *const commands[]);

#endif
