#include "cmd/terminal.h"

#include <stdlib.h>
#include <unistd.h>
#include "base/units.h"
#include "report/progress.h"

#define COLUMNS_USUAL 80
#define COLUMNS_MAX 10000

int pk_help_columns(FILE *out) {
    int64_t columns;
    pk_err ignored;
    const char *asked = getenv("COLUMNS");
    if (asked && pk_parse_int(asked, 1, COLUMNS_MAX, &columns, &ignored)) return (int)columns;
    return pk_terminal_columns(fileno(out), COLUMNS_USUAL);
}

bool pk_terminal_colour(FILE *out, pk_colour_when when) {
    pk_terminal_env env = {.no_color = getenv("NO_COLOR"),
                           .clicolor_force = getenv("CLICOLOR_FORCE"),
                           .term = getenv("TERM")};
    return pk_colour_decide(when, &env, isatty(fileno(out)));
}
