/* Seeded chance: which request fails, how long it is delayed, which status it gets.
 * The n-th draw of a stream depends on the seed, the stream and n alone. So the number of faults
 * among N requests is the same in every run with that seed, however the requests are spread over
 * threads and connections. */
#ifndef PK_SERVE_FAULTS_H
#define PK_SERVE_FAULTS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include "serve/serve.h"

typedef enum pk_chance {
    PK_CHANCE_ERROR_RATE, /* --error-rate */
    PK_CHANCE_JITTER,     /* --jitter */
    PK_CHANCE_ERROR_PATH, /* /error?rate= */
    PK_CHANCE_STATUS,     /* /status/A,B:2 */
    PK_CHANCES
} pk_chance;

typedef struct pk_faults {
    uint64_t seed;
    _Atomic uint64_t drawn[PK_CHANCES];
} pk_faults;

/* Draw number n (from 0) of a stream, uniform in [0, 1) with 53 bits. Source: splitmix64, Steele,
 * Lea, Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014. */
double pk_chance_nth(uint64_t seed, pk_chance stream, uint64_t n);
/* The next draw. Any thread. */
double pk_chance_next(pk_faults *faults, pk_chance stream);

/* The kind with this name; NONE if there is no such. */
pk_serve_fault pk_fault_named(const char *name);

#endif
