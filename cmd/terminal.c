#include "cmd/terminal.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "base/units.h"
#include "report/escape.h"
#include "report/progress.h"

#define COLUMNS_USUAL 80
#define COLUMNS_MAX 10000
#define LINE_BYTES_MAX (64u << 10)

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

void pk_terminal_tail(FILE *out, const char *output) {
    pk_strbuf text;
    pk_strbuf_init(&text, LINE_BYTES_MAX);
    for (size_t length; (length = strcspn(output, "\n")) > 0 || *output; output += length) {
        pk_strbuf_clear(&text);
        pk_escape_terminal(&text, output, length);
        fprintf(out, "  | %s\n", text.data);
        length += output[length] == '\n';
    }
    pk_strbuf_fini(&text);
}
