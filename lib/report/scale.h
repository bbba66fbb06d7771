/* From values to places on a chart, and the round values that stand at an axis. */
#ifndef PK_REPORT_SCALE_H
#define PK_REPORT_SCALE_H

#include <stdbool.h>
#include <stddef.h>

#include "report/quantity.h"

typedef struct pk_scale {
    bool log;         /* then low > 0 */
    double low, high; /* values; low < high, both finite */
    double from, to;  /* places of low and high; from > to for an axis that grows upwards */
} pk_scale;

/* Any two values as a domain: widened where they are equal, ordered, and 0..1 (log: 1..10) where
 * they are not finite (log: not positive). */
pk_scale pk_scale_of(bool log, double low, double high, double from, double to);
/* The place of value, never outside from..to; NaN for NaN, and for what a logarithm has none of. */
double pk_scale_at(const pk_scale *scale, double value);
bool pk_scale_holds(const pk_scale *scale, double value); /* low <= value <= high */

#define PK_TICKS_MAX 16
typedef struct pk_ticks {
    size_t n;
    double value[PK_TICKS_MAX]; /* ascending, within the domain */
    char text[PK_TICKS_MAX][PK_QUANTITY_MAX];
    pk_unit unit; /* of all ticks; "" where each names its own, or there is none */
} pk_ticks;

/* At most `max` (2..PK_TICKS_MAX) ticks in the unit that suits the domain. Linear: multiples of 1,
 * 2 or 5 times a power of ten (of the unit), with the decimals that tell them apart. Logarithmic:
 * powers of ten, each with a unit of its own; below two decades also 2 and 5 times, below half a
 * decade as linear. Whole things have no ticks between whole numbers. n may be 0 when a domain is
 * so narrow that no two ticks could be told apart. */
void pk_ticks_of(const pk_scale *scale, pk_quantity quantity, size_t max, pk_ticks *ticks);

#endif
