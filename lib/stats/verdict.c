#include "stats/verdict.h"

#include <math.h>

#include "stats/student.h"

const char *pk_verdict_name(pk_verdict_word word) {
    static const char *const names[] = {
        [PK_CANNOT_TELL] = "cannot tell",
        [PK_REGRESSED] = "regressed",
        [PK_IMPROVED] = "improved",
        [PK_NO_CHANGE] = "no change",
    };
    return names[word];
}

static pk_verdict_word word_of(const pk_verdict_rule *rule, const pk_verdict *v) {
    double beyond = rule->strict ? rule->threshold : 0;
    if (v->low > beyond && v->estimate > rule->threshold) return PK_REGRESSED;
    if (v->high < -beyond && v->estimate < -rule->threshold) return PK_IMPROVED;
    if (v->low >= -rule->equivalence && v->high <= rule->equivalence) return PK_NO_CHANGE;
    return PK_CANNOT_TELL; /* NaN too */
}

/* Rounded up to two significant digits: a promise may only become weaker by rounding. */
static double round_up(double x) {
    if (!(x > 0) || isinf(x)) return x;
    double scale = pow(10, floor(log10(x)) - 1);
    return ceil(x / scale * (1 - 1e-12)) * scale;
}

/* Two-sided p of a deviation of `distance` (>= 0 counts against chance) in the log. */
static double p_of(double distance, double standard_error, double df) {
    if (distance <= 0) return 1;
    return 2 * pk_student_cdf(-distance / standard_error, df);
}

pk_verdict pk_verdict_of_log(const pk_verdict_rule *rule, double d, double standard_error,
                             double df, uint64_t n) {
    double half = pk_student_quantile(0.5 + rule->confidence / 2, df) * standard_error;
    pk_verdict v = {
        .estimate = expm1(d),
        .low = expm1(d - half),
        .high = expm1(d + half),
        .bound = NAN,
        .p = NAN,
        .p_zero = NAN,
    };
    v.word = word_of(rule, &v);
    if (v.word == PK_NO_CHANGE) v.bound = round_up(fmax(fabs(v.low), fabs(v.high)));
    if (isnan(half)) return v;

    double threshold = d > 0 ? log1p(rule->threshold) : -log1p(-rule->threshold);
    v.p_zero = p_of(fabs(d), standard_error, df);
    v.p = fmin(1, p_of(fabs(d) - threshold, standard_error, df));
    double target = log1p(rule->threshold);
    if (target > 0) {
        double needed = ceil((double)n * (half / target) * (half / target));
        v.workers_needed = needed < 1e15 ? (uint64_t)needed : 0;
    }
    return v;
}

void pk_holm(size_t n, const double p[], double alpha, bool rejected[]) {
    size_t left = 0;
    for (size_t i = 0; i < n; i++) {
        rejected[i] = false;
        if (!isnan(p[i])) left++;
    }
    /* Step down: the smallest of m against alpha/m, the next against alpha/(m - 1), ... */
    for (; left > 0; left--) {
        size_t best = n;
        for (size_t i = 0; i < n; i++)
            if (!isnan(p[i]) && !rejected[i] && (best == n || p[i] < p[best])) best = i;
        if (p[best] > alpha / (double)left) return;
        rejected[best] = true;
    }
}
