#include "stats/bootstrap.h"

#include <assert.h>
#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "stats/quantile.h"
#include "stats/resample.h"
#include "stats/robust.h"
#include "stats/summary.h"

#define BLOCK \
    512 /* resamples that share a sequence of random numbers; the unit of work of threads */
#define THREADS_MAX 64
#define STATISTICS_MAX 4

/* ---- samples, ready to be resampled ---- */

/* Sorted, and about their mean: then the variance of a resample is the difference of two sums
 * without loss of digits. */
typedef struct sample {
    size_t n;
    double centre;
    const double *x, *square;
} sample;

/* What all kernels work on. */
typedef struct data {
    sample side[2];
    sample pool;           /* of both sides, about their common mean */
    const double *xx, *xy; /* slope */
} data;

/* Of one thread. */
typedef struct scratch {
    pk_resample random;
    uint32_t *index;  /* room for the largest sample */
    uint32_t *counts; /* how often each value was drawn */
} scratch;

/* Draws one resample and gives its statistics. */
typedef void kernel(const data *from, scratch *s, double out[]);

/* ---- parts of kernels ---- */

/* Four sums side by side hide the latency of the addition; their order is part of the result. */
static double sum_of(const double x[], const uint32_t index[], size_t n) {
    double a = 0, b = 0, c = 0, d = 0;
    size_t i = 0;
    for (; i + 4 <= n; i += 4) {
        a += x[index[i]];
        b += x[index[i + 1]];
        c += x[index[i + 2]];
        d += x[index[i + 3]];
    }
    for (; i < n; i++) a += x[index[i]];
    return (a + b) + (c + d);
}

static void draw_counts(const sample *from, scratch *s) {
    pk_resample_draw(&s->random, (uint32_t)from->n, s->index);
    memset(s->counts, 0, from->n * sizeof s->counts[0]);
    for (size_t i = 0; i < from->n; i++) s->counts[s->index[i]]++;
}

/* Of n drawn values, about the centre: their mean and their variance (n - 1). */
static void moments(const sample *from, const uint32_t index[], size_t n, double *mean,
                    double *variance) {
    double size = (double)n, sum = sum_of(from->x, index, n);
    double squares = sum_of(from->square, index, n);
    *mean = sum / size;
    *variance = fmax(0, (squares - sum * sum / size) / (size - 1));
}

/* The median (interpolated) of the resample, about the centre, without sorting: the sample is
 * sorted, the counts say how often each value stands there. *at: where its upper middle is. */
static double median_of(const sample *from, const uint32_t counts[], size_t *at) {
    size_t low_rank = (from->n + 1) / 2, high_rank = from->n / 2 + 1, seen = counts[0], i = 0;
    while (seen < low_rank) seen += counts[++i];
    double low = from->x[i];
    while (seen < high_rank) seen += counts[++i];
    *at = i;
    return (low + from->x[i]) / 2;
}

/* Median of the distances from the median: walks outwards from it, the nearer side first. */
static double mad_of(const sample *from, const uint32_t counts[], double median, size_t at) {
    const double *x = from->x;
    size_t low_rank = (from->n + 1) / 2, high_rank = from->n / 2 + 1, seen = 0;
    size_t left = at, right = at; /* the next ones: left - 1 and right */
    double nearest = 0, low = -1;
    while (seen < high_rank) {
        double below = left > 0 ? median - x[left - 1] : INFINITY;
        double above = right < from->n ? x[right] - median : INFINITY;
        bool go_left = below < above;
        nearest = go_left ? below : above;
        seen += go_left ? counts[left - 1] : counts[right];
        left -= go_left;
        right += !go_left;
        if (low < 0 && seen >= low_rank) low = nearest;
    }
    return PK_MAD_SCALE * (low + nearest) / 2;
}

/* ---- kernels ---- */

static void resample_mean(const data *from, scratch *s, double out[]) {
    const sample *one = &from->side[0];
    pk_resample_draw(&s->random, (uint32_t)one->n, s->index);
    out[0] = one->centre + sum_of(one->x, s->index, one->n) / (double)one->n;
}

