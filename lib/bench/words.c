#include "bench/words.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/units.h"
#include "report/quantity.h"

/* Decimals that show one significant digit of x, two where the first would be a 1 (0.14 as 0.1 is
 * off by 40 %). */
static int decimals_of(double x) {
    if (!isfinite(x) || x == 0) return 0;
    double power = floor(log10(fabs(x)));
    bool one = fabs(x) / pow(10, power) < 1.95;
    return (int)fmin(fmax((one ? 1 : 0) - power, 0), 12);
}

/* x with these decimals, without zeros at the end. */
static char *shortened(char *out, size_t size, double x, int decimals) {
    pk_number_fixed(out, size, x, decimals);
    if (strchr(out, '.')) {
        char *end = out + strlen(out);
        while (end[-1] == '0') *--end = '\0';
        if (end[-1] == '.') *--end = '\0';
    }
    return out;
}

/* Two significant digits: 0.4, 0.12, 15. */
static char *two_digits(char *out, size_t size, double x) {
    int decimals = isfinite(x) && x != 0 ? (int)fmin(fmax(1 - floor(log10(fabs(x))), 0), 12) : 0;
    return shortened(out, size, x, decimals);
}

char *pk_words_time(char *out, size_t size, double ns, double half_width_ns) {
    char point[PK_QUANTITY_MAX], width[PK_QUANTITY_MAX];
    pk_unit unit = pk_unit_for(PK_Q_TIME, ns);
    if (!(half_width_ns > 0))
        return pk_quantity_text(out, size, PK_Q_TIME, ns, 4); /* one worker: no interval */
    int decimals = decimals_of(half_width_ns / unit.factor);
    snprintf(out, size, "%s +- %s",
             pk_quantity_labelled(point, sizeof point, PK_Q_TIME, ns, unit, decimals),
             pk_quantity_fixed(width, sizeof width, PK_Q_TIME, half_width_ns, unit, decimals));
    return out;
}

char *pk_words_headline(char *out, size_t size, const pk_bench_result *r) {
    char time[PK_QUANTITY_MAX * 3], between[PK_QUANTITY_MAX] = "";
    const pk_estimate *t = &r->typical;
    out[0] = '\0';
    if (!isfinite(t->point)) return out;
    pk_unit unit = pk_unit_for(PK_Q_TIME, t->point);
    pk_words_time(time, sizeof time, t->point, (t->high - t->low) / 2);
    if (r->between_runs_ns > 0)
        pk_quantity_fixed(between, sizeof between, PK_Q_TIME, r->between_runs_ns, unit,
                          decimals_of(r->between_runs_ns / unit.factor));
    snprintf(out, size, "%s in this run%s%s", time, between[0] ? "; runs differ by about +- " : "",
             between);
    return out;
}

/* Decimals of percentages: at least one, as many as tell the bounds of the interval apart. */
static int change_decimals(double half_width) {
    int decimals = decimals_of(half_width * 100);
    return decimals < 1 ? 1 : decimals > 4 ? 4 : decimals;
}

static char *percent(char *out, size_t size, double change, double half_width) {
    static const pk_unit unit = {"%", 0.01};
    return pk_quantity_fixed(out, size, PK_Q_CHANGE, change, unit, change_decimals(half_width));
}

char *pk_words_percent(char *out, size_t size, double change, double half_width) {
    char number[PK_QUANTITY_MAX];
    percent(number, sizeof number, change, half_width);
    snprintf(out, size, "%s%s", number, isfinite(change) ? " %" : "");
    return out;
}

char *pk_words_change(char *out, size_t size, const pk_estimate *ratio) {
    char point[PK_QUANTITY_MAX], width[PK_QUANTITY_MAX];
    double half = (ratio->high - ratio->low) / 2;
    percent(point, sizeof point, ratio->point, half);
    percent(width, sizeof width, half, half);
    if (!isfinite(ratio->point)) snprintf(out, size, "-");
    else if (!isfinite(half)) snprintf(out, size, "%s %%", point);
    else snprintf(out, size, "%s %% +- %s", point, width[0] == '+' ? width + 1 : width);
    return out;
}

/* Seconds that so many workers take, as far as these tell: start and warm-up are part of it. */
static double seconds_for(const pk_bench_result *r, uint64_t workers) {
    size_t measured = r->n_workers - r->n_workers_former;
    if (measured == 0) return NAN;
    return (double)r->duration_ns / (double)PK_NS_PER_S / (double)measured * (double)workers;
}

/* What a cannot-tell would need, behind the sentence. */
static void add_needed(char *out, size_t size, const pk_bench_result *r) {
    const pk_verdict *v = &r->change.verdict;
    size_t used = strlen(out);
    if (v->word != PK_CANNOT_TELL || v->workers_needed == 0) return;
    char width[PK_QUANTITY_MAX], time[PK_FORMAT_MAX], taking[PK_FORMAT_MAX + 4] = "";
    double seconds = seconds_for(r, v->workers_needed);
    if (isfinite(seconds))
        snprintf(taking, sizeof taking, " (%s)",
                 pk_format_duration(time, sizeof time, round(seconds) * (double)PK_NS_PER_S));
    snprintf(out + used, size - used, "; about %" PRIu64 " workers%s would give +-%s %%",
             v->workers_needed, taking, two_digits(width, sizeof width, r->noise_threshold * 100));
}

