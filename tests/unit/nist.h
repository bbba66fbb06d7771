/* Data of NIST's Statistical Reference Datasets, https://www.itl.nist.gov/div898/strd/, that more
 * than one test uses. */
#ifndef PK_TESTS_UNIT_NIST_H
#define PK_TESTS_UNIT_NIST_H

#include <stddef.h>

/* Michelso: speed of light in air, Mm/s, 100 values (Michelson 1879, in Dorsey 1944). */
static inline void nist_michelso(double x[100]) {
    static const int over_299000_km_s[100] = {
        850,  740, 900, 1070, 930, 850, 950, 980, 980, 880, 1000, 980, 930, 650, 760, 810, 1000,
        1000, 960, 960, 960,  940, 960, 940, 880, 800, 850, 880,  900, 840, 830, 790, 810, 880,
        880,  830, 800, 790,  760, 800, 880, 880, 880, 860, 720,  720, 620, 860, 970, 950, 880,
        910,  850, 870, 840,  840, 850, 840, 840, 840, 890, 810,  810, 820, 800, 770, 760, 740,
        750,  760, 910, 920,  890, 860, 880, 720, 840, 850, 850,  780, 890, 840, 780, 810, 760,
        810,  790, 810, 820,  850, 870, 870, 810, 740, 810, 940,  950, 800, 810, 870,
    };
    for (size_t i = 0; i < 100; i++) x[i] = 299 + over_299000_km_s[i] / 1000.0;
}

/* NumAcc2..4: the middle value once, then 500 times a tenth below and a tenth above it. */
static inline void nist_num_acc(double below, double middle, double above, double x[1001]) {
    x[0] = middle;
    for (size_t i = 1; i < 1001; i += 2) {
        x[i] = below;
        x[i + 1] = above;
    }
}

/* Mavro: transmittance of a filter, 50 values. */
static const double nist_mavro[50] = {
    2.0018, 2.0017, 2.0018, 2.0019, 2.0018, 2.0017, 2.0015, 2.0014, 2.0015, 2.0015,
    2.0017, 2.0018, 2.0018, 2.0019, 2.0019, 2.0021, 2.0020, 2.0016, 2.0014, 2.0013,
    2.0013, 2.0015, 2.0015, 2.0016, 2.0015, 2.0014, 2.0013, 2.0014, 2.0015, 2.0014,
    2.0015, 2.0016, 2.0015, 2.0016, 2.0019, 2.0020, 2.0020, 2.0021, 2.0022, 2.0023,
    2.0024, 2.0025, 2.0027, 2.0026, 2.0026, 2.0026, 2.0027, 2.0026, 2.0025, 2.0024,
};

#endif
