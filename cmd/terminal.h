/* What only the program's edge may ask: the terminal and the environment. */
#ifndef PK_CMD_TERMINAL_H
#define PK_CMD_TERMINAL_H

#include <stdio.h>
#include "report/colour.h"

/* Width for text on `out`: COLUMNS, else the terminal's, else 80. */
int pk_help_columns(FILE *out);
/* Whether to colour what goes to `out`. */
bool pk_terminal_colour(FILE *out, pk_colour_when when);
/* What a program had printed last, line by line behind "  | ", as a terminal can take it. */
void pk_terminal_tail(FILE *out, const char *output);

#endif
