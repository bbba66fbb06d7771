/* Exact decimal numbers, for what people write and expect to read again: 0.1 + 0.2 is 0.3. */
#ifndef PK_BASE_DECIMAL_H
#define PK_BASE_DECIMAL_H

#include <stdbool.h>
#include <stddef.h>
#include "base/error.h"

#define PK_DECIMAL_DIGITS 28 /* before and behind the point together */

__extension__ typedef __int128 pk_int128;

typedef struct pk_decimal { /* digits / 10^scale */
    pk_int128 digits;
    unsigned scale; /* <= PK_DECIMAL_DIGITS; as written: "1.50" has 2 */
} pk_decimal;

/* An optional sign, digits with at most one point, no exponent; the whole text. On failure *out is
 * untouched; err->where is the caller's to fill. */
bool pk_decimal_parse(const char *text, pk_decimal *out, pk_err *err) PK_MUST_CHECK;
/* With exactly `scale` digits behind the point; what the number has beyond is cut off downwards.
 * False: it does not fit. */
bool pk_decimal_rescale(pk_decimal *number, unsigned scale) PK_MUST_CHECK;
/* "-0.50" for -50 with scale 2. Returns out. */
char *pk_decimal_format(char *out, size_t size, pk_decimal number);
#define PK_DECIMAL_MAX 80 /* any of them, with its NUL */

#endif
