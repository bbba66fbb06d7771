/* man(7) source. Private to the room. */
#ifndef PK_CLI_ROFF_H
#define PK_CLI_ROFF_H

#include <stdbool.h>
#include <stdio.h>

/* Writes text so that roff prints exactly it: backslashes, hyphens (which would become dashes and
 * break copied commands), quotes, and a dot or quote at the start of a line, which would be a
 * request. UTF-8 becomes \[uXXXX]. `line_start`: the text starts a line. */
void pk_roff_text(FILE *out, const char *text, bool line_start);
/* Paragraphs separated by an empty line; one that starts with "* " is a list item, lines that start
 * with two blanks are verbatim. For the text right behind a heading. */
void pk_roff_paragraphs(FILE *out, const char *text);
/* ".SH TITLE" */
void pk_roff_section(FILE *out, const char *title);

#endif
