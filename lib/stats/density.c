#include "stats/density.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>

#include "stats/quantile.h"
#include "stats/robust.h"
#include "stats/summary.h"

/* ---- bandwidths ---- */

/* Never 0: of equal values, Criterion's choice. */
static double or_of_equal(double bandwidth, double mean) {
    if (bandwidth > 0) return bandwidth;
    return mean != 0 ? 0.01 * fabs(mean) : 1e-10;
}

double pk_bandwidth_silverman(size_t n, const double x[]) {
    pk_summary s = pk_summarize(x, n);
    return or_of_equal(n > 1 ? s.stddev * pow(4 / (3 * (double)n), 0.2) : 0, s.mean);
}

/* Silverman 1986, 3.31. Without an interquartile range, of the standard deviation alone. */
static double bandwidth_robust(size_t n, const double sorted[]) {
    pk_summary s = pk_summarize(sorted, n);
    double spread = s.stddev, range = pk_iqr_spread(sorted, n) * 1.349 / 1.34;
    if (range > 0) spread = fmin(spread, range);
    return or_of_equal(n > 1 ? 0.9 * spread * pow((double)n, -0.2) : 0, s.mean);
}

enum { BINS = 1024, STAGES = 7, ANGLES = 4 * BINS };

/* Botev's transform of the data: squares of half the cosine coefficients 1 .. BINS - 1 of the
 * relative frequencies in BINS bins over low .. low + range. */
static void cosine_squares(size_t n, const double sorted[], double low, double range,
                           double square[BINS]) {
    double cosine[ANGLES],
        a[BINS] = {0}; /* every angle that occurs is a multiple of 2 pi / ANGLES */
    for (size_t i = 0; i < ANGLES; i++) cosine[i] = cos(2 * M_PI * (double)i / ANGLES);
    for (size_t i = 0; i < n;) {
        size_t bin = (size_t)fmin(BINS - 1, (sorted[i] - low) / range * BINS), first = i;
        while (i < n && (size_t)fmin(BINS - 1, (sorted[i] - low) / range * BINS) == bin) i++;
        double share = (double)(i - first) / (double)n;
        for (size_t k = 1; k < BINS; k++) a[k] += share * cosine[k * (2 * bin + 1) % ANGLES];
    }
    for (size_t k = 1; k < BINS; k++) square[k] = a[k] * a[k];
}

/* || f^(s) ||^2 of the density smoothed with time t (Botev, Grotowski & Kroese 2010, eq. 29). */
static double norm_of_derivative(int s, double t, const double square[BINS]) {
    double sum = 0;
    for (size_t k = 1; k < BINS; k++) {
        double frequency = (double)k * (double)k, exponent = frequency * M_PI * M_PI * t;
        if (exponent > 700) break; /* exp() is 0 to double precision from here on */
        sum += pow(frequency, s) * square[k] * exp(-exponent);
    }
    return 2 * pow(M_PI, 2 * s) * sum;
}

/* Zero where t is the optimal squared bandwidth (over range^2) for the density it implies. */
static double fixed_point(double t, double n, const double square[BINS]) {
    double norm = norm_of_derivative(STAGES, t, square);
    for (int s = STAGES - 1; s >= 2; s--) {
        double odd = 1; /* 1 3 5 .. (2 s - 1) */
        for (int i = 3; i < 2 * s; i += 2) odd *= i;
        double factor = (1 + pow(0.5, s + 0.5)) / 3;
        double time = pow(2 * factor * odd / sqrt(2 * M_PI) / (n * norm), 2 / (3 + 2.0 * s));
        norm = norm_of_derivative(s, time, square);
    }
    return t - pow(2 * n * sqrt(M_PI) * norm, -0.4);
}

/* The smallest root: brackets it upwards, then regula falsi with Illinois's halving. NaN: none. */
static double solve(double n, const double square[BINS]) {
    double low = 0, high = 1e-12 + 0.01 * (fmin(fmax(n, 50), 1050) - 50) / 1000;
    double at_low = fixed_point(low, n, square), at_high = fixed_point(high, n, square);
    while (!(at_high > 0)) {
        if (high >= 0.1 || isnan(at_high)) return NAN;
        low = high, at_low = at_high;
        high = fmin(2 * high, 0.1);
        at_high = fixed_point(high, n, square);
    }
    if (!(at_low < 0)) return NAN;
    int side = 0;
    for (int i = 0; i < 200 && high - low > 1e-10 * high; i++) {
        double t = (low * at_high - high * at_low) / (at_high - at_low);
        double at_t = fixed_point(t, n, square);
        if (at_t == 0) return t;
        if (at_t > 0) {
            high = t, at_high = at_t;
            if (side > 0) at_low /= 2;
            side = 1;
        } else {
            low = t, at_low = at_t;
            if (side < 0) at_high /= 2;
            side = -1;
        }
    }
    return (low + high) / 2;
}

