#include "stats/random.h"

#include <math.h>

/* Steele, Lea & Flood 2014: fills states so that near seeds give unrelated sequences. */
static uint64_t split_mix(uint64_t *state) {
    uint64_t z = (*state += 0x9e3779b97f4a7c15ull);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
    return z ^ (z >> 31);
}

static uint64_t rotate_left(uint64_t x, int bits) {
    return (x << bits) | (x >> (64 - bits));
}

void pk_random_seed(pk_random *random, uint64_t seed) {
    for (size_t i = 0; i < 4; i++) random->state[i] = split_mix(&seed);
}

uint64_t pk_random_next(pk_random *random) {
    uint64_t *s = random->state;
    uint64_t result = rotate_left(s[1] * 5, 7) * 9;
    uint64_t t = s[1] << 17;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = rotate_left(s[3], 45);
    return result;
}

uint64_t pk_random_below(pk_random *random, uint64_t n) {
    __extension__ typedef unsigned __int128 uint128;
    uint128 product = (uint128)pk_random_next(random) * n;
    if ((uint64_t)product < n) {
        /* of the 2^64 numbers, those below 2^64 mod n would make some results more likely */
        uint64_t surplus = -n % n;
        while ((uint64_t)product < surplus) product = (uint128)pk_random_next(random) * n;
    }
    return (uint64_t)(product >> 64);
}

double pk_random_unit(pk_random *random) {
    return (double)(pk_random_next(random) >> 11) * 0x1p-53;
}

double pk_random_normal(pk_random *random) {
    /* The polar method makes two at a time; the second is dropped to keep no state. */
    double u, v, square;
    do {
        u = 2 * pk_random_unit(random) - 1;
        v = 2 * pk_random_unit(random) - 1;
        square = u * u + v * v;
    } while (square >= 1 || square == 0);
    return u * sqrt(-2 * log(square) / square);
}

void pk_random_shuffle(pk_random *random, size_t n, size_t order[]) {
    for (size_t i = 0; i < n; i++) {
        size_t j = (size_t)pk_random_below(random, i + 1);
        if (j != i) order[i] = order[j]; /* the "inside-out" form: shuffles while it fills */
        order[j] = i;
    }
}
