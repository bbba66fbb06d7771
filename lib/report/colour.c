#include "report/colour.h"

#include <string.h>

bool pk_colour_decide(pk_colour_when when, const pk_terminal_env *env, bool is_tty) {
    if (when != PK_COLOUR_AUTO) return when == PK_COLOUR_ALWAYS;
    if (env->no_color && env->no_color[0]) return false;
    if (env->clicolor_force && env->clicolor_force[0] && strcmp(env->clicolor_force, "0") != 0)
        return true;
    if (env->term && strcmp(env->term, "dumb") == 0) return false;
    return is_tty;
}

const char *pk_style_on(bool colour, pk_style style) {
    static const char *const sgr[] = {
        [PK_PLAIN] = "",           [PK_BOLD] = "\033[1m",          [PK_HEADING] = "\033[1;4m",
        [PK_DIM] = "\033[2m",      [PK_GREEN] = "\033[32m",        [PK_YELLOW] = "\033[33m",
        [PK_RED] = "\033[31m",     [PK_CYAN] = "\033[36m",         [PK_BLUE] = "\033[34m",
        [PK_MAGENTA] = "\033[35m", [PK_BOLD_GREEN] = "\033[1;32m", [PK_BOLD_RED] = "\033[1;31m",
    };
    return colour ? sgr[style] : "";
}

const char *pk_style_off(bool colour, pk_style style) {
    return colour && style != PK_PLAIN ? "\033[0m" : "";
}
