/* Kernel density (Gaussian kernel), binned and convolved, and the modes seen in it. */
#ifndef PK_STATS_DENSITY_H
#define PK_STATS_DENSITY_H

#include <stdbool.h>
#include <stddef.h>
#include "base/error.h"

/* Criterion's bandwidth: sd (4 / 3n)^(1/5) (Silverman 1986, 3.28). */
double pk_bandwidth_silverman(size_t n, const double x[]);
/* Improved Sheather-Jones (Botev, Grotowski & Kroese 2010): 1024 bins, DCT, root of the fixed-point
 * equation with 7 stages. Falls back to 0.9 min(sd, IQR/1.34) n^(-1/5) when there is no root or no
 * spread (*fell_back, may be NULL). x sorted. */
double pk_bandwidth_isj(size_t n, const double sorted[], bool *fell_back);

/* The density at `points` equally spaced places from low to high. x in any order; n >= 1,
 * bandwidth > 0. Many values are binned linearly (Wand 1994) with 32 bins or more to a bandwidth:
 * within 3e-4 of the peak. PK_E_LIMIT without memory. */
bool pk_density(size_t n, const double x[], double bandwidth, double low, double high,
                size_t points, double density[], pk_err *err) PK_MUST_CHECK;

#define PK_MODES_MAX 8
typedef struct pk_mode {
    double value, share; /* of the mass, cut at the valleys */
} pk_mode;
typedef struct pk_modes {
    size_t count;               /* 1: unimodal */
    pk_mode mode[PK_MODES_MAX]; /* ascending */
} pk_modes;
/* Peaks of the density of log(x), bandwidth ISJ, with at least 10 % of the mass each and separated
 * by valleys below 80 % of the lower peak. x > 0, sorted. Too few values (< 20): one mode. */
bool pk_find_modes(size_t n, const double sorted[], pk_modes *modes, pk_err *err) PK_MUST_CHECK;

#endif
