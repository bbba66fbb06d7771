/* Two functions whose shares of the time are known: of equal turns of one loop, the first does
 * seven and the second three. PK_BURN says whether they are functions of their own (noinline) or
 * vanish in their caller (always_inline). */
#ifndef PK_TESTS_BURN_H
#define PK_TESTS_BURN_H

#include <stdint.h>
#include <time.h>

#ifndef PK_BURN
#define PK_BURN __attribute__((noinline))
#endif
/* A tenth of a round, which takes some 8 ms: several samples fall into each function each time, so
 * that their shares are far less subject to chance than those of samples drawn at random. */
#define TURNS 400000u
/* Not a constant that the compiler could make copies of the functions for. */
static volatile uint64_t burn_turns = TURNS;

/* CPU time of the thread: on a busy machine it is as much work, and as many samples. */
static inline uint64_t burn_now_ns(void) {
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static inline __attribute__((always_inline)) uint64_t spin(uint64_t turns) {
    uint64_t x = turns | 1;
    for (uint64_t i = 0; i < turns; i++) {
        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
        __asm__ volatile("" : "+r"(x)); /* no turn can be left out */
    }
    return x;
}

static PK_BURN uint64_t seventy(uint64_t turns) {
    return spin(7 * turns);
}

static PK_BURN uint64_t thirty(uint64_t turns) {
    return spin(3 * turns);
}

/* The loop itself is no function of the program either, where the two are none. */
static inline uint64_t burn_until(uint64_t end_ns) {
    uint64_t sum = 0;
    do {
        sum += seventy(burn_turns);
        sum ^= thirty(burn_turns);
    } while (burn_now_ns() < end_ns);
    return sum;
}

#endif