double pk_bandwidth_isj(size_t n, const double sorted[], bool *fell_back) {
    if (fell_back) *fell_back = true;
    if (n < 2 || !(sorted[n - 1] > sorted[0])) return bandwidth_robust(n, sorted);
    double span = sorted[n - 1] - sorted[0], range = 2 * span;
    size_t distinct = 1;
    for (size_t i = 1; i < n; i++)
        if (sorted[i] != sorted[i - 1]) distinct++;
    double square[BINS];
    cosine_squares(n, sorted, sorted[0] - span / 2, range, square);
    double t = pk_iqr_spread(sorted, n) > 0 ? solve((double)distinct, square) : NAN;
    if (!(t > 0)) return bandwidth_robust(n, sorted);
    if (fell_back) *fell_back = false;
    return sqrt(t) * range;
}

/* ---- density ---- */

#define REACH 7             /* bandwidths after which the kernel is below 1e-10 of its peak */
#define BINS_PER_WIDTH 32   /* bins in one bandwidth */
#define BINS_MOST (1 << 22) /* 32 MiB; a kernel too narrow for that is summed value by value */
#define KERNELS_FEW 100000  /* values times points: so few are quicker summed one by one */

static double kernel(double z) {
    return exp(-0.5 * z * z) / sqrt(2 * M_PI);
}

static void sum_exactly(size_t n, const double x[], double bandwidth, double low, double step,
                        size_t points, double density[]) {
    for (size_t i = 0; i < points; i++) {
        double at = low + step * (double)i, sum = 0;
        for (size_t j = 0; j < n; j++) sum += kernel((at - x[j]) / bandwidth);
        density[i] = sum / ((double)n * bandwidth);
    }
}

/* Bins whose centres include the points asked for: `per_point` bins from one to the next, `margin`
 * of them (a kernel's reach) on either side. */
typedef struct grid {
    size_t per_point, margin, count;
    double width;
} grid;

static bool grid_of(grid *g, double bandwidth, double low, double high, size_t points) {
    double span = high - low;
    double intervals = (double)(points - 1);
    double per_point = ceil(span * BINS_PER_WIDTH / bandwidth / intervals);
    double exact = span / (per_point * intervals), margin = ceil(REACH * bandwidth / exact);
    double count = per_point * intervals + 1 + 2 * margin;
    if (!(count <= BINS_MOST)) return false;
    *g = (grid){(size_t)per_point, (size_t)margin, (size_t)count, exact};
    return true;
}

/* Linear binning: a value is shared by the two bins around it (Wand 1994). */
static void fill_bins(const grid *g, size_t n, const double x[], double low, double bins[]) {
    for (size_t i = 0; i < n; i++) {
        double place = (x[i] - low) / g->width + (double)g->margin;
        if (!(place >= 0 && place <= (double)(g->count - 1))) continue; /* out of reach */
        size_t at = (size_t)place;
        double share = place - (double)at;
        bins[at] += 1 - share;
        if (share > 0) bins[at + 1] += share;
    }
}

bool pk_density(size_t n, const double x[], double bandwidth, double low, double high,
                size_t points, double density[], pk_err *err) {
    double step = points > 1 ? (high - low) / (double)(points - 1) : 0;
    grid g;
    if (n < KERNELS_FEW / (points + 1) || points < 2 ||
        !grid_of(&g, bandwidth, low, high, points)) {
        sum_exactly(n, x, bandwidth, low, step, points, density);
        return true;
    }
    double *bins = calloc(g.count + g.margin + 1, sizeof bins[0]);
    if (!bins) {
        pk_fail(err, PK_E_LIMIT, NULL, "no memory for a density of %zu bins", g.count);
        pk_fix(err, "close other programs");
        return false;
    }
    double *weight = bins + g.count;
    for (size_t i = 0; i <= g.margin; i++)
        weight[i] = kernel(g.width * (double)i / bandwidth) / ((double)n * bandwidth);
    fill_bins(&g, n, x, low, bins);
    for (size_t i = 0; i < points; i++) {
        const double *centre = bins + g.margin + i * g.per_point;
        double sum = centre[0] * weight[0];
        for (size_t k = 1; k <= g.margin; k++) sum += weight[k] * (centre[k] + *(centre - k));
        density[i] = sum;
    }
    free(bins);
    return true;
}

/* ---- modes ---- */

enum { MODE_POINTS = 2048, MODE_VALUES_LEAST = 20 };
#define MODE_SHARE_LEAST 0.1
#define VALLEY_MOST 0.8 /* of the lower peak */

/* Peaks, and the valley behind each but the last. */
typedef struct landscape {
    size_t count, peak[MODE_POINTS], valley[MODE_POINTS];
} landscape;

