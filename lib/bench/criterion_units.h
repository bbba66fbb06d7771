/* Numbers as Criterion prints them (Criterion.rs 0.5, src/format.rs and src/measurement.rs), to the
 * letter: four to five digits and a unit of their own each. Not finite: "-". No locale is set by
 * perfkit, so the point is a point. Each returns out. */
#ifndef PK_BENCH_CRITERION_UNITS_H
#define PK_BENCH_CRITERION_UNITS_H

#include <stddef.h>
#include <stdint.h>

#define PK_CRITERION_MAX 48 /* holds any of these texts */

/* "9.9999", "10.000", "100.00", "1000.0", "10000": digits by size before rounding, so 9.99996 is
 * "10.0000". */
char *pk_criterion_number(char *out, size_t size, double value);
/* "13.020 µs", in at least 6 places: ps below 1 ns, then ns, µs (U+00B5), ms, s from 1e9 ns. */
char *pk_criterion_time(char *out, size_t size, double ns);
/* What is done in ns per iteration, per second: "1.0000 GiB/s", "74.469 Melem/s"; the smallest
 * units are padded as there: "512.00   B/s", "5.0000  elem/s". */
char *pk_criterion_bytes_rate(char *out, size_t size, uint64_t bytes, double ns);
char *pk_criterion_elements_rate(char *out, size_t size, uint64_t elements, double ns);
/* A ratio - 1 as a percentage with its sign, always ASCII: "+3.1000%", "-12.345%". */
char *pk_criterion_change(char *out, size_t size, double change);
/* "9999", "61k", "1.2M", "34M", "5.1B": iterations. */
char *pk_criterion_count(char *out, size_t size, uint64_t count);

#endif
