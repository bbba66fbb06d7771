/* The built-in suite: the n-th Fibonacci number in four ways, from exponential time to one load.
 * A shared object like any user's, embedded in perfkit and opened through the same door. */
#include "perfkit.h"

/* F(93) is the last that fits in 64 bits. */
#define N_MAX 93

#define NOT_INLINE __attribute__((noinline, noclone))
#ifdef __clang__ /* has no noclone; it does not clone either */
#undef NOT_INLINE
#define NOT_INLINE __attribute__((noinline))
#endif

/* ---- the four versions; each right for 0 <= n <= N_MAX ---- */

/* By the definition: F(n + 1) calls, about 1.6^n. */
static NOT_INLINE uint64_t recursive(int64_t n) {
    return n < 2 ? (uint64_t)n : recursive(n - 1) + recursive(n - 2);
}

static NOT_INLINE uint64_t iterative(int64_t n) {
    uint64_t a = 0, b = 1; /* F(i), F(i + 1); at i = 93 b has overflowed, and is not used */
    for (int64_t i = 0; i < n; i++) {
        uint64_t next = a + b;
        a = b;
        b = next;
    }
    return a;
}

/* F(2k) = F(k) (2 F(k+1) - F(k)), F(2k+1) = F(k)^2 + F(k+1)^2: one step per bit of n. */
static NOT_INLINE uint64_t doubling(int64_t n) {
    uint64_t a = 0, b = 1; /* F(k), F(k + 1), k: the bits of n looked at so far */
    for (int bit = n ? 63 - __builtin_clzll((uint64_t)n) : -1; bit >= 0; bit--) {
        uint64_t even = a * (2 * b - a), odd = a * a + b * b;
        uint64_t set = (uint64_t)n >> bit & 1;
        a = set ? odd : even;
        b = set ? even + odd : odd;
    }
    return a;
}

// clang-format off
static const uint64_t table[N_MAX + 1] = {
    0u, 1u, 1u, 2u, 3u, 5u, 8u, 13u, 21u, 34u, 55u, 89u, 144u, 233u, 377u, 610u, 987u, 1597u, 2584u,
    4181u, 6765u, 10946u, 17711u, 28657u, 46368u, 75025u, 121393u, 196418u, 317811u, 514229u,
    832040u, 1346269u, 2178309u, 3524578u, 5702887u, 9227465u, 14930352u, 24157817u, 39088169u,
    63245986u, 102334155u, 165580141u, 267914296u, 433494437u, 701408733u, 1134903170u, 1836311903u,
    2971215073u, 4807526976u, 7778742049u, 12586269025u, 20365011074u, 32951280099u, 53316291173u,
    86267571272u, 139583862445u, 225851433717u, 365435296162u, 591286729879u, 956722026041u,
    1548008755920u, 2504730781961u, 4052739537881u, 6557470319842u, 10610209857723u,
    17167680177565u, 27777890035288u, 44945570212853u, 72723460248141u, 117669030460994u,
    190392490709135u, 308061521170129u, 498454011879264u, 806515533049393u, 1304969544928657u,
    2111485077978050u, 3416454622906707u, 5527939700884757u, 8944394323791464u, 14472334024676221u,
    23416728348467685u, 37889062373143906u, 61305790721611591u, 99194853094755497u,
    160500643816367088u, 259695496911122585u, 420196140727489673u, 679891637638612258u,
    1100087778366101931u, 1779979416004714189u, 2880067194370816120u, 4660046610375530309u,
    7540113804746346429u, 12200160415121876738u,
};
// clang-format on

static inline uint64_t look_up(int64_t n) {
    return table[n];
}
static NOT_INLINE uint64_t lookup(int64_t n) {
    return look_up(n);
}

/* For tests: version 0 recursive, 1 iterative, 2 lookup, 3 doubling. */
__attribute__((visibility("default"))) extern uint64_t perfkit_suite_fib(int version, int64_t n);
__attribute__((visibility("default"))) uint64_t perfkit_suite_fib(int version, int64_t n) {
    switch (version) {
    case 0:
        return recursive(n);
    case 1:
        return iterative(n);
    case 2:
        return lookup(n);
    default:
        return doubling(n);
    }
}

/* ---- the loops around them ---- */

#define BODY(name)                                   \
    static void run_##name(perfkit_run *run) {       \
        const uint64_t iterations = run->iterations; \
        const int64_t param = run->param;            \
        for (uint64_t i = 0; i < iterations; i++) {  \
            int64_t n = param;                       \
            perfkit_hide(n);                         \
            perfkit_keep(name(n));                   \
        }                                            \
    }
BODY(recursive)
BODY(iterative)
BODY(lookup)
BODY(doubling)

/* Loads that do not wait for each other, and no call: what the processor can overlap. */
enum { LANES = 8 };
static void lookup_throughput(perfkit_run *run) {
    const uint64_t iterations = run->iterations;
    const int64_t param = run->param;
    for (uint64_t i = 0; i < iterations; i++) {
#pragma GCC unroll 8
        for (int lane = 0; lane < LANES; lane++) {
            int64_t n = param;
            perfkit_hide(n);
            perfkit_keep(look_up(n));
        }
    }
}

/* The next index waits for the last result: it takes no bit of it, which neither the compiler nor
 * the processor knows. */
static void lookup_latency(perfkit_run *run) {
    const uint64_t iterations = run->iterations;
    const int64_t param = run->param;
    uint64_t none = 0;
    perfkit_hide(none);
    int64_t n = param;
    for (uint64_t i = 0; i < iterations; i++) {
        n = param + (int64_t)(look_up(n) & none);
        perfkit_hide(n);
    }
    perfkit_keep(n);
}

#define FIB(name)                                                                              \
    .group = "fib", .function = #name, .body = run_##name, .params = "20", .param_max = N_MAX, \
    .bounds_reason = "fib(94) does not fit in 64 bits"

PERFKIT_BENCHMARKS({FIB(recursive)}, {FIB(iterative)},
                   {FIB(lookup), .throughput = lookup_throughput, .throughput_lanes = LANES,
                    .latency = lookup_latency},
                   {FIB(doubling)});
