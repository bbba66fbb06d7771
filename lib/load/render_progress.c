#include "load/render.h"

#include <inttypes.h>

#include "base/units.h"

void pk_load_render_progress(char *out, size_t bytes, const pk_load_snapshot *s) {
    double elapsed_s = (double)s->elapsed_ns / (double)PK_NS_PER_S;
    double rate_hz = elapsed_s > 0 ? (double)s->responses / elapsed_s : 0;
    char of[PK_FORMAT_MAX];
    if (s->duration_ns > 0)
        snprintf(out, bytes,
                 "%.1f s / %s  %" PRIu64 " answers  %.0f/s  %" PRIu64 " errors  %" PRIu64
                 " in flight",
                 elapsed_s, pk_format_duration_exact(of, sizeof of, s->duration_ns), s->responses,
                 rate_hz, s->errors, s->in_flight);
    else
        snprintf(
            out, bytes,
            "%" PRIu64 " / %" PRIu64 "  %.1f s  %.0f/s  %" PRIu64 " errors  %" PRIu64 " in flight",
            s->responses + s->errors, s->requests, elapsed_s, rate_hz, s->errors, s->in_flight);
}
