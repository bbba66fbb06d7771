/* Which benchmarks are run: what the objects offer, times the parameters, less what the filters do
 * not want. Pure: no files, no processes. */
#ifndef PK_BENCH_SELECT_H
#define PK_BENCH_SELECT_H

#include "base/arena.h"
#include "bench/worker.h"

#define PK_BENCH_PARAMS_MAX 100000 /* values of one parameter, and benchmarks of one run */

/* One benchmark: an offer and one parameter. */
typedef struct pk_bench_case {
    const pk_worker_offer *offer;
    size_t object;                             /* index in the list of objects */
    uint32_t index;                            /* of the offer in the object's table */
    const char *param;                         /* for the worker; NULL: none */
    const char *id, *group, *function, *value; /* function, value: NULL when no part of the id */
    bool value_is_number;
    double value_number; /* NaN if it is none */
} pk_bench_case;

typedef struct pk_bench_offers { /* of one object */
    const char *object;          /* its name, for messages */
    const pk_worker_offer *items;
    size_t n;
    bool beside; /* the built-in suite beside objects that were named */
} pk_bench_offers;

/* "20", "10,20,30", "10:30:5" (first:last[:step], integers, the step may be left out) or any mix of
 * them behind commas; what is no number is a text ("sorted,random"). In order; *values in the
 * arena, n >= 1. */
bool pk_bench_params(const char *text, pk_arena *arena, const char *const **values, size_t *n,
                     pk_err *err) PK_MUST_CHECK;

/* The id's last part is left out when the benchmark has exactly one parameter of its own and the
 * options give none: "fib/recursive", but "fib/recursive/20" with --param 20. Order: as the objects
 * come, then their tables, then the parameters. Errors: a parameter out of bounds, an id twice
 * among the selected, nothing selected (with what may have been meant), a regular expression that
 * is none.
 *
 * Of objects `beside` the named ones only that is taken which a filter means that matches nothing
 * in those and begins with a group of theirs; the named ones do not heed such filters. So "fib
 * mod.py" are the built-in suite and all of mod.py, "fib/lookup mod.py sum" one of each. *cases
 * lives in the arena and refers to the offers and to the options' texts. */
bool pk_bench_select(const pk_bench_options *options, size_t n_objects,
                     const pk_bench_offers objects[], pk_arena *arena, pk_bench_case **cases,
                     size_t *n, pk_err *err) PK_MUST_CHECK;

#endif
