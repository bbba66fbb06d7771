#include "report/scale.h"

#include <math.h>

/* Narrower than this, seen from the value, doubles and labels of 12 decimals run out. */
#define NARROWEST 1e-9

pk_scale pk_scale_of(bool log, double low, double high, double from, double to) {
    bool usable = isfinite(low) && isfinite(high) && !(log && fmin(low, high) <= 0);
    if (!usable) {
        low = log ? 1 : 0;
        high = log ? 10 : 1;
    }
    if (low > high) {
        double swap = low;
        low = high;
        high = swap;
    }
    double size = fmax(fabs(low), fabs(high));
    if (high - low <= size * NARROWEST) {
        double room = size > 0 ? size * 0.01 : 1;
        low -= room;
        high += room;
    }
    return (pk_scale){.log = log, .low = low, .high = high, .from = from, .to = to};
}

double pk_scale_at(const pk_scale *scale, double value) {
    double share;
    if (scale->log)
        share = value > 0 ? log(value / scale->low) / log(scale->high / scale->low) : (double)NAN;
    else share = (value - scale->low) / (scale->high - scale->low);
    if (isnan(share)) return share;
    return scale->from + fmin(fmax(share, 0), 1) * (scale->to - scale->from);
}

bool pk_scale_holds(const pk_scale *scale, double value) {
    return value >= scale->low && value <= scale->high;
}

/* 1, 2 or 5 times a power of ten, at least `least`. */
static double round_step(double least) {
    double power = pow(10, floor(log10(least)));
    static const double mantissas[] = {1, 2, 5, 10};
    for (size_t i = 0; i < sizeof mantissas / sizeof mantissas[0]; i++)
        if (mantissas[i] * power >= least * (1 - 1e-9)) return mantissas[i] * power;
    return 10 * power;
}

static double next_step(double step) {
    return round_step(step * 1.5);
}

static void add(pk_ticks *ticks, double value) {
    if (ticks->n < PK_TICKS_MAX) ticks->value[ticks->n++] = value;
}

static void linear_ticks(const pk_scale *scale, pk_quantity quantity, size_t max, pk_ticks *ticks) {
    double largest = fmax(fabs(scale->low), fabs(scale->high));
    pk_unit unit = pk_unit_for(quantity, largest);
    double low = scale->low / unit.factor, high = scale->high / unit.factor;
    double step = round_step((high - low) / (double)max);
    if (quantity == PK_Q_COUNT && step < 1) step = 1;
    double slack = step * 1e-6; /* an end that is a tick but for its last bits counts */
    while (floor((high + slack) / step) - ceil((low - slack) / step) + 1 > (double)max)
        step = next_step(step);
    ticks->unit = unit;
    ticks->n = 0;
    double first = ceil((low - slack) / step), last = floor((high + slack) / step);
    int decimals = (int)fmax(0, -floor(log10(step) + 1e-9));
    size_t n = last >= first ? (size_t)(last - first) + 1 : 0;
    if (decimals > PK_DECIMALS_MAX && n > 1) n = 1; /* the others would read the same */
    for (size_t i = 0; i < n; i++) {
        double shown = (first + (double)i) * step;
        if (fabs(shown) < slack) shown = 0;
        double value = shown * unit.factor;
        pk_quantity_fixed(ticks->text[ticks->n], PK_QUANTITY_MAX, quantity, value, unit, decimals);
        add(ticks, fmin(fmax(value, scale->low), scale->high));
    }
}

/* Each with a unit of its own: one axis can go from ns to s. */
static void log_label(char *out, pk_quantity quantity, double value) {
    pk_unit unit = pk_unit_for(quantity, value);
    int decimals = (int)fmax(0, -floor(log10(value / unit.factor) + 1e-9));
    pk_quantity_labelled(out, PK_QUANTITY_MAX, quantity, value, unit, decimals);
}

static void log_ticks(const pk_scale *scale, pk_quantity quantity, size_t max, pk_ticks *ticks) {
    double decades = log10(scale->high / scale->low);
    int every = (int)fmax(1, ceil(decades / (double)(max - 1)));
    static const double all[] = {1, 2, 5};
    size_t per_decade = decades < 2 && decades * 3 + 1 <= (double)max ? 3 : 1;
    ticks->unit = (pk_unit){.name = "", .factor = 1};
    ticks->n = 0;
    int from = (int)floor(log10(scale->low)), to = (int)ceil(log10(scale->high));
    for (int power = from; power <= to; power++) {
        if (power % every != 0) continue;
        for (size_t i = 0; i < per_decade; i++) {
            double value = all[i] * pow(10, power);
            if (!pk_scale_holds(scale, value) || ticks->n >= max) continue;
            log_label(ticks->text[ticks->n], quantity, value);
            add(ticks, value);
        }
    }
}

void pk_ticks_of(const pk_scale *scale, pk_quantity quantity, size_t max, pk_ticks *ticks) {
    if (max < 2) max = 2;
    if (max > PK_TICKS_MAX) max = PK_TICKS_MAX;
    *ticks = (pk_ticks){.unit = {.name = "", .factor = 1}};
    if (scale->log) log_ticks(scale, quantity, max, ticks);
    if (ticks->n < 2) linear_ticks(scale, quantity, max, ticks);
}
