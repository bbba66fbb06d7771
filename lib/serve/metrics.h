/* Counters: one block per worker, written by its thread alone with relaxed stores, summed when
 * somebody asks. No lock and no shared cache line on the way of a request. */
#ifndef PK_SERVE_METRICS_H
#define PK_SERVE_METRICS_H

#include <stdalign.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/error.h"
#include "base/strbuf.h"
#include "serve/serve.h"

enum { PK_DURATION_BUCKETS = 19, PK_STATUS_MAX = 600 };

typedef enum pk_abort_reason {
    PK_ABORT_ERROR,   /* the connection broke, or MHD gave up on the request */
    PK_ABORT_TIMEOUT, /* silent for too long */
    PK_ABORT_CLIENT,  /* the client closed before the answer was complete */
    PK_ABORT_SHUTDOWN,
    PK_ABORT_REASONS
} pk_abort_reason;

typedef struct pk_totals {
    uint64_t started;        /* requests with a complete, accepted head */
    uint64_t scrapes;        /* of /metrics, in no other count of requests */
    uint64_t opened, closed; /* connections */
    uint64_t body_bytes;
    uint64_t heads_cut;
    uint64_t aborted[PK_ABORT_REASONS];
    uint64_t faults[PK_SERVE_FAULT_KINDS];
    uint64_t answered[PK_STATUS_MAX];
    uint64_t duration_count[PK_DURATION_BUCKETS + 1]; /* not cumulative; the last: above all */
    uint64_t duration_sum_ns;
} pk_totals;

typedef struct pk_counters {
    /* The same fields in the same order as pk_totals; a cache line is no other thread's. */
    alignas(64) _Atomic uint64_t values[sizeof(pk_totals) / sizeof(uint64_t)];
} pk_counters;

/* n blocks, zeroed, for the caller to free(); NULL when out of memory. */
pk_counters *pk_counters_new(size_t n) PK_MUST_CHECK;

#define PK_COUNTER(field) (offsetof(pk_totals, field) / sizeof(uint64_t))
/* Adds to a counter of the calling worker's own block. */
static inline void pk_count(pk_counters *counters, size_t index, uint64_t n) {
    _Atomic uint64_t *value = &counters->values[index];
    atomic_store_explicit(value, atomic_load_explicit(value, memory_order_relaxed) + n,
                          memory_order_relaxed);
}
void pk_count_duration(pk_counters *counters, uint64_t ns);

/* Adds a block's counts to *totals, which starts zeroed. Any thread, at any time; each counter is
 * exact up to what its thread has stored. */
void pk_counters_add(const pk_counters *counters, pk_totals *totals);

/* What a scrape shows beside the totals. */
typedef struct pk_gauges {
    uint64_t connections_limit;
    uint64_t suspended;
    bool draining;
    double cpu_s;            /* of this process, user + system */
    uint64_t resident_bytes; /* 0: unknown */
    double uptime_s;
} pk_gauges;
/* Of this process, from /proc/self/statm; 0 if unknown. */
uint64_t pk_resident_bytes(void);
/* Prometheus text format 0.0.4. */
void pk_metrics_write(pk_strbuf *out, const pk_totals *totals, const pk_gauges *gauges);

#endif
