/* Results of whole commands as text, in hyperfine's export formats, and as a page. */
#ifndef PK_BENCH_COMMAND_RENDER_H
#define PK_BENCH_COMMAND_RENDER_H

#include <stdio.h>

#include "base/strbuf.h"
#include "bench/command.h"
#include "report/colour.h"

typedef enum pk_time_unit {
    PK_UNIT_AUTO,
    PK_UNIT_MICROSECOND,
    PK_UNIT_MILLISECOND,
    PK_UNIT_SECOND
} pk_time_unit;

typedef enum pk_command_sort {
    PK_SORT_AUTO, /* summary by mean, tables in the order of the commands */
    PK_SORT_COMMAND,
    PK_SORT_MEAN
} pk_command_sort;

typedef struct pk_command_style {
    bool colour;
    bool hyperfine; /* hyperfine's lines and nothing else */
    bool compact;   /* one line per command */
    bool histogram;
    pk_time_unit unit;
    pk_command_sort sort;
    int width; /* of the terminal */
} pk_command_style;

/* "Benchmark N: NAME" */
void pk_command_render_start(const pk_command_case *of, size_t index, const pk_command_style *style,
                             pk_strbuf *out);
/* The lines of one command. Its warnings follow, then pk_command_render_end. */
void pk_command_render_result(const pk_command_report *report, size_t index,
                              const pk_command_style *style, pk_strbuf *out);
/* The warnings of one command, as hyperfine puts them on stderr. */
void pk_command_render_warnings(const pk_command_report *report, size_t index,
                                const pk_command_options *options, const pk_command_style *style,
                                pk_strbuf *out);
/* One line on what goes on, for a terminal: "12/30 runs, about 3 s left, median 100.5 .. 101.3 ms:
 * NAME". Cut to fit. */
void pk_command_render_progress(char *line, size_t bytes, const pk_command_progress *progress);
/* What separates a command from the next: a line with one blank; nothing in the compact style. */
void pk_command_render_end(const pk_command_style *style, pk_strbuf *out);
/* What compares the commands; empty for one. *note: hyperfine's note that nothing can be compared
 * (for stderr), empty otherwise. */
void pk_command_render_summary(const pk_command_report *report, const pk_command_style *style,
                               pk_strbuf *out, pk_strbuf *note);

typedef enum pk_command_export {
    PK_EXPORT_JSON,
    PK_EXPORT_CSV,
    PK_EXPORT_MARKDOWN,
    PK_EXPORT_ASCIIDOC,
    PK_EXPORT_ORG,
    PK_EXPORT_CSV_RUNS, /* one row per run, everything known of it */
    PK_EXPORTS
} pk_command_export;
/* The whole document for the results so far, in hyperfine's exact format (JSON: its keys, ours may
 * be added to each result; CSV_RUNS is ours). */
bool pk_command_export_text(const pk_command_report *report, pk_command_export format,
                            const pk_command_style *style, pk_strbuf *out,
                            pk_err *err) PK_MUST_CHECK;
/* Our own document, schema "time/1" (docs/time.schema.json). */
bool pk_command_json(const pk_command_report *report, pk_strbuf *out, pk_err *err) PK_MUST_CHECK;
/* One self-contained page. */
bool pk_command_page(const pk_command_report *report, pk_strbuf *out, pk_err *err) PK_MUST_CHECK;

#endif
