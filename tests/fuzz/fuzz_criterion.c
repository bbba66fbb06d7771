/* Any bytes as each of Criterion's files and as a line of history. What is taken is whole: samples
 * have as many times as iteration counts, texts end. */
#include <assert.h>
#include <math.h>
#include <stdint.h>
#include <string.h>

#include "bench/store_internal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

enum { ARENA_BYTES = 16 << 20 };

static void check_file(pk_criterion_reader *read, const char *text, size_t bytes) {
    pk_err err = {0};
    pk_baseline baseline = {0};
    pk_arena *arena = pk_arena_new(ARENA_BYTES);
    if (!read(text, bytes, "input", arena, &baseline, &err)) {
        assert(err.kind != PK_OK && err.what[0]);
    } else {
        for (size_t i = 0; i < baseline.n; i++) {
            assert(isfinite(baseline.iterations[i]) && isfinite(baseline.times_ns[i]));
            assert(baseline.iterations[i] > 0);
        }
        assert(memchr(baseline.id, '\0', sizeof baseline.id));
        assert(memchr(baseline.group, '\0', sizeof baseline.group));
    }
    pk_arena_free(arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes) {
    static pk_criterion_reader *const readers[] = {
        pk_criterion_read_benchmark, pk_criterion_read_sample, pk_criterion_read_estimates,
        pk_criterion_read_tukey};
    const char *text = (const char *)data;
    for (size_t i = 0; i < sizeof readers / sizeof readers[0]; i++)
        check_file(readers[i], text, bytes);
    pk_bench_session session;
    bool continues;
    if (pk_store_session_parse(text, bytes, &session, &continues)) {
        assert(memchr(session.artefact, '\0', sizeof session.artefact));
        assert(memchr(session.history_id, '\0', sizeof session.history_id));
    }
    return 0;
}
