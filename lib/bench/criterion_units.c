#include "bench/criterion_units.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

enum { NUMBER_MAX = PK_CRITERION_MAX - 10 }; /* a unit stands behind it */

static int decimals_of(double magnitude) {
    return magnitude < 10      ? 4
           : magnitude < 100   ? 3
           : magnitude < 1000  ? 2
           : magnitude < 10000 ? 1
                               : 0;
}

char *pk_criterion_number(char *out, size_t size, double value) {
    if (!isfinite(value)) snprintf(out, size, "-");
    else if (fabs(value) < 1e21) snprintf(out, size, "%.*f", decimals_of(fabs(value)), value);
    else snprintf(out, size, "%.4g", value); /* no such time exists; 300 digits would not help */
    return out;
}

typedef struct unit {
    double below; /* of the base unit */
    double per;   /* base units in one of these */
    const char *name;
} unit;

/* units[n - 1] holds for all that is larger. */
static char *with_unit(char *out, size_t size, double value, const unit units[], size_t n) {
    char number[NUMBER_MAX];
    size_t i = 0;
    while (i + 1 < n && fabs(value) >= units[i].below) i++;
    pk_criterion_number(number, sizeof number, value / units[i].per);
    snprintf(out, size, "%6s %s", number, units[i].name);
    return out;
}

char *pk_criterion_time(char *out, size_t size, double ns) {
    static const unit units[] = {
        {1, 1e-3, "ps"},  {1e3, 1, "ns"},       {1e6, 1e3, "\u00b5s"},
        {1e9, 1e6, "ms"}, {INFINITY, 1e9, "s"},
    };
    return with_unit(out, size, ns, units, sizeof units / sizeof units[0]);
}

char *pk_criterion_bytes_rate(char *out, size_t size, uint64_t bytes, double ns) {
    static const unit units[] = {
        {1024, 1, "  B/s"},
        {1048576, 1024, "KiB/s"},
        {1073741824, 1048576, "MiB/s"},
        {INFINITY, 1073741824, "GiB/s"},
    };
    return with_unit(out, size, (double)bytes * (1e9 / ns), units, sizeof units / sizeof units[0]);
}

char *pk_criterion_elements_rate(char *out, size_t size, uint64_t elements, double ns) {
    static const unit units[] = {
        {1e3, 1, " elem/s"},
        {1e6, 1e3, "Kelem/s"},
        {1e9, 1e6, "Melem/s"},
        {INFINITY, 1e9, "Gelem/s"},
    };
    return with_unit(out, size, (double)elements * (1e9 / ns), units,
                     sizeof units / sizeof units[0]);
}

char *pk_criterion_change(char *out, size_t size, double change) {
    char number[NUMBER_MAX];
    pk_criterion_number(number, sizeof number, fabs(change * 100));
    if (isfinite(change)) snprintf(out, size, "%c%s%%", change >= 0 ? '+' : '-', number);
    else snprintf(out, size, "-");
    return out;
}

char *pk_criterion_count(char *out, size_t size, uint64_t count) {
    double n = (double)count;
    if (count < 10000) snprintf(out, size, "%" PRIu64, count);
    else if (n < 1e6) snprintf(out, size, "%.0fk", n / 1e3);
    else if (n < 1e7) snprintf(out, size, "%.1fM", n / 1e6);
    else if (n < 1e9) snprintf(out, size, "%.0fM", n / 1e6);
    else if (n < 1e10) snprintf(out, size, "%.1fB", n / 1e9);
    else snprintf(out, size, "%.0fB", n / 1e9);
    return out;
}
