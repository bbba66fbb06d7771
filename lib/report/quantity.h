/* Figures for charts and pages: which unit suits a value, and its text with a bounded number of
 * digits. UTF-8 ("µs"), no locale, never "nan" or "inf": what is not finite is "-". */
#ifndef PK_REPORT_QUANTITY_H
#define PK_REPORT_QUANTITY_H

#include <stddef.h>

typedef enum pk_quantity {
    PK_Q_NUMBER,    /* a figure without a unit */
    PK_Q_COUNT,     /* whole things: workers, runs */
    PK_Q_TIME,      /* in ns: ps ns µs ms s */
    PK_Q_SHARE,     /* a ratio: 0.12 is 12 % */
    PK_Q_CHANGE,    /* a ratio - 1, with its sign: 0.012 is +1.2 % */
    PK_Q_BYTES,     /* B KiB MiB GiB */
    PK_Q_BYTE_RATE, /* bytes per second: B/s KiB/s MiB/s GiB/s */
    PK_Q_ITEM_RATE, /* elements per second: elem/s Kelem/s Melem/s Gelem/s */
    PK_Q_RATE,      /* per second: /s k/s M/s G/s */
    PK_Q_FREQUENCY, /* Hz kHz MHz GHz */
    PK_QUANTITIES
} pk_quantity;

typedef struct pk_unit {
    const char *name; /* "ns"; "" for none */
    double factor;    /* of the base unit: 1000 for "µs" */
} pk_unit;

/* The largest unit in which |magnitude| is at least 1; the smallest there is for less than that,
 * and for 0 and what is not finite the base unit. */
pk_unit pk_unit_for(pk_quantity quantity, double magnitude);

#define PK_QUANTITY_MAX 48 /* holds any text of the functions below */

#define PK_DECIMALS_MAX 12 /* more are not shown */

/* value with this many decimals (0..PK_DECIMALS_MAX): "1.50". */
char *pk_number_fixed(char *out, size_t size, double value, int decimals);
/* value / unit.factor with these decimals, without the unit's name; a change with its sign. */
char *pk_quantity_fixed(char *out, size_t size, pk_quantity quantity, double value, pk_unit unit,
                        int decimals);
/* The same with the unit's name behind: "1.50 µs". */
char *pk_quantity_labelled(char *out, size_t size, pk_quantity quantity, double value, pk_unit unit,
                           int decimals);
/* value in its best unit, rounded to `digits` significant digits (1..9): "13.021 µs", "+1.979 %",
 * "140" (whole things have no decimals). Digits before the point are never cut. At most `digits` -
 * 1 decimals, so that a value near 0 does not grow a tail: 0.00001 of 5 digits is "0.0000". */
char *pk_quantity_text(char *out, size_t size, pk_quantity quantity, double value, int digits);
/* The same in a unit given: a row of figures that are to be compared. */
char *pk_quantity_text_in(char *out, size_t size, pk_quantity quantity, double value, pk_unit unit,
                          int digits);

#endif
