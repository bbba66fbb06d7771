/* What perfkit says about a result, sentence by sentence, for all that people read: the terminal,
 * the summary, pages. Plain UTF-8, one line each; texts from outside (names of baselines) are not
 * escaped. Each returns out, which is empty where there is nothing to say. */
#ifndef PK_BENCH_WORDS_H
#define PK_BENCH_WORDS_H

#include <stdbool.h>
#include <stddef.h>

#include "bench/bench.h"

#define PK_WORDS_MAX 640 /* holds any of these, with a baseline's name of up to 256 bytes */

/* A figure with the uncertainty behind it, both in the unit of the figure: "13.02 µs +- 0.04". As
 * many decimals as the uncertainty has: one significant digit of it, two where the first is a 1. */
char *pk_words_time(char *out, size_t size, double ns, double half_width_ns);
/* The headline: "13.02 µs +- 0.04 in this run; runs differ by about +- 0.4". */
char *pk_words_headline(char *out, size_t size, const pk_bench_result *result);
/* A change of time as a percentage with a sign: "+3.1 %"; half_width decides the decimals. */
char *pk_words_percent(char *out, size_t size, double change, double half_width);
/* A change of time with half of its interval's width, as percentages: "+3.1 % +- 0.5". */
char *pk_words_change(char *out, size_t size, const pk_estimate *ratio);

/* The verdict alone, as below without what more workers would give. worse, better: "slower" and
 * "faster", or what fits another metric. */
char *pk_words_judgement(char *out, size_t size, const pk_verdict *verdict, double confidence_level,
                         const char *worse, const char *better);
/* The verdict with its figures; docs/methods.md, "verdicts":
 *     regressed: +3.1 % slower (95 % CI +2.6 .. +3.6)
 *     improved: 4.2 % faster (95 % CI -4.6 .. -3.8)
 *     no change beyond 0.4 %
 *     cannot tell: -1.9 .. +3.8 %; about 310 workers (11 s) would give +-1 %
 *     cannot tell from stored numbers: workers differ by 48 %; run the old build again */
char *pk_words_verdict(char *out, size_t size, const pk_bench_result *result);
/* What the change rests on: "live against main: identical code", "against stored numbers of main,
 * 5 former sessions, divided by the reference loop". */
char *pk_words_source(char *out, size_t size, const pk_bench_change *change);
/* "bimodal: 3.3 ns (20 %), 5.3 ns (80 %)"; empty for one mode. */
char *pk_words_modes(char *out, size_t size, const pk_modes *modes);
/* The figures of work below some nanoseconds, one line each, in the order throughput, latency,
 * call, loop; what was not measured has none. Returns how many. */
/* A counter's value: "3", "0.25", six digits; "-" when it is unknown. */
char *pk_words_amount(char *out, size_t size, double value);
/* "swaps 3 per iteration", of the old code what was different: "(before: 4)". */
char *pk_words_counter(char *out, size_t size, const pk_bench_counter *counter);
enum { PK_WORDS_PARTS = 4 };
size_t pk_words_parts(char out[PK_WORDS_PARTS][PK_WORDS_MAX], const pk_bench_result *result);

#endif
