/* A seeded generator of random numbers: xoshiro256** (Blackman & Vigna 2018), its state filled by
 * splitmix64. The same seed gives the same numbers on every machine. Not for secrets. */
#ifndef PK_STATS_RANDOM_H
#define PK_STATS_RANDOM_H

#include <stddef.h>
#include <stdint.h>

typedef struct pk_random {
    uint64_t state[4];
} pk_random;

void pk_random_seed(pk_random *random, uint64_t seed);
uint64_t pk_random_next(pk_random *random);
/* Uniform on [0, n), n > 0, without bias (Lemire 2019). */
uint64_t pk_random_below(pk_random *random, uint64_t n);
/* Uniform on [0, 1), 53 bits. */
double pk_random_unit(pk_random *random);
/* Mean 0, standard deviation 1 (Marsaglia 1964, polar method). */
double pk_random_normal(pk_random *random);
/* A random permutation (Fisher-Yates) of 0..n-1 into order[]. */
void pk_random_shuffle(pk_random *random, size_t n, size_t order[]);

#endif
