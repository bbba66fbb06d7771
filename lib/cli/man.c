#include <string.h>
#include "base/strbuf.h"
#include "base/version.h"
#include "cli/describe.h"
#include "cli/help.h"
#include "cli/roff.h"
#include "cli/walk.h"

#define LINE_MAX_BYTES 4096

/* Upper case of ASCII alone: page names must not depend on the locale. */
static void write_upper(FILE *out, const char *text) {
    for (; *text; text++) {
        if (*text == '-') fputs("\\-", out);
        else fputc(*text >= 'a' && *text <= 'z' ? *text - 'a' + 'A' : *text, out);
    }
}

/* No date, so that the same source always gives the same page; the version stands in the footer. */
static void write_head(FILE *out, const char *page, const char *summary) {
    fputs(".TH ", out);
    write_upper(out, page);
    fprintf(out, " 1 \"\" \"perfkit %s\" \"User Commands\"\n", PK_VERSION);
    pk_roff_section(out, "NAME");
    pk_roff_text(out, page, true);
    fputs(" \\- ", out);
    pk_roff_text(out, summary, false);
    fputc('\n', out);
}

/* As pk_describe_value, with the names in italics in place of brackets. */
static void write_value(FILE *out, const pk_opt *row) {
    char text[128];
    pk_describe_value(row, text, sizeof text);
    for (char *p = text, mark; *p; p += mark != '\0') {
        char *end = p + strcspn(p, "<>");
        mark = *end;
        *end = '\0';
        pk_roff_text(out, p, false);
        if (mark) fputs(mark == '<' ? "\\fI" : "\\fR", out);
        p = end;
    }
}

static void write_option_names(FILE *out, const pk_opt *row) {
    if (row->flags & PK_OPT_POSITIONAL) {
        fputs("\\fI", out);
        pk_roff_text(out, row->name, false);
        fputs("\\fR\n", out);
        return;
    }
    if (row->letter) fprintf(out, "\\fB\\-%c\\fR, ", row->letter);
    fputs("\\fB\\-\\-", out);
    pk_roff_text(out, row->name, false);
    fputs("\\fR", out);
    write_value(out, row);
    fputc('\n', out);
}

/* A sentence from a help line: capital and full stop added. */
static void write_sentence(FILE *out, const char *text) {
    char first[2] = {text[0], '\0'};
    if (text[0] >= 'a' && text[0] <= 'z') first[0] = (char)(text[0] - 'a' + 'A');
    pk_roff_text(out, first, true);
    pk_roff_text(out, text[0] ? text + 1 : "", false);
    fputs(".\n", out);
}

static void write_names(FILE *out, const char *what, const char *names) {
    size_t length;
    const char *between = what;
    for (const char *name; (name = pk_name_next(&names, &length)); between = ", ") {
        char copy[80];
        snprintf(copy, sizeof copy, "%.*s", (int)length, name);
        fprintf(out, "%s\\fB\\-\\-", between);
        pk_roff_text(out, copy, false);
        fputs("\\fR", out);
    }
    if (between != what) fputs(".\n", out);
}

static void write_values(FILE *out, const pk_opt *row) {
    if (!row->value_help) return;
    fputs(".RS\n", out);
    for (size_t i = 0; row->values[i]; i++) {
        fputs(".TP\n\\fB", out);
        pk_roff_text(out, row->values[i], false);
        fputs("\\fR\n", out);
        pk_roff_text(out, row->value_help[i], true);
        fputc('\n', out);
    }
    fputs(".RE\n", out);
}

static void write_row(FILE *out, const pk_opt *row) {
    pk_strbuf sb;
    pk_strbuf_init(&sb, LINE_MAX_BYTES);
    fputs(".TP\n", out);
    write_option_names(out, row);
    pk_strbuf_addf(&sb, "%s (", row->help);
    size_t before = sb.length;
    pk_describe_limits(&sb, row);
    if (sb.length > before) pk_strbuf_add_char(&sb, ')');
    write_sentence(out, sb.length > before ? sb.data : row->help);
    pk_strbuf_fini(&sb);
    if (row->details) {
        pk_roff_text(out, row->details, true);
        fputc('\n', out);
    }
    write_names(out, "Not together with ", row->conflicts);
    write_names(out, "Needs ", row->needs);
    write_values(out, row);
}

static void write_options(FILE *out, const pk_command *command) {
    const char *groups[PK_GROUPS_MAX];
    size_t n = pk_describe_groups(command, groups);
    pk_roff_section(out, "OPTIONS");
    for (size_t i = 0; i < n; i++) {
        fputs(".SS \"", out);
        pk_roff_text(out, groups[i], false);
        fputs("\"\n", out);
        for (const pk_opt *row = command->opts; row->name; row++)
            if (pk_describe_in_group(row, groups[i])) write_row(out, row);
    }
    fprintf(out, ".SS \"%s\"\n", pk_common_opts->group);
    for (const pk_opt *row = pk_common_opts; row->name; row++) write_row(out, row);
}