static void resample_all(const data *from, scratch *s, double out[]) {
    const sample *one = &from->side[0];
    size_t at;
    double mean, variance;
    draw_counts(one, s);
    moments(one, s->index, one->n, &mean, &variance);
    double median = median_of(one, s->counts, &at);
    out[0] = one->centre + mean;
    out[1] = one->centre + median;
    out[2] = mad_of(one, s->counts, median, at);
    out[3] = sqrt(variance);
}

static void resample_slope(const data *from, scratch *s, double out[]) {
    size_t n = from->side[0].n;
    pk_resample_draw(&s->random, (uint32_t)n, s->index);
    out[0] = sum_of(from->xy, s->index, n) / sum_of(from->xx, s->index, n);
}

/* Ratios of means and of medians, and t under pooling. */
static void resample_two(const data *from, scratch *s, double out[]) {
    double mean[2], median[2], error[2];
    for (size_t k = 0; k < 2; k++) {
        const sample *side = &from->side[k];
        size_t at;
        draw_counts(side, s);
        mean[k] = side->centre + sum_of(side->x, s->index, side->n) / (double)side->n;
        median[k] = side->centre + median_of(side, s->counts, &at);
    }
    out[0] = mean[0] / mean[1] - 1;
    out[1] = median[0] / median[1] - 1;

    pk_resample_draw(&s->random, (uint32_t)from->pool.n, s->index);
    const uint32_t *index = s->index;
    for (size_t k = 0; k < 2; k++) {
        size_t n = from->side[k].n;
        double variance;
        moments(&from->pool, index, n, &mean[k], &variance);
        error[k] = variance / (double)n;
        index += n;
    }
    out[2] = (mean[0] - mean[1]) / sqrt(error[0] + error[1]);
}

/* ---- all resamples, by several threads ---- */

typedef struct run {
    const pk_bootstrap_options *options;
    const data *from;
    kernel *resample;
    size_t statistics, n_max;
    double *out[STATISTICS_MAX]; /* one value per resample */
    atomic_uint_fast64_t next_block;
} run;

typedef struct thread {
    run *of;
    scratch own;
    pthread_t id;
} thread;

static void *work(void *argument) {
    thread *t = argument;
    run *r = t->of;
    double out[STATISTICS_MAX];
    for (;;) {
        uint64_t block = atomic_fetch_add(&r->next_block, 1), first = block * BLOCK;
        if (first >= r->options->resamples) return NULL;
        uint64_t end = first + BLOCK;
        if (end > r->options->resamples) end = r->options->resamples;
        pk_resample_seed(&t->own.random, r->options->seed, block);
        for (uint64_t i = first; i < end; i++) {
            r->resample(r->from, &t->own, out);
            for (size_t k = 0; k < r->statistics; k++) r->out[k][i] = out[k];
        }
    }
}

static bool no_memory(pk_err *err) {
    pk_fail(err, PK_E_LIMIT, NULL, "no memory for the bootstrap");
    pk_fix(err, "ask for fewer resamples with --nresamples");
    return false;
}

static bool run_all(run *r, pk_err *err) {
    uint64_t blocks = (r->options->resamples - 1) / BLOCK + 1; /* resamples >= 1 */
    uint64_t n_threads = r->options->threads > 1 ? r->options->threads : 1;
    if (n_threads > blocks) n_threads = blocks;
    if (n_threads > THREADS_MAX) n_threads = THREADS_MAX;

    thread threads[THREADS_MAX];
    size_t room = pk_resample_room(r->n_max), each = room + r->n_max, started = 0;
    assert(each > 0 && n_threads > 0);
    uint32_t *words = calloc((size_t)n_threads, each * sizeof words[0]);
    if (!words) return no_memory(err);
    for (size_t i = 0; i < n_threads; i++) {
        uint32_t *own = words + i * each;
        threads[i].of = r;
        threads[i].own.index = own;
        threads[i].own.counts = own + room;
    }
    while (started + 1 < n_threads &&
           pthread_create(&threads[started + 1].id, NULL, work, &threads[started + 1]) == 0)
        started++;
    work(&threads[0]);
    for (size_t i = 1; i <= started; i++) pthread_join(threads[i].id, NULL);
    free(words);
    return true;
}

