#include "profile/cells.h"

#include <math.h>
#include <string.h>

#include "base/strbuf.h"
#include "base/units.h"
#include "report/escape.h"
#include "report/utf8.h"

#define NAME_BYTES_MAX (1u << 20)
#define NAME_CELLS_MIN 20
#define TIME_DECIMALS 2

pk_cells pk_cells_begin(const char *aligns, bool time, uint64_t largest, int width, int taken) {
    pk_cells cells = {.table = pk_table_new(aligns), .time = time};
    cells.unit = pk_unit_for(PK_Q_TIME, (double)largest);
    if (width > 0) cells.room = width - taken < NAME_CELLS_MIN ? NAME_CELLS_MIN : width - taken;
    return cells;
}

bool pk_cells_end(pk_cells *cells, FILE *out, bool colour, pk_err *err) {
    bool ok = pk_table_write(out, cells->table, 0, colour);
    pk_table_free(cells->table);
    cells->table = NULL;
    if (!ok) pk_fail(err, PK_E_SYS, NULL, "cannot write the table");
    return ok;
}

void pk_cells_heading(pk_cells *cells, const char *text) {
    pk_table_cell(cells->table, PK_BOLD, "%s", text);
}

void pk_cells_weight_heading(pk_cells *cells, const char *text) {
    if (cells->time) pk_table_cell(cells->table, PK_BOLD, "%s %s", text, cells->unit.name);
    else pk_cells_heading(cells, text);
}

void pk_cells_weight(pk_cells *cells, uint64_t weight) {
    char text[PK_QUANTITY_MAX];
    int decimals = cells->unit.factor > 1 ? TIME_DECIMALS : 0;
    if (cells->time)
        pk_table_cell(
            cells->table, PK_PLAIN, "%s",
            pk_quantity_fixed(text, sizeof text, PK_Q_TIME, (double)weight, cells->unit, decimals));
    else pk_table_cell(cells->table, PK_PLAIN, "%llu", (unsigned long long)weight);
}

void pk_cells_share(pk_cells *cells, double share) {
    if (isfinite(share)) pk_table_cell(cells->table, PK_PLAIN, "%.2f %%", 100 * share);
    else pk_cells_none(cells, "-");
}

void pk_cells_name(pk_cells *cells, pk_style style, const char *name, const char *behind) {
    static const char dots[] = "..";
    pk_strbuf safe;
    pk_strbuf_init(&safe, NAME_BYTES_MAX);
    pk_escape_terminal(&safe, name, strlen(name));
    int room = cells->room - (int)strlen(behind), used;
    if (room < NAME_CELLS_MIN) room = NAME_CELLS_MIN;
    size_t fits = pk_utf8_fit(safe.data, safe.length, room, &used);
    if (cells->room == 0 || fits == safe.length)
        pk_table_cell(cells->table, style, "%s%s", safe.data, behind);
    else {
        fits = pk_utf8_fit(safe.data, safe.length, room - (int)strlen(dots), &used);
        pk_table_cell(cells->table, style, "%.*s%s%s", (int)fits, safe.data, dots, behind);
    }
    pk_strbuf_fini(&safe);
}

void pk_cells_none(pk_cells *cells, const char *text) {
    pk_table_cell(cells->table, PK_DIM, "%s", text);
}
