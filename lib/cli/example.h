/* The examples of a tool under the name that it was called by. Private to the room. */
#ifndef PK_CLI_EXAMPLE_H
#define PK_CLI_EXAMPLE_H

#include <stddef.h>
#include "cli/command.h"

/* The example's line; when it starts with "perfkit TOOL", that part is replaced by `name` ("oha").
 * Cut to fit; returns out. */
char *pk_example_line(const pk_command *command, const char *name, const pk_example *example,
                      char *out, size_t bytes);

#endif
