/* A single line on a terminal that is rewritten: what is known so far of a running job. */
#ifndef PK_REPORT_PROGRESS_H
#define PK_REPORT_PROGRESS_H

#include <stdbool.h>
#include <stdio.h>

typedef struct pk_progress {
    FILE *out;   /* NULL: show nothing */
    int columns; /* terminal width, asked again at each show; longer text is cut by display width */
    bool drawn;
} pk_progress;

/* A progress line for `out` if it is a terminal that understands \r, else nothing is shown. */
pk_progress pk_progress_open(FILE *out, bool is_tty);
/* Rewrites the line: plain text in UTF-8, control characters are shown as by
 * pk_escape_terminal. Flushes. */
void pk_progress_show(pk_progress *progress, const char *text);
/* Removes the line. */
void pk_progress_close(pk_progress *progress);

/* Columns of the terminal behind fd; `fallback` if it is none. */
int pk_terminal_columns(int fd, int fallback);
/* Cells that a UTF-8 text takes (see report/utf8.h). */
int pk_display_width(const char *text);

#endif
