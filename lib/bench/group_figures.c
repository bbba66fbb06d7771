#include "bench/group_figures.h"

#include <math.h>
#include <string.h>

#include "stats/student.h"

static bool is_same(const char *a, const char *b) {
    return a && b ? strcmp(a, b) == 0 : a == b;
}

static bool is_measured(const pk_bench_result *r) {
    return !r->failed && isfinite(r->typical.point) && r->typical.point > 0;
}

bool pk_bench_is_same_function(const pk_bench_result *a, const pk_bench_result *b) {
    return is_same(a->group, b->group) && is_same(a->function, b->function);
}

bool pk_bench_scan_of(const pk_bench_report *report, size_t first, pk_bench_scan *scan) {
    double n[PK_BENCH_SCAN_MAX], time[PK_BENCH_SCAN_MAX];
    const pk_bench_result *one = &report->results[first];
    for (size_t i = 0; i < first; i++)
        if (pk_bench_is_same_function(&report->results[i], one)) return false;
    scan->n = 0;
    for (size_t i = first; i < report->n_results && scan->n < PK_BENCH_SCAN_MAX; i++) {
        const pk_bench_result *r = &report->results[i];
        if (!pk_bench_is_same_function(r, one) || !is_measured(r) || !r->value_is_number ||
            !(r->value_number > 0))
            continue;
        n[scan->n] = r->value_number;
        time[scan->n] = r->typical.point;
        scan->results[scan->n++] = r;
    }
    scan->fit = pk_fit_complexity(scan->n, n, time);
    return isfinite(scan->fit.rms);
}

static pk_estimate ratio_of(const pk_bench_result *slow, const pk_bench_result *fast) {
    double ratio = slow->typical.point / fast->typical.point;
    double a = pow(slow->typical.standard_error / slow->typical.point, 2);
    double b = pow(fast->typical.standard_error / fast->typical.point, 2);
    double df = (a + b) * (a + b) /
                (a * a / ((double)pk_bench_samples(slow) - 1) +
                 b * b / ((double)pk_bench_samples(fast) - 1));
    double t = pk_student_quantile((1 + slow->confidence_level) / 2, df);
    double se = sqrt(a + b);
    return (pk_estimate){ratio, ratio * exp(-t * se), ratio * exp(t * se), ratio * se};
}

bool pk_bench_relative_of(const pk_bench_report *report, size_t i, pk_bench_relative *relative) {
    const pk_bench_result *one = &report->results[i], *fastest = one;
    if (!is_measured(one)) return false;
    for (size_t k = 0; k < report->n_results; k++) {
        const pk_bench_result *r = &report->results[k];
        if (is_measured(r) && is_same(r->group, one->group) && is_same(r->value, one->value) &&
            r->typical.point < fastest->typical.point)
            fastest = r;
    }
    if (fastest == one) return false;
    relative->fastest = fastest;
    relative->ratio = ratio_of(one, fastest);
    return true;
}
