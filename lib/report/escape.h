/* Text from outside, made safe for where it is shown. */
#ifndef PK_REPORT_ESCAPE_H
#define PK_REPORT_ESCAPE_H

#include <stddef.h>
#include "base/strbuf.h"

/* For a terminal: control characters (C0, C1, DEL) as \xNN, tab and newline as \t \n, invalid
 * UTF-8 bytes as \xNN; appended to *out. */
void pk_escape_terminal(pk_strbuf *out, const char *text, size_t bytes);
/* For HTML and SVG text and attribute values: & < > " ' as entities; control characters other
 * than tab and newline, and invalid UTF-8, as U+FFFD. */
void pk_escape_markup(pk_strbuf *out, const char *text, size_t bytes);
/* Valid UTF-8: bytes that are none become U+FFFD. */
void pk_escape_utf8(pk_strbuf *out, const char *text, size_t bytes);

#endif
