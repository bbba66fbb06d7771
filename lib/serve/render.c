#include <inttypes.h>
#include "base/units.h"
#include "serve/serve.h"

void pk_serve_render_summary(FILE *out, const pk_serve_result *result) {
    char time[PK_FORMAT_MAX], bytes[PK_FORMAT_MAX];
    fprintf(out, "served %" PRIu64 " request%s", result->requests,
            result->requests == 1 ? "" : "s");
    const char *before = " (";
    for (size_t class = 2; class <= 5; class ++) {
        uint64_t count = 0;
        for (size_t i = 0; i < 100; i++) count += result->answered[100 * class + i];
        if (!count) continue;
        fprintf(out, "%s%" PRIu64 " %zuxx", before, count, class);
        before = ", ";
    }
    if (*before == ',') fputs(")", out);
    fprintf(out, " in %s, %s of bodies, %" PRIu64 " connection%s (at most %" PRIu64 " at once)",
            pk_format_duration(time, sizeof time, (double)result->elapsed_ns),
            pk_format_bytes(bytes, sizeof bytes, (double)result->body_bytes), result->connections,
            result->connections == 1 ? "" : "s", result->connections_peak);
    if (result->faults) fprintf(out, ", %" PRIu64 " injected faults", result->faults);
    if (result->aborted) fprintf(out, ", %" PRIu64 " aborted", result->aborted);
    if (result->connections_left)
        fprintf(out, ", %" PRIu64 " cut off when the drain ended", result->connections_left);
    fputc('\n', out);
}
