/* Cells of tables about profiles: weights in one unit, shares, names that fit in the line. */
#ifndef PK_PROFILE_CELLS_H
#define PK_PROFILE_CELLS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "report/quantity.h"
#include "report/table.h"

typedef struct pk_cells {
    pk_table *table;
    bool time;    /* weights are ns, and shown in `unit`; else they are whole numbers */
    pk_unit unit; /* that suits the largest of the table */
    int room;     /* cells for a name; 0: as many as it has */
} pk_cells;

/* aligns as pk_table_new takes them. largest: of the weights. width: of the terminal, 0: no limit;
 * taken: what the other columns need of it at most. */
pk_cells pk_cells_begin(const char *aligns, bool time, uint64_t largest, int width, int taken);
/* Writes the table and frees it. */
bool pk_cells_end(pk_cells *cells, FILE *out, bool colour, pk_err *err) PK_MUST_CHECK;

void pk_cells_heading(pk_cells *cells, const char *text);
/* "self ms": with the unit behind, where it is a time. */
void pk_cells_weight_heading(pk_cells *cells, const char *text);
void pk_cells_weight(pk_cells *cells, uint64_t weight);
void pk_cells_share(pk_cells *cells, double share); /* "12.34 %"; NaN: "-" */
/* Escaped, and cut to the room there is; `behind` is not cut. */
void pk_cells_name(pk_cells *cells, pk_style style, const char *name, const char *behind);
void pk_cells_none(pk_cells *cells, const char *text); /* dim */

#endif
