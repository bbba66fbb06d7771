#include "cli/help.h"

#include <string.h>
#include "base/strbuf.h"
#include "base/version.h"
#include "cli/describe.h"
#include "cli/example.h"
#include "cli/text.h"
#include "cli/walk.h"

#define COLUMNS_MIN 40  /* below that, wrapping makes a column of single words */
#define COLUMNS_MAX 100 /* longer lines are hard to read */
#define LEFT_MAX 30     /* names wider than that stand on a line of their own */
#define RIGHT_MIN 28    /* with less room for descriptions, all names do */
#define LINE_MAX_BYTES 4096

typedef struct page {
    FILE *out;
    size_t columns;
    bool colour;
} page;

static page make_page(FILE *out, int columns, bool colour) {
    int bounded = columns < COLUMNS_MIN   ? COLUMNS_MIN
                  : columns > COLUMNS_MAX ? COLUMNS_MAX
                                          : columns;
    return (page){.out = out, .columns = (size_t)bounded, .colour = colour};
}

static const char *bold(const page *p) {
    return p->colour ? "\033[1m" : "";
}

static const char *underlined(const page *p) {
    return p->colour ? "\033[1;4m" : "";
}

static const char *plain(const page *p) {
    return p->colour ? "\033[0m" : "";
}

static void heading(const page *p, const char *text) {
    fprintf(p->out, "\n%s%s:%s\n", underlined(p), text, plain(p));
}

/* "-c, --connections <number>", without indentation. */
static void name_of(pk_strbuf *sb, const pk_opt *row) {
    if (row->flags & PK_OPT_POSITIONAL) {
        pk_strbuf_add_str(sb, row->name);
        return;
    }
    if (row->letter) pk_strbuf_addf(sb, "-%c, ", row->letter);
    else pk_strbuf_add_str(sb, "    ");
    pk_strbuf_addf(sb, "--%s", row->name);
    char value[128];
    pk_strbuf_add_str(sb, pk_describe_value(row, value, sizeof value));
}

static void write_row(const page *p, const pk_opt *row, size_t left) {
    pk_strbuf sb;
    pk_strbuf_init(&sb, LINE_MAX_BYTES);
    name_of(&sb, row);
    size_t at = 2 + pk_text_width(sb.data);
    fprintf(p->out, "  %s%s%s", bold(p), sb.data, plain(p));
    if (at + 2 > left) {
        fputc('\n', p->out);
        at = 0;
    }
    fprintf(p->out, "%*s", (int)(left - at), "");
    pk_strbuf_clear(&sb);
    pk_strbuf_addf(&sb, "%s [", row->help);
    size_t before = sb.length;
    pk_describe_limits(&sb, row);
    if (sb.length > before) pk_strbuf_add_char(&sb, ']');
    pk_text_wrap(p->out, sb.length > before ? sb.data : row->help, left, left, p->columns);
    pk_strbuf_fini(&sb);
}

/* The column where descriptions start, the same for all groups. */
static size_t left_columns(const page *p, const pk_command *command) {
    size_t widest = 0;
    pk_strbuf sb;
    pk_strbuf_init(&sb, LINE_MAX_BYTES);
    for (int i = 0; i < 2; i++) {
        for (const pk_opt *row = i ? pk_common_opts : command->opts; row && row->name; row++) {
            pk_strbuf_clear(&sb);
            name_of(&sb, row);
            size_t width = pk_text_width(sb.data);
            if (!(row->flags & PK_OPT_HIDDEN) && width <= LEFT_MAX && width > widest)
                widest = width;
        }
    }
    pk_strbuf_fini(&sb);
    return 2 + widest + 2 + RIGHT_MIN > p->columns ? 8 : 2 + widest + 2;
}

static void write_examples(const page *p, const pk_command *command, const char *name) {
    char line[LINE_MAX_BYTES];
    if (!command->examples || !command->examples->line) return;
    heading(p, "Examples");
    for (const pk_example *e = command->examples; e->line; e++) {
        fprintf(p->out, "  %s%s%s\n      ", bold(p),
                pk_example_line(command, name, e, line, sizeof line), plain(p));
        pk_text_wrap(p->out, e->what, 6, 6, p->columns);
    }
}

void pk_help_command(FILE *out, const pk_command *command, const char *name, int columns,
                     bool colour) {
    page p = make_page(out, columns, colour);
    const char *groups[PK_GROUPS_MAX];
    size_t left = left_columns(&p, command);
    fprintf(out, "%s%s%s: ", bold(&p), name, plain(&p));
    pk_text_wrap(out, command->summary, pk_text_width(name) + 2, 0, p.columns);
    fprintf(out, "\nUsage: %s%s%s ", bold(&p), name, plain(&p));
    pk_text_wrap(out, command->usage ? command->usage : "", pk_text_width(name) + 8, 7, p.columns);
    write_examples(&p, command, name);
    size_t n = pk_describe_groups(command, groups);
    for (size_t i = 0; i < n; i++) {
        heading(&p, groups[i]);
        for (const pk_opt *row = command->opts; row->name; row++)
            if (pk_describe_in_group(row, groups[i])) write_row(&p, row, left);
    }
    heading(&p, pk_common_opts->group);
    for (const pk_opt *row = pk_common_opts; row->name; row++) write_row(&p, row, left);
    if (!command->hidden) fprintf(out, "\nMore: man perfkit-%s\n", command->name);
}

static void write_tool(const page *p, const pk_command *command, size_t left, bool example) {
    fprintf(p->out, "  %s%-*s%s  ", bold(p), (int)left, command->name, plain(p));
    pk_text_wrap(p->out, command->summary, left + 4, left + 4, p->columns);
    if (example && command->examples && command->examples->line)
        fprintf(p->out, "  %*s  %s\n", (int)left, "", command->examples->line);
}

void pk_help_tools(FILE *out, const pk_command *const commands[], int columns, bool colour) {
    page p = make_page(out, columns, colour);
    size_t left = 0;
    for (size_t i = 0; commands[i]; i++) {
        size_t width = strlen(commands[i]->name);
        if (!commands[i]->hidden && width > left) left = width;
    }
    fprintf(out, "perfkit %s: measure, load and profile programs on Linux\n", PK_VERSION);
    for (int helper = 0; helper < 2; helper++) {
        heading(&p, helper ? "Helpers" : "Tools, each with an example");
        for (size_t i = 0; commands[i]; i++)
            if (pk_describe_listed(commands[i], helper)) write_tool(&p, commands[i], left, !helper);
    }
    fprintf(out, "\nAll options of a tool: perfkit TOOL --help\n");
}