/* ---- from distributions to intervals ---- */

/* Moves the k-th smallest (from 0) to x[k], nothing larger before and nothing smaller behind it
 * (Hoare 1961, with the median of three as pivot). */
static double select_rank(double x[], size_t n, size_t k) {
    size_t low = 0, high = n - 1;
    while (low < high) {
        double a = x[low], b = x[low + (high - low) / 2], c = x[high];
        double pivot = fmax(fmin(a, b), fmin(fmax(a, b), c));
        size_t i = low, j = high;
        while (i <= j) {
            while (x[i] < pivot) i++;
            while (x[j] > pivot) j--;
            if (i > j) break;
            double swap = x[i];
            x[i++] = x[j];
            x[j] = swap;
            if (j == 0) break;
            j--;
        }
        if (k <= j) high = j;
        else if (k >= i) low = i;
        else break;
    }
    return x[k];
}

/* As pk_quantile_interpolated, of values in any order, which it moves. */
static double quantile_of(double x[], size_t n, double q) {
    double rank = q * (double)(n - 1);
    size_t below = (size_t)rank;
    if (below + 1 >= n) return select_rank(x, n, n - 1);
    double pair[2] = {select_rank(x, n, below), INFINITY};
    for (size_t i = below + 1; i < n; i++) pair[1] = fmin(pair[1], x[i]);
    return pk_quantile_interpolated(pair, 2, rank - (double)below);
}

static pk_bootstrap_interval interval_of(const pk_bootstrap_options *options, double x[]) {
    size_t n = (size_t)options->resamples;
    return (pk_bootstrap_interval){
        .standard_error = pk_summarize(x, n).stddev,
        .low = quantile_of(x, n, (1 - options->confidence) / 2),
        .high = quantile_of(x, n, (1 + options->confidence) / 2),
    };
}

/* ---- memory ---- */

/* One piece, cut into arrays of doubles in the order in which they are taken. */
typedef struct store {
    double *memory, *next;
} store;

/* n values and resamples values for each distribution; refuses what cannot be resampled. */
static bool store_new(store *s, const pk_bootstrap_options *options, size_t n_least, size_t n,
                      size_t statistics, pk_err *err) {
    if (options->resamples < 1 || n_least < 2) {
        pk_fail(err, PK_E_INPUT, NULL, "the bootstrap needs two values and one resample");
        pk_fix(err, "measure with at least two workers and --nresamples 1 or more");
        return false;
    }
    size_t doubles, bytes;
    if (n > INT32_MAX / 2 || __builtin_mul_overflow(options->resamples, statistics, &doubles) ||
        __builtin_add_overflow(doubles, n, &doubles) ||
        __builtin_mul_overflow(doubles, sizeof(double), &bytes))
        return no_memory(err);
    s->memory = s->next = malloc(bytes); /* all of it is written before it is read */
    return s->memory || no_memory(err);
}

static double *take(store *s, size_t n) {
    double *x = s->next;
    s->next += n;
    return x;
}

/* Takes 2 n doubles. */
static sample sample_of(store *s, size_t n, const double x[]) {
    double *centred = take(s, n), *square = take(s, n);
    sample made = {.n = n, .centre = pk_summarize(x, n).mean, .x = centred, .square = square};
    memcpy(centred, x, n * sizeof x[0]);
    pk_sort(centred, n);
    for (size_t i = 0; i < n; i++) {
        centred[i] -= made.centre;
        square[i] = centred[i] * centred[i];
    }
    return made;
}

/* ---- public ---- */

