#include "bench/command_render_parts.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "bench/words.h"

pk_command_unit pk_command_unit_for(pk_time_unit unit, double seconds) {
    static const pk_command_unit units[] = {[PK_UNIT_MICROSECOND] = {"µs", "µs", 1e6, 1},
                                            [PK_UNIT_MILLISECOND] = {"ms", "ms", 1e3, 1},
                                            [PK_UNIT_SECOND] = {"s", "s", 1, 3}};
    if (unit != PK_UNIT_AUTO) return units[unit];
    return units[seconds < 1e-3 ? PK_UNIT_MICROSECOND
                 : seconds < 1  ? PK_UNIT_MILLISECOND
                                : PK_UNIT_SECOND];
}

/* printf rounds ties as hyperfine's writer does (to even), pk_number_fixed does not. */
char *pk_command_number(char out[PK_COMMAND_TEXT_MAX], double seconds, pk_command_unit unit) {
    if (isfinite(seconds))
        snprintf(out, PK_COMMAND_TEXT_MAX, "%.*f", unit.decimals, seconds * unit.per_second);
    else snprintf(out, PK_COMMAND_TEXT_MAX, "-");
    return out;
}

char *pk_command_time(char out[PK_COMMAND_TEXT_MAX], double seconds, pk_command_unit unit) {
    pk_command_number(out, seconds, unit);
    if (isfinite(seconds)) {
        size_t used = strlen(out);
        snprintf(out + used, PK_COMMAND_TEXT_MAX - used, " %s", unit.sign);
    }
    return out;
}

bool pk_command_counted(const pk_command_report *report, const pk_command_run *run) {
    if (report->options) return pk_command_counts(report->options, run);
    return !run->failed && !run->timed_out;
}

int pk_command_status(const pk_command_run *run) {
    return run->signal ? 128 + run->signal : run->code;
}

/* ---- metrics ---- */

pk_command_metric pk_command_ranked_by(const pk_command_report *report) {
    return report->options ? report->options->metric : PK_COMMAND_WALL;
}

double pk_command_confidence(const pk_command_report *report) {
    return report->options ? report->options->confidence_level : (double)NAN;
}

pk_quantity pk_command_quantity(pk_command_metric metric) {
    return metric == PK_COMMAND_RSS            ? PK_Q_BYTES
           : metric == PK_COMMAND_INSTRUCTIONS ? PK_Q_COUNT
                                               : PK_Q_TIME;
}

/* Figures are in seconds, pk_quantity's times in nanoseconds. */
static double in_base_unit(pk_command_metric metric, double value) {
    return pk_command_quantity(metric) == PK_Q_TIME ? value * 1e9 : value;
}

char *pk_command_figure_text(char out[PK_QUANTITY_MAX], pk_command_metric metric, double value,
                             int digits) {
    return pk_quantity_text(out, PK_QUANTITY_MAX, pk_command_quantity(metric),
                            in_base_unit(metric, value), digits);
}

/* ---- ranking ---- */

size_t pk_command_fastest(const pk_command_report *report) {
    size_t best = 0;
    for (size_t i = 1; i < report->n_results; i++) {
        double mean = report->results[i].wall.mean, least = report->results[best].wall.mean;
        if (mean < least || (isnan(least) && !isnan(mean))) best = i;
    }
    return best;
}

typedef struct ranked {
    double mean;
    size_t index;
} ranked;

static int by_mean(const void *a, const void *b) {
    const ranked *x = a, *y = b;
    if (isnan(x->mean) != isnan(y->mean)) return isnan(x->mean) ? 1 : -1;
    if (x->mean < y->mean) return -1;
    if (x->mean > y->mean) return 1;
    return x->index < y->index ? -1 : 1;
}

size_t *pk_command_ascending(const pk_command_report *report, pk_command_metric metric) {
    size_t n = report->n_results;
    ranked *list = calloc(n + 1, sizeof *list);
    size_t *order = calloc(n + 1, sizeof *order);
    if (list && order) {
        for (size_t i = 0; i < n; i++)
            list[i] = (ranked){pk_command_figures_of(&report->results[i], metric)->mean, i};
        qsort(list, n, sizeof *list, by_mean);
        for (size_t i = 0; i < n; i++) order[i] = list[i].index;
    } else {
        free(order);
        order = NULL;
    }
    free(list);
    return order;
}

/* ---- sentences ---- */

