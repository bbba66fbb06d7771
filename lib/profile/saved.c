#include "profile/saved.h"

#include <math.h>
#include <string.h>

#include "base/lines.h"
#include "base/units.h"
#include "profile/folded.h"

#define LARGE_WEIGHT 1000 /* no stack that light: weights are rather periods than counts */

#define ROUNDED 0.01 /* what titles may be off the weight */

static const char *const perf_magics[] = {"PERFILE2", "2ELIFREP"};

/* "stack COUNT": a blank, then a digit, and nothing but digits and a point behind. */
static bool is_folded_line(const pk_line *line) {
    size_t end = line->bytes;
    while (end > 0 && (line->at[end - 1] == '\r' || line->at[end - 1] == ' ')) end--;
    size_t begin = end;
    while (begin > 0 && line->at[begin - 1] != ' ') begin--;
    if (begin < 2 || begin == end) return false;
    if (line->at[begin] < '0' || line->at[begin] > '9') return false;
    for (size_t i = begin; i < end; i++)
        if ((line->at[i] < '0' || line->at[i] > '9') && line->at[i] != '.') return false;
    return true;
}

static bool is_folded(const char *text, size_t bytes) {
    pk_line line;
    for (size_t offset = 0; pk_line_next(text, bytes, &offset, &line);) {
        if (line.bytes == 0 || line.at[0] == '#') continue;
        return is_folded_line(&line);
    }
    return false;
}

pk_saved_kind pk_saved_kind_of(const char *text, size_t bytes) {
    for (size_t i = 0; i < sizeof perf_magics / sizeof perf_magics[0]; i++)
        if (bytes >= strlen(perf_magics[i]) &&
            memcmp(text, perf_magics[i], strlen(perf_magics[i])) == 0)
            return PK_SAVED_PERF_DATA;
    if (pk_is_svg(text, bytes)) return PK_SAVED_SVG;
    return is_folded(text, bytes) ? PK_SAVED_FOLDED : PK_SAVED_UNKNOWN;
}

static uint64_t common_divisor(uint64_t a, uint64_t b) {
    while (b > 0) {
        uint64_t rest = a % b;
        a = b;
        b = rest;
    }
    return a;
}

/* Of stacks; UINT64_MAX: more than fits. */
static uint64_t total_of(const pk_stack_tree *tree) {
    uint64_t all = 0;
    for (uint32_t i = 0; i < tree->nodes.count; i++)
        if (__builtin_add_overflow(all, pk_node(tree, i)->self[tree->n_weights - 1], &all))
            return UINT64_MAX;
    return all;
}

uint64_t pk_saved_period(const pk_stack_tree *tree) {
    uint64_t period = 0, least = UINT64_MAX;
    size_t stacks = 0;
    for (uint32_t i = 0; i < tree->nodes.count; i++) {
        uint64_t self = pk_node(tree, i)->self[tree->n_weights - 1];
        if (self == 0) continue;
        stacks++;
        period = common_divisor(self, period);
        least = self < least ? self : least;
    }
    if (period >= LARGE_WEIGHT && stacks > 1) return period;
    return least < LARGE_WEIGHT ? 1 : 0;
}

uint64_t pk_saved_samples(const pk_stack_tree *tree) {
    uint64_t period = pk_saved_period(tree);
    return period > 0 ? total_of(tree) / period : 0;
}

void pk_saved_samples_of_two(const pk_stack_tree *const trees[2], uint64_t samples[2]) {
    uint64_t period[2] = {pk_saved_period(trees[0]), pk_saved_period(trees[1])};
    uint64_t both = common_divisor(period[0], period[1]);
    for (int i = 0; i < 2; i++) {
        if (both >= LARGE_WEIGHT && period[i] > 0) period[i] = both;
        samples[i] = period[i] > 0 ? total_of(trees[i]) / period[i] : 0;
    }
}

static bool not_a_profile(const char *where, pk_err *err) {
    pk_fail(err, PK_E_INPUT, where, "neither folded stacks nor a flame graph");
    pk_fix(err, "lines of folded stacks are \"main;work;leaf 12\"");
    return false;
}

static bool add_folded(pk_profile *profile, const char *where, const char *text, size_t bytes,
                       pk_err *err) {
    pk_folded_read read = {0};
    if (!pk_folded_add(&profile->tree, text, bytes, &read, err)) return false;
    if (read.lines > 0) return true;
    return not_a_profile(where, err);
}

/* Weights in ns, where that is what the heaviest frame's title shows as a time, rounded; else the
 * title's own word for them. */
static bool take_unit(pk_profile *profile, const pk_svg_info *info) {
    uint64_t ns;
    pk_err no_time;
    const char *blank = strchr(info->shown, ' ');
    profile->weight_is_time =
        blank && pk_parse_duration(info->shown, &ns, &no_time) &&
        fabs((double)ns - (double)info->heaviest) <= ROUNDED * (double)info->heaviest;
    profile->unit = profile->weight_is_time ? "ns"
                    : blank                 ? pk_arena_strdup(profile->arena, blank + 1)
                                            : "samples";
    return profile->unit != NULL;
}

bool pk_saved_add(pk_profile *profile, const char *where, const char *text, size_t bytes,
                  pk_err *err) {
    pk_svg_info info = {0};
    bool ok;
    if (pk_is_svg(text, bytes)) ok = pk_svg_read(&profile->tree, where, text, bytes, &info, err);
    else ok = add_folded(profile, where, text, bytes, err);
    if (!ok) return false;
    if (!take_unit(profile, &info)) {
        pk_fail(err, PK_E_LIMIT, where, "not enough memory");
        return false;
    }
    uint64_t weight = total_of(&profile->tree), samples = pk_saved_samples(&profile->tree);
    if (!info.shown[0] && samples != weight) profile->unit = "events";
    profile->n_samples = samples > 0 ? samples : weight;
    return true;
}
