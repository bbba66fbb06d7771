/* Plain text tables: columns aligned by display width, never by bytes. */
#ifndef PK_REPORT_TABLE_H
#define PK_REPORT_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include "base/error.h"
#include "report/colour.h"

typedef struct pk_table pk_table;

/* aligns: one 'l' or 'r' per column ("lrr"). NULL when out of memory. */
pk_table *pk_table_new(const char *aligns);
void pk_table_free(pk_table *table);
/* The next cell in row order (copied). */
void pk_table_cell(pk_table *table, pk_style style, const char *fmt, ...) PK_PRINTF(3, 4);
/* indent blanks before each row, two blanks between columns, no trailing blanks. False when out
 * of memory earlier or when the last row is not full. */
bool pk_table_write(FILE *out, const pk_table *table, int indent, bool colour) PK_MUST_CHECK;

#endif
