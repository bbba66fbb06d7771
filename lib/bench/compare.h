/* Stored results side by side: options -> table -> text or JSON. A column is a baseline of the
 * store, or a file that `perfkit bench --json`, `perfkit time` or hyperfine wrote; a row is a
 * benchmark, or a command. */
#ifndef PK_BENCH_COMPARE_H
#define PK_BENCH_COMPARE_H

#include <stdio.h>
#include "bench/bench.h"
#include "bench/gate.h"

typedef enum pk_compare_sort {
    PK_COMPARE_BY_ID,
    PK_COMPARE_BY_TIME,
    PK_COMPARE_BY_RATIO
} pk_compare_sort;

typedef struct pk_compare_options {
    pk_text_list sources;  /* names of baselines, files ending in .json; two or more */
    const char *home;      /* the store */
    const char *filter;    /* POSIX extended regular expression on ids; NULL: all */
    const char *reference; /* the source whose times are 1; NULL: the best of each row */
    double threshold;      /* rows whose times differ by less are left out: 0.05; 0: none */
    pk_compare_sort sort;
    double noise_threshold, confidence_level, equivalence; /* of the verdicts */
} pk_compare_options;

typedef struct pk_compare_cell {
    const pk_bench_result *result;     /* NULL: there is none */
    const pk_environment *environment; /* NULL: not known */
    double ratio;                      /* of its time to the row's reference; NaN */
} pk_compare_cell;

typedef struct pk_compare_row {
    const char *id;
    pk_compare_cell *cells; /* one per column */
    double fastest_ns;
    double spread; /* slowest / fastest - 1; NaN: fewer than two */
} pk_compare_row;

typedef struct pk_compare_table {
    pk_arena *arena; /* owns all of it */
    const char *const *names;
    size_t n_columns;
    pk_compare_row *rows;
    size_t n_rows, n_hidden; /* shown; behind them those that the threshold leaves out */
    double *means;           /* geometric means of the ratios over n_common rows that have all */
    size_t n_common;
    /* Two columns: the second against the first, by the rule for stored numbers (docs/methods.md),
     * one result per row that has both, shown or not; else none. */
    pk_bench_report changes;
} pk_compare_table;

/* PK_E_INPUT: no such baseline, no result of bench, nothing left by the filter, an unknown
 * reference. Fini the table on success. */
bool pk_compare_load(const pk_compare_options *options, pk_compare_table *table,
                     pk_err *err) PK_MUST_CHECK;
void pk_compare_fini(pk_compare_table *table);

void pk_compare_render_text(FILE *out, const pk_compare_table *table, bool colour);
/* Schema "compare/1". */
bool pk_compare_render_json(FILE *out, const pk_compare_table *table, pk_err *err) PK_MUST_CHECK;

#endif
