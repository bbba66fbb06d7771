/* HTML pages of benchmarks, laid out in the store as Criterion does:
 *
 *   HOME/report/index.html              everything in the store
 *   HOME/GROUP/report/index.html        one group
 *   HOME/DIRECTORY/report/index.html    one benchmark
 *
 * Each is one file without scripts (report/page.h). A result that lacks something (workers, a
 * comparison, a history) has a page without it. */
#ifndef PK_BENCH_PAGES_H
#define PK_BENCH_PAGES_H

#include <stdio.h>
#include "bench/analyse.h"
#include "bench/bench.h"
#include "bench/store.h"

typedef struct pk_bench_page_entry {
    const pk_bench_result *result;
    const char *directory; /* its folder below home: pk_store_directory */
    bool fresh;            /* measured in this run */
} pk_bench_page_entry;

/* The page of one benchmark; sessions: its history, oldest first, n may be 0. The old side comes
 * from result->workers[].side[PK_SIDE_OLD] (live), else from result->change.old. run: what it was
 * part of, for the machine and its warnings; NULL: not known. Allocates; nothing is kept. `out` is
 * not flushed. */
bool pk_bench_page_benchmark(FILE *out, const pk_bench_page_entry *entry,
                             const pk_bench_report *run, size_t n,
                             const pk_bench_session sessions[], pk_err *err) PK_MUST_CHECK;
/* The page of a group: its n benchmarks, in the order in which they shall stand. */
bool pk_bench_page_group(FILE *out, const char *group, size_t n,
                         const pk_bench_page_entry entries[], pk_err *err) PK_MUST_CHECK;
/* The index: everything in the store, entries of one group side by side. */
bool pk_bench_page_index(FILE *out, size_t n, const pk_bench_page_entry entries[],
                         const pk_bench_report *run, pk_err *err) PK_MUST_CHECK;

/* Writes the pages of all benchmarks of the report, of their groups (with what the store holds of
 * them from before), and the index. Call after pk_store_save. Each file is replaced atomically;
 * pages of benchmarks that are not in the report stay as they are. */
bool pk_bench_write_pages(pk_store *store, const pk_bench_report *report,
                          pk_err *err) PK_MUST_CHECK;

#endif
