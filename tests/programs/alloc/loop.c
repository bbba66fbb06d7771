/* What counting costs: loop PAIRS [THREADS]. Each thread allocates and frees so many blocks of 16
 * to 271 bytes, one at a time, at the bottom of 10 calls, from 4 functions in turn: stacks of 15
 * frames with main's callers. Without frame pointers. */
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#define KEEP __attribute__((noinline))
#define DEPTH 10
#define BATCH 16 /* pairs of one call of a leaf */
#define THREADS_MAX 64

typedef void leaf_fn(uint64_t seed);

static inline __attribute__((always_inline)) void pairs(uint64_t seed) {
    for (uint64_t i = 0; i < BATCH; i++) {
        void *block = malloc(16 + ((seed + i * 37) & 255));
        __asm__ volatile("" : "+r"(block) : : "memory");
        free(block);
    }
}

KEEP static void leaf_0(uint64_t seed) {
    pairs(seed);
}
KEEP static void leaf_1(uint64_t seed) {
    pairs(seed + 1);
}
KEEP static void leaf_2(uint64_t seed) {
    pairs(seed + 2);
}
KEEP static void leaf_3(uint64_t seed) {
    pairs(seed + 3);
}

KEEP static void chain(int depth, leaf_fn *leaf, uint64_t seed) {
    if (depth > 1) chain(depth - 1, leaf, seed);
    else leaf(seed);
    __asm__ volatile("" : : : "memory"); /* not a tail call */
}

static void *work(void *count) {
    static leaf_fn *const leaves[] = {leaf_0, leaf_1, leaf_2, leaf_3};
    const uint64_t *n = count;
    for (uint64_t i = 0; i < *n / BATCH; i++) chain(DEPTH, leaves[i % 4], i);
    return NULL;
}

int main(int argc, char **argv) {
    uint64_t n = argc > 1 ? strtoull(argv[1], NULL, 10) : 1000000;
    int threads = argc > 2 ? (int)strtol(argv[2], NULL, 10) : 1, started = 0;
    pthread_t ids[THREADS_MAX];
    if (threads > THREADS_MAX) return 2;
    while (started < threads - 1 && pthread_create(&ids[started], NULL, work, &n) == 0) started++;
    work(&n);
    for (int i = 0; i < started; i++) pthread_join(ids[i], NULL);
    return started == threads - 1 ? 0 : 1;
}
