/* Numbers with units, from and to people. The only place that parses or formats them.
 * Parsers take the whole string (no trailing rubbish), leave *out untouched on failure and set
 * err->what and err->fix; err->where is the caller's (an option's name).
 * Formatters never depend on the locale. */
#ifndef PK_BASE_UNITS_H
#define PK_BASE_UNITS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/error.h"

#define PK_NS_PER_US 1000ull
#define PK_NS_PER_MS 1000000ull
#define PK_NS_PER_S 1000000000ull

/* humantime's grammar: number + unit, chained with or without blanks: "500ms", "1m30s", "1h 2min".
 * Units ns us (µs) ms s m h d w M(30.44 d) y(365.25 d) and their long names; fractions ("4.2s").
 * A bare number means seconds. Negative or over 2^63-1 ns is an error. */
bool pk_parse_duration(const char *text, uint64_t *ns, pk_err *err) PK_MUST_CHECK;
/* "1024", "64k", "64KiB", "1.5M", "1MB": k M G and KiB MiB GiB are powers of 1024, kB MB GB of
 * 1000. */
bool pk_parse_bytes(const char *text, uint64_t *bytes, pk_err *err) PK_MUST_CHECK;
/* oha's -n: an integer or a decimal with k = 1e3 or m = 1e6, any case ("10k", "2.6k", "0.001m").
 * A result that is no whole number is an error. */
bool pk_parse_count(const char *text, uint64_t *count, pk_err *err) PK_MUST_CHECK;
/* A decimal integer within [min, max]. */
bool pk_parse_int(const char *text, int64_t min, int64_t max, int64_t *out,
                  pk_err *err) PK_MUST_CHECK;
/* A finite decimal >= 0, no exponent needed but allowed. */
bool pk_parse_double(const char *text, double *out, pk_err *err) PK_MUST_CHECK;
/* A share from 0 to 1: "0.01" or "1%". */
bool pk_parse_ratio(const char *text, double *out, pk_err *err) PK_MUST_CHECK;

/* A rounded duration for people, 3 to 4 significant digits: "0", "850 ns", "1.23 us", "45.6 ms",
 * "3 s", "1m 30s". Returns out. */
char *pk_format_duration(char *out, size_t size, double ns);
/* The exact duration in the parser's grammar ("1m30s", "1500ms"): parse(format(x)) = x. */
char *pk_format_duration_exact(char *out, size_t size, uint64_t ns);
/* Binary units, two decimals, plain bytes without: "13 B", "52.06 KiB". */
char *pk_format_bytes(char *out, size_t size, double bytes);
/* The shortest decimal that reads back as the same double, never with an exponent for
 * 1e-9 <= |x| < 1e21; "NaN", "inf" otherwise spelled so. */
char *pk_format_double(char *out, size_t size, double value);
#define PK_FORMAT_MAX 64

#endif
