#include "bench/warn.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>

#define LINE_MAX_BYTES 320

typedef struct lines {
    pk_arena *arena;
    const char **items;
    size_t n;
} lines;

PK_PRINTF(2, 3) static void add(lines *l, const char *text, ...) {
    char line[LINE_MAX_BYTES];
    va_list args;
    va_start(args, text);
    vsnprintf(line, sizeof line, text, args);
    va_end(args);
    char *copy = l->n < PK_WARN_MAX ? pk_arena_strdup(l->arena, line) : NULL;
    if (copy) l->items[l->n++] = copy;
}

/* The new side's smallest and largest worker, relative to their mean. */
static void extremes(const pk_bench_result *r, double *low, double *high) {
    double sum = 0, least = INFINITY, most = 0;
    size_t n = 0;
    for (size_t i = 0; i < r->n_workers; i++) {
        const pk_bench_side *side = &r->workers[i].side[PK_SIDE_NEW];
        if (side->units == 0) continue;
        sum += side->trimmed_ns;
        least = fmin(least, side->trimmed_ns);
        most = fmax(most, side->trimmed_ns);
        n++;
    }
    *low = n > 0 ? least * (double)n / sum : NAN;
    *high = n > 0 ? most * (double)n / sum : NAN;
}

static void warn_of_machine(const pk_bench_result *r, lines *l) {
    uint64_t faults_major = 0;
    for (size_t i = 0; i < r->n_workers; i++) faults_major += r->workers[i].faults_major;
    if (r->wait_ratio > PK_WARN_WAIT_RATIO)
        add(l, "%.0f %% of the time it waited for a CPU: end other work on this machine",
            100 * r->wait_ratio);
    if (r->clock_range_ratio > PK_WARN_CLOCK_RATIO)
        add(l,
            "the clock of the CPU moved by %.1f %% during the run: fix it (governor "
            "performance, turbo off), or compare with old code that is run again",
            100 * r->clock_range_ratio);
    if (faults_major > 0)
        add(l, "%llu pages were read from a disk while measuring: touch the memory in setup",
            (unsigned long long)faults_major);
}

static void warn_of_spread(const pk_bench_result *r, lines *l) {
    double low, high;
    extremes(r, &low, &high);
    if (r->modes.count > 1)
        add(l,
            "workers fall into %zu groups, the lowest around %.4g ns, the highest around "
            "%.4g ns: address or layout effects, which only more workers average out",
            r->modes.count, r->modes.mode[0].value, r->modes.mode[r->modes.count - 1].value);
    if (r->process_sd_ratio > PK_WARN_SPREAD_RATIO)
        add(l,
            "workers differ by %.0f %% (SD / mean): memory that they share a cache for, or "
            "other work on this machine",
            100 * r->process_sd_ratio);
    else if (high > 1 + PK_WARN_EXTREME_RATIO || low < 1 - PK_WARN_EXTREME_RATIO)
        add(l, "the workers' times reach from %.2f to %.2f of their mean", low, high);
}

static void warn_of_change(const pk_bench_result *r, lines *l) {
    const pk_bench_change *c = &r->change;
    bool again = c->source == PK_CHANGE_LIVE || c->source == PK_CHANGE_ISOLATED;
    bool changed = c->verdict.word == PK_REGRESSED || c->verdict.word == PK_IMPROVED;
    bool as_it_is = r->n_workers > 0 && r->workers[0].layout < 0;
    if (again && changed && as_it_is && !c->identical_code &&
        fabs(c->ratio.point) < PK_WARN_LAYOUT_CHANGE)
        add(l, "the placement of code may account for up to several %%: from sources (FILE.c) "
               "it is measured in many layouts");
}

size_t pk_bench_warn(const pk_bench_result *result, pk_arena *arena, size_t n,
                     const char *warnings[PK_WARN_MAX]) {
    lines l = {.arena = arena, .items = warnings, .n = n};
    warn_of_machine(result, &l);
    warn_of_spread(result, &l);
    warn_of_change(result, &l);
    return l.n;
}
