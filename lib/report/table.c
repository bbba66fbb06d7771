#include "report/table.h"

#include <assert.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include "base/array.h"
#include "base/strbuf.h"
#include "report/progress.h"

enum {
    CELLS_MAX = 1 << 20,
    CELL_BYTES_MAX = 1 << 20,
    GAP = 2, /* blanks between columns */
};

typedef struct cell {
    char *text;
    int width;
    pk_style style;
} cell;

struct pk_table {
    size_t n_columns;
    pk_array cells; /* of cell, row by row */
    bool failed;
    char aligns[]; /* n_columns times 'l' or 'r', and a NUL */
};

pk_table *pk_table_new(const char *aligns) {
    size_t n_columns = strlen(aligns);
    assert(n_columns > 0 && strspn(aligns, "lr") == n_columns);
    pk_table *table = malloc(sizeof *table + n_columns + 1);
    if (!table) return NULL;
    *table = (pk_table){.n_columns = n_columns, .cells = PK_ARRAY(cell, CELLS_MAX)};
    memcpy(table->aligns, aligns, n_columns + 1);
    return table;
}

void pk_table_free(pk_table *table) {
    if (!table) return;
    for (size_t i = 0; i < table->cells.count; i++) free(PK_AT(&table->cells, cell, i).text);
    pk_array_fini(&table->cells);
    free(table);
}

void pk_table_cell(pk_table *table, pk_style style, const char *fmt, ...) {
    if (!table || table->failed) return;
    pk_strbuf text;
    pk_strbuf_init(&text, CELL_BYTES_MAX);
    va_list args;
    va_start(args, fmt);
    pk_strbuf_addv(&text, fmt, args);
    va_end(args);
    char *detached = pk_strbuf_detach(&text, NULL);
    cell *added = detached ? pk_array_push(&table->cells) : NULL;
    if (!added) {
        free(detached);
        table->failed = true;
        return;
    }
    *added = (cell){.text = detached, .width = pk_display_width(detached), .style = style};
}

/* Widest cell of a column. */
static int column_width(const pk_table *table, size_t column) {
    int width = 0;
    for (size_t i = column; i < table->cells.count; i += table->n_columns)
        if (PK_AT(&table->cells, cell, i).width > width)
            width = PK_AT(&table->cells, cell, i).width;
    return width;
}

static void write_row(FILE *out, const pk_table *table, size_t first, const int widths[],
                      int indent, bool colour) {
    int blanks = indent; /* owed: written only before text, so that none trail */
    for (size_t column = 0; column < table->n_columns; column++) {
        const cell *c = &PK_AT(&table->cells, cell, first + column);
        int padding = widths[column] - c->width;
        bool right = table->aligns[column] == 'r';
        if (right) blanks += padding;
        if (c->text[0]) {
            fprintf(out, "%*s%s%s%s", blanks, "", pk_style_on(colour, c->style), c->text,
                    pk_style_off(colour, c->style));
            blanks = 0;
        }
        blanks += GAP + (right ? 0 : padding);
    }
    putc('\n', out);
}

bool pk_table_write(FILE *out, const pk_table *table, int indent, bool colour) {
    if (!table || table->failed || table->cells.count % table->n_columns != 0) return false;
    int *widths = malloc(table->n_columns * sizeof *widths);
    if (!widths) return false;
    for (size_t column = 0; column < table->n_columns; column++)
        widths[column] = column_width(table, column);
    for (size_t i = 0; i < table->cells.count; i += table->n_columns)
        write_row(out, table, i, widths, indent, colour);
    free(widths);
    return !ferror(out);
}
