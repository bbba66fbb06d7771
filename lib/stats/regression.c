#include "stats/regression.h"

#include <math.h>

#define GOLDEN_RATIO 1.6180339887498949

static double mean_of(size_t n, const double x[]) {
    double sum = 0;
    for (size_t i = 0; i < n; i++) sum += x[i];
    return sum / (double)n;
}

/* Residuals of a line: fills residual_sd and r2. */
static void judge(pk_line *line, size_t n, const double x[], const double y[], size_t df) {
    double mean = mean_of(n, y), residual = 0, total = 0;
    for (size_t i = 0; i < n; i++) {
        double r = y[i] - line->intercept - line->slope * x[i], d = y[i] - mean;
        residual += r * r;
        total += d * d;
    }
    line->residual_sd = df > 0 ? sqrt(residual / (double)df) : NAN;
    line->r2 = total > 0 ? 1 - residual / total : NAN;
}

pk_line pk_fit_through_origin(size_t n, const double x[], const double y[]) {
    double xx = 0, xy = 0;
    for (size_t i = 0; i < n; i++) {
        xx += x[i] * x[i];
        xy += x[i] * y[i];
    }
    pk_line line = {.slope = xy / xx};
    judge(&line, n, x, y, n > 1 ? n - 1 : 0);
    line.slope_error = line.residual_sd / sqrt(xx);
    return line;
}

pk_line pk_fit_line(size_t n, const double x[], const double y[]) {
    double mean_x = mean_of(n, x), mean_y = mean_of(n, y), xx = 0, xy = 0;
    for (size_t i = 0; i < n; i++) {
        double dx = x[i] - mean_x;
        xx += dx * dx;
        xy += dx * (y[i] - mean_y);
    }
    pk_line line = {.slope = xy / xx};
    line.intercept = mean_y - line.slope * mean_x;
    judge(&line, n, x, y, n > 2 ? n - 2 : 0);
    line.slope_error = line.residual_sd / sqrt(xx);
    return line;
}

const char *pk_growth_name(pk_growth growth) {
    static const char *const names[PK_GROWTHS] = {
        [PK_GROWTH_1] = "1",           [PK_GROWTH_LG_N] = "lg N", [PK_GROWTH_N] = "N",
        [PK_GROWTH_N_LG_N] = "N lg N", [PK_GROWTH_N2] = "N^2",    [PK_GROWTH_N3] = "N^3",
        [PK_GROWTH_PHI_N] = "phi^N",   [PK_GROWTH_2_N] = "2^N",
    };
    return names[growth];
}

double pk_growth_value(pk_growth growth, double n) {
    switch (growth) {
    case PK_GROWTH_1:
        return 1;
    case PK_GROWTH_LG_N:
        return log2(n);
    case PK_GROWTH_N:
        return n;
    case PK_GROWTH_N_LG_N:
        return n * log2(n);
    case PK_GROWTH_N2:
        return n * n;
    case PK_GROWTH_N3:
        return n * n * n;
    case PK_GROWTH_PHI_N:
        return pow(GOLDEN_RATIO, n);
    case PK_GROWTH_2_N:
        return exp2(n);
    case PK_GROWTHS:
        break;
    }
    return NAN;
}

static pk_complexity fit(pk_growth growth, size_t count, const double n[], const double time[]) {
    double tf = 0, ff = 0, squares = 0;
    for (size_t i = 0; i < count; i++) {
        double f = pk_growth_value(growth, n[i]);
        tf += time[i] * f;
        ff += f * f;
    }
    pk_complexity c = {.growth = growth, .coefficient = tf / ff};
    for (size_t i = 0; i < count; i++) {
        double r = time[i] - c.coefficient * pk_growth_value(growth, n[i]);
        squares += r * r;
    }
    c.rms = sqrt(squares / (double)count) / mean_of(count, time);
    return c;
}

pk_complexity pk_fit_complexity(size_t count, const double n[], const double time[]) {
    size_t distinct = 0;
    for (size_t i = 0; i < count && distinct < 3; i++) {
        size_t j = 0;
        while (j < i && n[j] != n[i]) j++;
        distinct += j == i;
    }
    pk_complexity best = {.growth = PK_GROWTH_1, .coefficient = NAN, .rms = NAN};
    if (distinct < 3) return best;
    for (pk_growth growth = 0; growth < PK_GROWTHS; growth++) {
        pk_complexity c = fit(growth, count, n, time);
        /* 2^n of a large n is infinite: such a candidate has no rms and cannot win */
        if (isfinite(c.rms) && !(best.rms <= c.rms)) best = c;
    }
    return best;
}
