/* Single lines: libtest's "bencher" line, and where a run is. */
#include "bench/render.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "base/strbuf.h"
#include "base/units.h"
#include "report/escape.h"
#include "report/quantity.h"

enum { NUMBER_MAX = 48, ID_BYTES_MAX = 16 << 10 };

/* Below 100 ns whole numbers say too little: four digits. From there on as libtest does: whole,
 * cut, in groups of three. */
static const char *bencher_number(char *out, size_t size, double ns) {
    char digits[NUMBER_MAX];
    if (!isfinite(ns) || fabs(ns) >= 1e18) return "-";
    if (ns < 100) return pk_number_fixed(out, size, ns, ns < 1 ? 4 : ns < 10 ? 3 : 2);
    int n = snprintf(digits, sizeof digits, "%" PRIu64, (uint64_t)ns), used = 0;
    for (int i = 0; i < n && (size_t)used + 2 < size; i++) {
        if (i > 0 && (n - i) % 3 == 0) out[used++] = ',';
        out[used++] = digits[i];
    }
    out[used] = '\0';
    return out;
}

void pk_bench_render_bencher(FILE *out, const pk_bench_result *result) {
    char median[NUMBER_MAX], deviation[NUMBER_MAX];
    pk_strbuf id;
    pk_strbuf_init(&id, ID_BYTES_MAX);
    pk_escape_terminal(&id, result->id, strlen(result->id));
    if (result->failed) fprintf(out, "test %s ... FAILED\n", id.data);
    else
        fprintf(out, "test %s ... bench: %11s ns/iter (+/- %s)\n", id.data,
                bencher_number(median, sizeof median, result->criterion.median.point),
                bencher_number(deviation, sizeof deviation, result->criterion.std_dev.point));
    pk_strbuf_fini(&id);
}

void pk_bench_render_progress(char *line, size_t bytes, const pk_bench_progress *p) {
    double left_s = p->expected_s - p->elapsed_s;
    char left[PK_FORMAT_MAX];
    int used = snprintf(line, bytes, "%zu / %zu benchmarks  %" PRIu64 " / %" PRIu64 " workers",
                        p->done, p->total, p->workers, p->workers_planned);
    if (used > 0 && (size_t)used < bytes)
        used += snprintf(line + used, bytes - (size_t)used, "  %.0f s", p->elapsed_s);
    if (left_s > 0.5 && (size_t)used < bytes)
        used +=
            snprintf(line + used, bytes - (size_t)used, ", about %s left",
                     pk_format_duration(left, sizeof left, round(left_s) * (double)PK_NS_PER_S));
    if (p->id && (size_t)used < bytes) snprintf(line + used, bytes - (size_t)used, "  %s", p->id);
}
