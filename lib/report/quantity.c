#include "report/quantity.h"

#include <inttypes.h>
#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

enum {
    UNITS_MAX = 5,
    NUMBER_MAX = PK_QUANTITY_MAX - 9, /* a unit stands behind it */
};

typedef struct ladder {
    pk_unit unit[UNITS_MAX]; /* ascending; the base unit has factor 1 */
} ladder;

static const ladder ladders[PK_QUANTITIES] = {
    [PK_Q_NUMBER] = {{{"", 1}}},
    [PK_Q_COUNT] = {{{"", 1}}},
    [PK_Q_TIME] = {{{"ps", 1e-3}, {"ns", 1}, {"µs", 1e3}, {"ms", 1e6}, {"s", 1e9}}},
    [PK_Q_SHARE] = {{{"%", 0.01}}},
    [PK_Q_CHANGE] = {{{"%", 0.01}}},
    [PK_Q_BYTES] = {{{"B", 1}, {"KiB", 1024}, {"MiB", 1048576}, {"GiB", 1073741824}}},
    [PK_Q_BYTE_RATE] = {{{"B/s", 1}, {"KiB/s", 1024}, {"MiB/s", 1048576}, {"GiB/s", 1073741824}}},
    [PK_Q_ITEM_RATE] = {{{"elem/s", 1}, {"Kelem/s", 1e3}, {"Melem/s", 1e6}, {"Gelem/s", 1e9}}},
    [PK_Q_RATE] = {{{"/s", 1}, {"k/s", 1e3}, {"M/s", 1e6}, {"G/s", 1e9}}},
    [PK_Q_FREQUENCY] = {{{"Hz", 1}, {"kHz", 1e3}, {"MHz", 1e6}, {"GHz", 1e9}}},
};

pk_unit pk_unit_for(pk_quantity quantity, double magnitude) {
    const pk_unit *units = ladders[quantity].unit;
    bool measured = isfinite(magnitude) && magnitude != 0;
    pk_unit best = units[0];
    for (size_t i = 1; i < UNITS_MAX && units[i].name; i++)
        if (measured ? fabs(magnitude) >= units[i].factor : units[i].factor == 1) best = units[i];
    return best;
}

/* The digits of a non-negative value as an integer with a point set into it: printf's %f would take
 * the point from the locale. Above 2^53 a double has no decimals. */
static void print_fixed(char *out, size_t size, const char *sign, double value, int decimals) {
    uint64_t scale = 1;
    for (int i = 0; i < decimals; i++) scale *= 10;
    double scaled = value * (double)scale;
    if (scaled >= 9007199254740992.0) {
        snprintf(out, size, "%s%.0f", sign, value);
        return;
    }
    uint64_t whole = (uint64_t)llround(scaled);
    if (decimals == 0) snprintf(out, size, "%s%" PRIu64, whole ? sign : "", whole);
    else
        snprintf(out, size, "%s%" PRIu64 ".%0*" PRIu64, whole ? sign : "", whole / scale, decimals,
                 whole % scale);
}

static int clamp(int value, int low, int high) {
    return value < low ? low : value > high ? high : value;
}

/* More digits than this mean nothing, and would not fit the buffers that the header promises. */
#define SHOWN_MAX 1e21

static char *print_signed(char *out, size_t size, double value, int decimals, bool plus) {
    if (!isfinite(value)) snprintf(out, size, "-");
    else {
        double shown = fmin(fabs(value), SHOWN_MAX);
        print_fixed(out, size,
                    value < 0 ? "-"
                    : plus    ? "+"
                              : "",
                    shown, clamp(decimals, 0, PK_DECIMALS_MAX));
    }
    return out;
}

char *pk_number_fixed(char *out, size_t size, double value, int decimals) {
    return print_signed(out, size, value, decimals, false);
}

char *pk_quantity_fixed(char *out, size_t size, pk_quantity quantity, double value, pk_unit unit,
                        int decimals) {
    return print_signed(out, size, value / unit.factor, decimals, quantity == PK_Q_CHANGE);
}

char *pk_quantity_labelled(char *out, size_t size, pk_quantity quantity, double value, pk_unit unit,
                           int decimals) {
    char number[NUMBER_MAX];
    pk_quantity_fixed(number, sizeof number, quantity, value, unit, decimals);
    bool named = isfinite(value) && unit.name[0];
    snprintf(out, size, "%s%s%s", number, named ? " " : "", named ? unit.name : "");
    return out;
}

/* So many that `digits` significant ones are shown. */
static int decimals_for(pk_quantity quantity, double value, int digits) {
    if (quantity == PK_Q_COUNT) return 0;
    if (!isfinite(value) || value == 0) return 0;
    int before = (int)floor(log10(fabs(value))) + 1;
    return clamp(digits - before, 0, digits - 1);
}

char *pk_quantity_text_in(char *out, size_t size, pk_quantity quantity, double value, pk_unit unit,
                          int digits) {
    int decimals = decimals_for(quantity, value / unit.factor, clamp(digits, 1, 9));
    return pk_quantity_labelled(out, size, quantity, value, unit, decimals);
}

char *pk_quantity_text(char *out, size_t size, pk_quantity quantity, double value, int digits) {
    return pk_quantity_text_in(out, size, quantity, value, pk_unit_for(quantity, value), digits);
}
