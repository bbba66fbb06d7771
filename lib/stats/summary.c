#include "stats/summary.h"

#include <math.h>

pk_summary pk_summarize(const double x[], size_t n) {
    pk_summary s = {.n = n, .mean = NAN, .stddev = NAN, .min = NAN, .max = NAN};
    if (n == 0) return s;

    double mean = x[0], squares = 0;
    s.min = s.max = x[0];
    for (size_t i = 1; i < n; i++) {
        double delta = x[i] - mean;
        mean += delta / (double)(i + 1);
        squares += delta * (x[i] - mean);
        if (x[i] < s.min) s.min = x[i];
        if (x[i] > s.max) s.max = x[i];
    }
    s.mean = mean;
    if (n > 1) s.stddev = sqrt(squares / (double)(n - 1));
    return s;
}
