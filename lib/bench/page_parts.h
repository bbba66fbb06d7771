/* Inside bench/page_*: what the pages of a benchmark, a group and the index share. */
#ifndef PK_BENCH_PAGE_PARTS_H
#define PK_BENCH_PAGE_PARTS_H

#include "bench/pages.h"
#include "report/page.h"

enum { PK_PAGE_ARENA_BYTES = 256 << 20, PK_PAGE_DIGITS = 5 };

/* Values of one side over its workers, in the order they ran; those without a figure left out. */
typedef struct pk_page_values {
    size_t n;
    double *ns;       /* per iteration */
    double *worker;   /* 1, 2 ...: which one */
    double *sorted;   /* ns, ascending */
    double bandwidth; /* of their density; 0: too few, or all equal */
} pk_page_values;
/* n = 0 when there are none; false: out of memory. */
bool pk_page_values_of(pk_arena *arena, const pk_bench_result *result, int side,
                       pk_page_values *values);

/* Has the result a headline to show? */
bool pk_page_measured(const pk_bench_result *result);
bool pk_page_compared(const pk_bench_result *result);

/* "13.021 µs" in the arena; "" out of memory. */
const char *pk_page_figure_text(pk_arena *arena, pk_quantity quantity, double value);
#define PK_PAGE_TIME_TEXT(arena, ns) pk_page_figure_text((arena), PK_Q_TIME, (ns))

/* Throughput at a time per iteration, and its kind; NaN without one. */
pk_quantity pk_page_throughput_quantity(const pk_bench_throughput *throughput);
double pk_page_throughput_at(const pk_bench_throughput *throughput, double ns);

pk_tint pk_page_verdict_tint(pk_verdict_word word);
const char *pk_page_verdict_symbol(pk_verdict_word word);

/* "../../" from a page in directory/report/ to home; and the address of a page from there. */
const char *pk_page_root(pk_arena *arena, const char *directory);
const char *pk_page_address(pk_arena *arena, const char *root, const char *directory);

/* Sets the error; false. */
bool pk_page_out_of_memory(pk_err *err);
/* Writes the page if it was built, frees it in any case. */
bool pk_page_finish(pk_page *page, bool built, FILE *out, pk_err *err) PK_MUST_CHECK;

/* Cells of a table: time with its interval, change with its interval, verdict. */
void pk_page_time_cells(pk_page *page, const pk_bench_result *result);   /* time, interval */
void pk_page_change_cells(pk_page *page, const pk_bench_result *result); /* change, verdict */

/* The machine, only what is known of it. */
void pk_page_environment(pk_page *page, const pk_environment *environment);
/* The same, and what there was to say against measuring on it. */
void pk_page_machine(pk_page *page, const pk_bench_report *run);

#endif
