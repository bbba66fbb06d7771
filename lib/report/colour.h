/* Terminal colour, decided per stream:
 * --color > NO_COLOR > CLICOLOR_FORCE > TERM=dumb > isatty. */
#ifndef PK_REPORT_COLOUR_H
#define PK_REPORT_COLOUR_H

#include <stdbool.h>

typedef enum pk_colour_when { PK_COLOUR_AUTO, PK_COLOUR_ALWAYS, PK_COLOUR_NEVER } pk_colour_when;

typedef struct pk_terminal_env { /* what the caller read from its environment; NULL: unset */
    const char *no_color, *clicolor_force, *term;
} pk_terminal_env;

bool pk_colour_decide(pk_colour_when when, const pk_terminal_env *env, bool is_tty);

typedef enum pk_style {
    PK_PLAIN,
    PK_BOLD,
    PK_HEADING, /* bold, underlined */
    PK_DIM,
    PK_GREEN,
    PK_YELLOW,
    PK_RED,
    PK_CYAN,
    PK_BLUE,
    PK_MAGENTA,
    PK_BOLD_GREEN,
    PK_BOLD_RED,
} pk_style;
/* The SGR sequence that starts / ends a style; "" when colour is off or the style is plain. */
const char *pk_style_on(bool colour, pk_style style);
const char *pk_style_off(bool colour, pk_style style);

#endif
