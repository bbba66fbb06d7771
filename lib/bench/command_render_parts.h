/* Inside bench/command_*: what the text, the exports and the page of commands share. */
#ifndef PK_BENCH_COMMAND_RENDER_PARTS_H
#define PK_BENCH_COMMAND_RENDER_PARTS_H

#include "bench/command_render.h"
#include "report/json.h"
#include "report/quantity.h"

/* hyperfine's units: the name of a column's head, what stands behind a figure, decimals. */
typedef struct pk_command_unit {
    const char *name, *sign; /* "ms" */
    double per_second;       /* 1000 */
    int decimals;
} pk_command_unit;
/* The one asked for; AUTO: the one that suits so many seconds. */
pk_command_unit pk_command_unit_for(pk_time_unit unit, double seconds);

#define PK_COMMAND_TEXT_MAX 64
/* "11.3 ms" in this unit; what is not finite is "-". */
char *pk_command_time(char out[PK_COMMAND_TEXT_MAX], double seconds, pk_command_unit unit);
/* "11.3" */
char *pk_command_number(char out[PK_COMMAND_TEXT_MAX], double seconds, pk_command_unit unit);

/* pk_command_counts by the report's options. */
bool pk_command_counted(const pk_command_report *report, const pk_command_run *run);
/* Code, or 128 + signal, as a shell gives it. */
int pk_command_status(const pk_command_run *run);

/* What ranks the results of this report. */
pk_command_metric pk_command_ranked_by(const pk_command_report *report);
/* The confidence level of the report's intervals. */
double pk_command_confidence(const pk_command_report *report);
pk_quantity pk_command_quantity(pk_command_metric metric);
/* A figure of this metric as text: PK_QUANTITY_MAX. */
char *pk_command_figure_text(char out[PK_QUANTITY_MAX], pk_command_metric metric, double value,
                             int digits);

/* The index of the result with the least mean wall time; 0 where none has one. */
size_t pk_command_fastest(const pk_command_report *report);
/* Indices of all results, ascending by the mean of the metric, those without one last; equal ones
 * stay in order. The caller frees it; NULL: out of memory. */
size_t *pk_command_ascending(const pk_command_report *report,
                             pk_command_metric metric) PK_MUST_CHECK;

#define PK_COMMAND_WORDS_MAX 400
/* "2 of 20 runs failed (exit code 1), 1 of them timed out; not in the figures"; empty: none. */
char *pk_command_failed_text(char out[PK_COMMAND_WORDS_MAX], const pk_command_report *report,
                             const pk_command_result *result);
/* "+91 % slower (95 % CI +88 .. +94), +10.2 ms" for change i (0: what ranks; 1: CPU), with the
 * verdict's word before it where a reference was given;
 * empty: not compared. */
char *pk_command_change_text(char out[PK_COMMAND_WORDS_MAX], const pk_command_report *report,
                             size_t index, size_t i);
/* The same against the baseline of the store. */
char *pk_command_stored_text(char out[PK_COMMAND_WORDS_MAX], const pk_command_report *report,
                             size_t index, size_t i);
/* What stands above those. elsewhere: of one of them. */
const char *pk_command_stored_heading(bool elsewhere);
/* "wall" and "CPU": what change i is about. */
const char *pk_command_change_name(const pk_command_report *report, size_t i);
/* What the verdicts rest on: "20 blocks of interleaved rounds". */
char *pk_command_basis_text(char out[PK_COMMAND_WORDS_MAX], const pk_command_report *report,
                            const pk_command_change *change);
/* "1.1 MiB", "1.1 MiB .. 1.3 MiB", "at most 548 KiB (no more than the launcher takes)"; "-". */
char *pk_command_memory_text(char out[PK_COMMAND_WORDS_MAX], const pk_command_report *report,
                             const pk_command_result *result);
/* "1.1 MiB", "<= 548 KiB": the peak of the runs that count; "-": unknown. */
char *pk_command_peak_text(char out[PK_COMMAND_WORDS_MAX], const pk_command_report *report,
                           const pk_command_result *result);
/* The mean of a counter over the runs that count; NaN where one of them lacks it. */
double pk_command_counter(const pk_command_report *report, const pk_command_result *result,
                          pk_counter counter);
/* "branch misses" */
const char *pk_command_counter_name(pk_counter counter);
/* Are the counters without the kernel's share? */
bool pk_command_counters_user_only(const pk_command_result *result);
/* "interleaved", "random", "grouped": how the runs were ordered. */
const char *pk_command_order_name(const pk_command_report *report);

#endif
