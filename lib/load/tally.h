/* What one thread counts. Written by its owner alone; merged after the join. The progress line
 * reads `live`, relaxed atomics that the owner stores once per turn of its loop. */
#ifndef PK_LOAD_TALLY_H
#define PK_LOAD_TALLY_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include "base/error.h"
#include "load/engine.h"
#include "load/load.h"
#include "stats/histogram.h"

#define PK_INTERVALS_MAX 4096
#define PK_INTERVAL_FIRST_NS 100000000ull /* 100 ms; doubled whenever the table is full */

enum pk_tally_hist { /* all in ns */
                     PK_TALLY_SERVICE,
                     PK_TALLY_RESPONSE,
                     PK_TALLY_FIRST_BYTE,
                     PK_TALLY_HEAD,
                     PK_TALLY_DNS,
                     PK_TALLY_DIALUP,
                     PK_TALLY_TCP,
                     PK_TALLY_TLS,
                     PK_TALLY_LAG,
                     PK_TALLY_LOOP,
                     PK_TALLY_HISTS
};

typedef struct pk_tally {
    pk_hist *hist[PK_TALLY_HISTS];
    uint64_t sent, responses, responses_in_window, timeouts, errors_total;
    uint64_t aborted, aborted_oldest_ns, never_sent, never_sent_oldest_ns, retried;
    uint64_t suspicious;
    uint64_t body_bytes, head_bytes, sent_bytes, connections_opened;
    uint64_t status[600];
    pk_load_error_count errors[PK_LOAD_ERRORS_MAX];
    size_t n_errors;
    uint64_t interval_ns;
    pk_load_interval intervals[PK_INTERVALS_MAX];
    uint64_t current_idx, current_start_ns; /* the interval of the last answer or error */

    uint64_t in_flight;       /* now */
    uint64_t window_start_ns; /* set it before the first change */
    int64_t moments_ns;       /* sum of change x (moment - window_start_ns) */
    bool window_over;
    double in_flight_sum_ns; /* integral of in_flight over time, inside the window */
    uint64_t last_end_ns;    /* of the latest answer or error */

    struct {
        _Atomic uint64_t responses, errors, bytes, in_flight;
    } live;
} pk_tally;

/* NULL and *err when out of memory. */
pk_tally *pk_tally_new(bool has_rate, pk_err *err) PK_MUST_CHECK;
void pk_tally_free(pk_tally *tally);

/* A request left (+1) or ended (-1) at this moment. The integral over the window is the sum over
 * all changes of change x (end of the window - moment), so their order does not matter: a request
 * may well end inside the call that sends the next one, and is told of after it. */
static inline void pk_tally_in_flight(pk_tally *t, uint64_t now_ns, int change) {
    t->in_flight += (uint64_t)change;
    if (!t->window_over) t->moments_ns += change * (int64_t)(now_ns - t->window_start_ns);
}
/* Ends the window: later changes only count, they are no part of the integral. */
static inline void pk_tally_window_end(pk_tally *t, uint64_t end_ns) {
    double whole_ns = (double)t->in_flight * (double)(end_ns - t->window_start_ns);
    t->in_flight_sum_ns = whole_ns - (double)t->moments_ns;
    t->window_over = true;
}

/* One finished request: counts, histograms, interval. due_ns: its intended start (0: none);
 * start_ns: of the run; in_window: it ended before the deadline. */
void pk_tally_completion(pk_tally *tally, const pk_completion *done, uint64_t due_ns,
                         uint64_t run_start_ns, bool in_window);
void pk_tally_error(pk_tally *tally, pk_load_error_class class_, int sys_errno, uint64_t n);
void pk_tally_publish(pk_tally *tally);

/* into += from, for everything but `live` and the in-flight bookkeeping of one thread. */
bool pk_tally_merge(pk_tally *into, pk_tally *from, pk_err *err) PK_MUST_CHECK;

#endif
