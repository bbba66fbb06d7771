/* Text for terminals: wrapped by display width. Private to the room. */
#ifndef PK_CLI_TEXT_H
#define PK_CLI_TEXT_H

#include <stddef.h>
#include <stdio.h>

/* Code points of UTF-8 text: its width in the scripts that our texts use. */
size_t pk_text_width(const char *text);

/* Writes the words of `text`, separated by one blank, in lines of at most `columns`; the first
 * word stands at column `at` (already written up to there), each further line starts after
 * `indent` blanks. A word that is wider than the room stands alone on its line. Ends the line. */
void pk_text_wrap(FILE *out, const char *text, size_t at, size_t indent, size_t columns);

#endif