bool pk_bootstrap_sample(const pk_bootstrap_options *options, size_t n, const double x[],
                         pk_bootstrap_one *out, pk_err *err) {
    store s;
    if (!store_new(&s, options, n, 2 * n, 4, err)) return false;
    data from = {.side[0] = sample_of(&s, n, x)};
    run r = {
        .options = options, .from = &from, .resample = resample_all, .statistics = 4, .n_max = n};
    for (size_t k = 0; k < r.statistics; k++) r.out[k] = take(&s, (size_t)options->resamples);
    bool ok = run_all(&r, err);
    if (ok) {
        out->mean = interval_of(options, r.out[0]);
        out->median = interval_of(options, r.out[1]);
        out->median_abs_dev = interval_of(options, r.out[2]);
        out->std_dev = interval_of(options, r.out[3]);
    }
    free(s.memory);
    return ok;
}

bool pk_bootstrap_mean(const pk_bootstrap_options *options, size_t n, const double x[],
                       pk_bootstrap_interval *out, double *distribution, pk_err *err) {
    store s;
    if (!store_new(&s, options, n, 2 * n, distribution ? 0 : 1, err)) return false;
    data from = {.side[0] = sample_of(&s, n, x)};
    run r = {
        .options = options, .from = &from, .resample = resample_mean, .statistics = 1, .n_max = n};
    r.out[0] = distribution ? distribution : take(&s, (size_t)options->resamples);
    bool ok = run_all(&r, err);
    if (ok) *out = interval_of(options, r.out[0]);
    free(s.memory);
    return ok;
}

bool pk_bootstrap_slope(const pk_bootstrap_options *options, size_t n, const double x[],
                        const double y[], pk_bootstrap_interval *out, pk_err *err) {
    store s;
    if (!store_new(&s, options, n, 2 * n, 1, err)) return false;
    double *xx = take(&s, n), *xy = take(&s, n);
    for (size_t i = 0; i < n; i++) {
        xx[i] = x[i] * x[i];
        xy[i] = x[i] * y[i];
    }
    data from = {.side[0].n = n, .xx = xx, .xy = xy};
    run r = {
        .options = options, .from = &from, .resample = resample_slope, .statistics = 1, .n_max = n};
    r.out[0] = take(&s, (size_t)options->resamples);
    bool ok = run_all(&r, err);
    if (ok) *out = interval_of(options, r.out[0]);
    free(s.memory);
    return ok;
}

/* Criterion's p: which share of the t under pooling lies below ours, two-sided; those that are no
 * number (a resample without spread) are left out. */
static double p_of(double t, const double pooled[], uint64_t resamples) {
    uint64_t below = 0, known = 0;
    for (uint64_t i = 0; i < resamples; i++) {
        known += isfinite(pooled[i]) != 0;
        below += pooled[i] < t && isfinite(pooled[i]);
    }
    if (isnan(t) || known == 0) return NAN;
    uint64_t tail = below < known - below ? below : known - below;
    return 2 * (double)tail / (double)known;
}

bool pk_bootstrap_compare(const pk_bootstrap_options *options, size_t nx, const double x[],
                          size_t ny, const double y[], pk_bootstrap_two *out, pk_err *err) {
    store s;
    size_t both = nx + ny;
    if (!store_new(&s, options, nx < ny ? nx : ny, 5 * both, 3, err)) return false;
    data from = {.side = {sample_of(&s, nx, x), sample_of(&s, ny, y)}};
    double *pooled = take(&s, both);
    memcpy(pooled, x, nx * sizeof x[0]);
    memcpy(pooled + nx, y, ny * sizeof y[0]);
    from.pool = sample_of(&s, both, pooled);
    run r = {.options = options,
             .from = &from,
             .resample = resample_two,
             .statistics = 3,
             .n_max = both};
    for (size_t k = 0; k < r.statistics; k++) r.out[k] = take(&s, (size_t)options->resamples);
    bool ok = run_all(&r, err);
    if (ok) {
        pk_summary a = pk_summarize(x, nx), b = pk_summarize(y, ny);
        double error = a.stddev * a.stddev / (double)nx + b.stddev * b.stddev / (double)ny;
        out->t = (a.mean - b.mean) / sqrt(error);
        out->p = p_of(out->t, r.out[2], options->resamples);
        out->mean_ratio = interval_of(options, r.out[0]);
        out->median_ratio = interval_of(options, r.out[1]);
    }
    free(s.memory);
    return ok;
}