static void find_peaks(const double density[MODE_POINTS], landscape *l) {
    bool rising = true;
    size_t top = 0, bottom = 0;
    l->count = 0;
    for (size_t i = 1; i < MODE_POINTS; i++) {
        if (rising && density[i] < density[top]) {
            if (l->count > 0) l->valley[l->count - 1] = bottom;
            l->peak[l->count++] = top;
            rising = false;
            bottom = i;
        } else if (rising && density[i] > density[top]) {
            top = i;
        } else if (!rising && density[i] > density[bottom]) {
            rising = true;
            top = i;
        } else if (!rising && density[i] < density[bottom]) {
            bottom = i;
        }
    }
}

/* Takes peak i away: it becomes part of the neighbour behind (or before), across valley v. */
static void merge(landscape *l, size_t v, size_t i) {
    for (size_t k = i; k + 1 < l->count; k++) l->peak[k] = l->peak[k + 1];
    for (size_t k = v; k + 2 < l->count; k++) l->valley[k] = l->valley[k + 1];
    l->count--;
}

/* Merges, shallowest first, neighbours whose valley is not deep enough. */
static void merge_shallow(landscape *l, const double density[]) {
    for (;;) {
        size_t worst = 0;
        double depth = VALLEY_MOST;
        for (size_t v = 0; v + 1 < l->count; v++) {
            double lower = fmin(density[l->peak[v]], density[l->peak[v + 1]]);
            double ratio = density[l->valley[v]] / lower;
            if (ratio >= depth) depth = ratio, worst = v + 1;
        }
        if (worst == 0) return;
        size_t v = worst - 1;
        merge(l, v, density[l->peak[v]] < density[l->peak[v + 1]] ? v : v + 1);
    }
}

/* Share of the values (logs, sorted) between the valleys around peak i. */
static double share_of(const landscape *l, size_t i, size_t n, const double x[], double low,
                       double step) {
    double from = i > 0 ? low + step * (double)l->valley[i - 1] : -INFINITY;
    double to = i + 1 < l->count ? low + step * (double)l->valley[i] : INFINITY;
    size_t inside = 0;
    for (size_t k = 0; k < n; k++)
        if (x[k] > from && x[k] <= to) inside++;
    return (double)inside / (double)n;
}

/* Merges, smallest first, peaks of too few values into the neighbour across the higher valley. */
static void merge_small(landscape *l, const double density[], size_t n, const double x[],
                        double low, double step) {
    while (l->count > 1) {
        size_t least = 0;
        double share = 1;
        for (size_t i = 0; i < l->count; i++) {
            double s = share_of(l, i, n, x, low, step);
            if (s < share) share = s, least = i;
        }
        if (share >= MODE_SHARE_LEAST) return;
        bool before = least > 0 && (least + 1 == l->count ||
                                    density[l->valley[least - 1]] > density[l->valley[least]]);
        merge(l, before ? least - 1 : least, least);
    }
}

/* The modes of n logs, sorted and not all equal. */
static bool modes_of_logs(size_t n, const double x[], pk_modes *modes, pk_err *err) {
    double bandwidth = pk_bandwidth_isj(n, x, NULL), density[MODE_POINTS];
    double low = x[0] - 3 * bandwidth, high = x[n - 1] + 3 * bandwidth;
    double step = (high - low) / (MODE_POINTS - 1);
    if (!pk_density(n, x, bandwidth, low, high, MODE_POINTS, density, err)) return false;
    landscape l;
    find_peaks(density, &l);
    merge_shallow(&l, density);
    merge_small(&l, density, n, x, low, step);
    modes->count = l.count < PK_MODES_MAX ? l.count : PK_MODES_MAX;
    for (size_t i = 0; i < modes->count; i++) {
        double place = exp(low + step * (double)l.peak[i]);
        modes->mode[i] = (pk_mode){place, share_of(&l, i, n, x, low, step)};
    }
    return true;
}

bool pk_find_modes(size_t n, const double sorted[], pk_modes *modes, pk_err *err) {
    if (n < MODE_VALUES_LEAST || !(sorted[0] > 0) || !(sorted[n - 1] > sorted[0])) {
        double median = pk_quantile_interpolated(sorted, n, 0.5);
        *modes = (pk_modes){.count = 1, .mode[0] = {median, n > 0 ? 1 : NAN}};
        return true;
    }
    double *x = calloc(n, sizeof x[0]);
    if (!x) {
        pk_fail(err, PK_E_LIMIT, NULL, "no memory to look for modes among %zu values", n);
        pk_fix(err, "close other programs");
        return false;
    }
    for (size_t i = 0; i < n; i++) x[i] = log(sorted[i]);
    bool ok = modes_of_logs(n, x, modes, err);
    free(x);
    return ok;
}