/* " (exit code 1)" when all of them ended alike. */
static void cause_of_all(char *out, size_t size, const pk_command_result *result) {
    const pk_command_run *first = NULL;
    out[0] = '\0';
    for (size_t i = 0; i < result->n_runs; i++) {
        const pk_command_run *run = &result->runs[i];
        if (!run->failed || run->timed_out) continue;
        if (!first) first = run;
        if (run->code != first->code || run->signal != first->signal) return;
    }
    if (!first) return;
    if (first->signal) snprintf(out, size, " (signal %d)", first->signal);
    else if (first->code) snprintf(out, size, " (exit code %d)", first->code);
    else snprintf(out, size, " (refused by the check)");
}

char *pk_command_failed_text(char out[PK_COMMAND_WORDS_MAX], const pk_command_report *report,
                             const pk_command_result *result) {
    char cause[48], timed_out[48] = "";
    size_t counted = 0;
    out[0] = '\0';
    if (result->n_failed == 0) return out;
    for (size_t i = 0; i < result->n_runs; i++)
        counted += result->runs[i].failed && pk_command_counted(report, &result->runs[i]);
    cause_of_all(cause, sizeof cause, result);
    if (result->n_timed_out > 0 && result->n_timed_out == result->n_failed)
        snprintf(timed_out, sizeof timed_out, ": timed out");
    else if (result->n_timed_out > 0)
        snprintf(timed_out, sizeof timed_out, ", %zu of them by timeout", result->n_timed_out);
    snprintf(out, PK_COMMAND_WORDS_MAX, "%zu of %zu runs failed%s%s; %s", result->n_failed,
             result->n_runs, cause, timed_out,
             counted == 0                  ? "not in the figures"
             : counted == result->n_failed ? "counted in the figures"
                                           : "without the timeouts counted in the figures");
    return out;
}

/* The sentence, the difference behind it where it is known. */
static void change_text(char out[PK_COMMAND_WORDS_MAX], const pk_command_change *change,
                        pk_command_metric metric, double difference) {
    bool time = pk_command_quantity(metric) == PK_Q_TIME;
    pk_words_judgement(out, PK_COMMAND_WORDS_MAX, &change->verdict, change->confidence,
                       time ? "slower" : "more", time ? "faster" : "less");
    if (!isfinite(difference)) return;
    char text[PK_QUANTITY_MAX];
    size_t used = strlen(out);
    snprintf(out + used, PK_COMMAND_WORDS_MAX - used, ", %s%s", difference > 0 ? "+" : "",
             pk_command_figure_text(text, metric, difference, 3));
}

static pk_command_metric changed_metric(const pk_command_report *report, size_t i) {
    return i == 0 ? pk_command_ranked_by(report) : PK_COMMAND_CPU;
}

const char *pk_command_change_name(const pk_command_report *report, size_t i) {
    static const char *const names[PK_COMMAND_METRICS] = {
        [PK_COMMAND_WALL] = "wall",  [PK_COMMAND_CPU] = "CPU",
        [PK_COMMAND_USER] = "user",  [PK_COMMAND_SYSTEM] = "system",
        [PK_COMMAND_RSS] = "memory", [PK_COMMAND_INSTRUCTIONS] = "instructions",
    };
    return names[changed_metric(report, i)];
}

char *pk_command_change_text(char out[PK_COMMAND_WORDS_MAX], const pk_command_report *report,
                             size_t index, size_t i) {
    const pk_command_result *result = &report->results[index];
    pk_command_metric metric = changed_metric(report, i);
    out[0] = '\0';
    if (!result->change[i].compared) return out;
    double mine = pk_command_figures_of(result, metric)->mean;
    double other = pk_command_figures_of(&report->results[report->reference], metric)->mean;
    change_text(out, &result->change[i], metric, mine - other);
    /* Of two commands one is slower; only what has a reference can have regressed. */
    bool label = report->options && report->options->reference;
    pk_verdict_word word = result->change[i].verdict.word;
    if (!label && (word == PK_REGRESSED || word == PK_IMPROVED)) {
        const char *words = out + strlen(pk_verdict_name(word)) + 2;
        memmove(out, words, strlen(words) + 1);
    }
    return out;
}

char *pk_command_stored_text(char out[PK_COMMAND_WORDS_MAX], const pk_command_report *report,
                             size_t index, size_t i) {
    const pk_command_result *result = &report->results[index];
    pk_command_metric metric = changed_metric(report, i);
    const pk_command_change *change = &result->stored[i];
    out[0] = '\0';
    if (!change->compared) return out;
    if (change->refused) {
        snprintf(out, PK_COMMAND_WORDS_MAX, "%s: %s", pk_verdict_name(change->verdict.word),
                 change->refused);
        return out;
    }
    /* estimate = new / old - 1 */
    double mine = pk_command_figures_of(result, metric)->mean;
    change_text(out, change, metric, mine - mine / (1 + change->verdict.estimate));
    return out;
}