char *pk_words_judgement(char *out, size_t size, const pk_verdict *v, double confidence_level,
                         const char *worse, const char *better) {
    char point[PK_QUANTITY_MAX], low[PK_QUANTITY_MAX], high[PK_QUANTITY_MAX];
    char level[PK_QUANTITY_MAX];
    double half = (v->high - v->low) / 2;
    out[0] = '\0';
    percent(point, sizeof point, v->estimate, half);
    percent(low, sizeof low, v->low, half);
    percent(high, sizeof high, v->high, half);
    shortened(level, sizeof level, confidence_level * 100, 4);
    switch (v->word) {
    case PK_REGRESSED:
        snprintf(out, size, "regressed: %s %% %s (%s %% CI %s .. %s)", point, worse, level, low,
                 high);
        break;
    case PK_IMPROVED: /* "4.2 % faster": the sign is in the word */
        snprintf(out, size, "improved: %s %% %s (%s %% CI %s .. %s)",
                 point[0] == '-' ? point + 1 : point, better, level, low, high);
        break;
    case PK_NO_CHANGE:
        snprintf(out, size, "no change beyond %s %%",
                 two_digits(point, sizeof point, v->bound * 100));
        break;
    case PK_CANNOT_TELL:
        snprintf(out, size, "cannot tell: %s .. %s %%", low, high);
        break;
    }
    return out;
}

char *pk_words_verdict(char *out, size_t size, const pk_bench_result *r) {
    const pk_bench_change *c = &r->change;
    out[0] = '\0';
    if (c->source == PK_CHANGE_NONE) return out;
    if (c->refused[0]) snprintf(out, size, "cannot tell from stored numbers: %s", c->refused);
    else {
        pk_words_judgement(out, size, &c->verdict, r->confidence_level, "slower", "faster");
        add_needed(out, size, r);
    }
    return out;
}

char *pk_words_source(char *out, size_t size, const pk_bench_change *c) {
    const char *name = c->baseline ? c->baseline : "the old code";
    char history[48] = "";
    out[0] = '\0';
    if (c->history > 0)
        snprintf(history, sizeof history, ", %u former session%s", c->history,
                 c->history == 1 ? "" : "s");
    const char *same = c->identical_code ? ": identical code" : "";
    switch (c->source) {
    case PK_CHANGE_NONE:
        break;
    case PK_CHANGE_LIVE:
        snprintf(out, size, "live against %s%s", name, same);
        break;
    case PK_CHANGE_ISOLATED:
        snprintf(out, size, "live against %s, in workers of its own%s", name, same);
        break;
    case PK_CHANGE_STORED:
        snprintf(out, size, "against stored numbers of %s%s%s%s", name, history,
                 c->normalised ? ", divided by the reference loop" : "", same);
        break;
    }
    return out;
}

char *pk_words_modes(char *out, size_t size, const pk_modes *modes) {
    out[0] = '\0';
    if (modes->count < 2) return out;
    int used = modes->count == 2 ? snprintf(out, size, "bimodal:")
                                 : snprintf(out, size, "%zu modes:", modes->count);
    for (size_t i = 0; i < modes->count && used > 0 && (size_t)used < size; i++) {
        char time[PK_QUANTITY_MAX];
        used += snprintf(out + used, size - (size_t)used, "%s %s (%.0f %%)", i ? "," : "",
                         pk_quantity_text(time, sizeof time, PK_Q_TIME, modes->mode[i].value, 2),
                         modes->mode[i].share * 100);
    }
    return out;
}

static void add_part(char out[PK_WORDS_PARTS][PK_WORDS_MAX], size_t *n, const char *name, double ns,
                     const char *what) {
    static const pk_unit unit = {"ns", 1};
    char time[PK_QUANTITY_MAX];
    if (!isfinite(ns)) return;
    /* in one unit, so that they can be compared; three digits of the usual sizes */
    pk_quantity_labelled(time, sizeof time, PK_Q_TIME, ns, unit, fabs(ns) < 1 ? 3 : 2);
    snprintf(out[(*n)++], PK_WORDS_MAX, "%-11s %s (%s)", name, time, what);
}

/* A loop that takes less than this of the whole is nothing to talk about. */
#define LOOP_RATIO_LEAST 0.01

size_t pk_words_parts(char out[PK_WORDS_PARTS][PK_WORDS_MAX], const pk_bench_result *r) {
    size_t n = 0;
    bool only_loop = !isfinite(r->latency_ns) && !isfinite(r->throughput_ns);
    if (!r->has_parts || (only_loop && r->loop_ns < LOOP_RATIO_LEAST * r->typical.point)) return 0;
    if (r->method) { /* of batches; this is more than a hundredth of the time */
        add_part(out, &n, "loop", r->loop_ns,
                 "overhead of the batches: loop and clock; included above");
        return n;
    }
    add_part(out, &n, "throughput", r->throughput_ns, "independent of each other");
    add_part(out, &n, "latency", r->latency_ns, "dependent chain");
    add_part(out, &n, "call", r->typical.point, "with the call in the loop: the time above");
    add_part(out, &n, "loop", r->loop_ns, "overhead; included above, not separable");
    return n;
}

char *pk_words_amount(char *out, size_t size, double value) {
    snprintf(out, size, isfinite(value) ? "%.6g" : "-", value);
    return out;
}

char *pk_words_counter(char *out, size_t size, const pk_bench_counter *c) {
    char value[PK_FORMAT_MAX], old[PK_FORMAT_MAX];
    pk_words_amount(value, sizeof value, c->per_iteration);
    pk_words_amount(old, sizeof old, c->old_per_iteration);
    bool changed = isfinite(c->old_per_iteration) && strcmp(value, old) != 0;
    snprintf(out, size, "%.*s %s per iteration%s%s%s", c->name_bytes < 100 ? c->name_bytes : 100,
             c->name, value, changed ? " (before: " : "", changed ? old : "", changed ? ")" : "");
    return out;
}
