#include <inttypes.h>
#include <math.h>

#include "base/units.h"
#include "bench/command_render.h"
#include "report/quantity.h"

#define DIGITS 4
#define ESTIMATE_MAX 128

/* ", median 100.5 .. 101.3 ms", ", mean 101.0 ms", or nothing while there is nothing to say. */
static void describe_estimate(char *out, size_t bytes, const pk_command_progress *p) {
    char low[PK_QUANTITY_MAX], high[PK_QUANTITY_MAX];
    out[0] = '\0';
    if (isfinite(p->median_low_s) && isfinite(p->median_high_s)) {
        pk_unit unit = pk_unit_for(PK_Q_TIME, p->median_high_s * 1e9);
        snprintf(out, bytes, ", median %s .. %s %s",
                 pk_number_fixed(low, sizeof low, p->median_low_s * 1e9 / unit.factor, 1),
                 pk_number_fixed(high, sizeof high, p->median_high_s * 1e9 / unit.factor, 1),
                 unit.name);
    } else if (isfinite(p->estimate_s)) {
        snprintf(out, bytes, ", mean %s",
                 pk_quantity_text(low, sizeof low, PK_Q_TIME, p->estimate_s * 1e9, DIGITS));
    }
}

static void describe_runs(char *line, size_t bytes, const pk_command_progress *p) {
    char left[PK_FORMAT_MAX + 16] = "", time[PK_FORMAT_MAX], estimate[ESTIMATE_MAX];
    double left_s = p->expected_s - p->elapsed_s;
    if (left_s > 0.5) /* never for NaN */
        snprintf(left, sizeof left, ", about %s left",
                 pk_format_duration(time, sizeof time, round(left_s) * (double)PK_NS_PER_S));
    describe_estimate(estimate, sizeof estimate, p);
    if (p->planned)
        snprintf(line, bytes, "%" PRIu64 "/%" PRIu64 " runs%s%s: %s", p->done, p->planned, left,
                 estimate, p->name);
    else snprintf(line, bytes, "%" PRIu64 " runs%s%s: %s", p->done, left, estimate, p->name);
}

void pk_command_render_progress(char *line, size_t bytes, const pk_command_progress *p) {
    switch (p->phase) {
    case PK_PHASE_SHELL:
        snprintf(line, bytes, "measuring the start of the shell: %" PRIu64 "/%" PRIu64, p->done,
                 p->planned);
        break;
    case PK_PHASE_SETUP:
        snprintf(line, bytes, "setup: %s", p->name);
        break;
    case PK_PHASE_WARMUP:
        snprintf(line, bytes, "warm-up %" PRIu64 "/%" PRIu64 ": %s", p->done, p->planned, p->name);
        break;
    case PK_PHASE_FIRST:
        snprintf(line, bytes, "first run: %s", p->name);
        break;
    case PK_PHASE_RUNS:
        describe_runs(line, bytes, p);
        break;
    case PK_PHASE_CLEANUP:
        snprintf(line, bytes, "cleanup: %s", p->name);
        break;
    }
}
