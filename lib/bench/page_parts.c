#include "bench/page_parts.h"

#include <math.h>
#include <string.h>

#include "base/units.h"
#include "bench/words.h"
#include "stats/density.h"
#include "stats/robust.h"

bool pk_page_values_of(pk_arena *arena, const pk_bench_result *result, int side,
                       pk_page_values *values) {
    size_t room = result->n_workers;
    *values = (pk_page_values){.ns = PK_NEW(arena, room, double),
                               .worker = PK_NEW(arena, room, double),
                               .sorted = PK_NEW(arena, room, double)};
    if (!values->ns || !values->worker || !values->sorted) return false;
    for (size_t i = 0; i < room; i++) {
        const pk_bench_side *s = &result->workers[i].side[side];
        if (s->units == 0 || !isfinite(s->trimmed_ns)) continue;
        values->ns[values->n] = values->sorted[values->n] = s->trimmed_ns;
        values->worker[values->n++] = (double)(i + 1);
    }
    pk_sort(values->sorted, values->n);
    double bandwidth = values->n >= 2 ? pk_bandwidth_isj(values->n, values->sorted, NULL) : 0;
    values->bandwidth = bandwidth > 0 && isfinite(bandwidth) ? bandwidth : 0;
    return true;
}

bool pk_page_measured(const pk_bench_result *result) {
    return !result->failed && isfinite(result->typical.point) && result->typical.point > 0;
}

bool pk_page_compared(const pk_bench_result *result) {
    return !result->failed && result->change.source != PK_CHANGE_NONE;
}

const char *pk_page_figure_text(pk_arena *arena, pk_quantity quantity, double value) {
    char text[PK_QUANTITY_MAX];
    const char *copy = pk_arena_strdup(
        arena, pk_quantity_text(text, sizeof text, quantity, value, PK_PAGE_DIGITS));
    return copy ? copy : "";
}

pk_quantity pk_page_throughput_quantity(const pk_bench_throughput *throughput) {
    return throughput->bytes ? PK_Q_BYTE_RATE : PK_Q_ITEM_RATE;
}

double pk_page_throughput_at(const pk_bench_throughput *throughput, double ns) {
    if (!throughput->given || !(ns > 0)) return NAN;
    return (double)throughput->per_iteration * (double)PK_NS_PER_S / ns;
}

pk_tint pk_page_verdict_tint(pk_verdict_word word) {
    static const pk_tint tints[] = {[PK_CANNOT_TELL] = PK_TINT_WARN,
                                    [PK_REGRESSED] = PK_TINT_BAD,
                                    [PK_IMPROVED] = PK_TINT_GOOD,
                                    [PK_NO_CHANGE] = PK_TINT_MUTED};
    return tints[word];
}

const char *pk_page_verdict_symbol(pk_verdict_word word) {
    static const char *const symbols[] = {
        [PK_CANNOT_TELL] = "?", [PK_REGRESSED] = "▲", [PK_IMPROVED] = "▼", [PK_NO_CHANGE] = "="};
    return symbols[word];
}

const char *pk_page_root(pk_arena *arena, const char *directory) {
    size_t levels = 2; /* the folder itself, and report/ in it */
    for (const char *p = directory; *p; p++) levels += *p == '/';
    char *root = PK_NEW(arena, 3 * levels + 1, char);
    if (!root) return "";
    for (size_t i = 0; i < levels; i++) memcpy(root + 3 * i, "../", 3);
    return root;
}

const char *pk_page_address(pk_arena *arena, const char *root, const char *directory) {
    const char *slash = *directory ? "/" : "";
    const char *address = pk_arena_printf(arena, "%s%s%sreport/index.html", root, directory, slash);
    return address ? address : "";
}

bool pk_page_out_of_memory(pk_err *err) {
    pk_fail(err, PK_E_LIMIT, NULL, "out of memory for an HTML page");
    return false;
}

bool pk_page_finish(pk_page *page, bool built, FILE *out, pk_err *err) {
    if (built) return pk_page_write(page, out, err);
    pk_page_drop(page);
    return pk_page_out_of_memory(err);
}

void pk_page_time_cells(pk_page *page, const pk_bench_result *result) {
    if (!pk_page_measured(result)) {
        pk_page_cell(page, PK_TINT_BAD, result->failed ? "failed" : "-");
        pk_page_cell(page, PK_TINT_NONE, "%s", "");
        return;
    }
    char point[PK_QUANTITY_MAX], low[PK_QUANTITY_MAX], high[PK_QUANTITY_MAX];
    const pk_estimate *t = &result->typical;
    pk_quantity_text(point, sizeof point, PK_Q_TIME, t->point, PK_PAGE_DIGITS);
    pk_quantity_text(low, sizeof low, PK_Q_TIME, t->low, PK_PAGE_DIGITS);
    pk_quantity_text(high, sizeof high, PK_Q_TIME, t->high, PK_PAGE_DIGITS);
    pk_page_cell(page, PK_TINT_NONE, "%s", point);
    pk_page_cell(page, PK_TINT_NONE, "%s .. %s", low, high);
}

void pk_page_change_cells(pk_page *page, const pk_bench_result *result) {
    const pk_bench_change *change = &result->change;
    if (!pk_page_compared(result)) {
        pk_page_cell(page, PK_TINT_NONE, "%s", "");
        pk_page_cell(page, PK_TINT_NONE, "%s", "");
        return;
    }
    char ratio[PK_WORDS_MAX];
    pk_verdict_word word = change->verdict.word;
    double half = (change->ratio.high - change->ratio.low) / 2;
    pk_page_cell(page, PK_TINT_NONE, "%s",
                 pk_words_percent(ratio, sizeof ratio, change->ratio.point, half));
    pk_page_cell(page, pk_page_verdict_tint(word), "%s %s", pk_page_verdict_symbol(word),
                 pk_verdict_name(word));
}
