/* Is one command slower than another? Runs of one round have seen the same machine, so rounds are
 * cut into blocks of time and each block gives one ratio; the verdict is Student's t over them. */
#include <math.h>
#include <stdlib.h>

#include "bench/command_parts.h"
#include "stats/robust.h"
#include "stats/student.h"
#include "stats/summary.h"

#define BLOCKS 50
#define BLOCKS_FEW 20 /* where fewer than ROUNDS_MANY rounds are there to share */
#define ROUNDS_MANY 400
#define BLOCK_TRIM 0.2

typedef struct pairs { /* values of rounds in which both have one that counts, in order */
    size_t n;
    double *one, *other; /* n each */
} pairs;

static bool pairs_init(pairs *p, size_t most) {
    *p = (pairs){.one = malloc((most + 1) * sizeof(double)),
                 .other = malloc((most + 1) * sizeof(double))};
    return p->one && p->other;
}

static void pairs_fini(pairs *p) {
    free(p->one);
    free(p->other);
}

static bool usable(const pk_command_options *options, const pk_command_run *run,
                   pk_command_metric metric) {
    return pk_command_counts(options, run) && isfinite(pk_command_value(run, metric));
}

static void gather_pairs(const pk_command_options *options, const pk_command_result *one,
                         const pk_command_result *other, pk_command_metric metric, pairs *p) {
    for (size_t i = 0, k = 0; i < one->n_runs && k < other->n_runs;) {
        const pk_command_run *a = &one->runs[i], *b = &other->runs[k];
        if (a->round == b->round && usable(options, a, metric) && usable(options, b, metric)) {
            p->one[p->n] = pk_command_value(a, metric);
            p->other[p->n++] = pk_command_value(b, metric);
        }
        i += a->round <= b->round;
        k += b->round <= a->round;
    }
}

static size_t blocks_for(size_t rounds) {
    if (rounds < BLOCKS_FEW) return rounds;
    return rounds < ROUNDS_MANY ? BLOCKS_FEW : BLOCKS;
}

/* Of x[0..n), which is sorted. */
static double block_value(double x[], size_t n) {
    pk_sort(x, n);
    return pk_trimmed_mean(x, n, BLOCK_TRIM).mean;
}

/* Log ratio of each block into ratios[blocks]. Sorts the pairs' values within blocks. */
static void block_ratios(pairs *p, size_t blocks, double ratios[]) {
    for (size_t b = 0; b < blocks; b++) {
        size_t from = b * p->n / blocks, to = (b + 1) * p->n / blocks;
        double one = block_value(p->one + from, to - from);
        double other = block_value(p->other + from, to - from);
        ratios[b] = log(one / other);
    }
}

/* A word is given at a tenth of the error that the figures' intervals have. With few rounds, or on
 * a busy machine, the threshold is narrower than the interval and protects from nothing: at 95 % up
 * to 5 % of equal commands are told apart, which is too often for those who run many. */
#define ERROR_SHARE 0.1

pk_verdict_rule pk_command_rule(const pk_command_options *options) {
    return (pk_verdict_rule){.threshold = options->noise_threshold,
                             .equivalence = options->equivalence,
                             .confidence = 1 - ERROR_SHARE * (1 - options->confidence_level)};
}

/* Blocks with a mean of 0 have no ratio: then there is nothing to say, and the verdict is "cannot
 * tell" without figures. */
static bool compare_rounds(const pk_command_options *options, const pk_command_result *one,
                           const pk_command_result *other, pk_command_metric metric,
                           pk_command_change *change) {
    pairs p;
    double ratios[BLOCKS];
    bool ok = pairs_init(&p, one->n_runs);
    if (ok) {
        gather_pairs(options, one, other, metric, &p);
        size_t blocks = blocks_for(p.n);
        block_ratios(&p, blocks, ratios);
        pk_summary s = pk_summarize(ratios, blocks);
        pk_verdict_rule rule = pk_command_rule(options);
        bool known = blocks >= 2 && isfinite(s.mean);
        change->compared = p.n > 0;
        change->blocks = (unsigned)blocks;
        change->verdict = pk_verdict_of_log(&rule, isfinite(s.mean) ? s.mean : NAN,
                                            known ? s.stddev / sqrt((double)blocks) : NAN,
                                            known ? (double)(blocks - 1) : NAN, p.n);
    }
    pairs_fini(&p);
    return ok;
}

/* Runs that were not interleaved have no pairs: Welch's t, the errors of the logarithms from those
 * of the means (delta method). What the machine did meanwhile is in the difference. */
static void compare_grouped(const pk_command_options *options, const pk_command_figures *one,
                            const pk_command_figures *other, pk_command_change *change) {
    const pk_command_figures *const both[2] = {one, other};
    double variance = 0, shares = 0;
    for (size_t i = 0; i < 2; i++) {
        double n = (double)both[i]->n, error = both[i]->sd / both[i]->mean / sqrt(n);
        variance += error * error;
        shares += error * error * error * error / (n - 1);
    }
    bool known = one->mean > 0 && other->mean > 0;
    double df = shares > 0 ? variance * variance / shares : (double)(one->n + other->n) - 2;
    pk_verdict_rule rule = pk_command_rule(options);
    change->compared = one->n > 0 && other->n > 0;
    change->grouped = true;
    change->verdict = pk_verdict_of_log(&rule, known ? log(one->mean / other->mean) : NAN,
                                        sqrt(variance), df, one->n < other->n ? one->n : other->n);
}

bool pk_command_compare(const pk_command_options *options, const pk_command_result *result,
                        const pk_command_result *reference, bool rounds, pk_command_metric metric,
                        pk_command_change *change) {
    *change = (pk_command_change){.confidence = pk_command_rule(options).confidence};
    if (rounds) return compare_rounds(options, result, reference, metric, change);
    compare_grouped(options, pk_command_figures_of(result, metric),
                    pk_command_figures_of(reference, metric), change);
    return true;
}
