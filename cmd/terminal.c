#include "cmd/terminal.h"

#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include "base/units.h"

#define COLUMNS_USUAL 80
#define COLUMNS_MAX 10000

int pk_terminal_columns(FILE *out) {
    struct winsize size;
    int64_t columns;
    pk_err ignored;
    const char *asked = getenv("COLUMNS");
    if (asked && pk_parse_int(asked, 1, COLUMNS_MAX, &columns, &ignored)) return (int)columns;
    if (isatty(fileno(out)) && ioctl(fileno(out), TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
        return size.ws_col;
    return COLUMNS_USUAL;
}

bool pk_terminal_colour(FILE *out, pk_colour_when when) {
    pk_terminal_env env = {.no_color = getenv("NO_COLOR"),
                           .clicolor_force = getenv("CLICOLOR_FORCE"),
                           .term = getenv("TERM")};
    return pk_colour_decide(when, &env, isatty(fileno(out)));
}
