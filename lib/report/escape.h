/* Text from outside, made safe for where it is shown. */
#ifndef PK_REPORT_ESCAPE_H
#define PK_REPORT_ESCAPE_H

#include <stddef.h>
#include "base/strbuf.h"

/* For a terminal: the bytes of control characters (C0, C1, DEL), of invalid UTF-8 and of marks
 * that change the direction of writing as \xNN, tab and newline as \t \n; appended to *out. For
 * reading only: a backslash stays as it is, so the way back is ambiguous. */
void pk_escape_terminal(pk_strbuf *out, const char *text, size_t bytes);
/* For HTML and SVG text and attribute values: & < > " ' as entities; control characters other
 * than tab and newline, what XML 1.0 does not allow, and each byte of invalid UTF-8, as U+FFFD. */
void pk_escape_markup(pk_strbuf *out, const char *text, size_t bytes);
/* Valid UTF-8: bytes that are none become U+FFFD. */
void pk_escape_utf8(pk_strbuf *out, const char *text, size_t bytes);

#endif
