/* Samples, by bytes: each byte allocated is hit with the same small chance, so that the distances
 * between hits are exponential, and a block of s bytes is in the sample with the probability
 * 1 - exp(-s / N). libm is not in here. */
#include "alloc/hook.h"

#include <string.h>

#define LN2 0.69314718055994530942

/* exp(-x) - 1 for 0 <= x <= ln2 / 2 by its series, to the last digits of a double. */
static double expm1_small(double x) {
    double sum = 0, term = 1;
    for (int n = 1; n < 18; n++) {
        term *= -x / n;
        sum += term;
    }
    return sum;
}

/* 1 - exp(-x), x >= 0: exp(-x) = 2^-k exp(-r). */
static double one_minus_exp(double x) {
    if (x > 40) return 1;
    int k = (int)(x / LN2 + 0.5);
    double r = x - k * LN2;
    if (k == 0) return -expm1_small(r);
    double power = 1 / (double)((uint64_t)1 << k);
    double exp_of_minus_r = 1 + expm1_small(r);
    return 1 - power * exp_of_minus_r;
}

/* -ln(u), 0 < u <= 1: u = m 2^e, ln m = 2 atanh((m - 1) / (m + 1)). */
static double minus_log(double u) {
    uint64_t bits;
    memcpy(&bits, &u, sizeof bits);
    int exponent = (int)(bits >> 52) - 1023;
    bits = (bits & ~(0x7ffull << 52)) | 0x3ffull << 52;
    double m;
    memcpy(&m, &bits, sizeof m);
    double z = (m - 1) / (m + 1), power = z, sum = 0;
    for (int n = 1; n < 40; n += 2) {
        sum += power / n;
        power *= z * z;
    }
    return -(2 * sum + exponent * LN2);
}

/* splitmix64 (Steele, Lea, Flood 2014), as a double in (0, 1]. */
static double draw(uint64_t *state) {
    uint64_t z = *state += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    z ^= z >> 31;
    return (double)((z >> 11) + 1) * 0x1p-53;
}

/* A block without bytes counts as one. */
static double weight_of(uint64_t bytes) {
    return bytes ? (double)bytes : 1;
}

double pk_hook_sample_probability(uint64_t bytes) {
    return one_minus_exp(weight_of(bytes) / (double)pk_hook.sample_bytes);
}

bool pk_hook_sampled(pk_hook_thread *t, uint64_t bytes) {
    double mean = (double)pk_hook.sample_bytes;
    if (t->until_sample < 0) t->until_sample = mean * minus_log(draw(&t->random));
    t->until_sample -= weight_of(bytes);
    return t->until_sample < 0;
}
