/* Plain text tables: columns aligned by display width, never by bytes. */
#ifndef PK_REPORT_TABLE_H
#define PK_REPORT_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include "base/error.h"
#include "report/colour.h"

typedef struct pk_table pk_table;

/* aligns: one 'l' or 'r' per column ("lrr"). NULL when out of memory; the others then do nothing,
 * and pk_table_write says false. */
pk_table *pk_table_new(const char *aligns);
void pk_table_free(pk_table *table);
/* The next cell in row order (copied): one line of plain text, escaped by the caller where it comes
 * from outside. The style is around the text, not the padding. */
void pk_table_cell(pk_table *table, pk_style style, const char *fmt, ...) PK_PRINTF(3, 4);
/* indent blanks before each row, two blanks between columns, no trailing blanks. False when out
 * of memory earlier, when the last row is not full (then nothing is written), or when `out` has
 * an error; it is not flushed.
 * A table without cells writes nothing. */
bool pk_table_write(FILE *out, const pk_table *table, int indent, bool colour) PK_MUST_CHECK;

#endif