static void write_examples(FILE *out, const pk_example *example) {
    if (!example || !example->line) return;
    pk_roff_section(out, "EXAMPLES");
    for (; example->line; example++) {
        fputs(".TP\n\\fB", out);
        pk_roff_text(out, example->line, false);
        fputs("\\fR\n", out);
        write_sentence(out, example->what);
    }
}

static const pk_section *find_section(const pk_command *command, const char *title) {
    for (const pk_section *s = command->sections; s && s->title; s++)
        if (strcmp(s->title, title) == 0) return s;
    return NULL;
}

static void write_description(FILE *out, const pk_command *command) {
    const pk_section *own = find_section(command, "DESCRIPTION");
    pk_roff_section(out, "DESCRIPTION");
    if (own) pk_roff_paragraphs(out, own->text);
    else write_sentence(out, command->summary);
}

static const char exit_text[] =
    "* 0: done.\n\n"
    "* 1: the measurement gave a verdict, such as a gate that failed.\n\n"
    "* 2: the command line is wrong, an input cannot be used, or the "
    "tool cannot start; one line on standard error says what, where "
    "and how to fix it.\n\n"
    "* 130: ended by Ctrl-C; a result that was cut short is printed "
    "and marked as partial.\n";

static void write_exits(FILE *out, const pk_command *command) {
    const pk_section *own = find_section(command, "EXIT STATUS");
    pk_roff_section(out, "EXIT STATUS");
    pk_roff_paragraphs(out, own ? own->text : exit_text);
    for (size_t i = 0; command->peers && command->peer_exits && command->peers[i]; i++) {
        fputs(".PP\nCalled as \\fB", out);
        pk_roff_text(out, command->peers[i], false);
        fputs("\\fR:\n", out);
        pk_roff_text(out, command->peer_exits[i], true);
        fputc('\n', out);
    }
}

static void write_see_also(FILE *out, const pk_command *const commands[], const pk_command *self) {
    const char *between = "";
    pk_roff_section(out, "SEE ALSO");
    if (self) {
        fputs("\\fBperfkit\\fR(1)", out);
        between = ", ";
    }
    for (; *commands; commands++) {
        if (*commands == self || (*commands)->hidden) continue;
        fprintf(out, "%s\\fBperfkit\\-", between);
        pk_roff_text(out, (*commands)->name, false);
        fputs("\\fR(1)", out);
        between = ", ";
    }
    fputc('\n', out);
}

void pk_man_command(FILE *out, const pk_command *const commands[], const pk_command *command) {
    static const char *const placed[] = {"DESCRIPTION", "EXIT STATUS"};
    char page[80];
    snprintf(page, sizeof page, "perfkit-%s", command->name);
    write_head(out, page, command->summary);
    pk_roff_section(out, "SYNOPSIS");
    fprintf(out, "\\fBperfkit %s\\fR ", command->name);
    pk_roff_text(out, command->usage ? command->usage : "", false);
    fputc('\n', out);
    write_description(out, command);
    write_options(out, command);
    write_examples(out, command->examples);
    for (const pk_section *s = command->sections; s && s->title; s++) {
        if (strcmp(s->title, placed[0]) == 0 || strcmp(s->title, placed[1]) == 0) continue;
        pk_roff_section(out, s->title);
        pk_roff_paragraphs(out, s->text);
    }
    write_exits(out, command);
    write_see_also(out, commands, command);
}

void pk_man_tools(FILE *out, const pk_command *const commands[]) {
    write_head(out, "perfkit", "measure, load and profile programs on Linux");
    pk_roff_section(out, "SYNOPSIS");
    fputs("\\fBperfkit\\fR \\fITOOL\\fR [\\fIoptions\\fR] ...\n.br\n"
          "\\fBperfkit help\\fR [\\fITOOL\\fR]\n",
          out);
    pk_roff_section(out, "DESCRIPTION");
    pk_roff_paragraphs(out, "One program with the tools of the whole performance loop. Each has a "
                            "page of its own, perfkit-TOOL(1), and explains itself with --help.\n\n"
                            "A link named perfkit-TOOL runs that tool. A link with the name of a "
                            "peer runs the tool that understands that peer's command line.");
    for (int helper = 0; helper < 2; helper++) {
        pk_roff_section(out, helper ? "HELPERS" : "TOOLS");
        for (size_t i = 0; commands[i]; i++) {
            if (!pk_describe_listed(commands[i], helper)) continue;
            fprintf(out, ".TP\n\\fBperfkit %s\\fR\n", commands[i]->name);
            write_sentence(out, commands[i]->summary);
        }
    }
    pk_roff_section(out, "EXIT STATUS");
    pk_roff_paragraphs(out, exit_text);
    write_see_also(out, commands, NULL);
}
