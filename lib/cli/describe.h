/* What the help and the man page both say of a table. Private to the room. */
#ifndef PK_CLI_DESCRIBE_H
#define PK_CLI_DESCRIBE_H

#include <stdbool.h>
#include <stddef.h>
#include "base/strbuf.h"
#include "cli/command.h"

#define PK_GROUPS_MAX 32

/* The headings that visible rows stand under: "Arguments" for positionals first, then the options'
 * in the order of the table. Returns how many (those over PK_GROUPS_MAX are lost; the unit test of
 * all tables sees to it that there are fewer). */
size_t pk_describe_groups(const pk_command *command, const char *groups[PK_GROUPS_MAX]);
/* Whether the row is visible and stands under this heading. */
bool pk_describe_in_group(const pk_opt *row, const char *group);

/* How the option's value is written: " <number>", " <var> <values>", "[=<mode>]"; "" for flags.
 * Returns out. */
char *pk_describe_value(const pk_opt *row, char *out, size_t bytes);

/* Appends "1 to 100000; default 50": values or range, whether repeatable or required, default.
 * Nothing if there is nothing to say. */
void pk_describe_limits(pk_strbuf *sb, const pk_opt *row);

/* Whether the tool stands in lists of tools. */
bool pk_describe_listed(const pk_command *command, bool helper);

#endif
