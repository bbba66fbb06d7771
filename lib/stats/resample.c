#include "stats/resample.h"

#include <string.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include "stats/random.h"

void pk_resample_seed(pk_resample *resample, uint64_t seed, uint64_t block) {
    pk_random parent, lane;
    pk_random_seed(&parent, seed);
    pk_random_seed(&parent, pk_random_next(&parent) + block);
    for (size_t i = 0; i < PK_RESAMPLE_LANES; i++) {
        pk_random_seed(&lane, pk_random_next(&parent));
        for (size_t word = 0; word < 4; word++) resample->state[word][i] = lane.state[word];
    }
}

size_t pk_resample_room(size_t n) {
    return (n + PK_RESAMPLE_GROUP - 1) / PK_RESAMPLE_GROUP * PK_RESAMPLE_GROUP;
}

/* Vectors of the compiler, as wide as every machine has them: gcc 12 takes wider ones apart lane by
 * lane where the machine has none. */
enum { WIDTH = 2 };
typedef uint64_t lanes __attribute__((vector_size(WIDTH * sizeof(uint64_t))));

/* The low halves of a times those of b. As plain C gcc makes whole 64-bit products of it, which
 * halves the speed of everything here. */
static inline lanes multiply_low(lanes a, lanes b) {
#ifdef __SSE2__
    return (lanes)_mm_mul_epu32((__m128i)a, (__m128i)b);
#else
    return (a & 0xffffffffu) * b;
#endif
}

#define ROTATE_LEFT(x, bits) (((x) << (bits)) | ((x) >> (64 - (bits))))

void pk_resample_draw(pk_resample *resample, uint32_t n, uint32_t index[]) {
    lanes bound = {n, n};
    for (size_t first = 0; first < PK_RESAMPLE_LANES; first += WIDTH) {
        lanes s[4];
        for (size_t word = 0; word < 4; word++)
            memcpy(&s[word], &resample->state[word][first], sizeof s[word]);
        for (size_t at = 2 * first; at < pk_resample_room(n); at += PK_RESAMPLE_GROUP) {
            lanes five = s[1] + (s[1] << 2), turned = ROTATE_LEFT(five, 7);
            lanes result = turned + (turned << 3), t = s[1] << 17;
            s[2] ^= s[0];
            s[3] ^= s[1];
            s[1] ^= s[2];
            s[0] ^= s[3];
            s[2] ^= t;
            s[3] = ROTATE_LEFT(s[3], 45);
            lanes low = multiply_low(result, bound) >> 32;
            lanes high = multiply_low(result >> 32, bound) >> 32;
            lanes both = low | high << 32;
            memcpy(&index[at], &both, sizeof both);
        }
        for (size_t word = 0; word < 4; word++)
            memcpy(&resample->state[word][first], &s[word], sizeof s[word]);
    }
}
