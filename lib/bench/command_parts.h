/* Inside whole commands: what the parts of bench/command share. */
#ifndef PK_BENCH_COMMAND_PARTS_H
#define PK_BENCH_COMMAND_PARTS_H

#include "bench/bench.h"
#include "bench/command.h"

/* Fails with "out of memory"; returns false. */
bool pk_command_no_room(pk_err *err);

/* ---- parameters: command_param.c ---- */

typedef struct pk_parameter_axis { /* a parameter with all its values, in order */
    const char *name;
    const char *const *values; /* n >= 1 */
    size_t n;
} pk_parameter_axis;

/* -P's range or -L's lists, checked. None: n = 0. In the arena. */
bool pk_parameter_axes(const pk_command_options *options, pk_arena *arena, pk_parameter_axis **axes,
                       size_t *n, pk_err *err) PK_MUST_CHECK;
/* Values of a list: split at commas; "\," is a comma, "\\" a backslash. NULL: out of memory. */
const char *const *pk_parameter_split(const char *text, pk_arena *arena, size_t *n) PK_MUST_CHECK;
/* text with each {NAME} replaced, from left to right; what was put in is not looked at again.
 * NULL: out of memory. */
const char *pk_parameter_replace(const char *text, size_t n, const pk_parameter_value values[],
                                 pk_arena *arena) PK_MUST_CHECK;
/* Does {name} occur in text? */
bool pk_parameter_used(const char *text, const char *name);

/* ---- figures: command_figures.c, command_change.c ---- */

/* Of the runs that count; false: out of memory. */
bool pk_command_summarize(const pk_command_options *options, pk_command_result *result,
                          pk_command_metric metric, pk_command_figures *figures) PK_MUST_CHECK;
/* hyperfine's two flags about runs far from the others, first_run_s, and Tukey's count. */
bool pk_command_find_outliers(const pk_command_options *options,
                              pk_command_result *result) PK_MUST_CHECK;
/* The rule and the level for changes of commands, from the options. */
pk_verdict_rule pk_command_rule(const pk_command_options *options);
/* *change: this command against the reference, in the metric. `rounds`: the runs of both were
 * interleaved, so those of one round are a pair. False: out of memory. */
bool pk_command_compare(const pk_command_options *options, const pk_command_result *result,
                        const pk_command_result *reference, bool rounds, pk_command_metric metric,
                        pk_command_change *change) PK_MUST_CHECK;

/* ---- runs as samples: command_samples.c ---- */

typedef struct pk_command_samples {
    size_t n;
    double *wall_s; /* > 0 */
    double *cpu_s;  /* NaN: not known */
} pk_command_samples;

/* Empty, with room for `most`, in the arena. False: no memory. */
bool pk_command_samples_init(pk_command_samples *samples, size_t most,
                             pk_arena *arena) PK_MUST_CHECK;
/* A run without a time is passed over. */
void pk_command_samples_add(pk_command_samples *samples, double wall_s, double cpu_s);
/* Those of a command that count. */
bool pk_command_samples_of(const pk_command_options *options, const pk_command_result *result,
                           pk_arena *arena, pk_command_samples *samples, pk_err *err) PK_MUST_CHECK;
/* As a benchmark time/NAME, analysed with so many resamples; a very long name is cut. n >= 1. */
bool pk_command_samples_result(const pk_command_options *options, const char *name,
                               const pk_command_samples *samples, uint64_t resamples,
                               pk_arena *arena, pk_bench_result *result, pk_err *err) PK_MUST_CHECK;
#define PK_COMMAND_RESAMPLES_FEW 100 /* where nobody looks at Criterion's intervals */

#endif
