#include "flame/collapse.h"

/* Records between two words of progress. */
#define RECORDS_PER_REPORT 1024u

static double share_of(const pk_perf_info *info) {
    return info->bytes_total ? (double)info->bytes_read / (double)info->bytes_total : 0;
}

/* False: err says why, or is PK_OK: it was stopped. */
static bool take_records(pk_perf_data *data, pk_collapse *collapse, pk_collapse_progress *progress,
                         void *context, pk_profile *profile, pk_err *warning, pk_err *err) {
    const pk_perf_info *info = pk_perf_data_info(data);
    pk_record record;
    for (uint64_t n = 0; pk_perf_data_next(data, &record, warning); n++) {
        if (!pk_collapse_record(collapse, info, &record, err)) return false;
        if (progress && n % RECORDS_PER_REPORT == 0 && !progress(context, share_of(info))) {
            profile->incomplete = true;
            return true;
        }
    }
    if (warning->kind == PK_OK && (info->unfinished || info->cut_bytes > 0)) {
        pk_fail(warning, PK_E_INPUT, NULL, "perf was ended before it had finished the file");
        pk_fix(warning, "what it had written is used; names may be missing");
    }
    profile->incomplete = warning->kind != PK_OK;
    return true;
}

bool pk_collapse_file(const char *path, const pk_collapse_options *options,
                      pk_collapse_progress *progress, void *context, pk_profile *profile,
                      pk_err *warning, pk_err *err) {
    *warning = *err = (pk_err){0};
    pk_perf_data *data = pk_perf_data_open(path, err);
    pk_collapse *collapse = data ? pk_collapse_new(options, profile, err) : NULL;
    bool ok = collapse && take_records(data, collapse, progress, context, profile, warning, err) &&
              pk_collapse_end(collapse, err);
    pk_collapse_free(collapse);
    pk_perf_data_close(data);
    return ok;
}
