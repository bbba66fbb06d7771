/* Reports as one HTML file: style inside, no scripts, nothing from the network (a Content-Security-
 * Policy says so to the browser), readable from 390 pixels up, in light, dark and print.
 *
 * Call pk_page_begin, then sections with paragraphs, tables and figures in reading order, then
 * pk_page_write, which frees the page. All texts are escaped here. Running out of memory or of
 * PK_PAGE_BYTES_MAX is remembered and told by pk_page_write; the calls before need no checks. */
#ifndef PK_REPORT_PAGE_H
#define PK_REPORT_PAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/error.h"
#include "base/strbuf.h"
#include "report/svg.h"

#define PK_PAGE_BYTES_MAX (64u << 20)

typedef enum pk_page_open {
    PK_OPEN_NOTHING,
    PK_OPEN_FIGURES, /* the row that figures stand in */
    PK_OPEN_TABLES,  /* the row that tables stand in */
    PK_OPEN_TABLE    /* ... and a table in it */
} pk_page_open;

typedef struct pk_page {
    pk_strbuf head, contents, body; /* head: up to the contents; contents: links to the sections */
    unsigned figures, sections, tables;
    pk_page_open open;
    size_t columns, column; /* of the table that is open */
    const struct pk_column *table;
} pk_page;

/* href: a relative path of plain text: it is percent-encoded here. */
typedef struct pk_link {
    const char *text, *href;
} pk_link;

/* trail: the way here from the top, shown as links before the title; may be empty. */
void pk_page_begin(pk_page *page, const char *title, size_t n_trail, const pk_link trail[]);
/* Ends the page, writes it, frees it in any case. `out` is not flushed; the caller closes it. */
bool pk_page_write(pk_page *page, FILE *out, pk_err *err) PK_MUST_CHECK;

/* Frees a page that is not to be written. */
void pk_page_drop(pk_page *page);

/* A heading; also a link among the contents at the top. */
void pk_page_section(pk_page *page, const char *heading);

typedef enum pk_tint {
    PK_TINT_NONE,
    PK_TINT_GOOD,
    PK_TINT_BAD,
    PK_TINT_WARN,
    PK_TINT_MUTED
} pk_tint;
void pk_page_text(pk_page *page, pk_tint tint, const char *fmt, ...) PK_PRINTF(3, 4);
/* One sentence that matters most, large; symbol: a character that says the same as the tint. */
void pk_page_statement(pk_page *page, pk_tint tint, const char *symbol, const char *text);
/* Text as it was printed, lines kept: any bytes. */
void pk_page_output(pk_page *page, const char *text);

typedef struct pk_column {
    const char *heading;
    bool number; /* right-aligned, digits of one width */
} pk_column;
/* columns stays the caller's and must live until pk_page_table_end; without a heading among them
 * there is no row of headings. caption may be NULL. Consecutive tables stand side by side where
 * there is room. */
void pk_page_table_begin(pk_page *page, const char *caption, size_t n, const pk_column columns[]);
/* The next cell in row order; a missing end of the last row is filled up. The first column names
 * its row. */
void pk_page_cell(pk_page *page, pk_tint tint, const char *fmt, ...) PK_PRINTF(3, 4);
void pk_page_link_cell(pk_page *page, const pk_link *link);
void pk_page_table_end(pk_page *page);

/* The chart, the caption below it, and a table of the values of its marks with `tabled`, folded.
 * Consecutive figures stand side by side where there is room. */
void pk_page_figure(pk_page *page, const pk_chart *chart, const char *caption);

/* A picture that was made elsewhere, below a caption: `markup` is put in as it stands, so it is
 * well-formed and escaped already. On narrow screens it keeps a readable size, and scrolls. */
void pk_page_picture(pk_page *page, const pk_strbuf *markup, const char *caption);

/* "2026-11-25 04:33:21 UTC"; "-" for 0. */
#define PK_PAGE_TIME_MAX 32
char *pk_page_time(char out[PK_PAGE_TIME_MAX], uint64_t unix_ns);

#endif