const char *pk_command_stored_heading(bool elsewhere) {
    return elsewhere
               ? "Against the baseline, numbers of another session and perhaps another machine"
               : "Against the baseline, numbers of another session";
}

char *pk_command_basis_text(char out[PK_COMMAND_WORDS_MAX], const pk_command_report *report,
                            const pk_command_change *change) {
    if (change->grouped)
        snprintf(out, PK_COMMAND_WORDS_MAX,
                 "the runs were grouped, not interleaved: a drift of the machine looks like a "
                 "difference");
    else
        snprintf(out, PK_COMMAND_WORDS_MAX, "%u block%s of %s rounds", change->blocks,
                 change->blocks == 1 ? "" : "s", pk_command_order_name(report));
    return out;
}

const char *pk_command_order_name(const pk_command_report *report) {
    static const char *const names[PK_ORDERS] = {[PK_ORDER_INTERLEAVED] = "interleaved",
                                                 [PK_ORDER_RANDOM] = "random",
                                                 [PK_ORDER_GROUPED] = "grouped"};
    if (!report->rounds) return names[PK_ORDER_GROUPED];
    bool random = report->options && report->options->order == PK_ORDER_RANDOM;
    return names[random ? PK_ORDER_RANDOM : PK_ORDER_INTERLEAVED];
}

/* ---- memory and counters ---- */

typedef struct peaks {
    uint64_t low, high; /* 0: not known */
    bool floor;         /* none of them is above what the launcher takes */
} peaks;

static peaks peaks_of(const pk_command_report *report, const pk_command_result *result) {
    peaks p = {.floor = true};
    for (size_t i = 0; i < result->n_runs; i++) {
        const pk_command_run *run = &result->runs[i];
        if (!pk_command_counted(report, run) || run->rss_bytes == 0) continue;
        if (p.low == 0 || run->rss_bytes < p.low) p.low = run->rss_bytes;
        if (run->rss_bytes > p.high) p.high = run->rss_bytes;
        p.floor = p.floor && run->rss_is_floor;
    }
    return p;
}

char *pk_command_peak_text(char out[PK_COMMAND_WORDS_MAX], const pk_command_report *report,
                           const pk_command_result *result) {
    peaks p = peaks_of(report, result);
    char text[PK_QUANTITY_MAX];
    pk_quantity_text(text, sizeof text, PK_Q_BYTES, (double)p.high, 3);
    snprintf(out, PK_COMMAND_WORDS_MAX, "%s%s", p.high && p.floor ? "<= " : "",
             p.high ? text : "-");
    return out;
}

char *pk_command_memory_text(char out[PK_COMMAND_WORDS_MAX], const pk_command_report *report,
                             const pk_command_result *result) {
    peaks p = peaks_of(report, result);
    char least[PK_QUANTITY_MAX], most[PK_COMMAND_WORDS_MAX];
    pk_command_peak_text(most, report, result);
    pk_quantity_text(least, sizeof least, PK_Q_BYTES, (double)p.low, 3);
    if (p.high && p.floor)
        snprintf(out, PK_COMMAND_WORDS_MAX, "%.64s (no more than the launcher takes)", most);
    else if (p.high == 0 || strcmp(least, most) == 0)
        snprintf(out, PK_COMMAND_WORDS_MAX, "%.64s", most);
    else snprintf(out, PK_COMMAND_WORDS_MAX, "%s … %.64s", least, most);
    return out;
}

double pk_command_counter(const pk_command_report *report, const pk_command_result *result,
                          pk_counter counter) {
    double sum = 0;
    size_t n = 0;
    for (size_t i = 0; i < result->n_runs; i++) {
        const pk_command_run *run = &result->runs[i];
        if (!pk_command_counted(report, run)) continue;
        if (!run->counters.known[counter]) return NAN;
        sum += run->counters.value[counter];
        n++;
    }
    return n ? sum / (double)n : (double)NAN;
}

const char *pk_command_counter_name(pk_counter counter) {
    static const char *const names[PK_COUNTERS] = {
        [PK_COUNTER_INSTRUCTIONS] = "instructions",
        [PK_COUNTER_CYCLES] = "cycles",
        [PK_COUNTER_BRANCH_MISSES] = "branch misses",
        [PK_COUNTER_CACHE_MISSES] = "cache misses",
    };
    return names[counter];
}

bool pk_command_counters_user_only(const pk_command_result *result) {
    for (size_t i = 0; i < result->n_runs; i++)
        if (result->runs[i].counters.user_only) return true;
    return false;
}
