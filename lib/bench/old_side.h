/* What a benchmark is compared with: old code that can be run again, or else stored numbers. */
#ifndef PK_BENCH_OLD_SIDE_H
#define PK_BENCH_OLD_SIDE_H

#include "bench/session.h"

typedef struct pk_old_side {
    pk_change_source source; /* NONE, LIVE or STORED */
    const char *label;       /* the baseline's name or the other object's path */
    const char *artefact;    /* its hash; NULL: unknown */
    const pk_object *object; /* live: with its index there */
    uint32_t index;
    pk_bench_session *sessions; /* stored: n_sessions of one artefact, the newest last */
    size_t n_sessions;
    pk_criterion_estimates *estimates; /* stored; NULL: unknown */
    double typical_ns;                 /* stored; NaN: unknown */
    double *values_ns;                 /* stored: n_values samples, per iteration */
    size_t n_values;
    const pk_bench_result *former; /* to be continued (--more); NULL: nothing */
    const char *warning;           /* one line for the result, or NULL */
} pk_old_side;

/* Finds old sides; keeps opened what they run. */
typedef struct pk_old_sides pk_old_sides;
/* Opens the store, if there is one, and the other object (--compare-with FILE). */
pk_old_sides *pk_old_sides_open(pk_session *session, const pk_environment *environment,
                                pk_err *err) PK_MUST_CHECK;
void pk_old_sides_close(pk_old_sides *sides); /* NULL is fine */
/* False: the baseline that was asked for is missing or cannot be read. */
bool pk_old_sides_find(pk_old_sides *sides, const pk_bench_case *c, pk_old_side *out,
                       pk_err *err) PK_MUST_CHECK;

#endif
