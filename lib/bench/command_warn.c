/* Warnings of one command. Which there are, and in which order, is hyperfine's; the words are ours.
 * Advice depends on what was already done: nobody is told to try what they use. In our own style
 * what pk_command_analyse found stands in the place of hyperfine's about failures and outliers. */
#include "bench/command_render.h"

#include <math.h>
#include <string.h>

#include "bench/command_render_parts.h"
#include "bench/command_text_own.h"
#include "report/escape.h"

static void warn(pk_strbuf *out, bool colour, const char *text) {
    if (out->length == 0) pk_strbuf_add_str(out, " \n");
    pk_strbuf_add_str(out, "  ");
    pk_command_span(out, colour, PK_YELLOW, "Warning");
    pk_strbuf_add_str(out, ": ");
    pk_escape_terminal(out, text, strlen(text));
    pk_strbuf_add_char(out, '\n');
}

static void too_short(bool colour, pk_strbuf *out) {
    warn(out, colour,
         "some runs took less than 5 ms, which a shell's own start, taken off them, is too "
         "uncertain for. Use --shell=none (-N) if the command needs no shell.");
}

static void first_run(const pk_command_result *r, bool warmed, bool prepared, bool colour,
                      pk_strbuf *out) {
    static const char *const advice[2][2] = {
        /* [warm-up][prepare] */
        {"Fill them first with --warmup, or empty them before each run with --prepare.",
         "Let --prepare do all that a run needs, or fill caches first with --warmup."},
        {"More warm-up runs, or --prepare to start each run alike, may help.",
         "Both --warmup and --prepare are in use: more warm-up runs, or a quieter machine."},
    };
    char time[PK_COMMAND_TEXT_MAX], text[PK_COMMAND_WORDS_MAX];
    pk_command_unit unit = pk_command_unit_for(PK_UNIT_AUTO, r->first_run_s);
    snprintf(text, sizeof text,
             "the first run (%s) was much slower than the others, as if caches had been empty. %s",
             pk_command_time(time, r->first_run_s, unit), advice[warmed][prepared]);
    warn(out, colour, text);
}

static void outliers(bool warmed, bool prepared, bool colour, pk_strbuf *out) {
    static const char *const advice[2][2] = {
        {" --warmup or --prepare may help too.", " --warmup may help too."},
        {" --prepare may help too.", ""}};
    char text[PK_COMMAND_WORDS_MAX];
    snprintf(text, sizeof text,
             "some runs lie far from the others: something else was at work. Measure again on a "
             "quiet machine.%s",
             advice[warmed][prepared]);
    warn(out, colour, text);
}

/* What the first failed run said, indented. */
static void failure_output(const pk_command_failure *failure, bool colour, pk_strbuf *out) {
    if (!failure || !failure->output[0]) return;
    warn(out, colour, failure->what);
    pk_strbuf_add_str(out, failure->cut ? "    [...]\n" : "");
    for (const char *line = failure->output; *line;) {
        size_t bytes = strcspn(line, "\n");
        pk_strbuf_add_str(out, "    ");
        pk_escape_terminal(out, line, bytes);
        pk_strbuf_add_char(out, '\n');
        line += bytes + (line[bytes] == '\n');
    }
}

void pk_command_render_warnings(const pk_command_report *report, size_t index,
                                const pk_command_options *options, const pk_command_style *style,
                                pk_strbuf *out) {
    const pk_command_result *r = &report->results[index];
    bool warmed = options->warmup > 0, prepared = options->prepares.count > 0;
    pk_strbuf own;
    pk_strbuf_init(&own, out->max_bytes);
    if (r->below_5ms) too_short(style->colour, &own);
    if (style->hyperfine && r->n_failed > 0)
        warn(&own, style->colour, "non-zero exit codes are ignored.");
    if (r->first_run_slow) first_run(r, warmed, prepared, style->colour, &own);
    else if (style->hyperfine && r->has_outliers) outliers(warmed, prepared, style->colour, &own);
    if (!style->hyperfine) {
        failure_output(r->first_failure, style->colour, &own);
        for (size_t i = 0; i < r->n_warnings; i++) warn(&own, style->colour, r->warnings[i]);
    }
    if (own.failed) out->failed = true;
    pk_strbuf_add_str(out, own.data);
    pk_strbuf_fini(&own);
}
