/* All figures of a report of commands. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>

#include "bench/command_parts.h"

#define SHORT_S 0.005      /* below it a shell's start is not measured well enough: hyperfine's */
#define OUTLIERS_MANY 0.05 /* share of runs from which they are worth a word */

/* ---- warnings ---- */

enum { WARNINGS_MAX = 2, WARNING_BYTES = 200 };

/* One per result, filled anew each time. */
typedef struct pk_command_lines {
    const char *line[WARNINGS_MAX];
    char text[WARNINGS_MAX][WARNING_BYTES];
} pk_command_lines;

static char *next_line(pk_command_result *result) {
    size_t i = result->n_warnings++;
    result->lines->line[i] = result->lines->text[i];
    return result->lines->text[i];
}

/* Failed runs are counted: whoever shows the result says so. */
static void warn_runs(pk_command_result *r) {
    if ((double)r->outliers > OUTLIERS_MANY * (double)r->wall.n)
        snprintf(next_line(r), WARNING_BYTES,
                 "%zu of %zu runs are outliers: trust the median more than the mean", r->outliers,
                 r->wall.n);
    if (r->below_shell)
        snprintf(next_line(r), WARNING_BYTES,
                 "less is left of it than was taken off for the shell; -N runs it without one");
}

static bool warn(const pk_command_report *report, pk_command_result *r) {
    if (!r->lines) r->lines = PK_NEW(report->arena, 1, pk_command_lines);
    if (!r->lines) return false;
    r->warnings = r->lines->line;
    r->n_warnings = 0;
    warn_runs(r);
    return true;
}

/* ---- one command ---- */

static void count_failures(pk_command_result *r) {
    r->n_failed = r->n_timed_out = 0;
    for (size_t i = 0; i < r->n_runs; i++) {
        r->n_failed += r->runs[i].failed || r->runs[i].timed_out;
        r->n_timed_out += r->runs[i].timed_out;
    }
}

static bool analyse_one(const pk_command_options *options, const pk_command_report *report,
                        pk_command_result *r) {
    pk_command_figures *const all[PK_COMMAND_METRICS] = {
        [PK_COMMAND_WALL] = &r->wall, [PK_COMMAND_CPU] = &r->cpu,
        [PK_COMMAND_USER] = &r->user, [PK_COMMAND_SYSTEM] = &r->system,
        [PK_COMMAND_RSS] = &r->rss,   [PK_COMMAND_INSTRUCTIONS] = &r->instructions,
    };
    count_failures(r);
    for (size_t m = 0; m < PK_COMMAND_METRICS; m++)
        if (!pk_command_summarize(options, r, (pk_command_metric)m, all[m])) return false;
    if (!pk_command_find_outliers(options, r)) return false;
    r->below_5ms = r->of->through_shell && r->wall.min < SHORT_S;
    r->below_shell = r->of->through_shell && r->wall.mean < report->shell_s;
    r->ratio = r->ratio_sd = NAN;
    r->is_fastest = r->is_reference = false;
    r->change[0] = r->change[1] = (pk_command_change){0};
    return warn(report, r);
}

/* ---- all ---- */

/* The smallest mean; n_results where none has one. */
static size_t fastest_of(const pk_command_report *report, pk_command_metric metric) {
    size_t best = report->n_results;
    double least = INFINITY;
    for (size_t i = 0; i < report->n_results; i++) {
        double mean = pk_command_figures_of(&report->results[i], metric)->mean;
        if (!(mean < least)) continue;
        least = mean;
        best = i;
    }
    return best;
}

static size_t reference_of(const pk_command_report *report, size_t fastest) {
    for (size_t i = 0; i < report->n_results; i++)
        if (report->results[i].of->reference) return i;
    return fastest < report->n_results ? fastest : 0;
}

static bool compare_all(const pk_command_options *options, pk_command_report *report) {
    const pk_command_result *reference = &report->results[report->reference];
    const pk_command_figures *base = pk_command_figures_of(reference, options->metric);
    for (size_t i = 0; i < report->n_results; i++) {
        pk_command_result *r = &report->results[i];
        if (r == reference) {
            r->ratio = base->mean > 0 ? 1 : NAN;
            continue;
        }
        pk_command_ratio(pk_command_figures_of(r, options->metric), base, &r->ratio, &r->ratio_sd);
        if (!pk_command_compare(options, r, reference, report->rounds, options->metric,
                                &r->change[0]) ||
            !pk_command_compare(options, r, reference, report->rounds, PK_COMMAND_CPU,
                                &r->change[1]))
            return false;
    }
    return true;
}

bool pk_command_analyse(const pk_command_options *options, pk_command_report *report, pk_err *err) {
    bool ok = true;
    report->options = options;
    for (size_t i = 0; i < report->n_results && ok; i++)
        ok = analyse_one(options, report, &report->results[i]);
    if (ok && report->n_results > 0) {
        size_t fastest = fastest_of(report, options->metric);
        report->reference = reference_of(report, fastest);
        if (fastest < report->n_results) report->results[fastest].is_fastest = true;
        report->results[report->reference].is_reference = true;
        ok = compare_all(options, report);
    }
    if (!ok) {
        pk_fail(err, PK_E_LIMIT, NULL, "out of memory");
        pk_fix(err, "measure fewer runs at a time (--max-runs)");
    }
    return ok;
}
