/* Any bytes as the text of perf script, whole and in small pieces: both give the same. The first
 * byte chooses the options. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "flame/perf_text.h"
#include "profile/folded.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

typedef struct outcome {
    char *folded;
    pk_perf_text_counts counts;
    uint64_t n_samples, weight;
    size_t threads, modules;
} outcome;

static bool run(const pk_collapse_options *options, const char *text, size_t bytes, size_t step,
                outcome *into) {
    pk_profile p;
    pk_err err = {0};
    if (!pk_profile_init(&p, 1, options->in_order, &err)) return false;
    pk_perf_text *t = pk_perf_text_new(options, &p, &err);
    bool ok = t != NULL;
    for (size_t i = 0; ok && i < bytes; i += step)
        ok = pk_perf_text_add(t, text + i, bytes - i < step ? bytes - i : step, &err);
    ok = ok && pk_perf_text_end(t, &err);
    if (ok) {
        pk_strbuf out;
        pk_strbuf_init(&out, 64 << 20);
        (void)pk_stack_tree_sum(&p.tree);
        ok = pk_folded_write(&p.tree, &out, &err);
        *into = (outcome){.folded = pk_strbuf_detach(&out, NULL),
                          .counts = pk_perf_text_counted(t),
                          .n_samples = p.n_samples,
                          .weight = pk_node(&p.tree, PK_NODE_ROOT)->total[0],
                          .threads = p.threads.count,
                          .modules = p.modules.count};
    }
    pk_perf_text_free(t);
    pk_profile_fini(&p);
    return ok && into->folded;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes) {
    if (bytes < 2 || bytes > 1 << 16) return 0;
    pk_collapse_options options = {
        .symbolise = {.raw = data[0] & 1, .addresses = data[0] & 2, .annotate_jit = data[0] & 4},
        .label = (pk_stack_label)((data[0] >> 3) % 3),
        .count_samples = data[0] & 32,
        .in_order = data[0] & 64,
        .by_thread = data[0] & 128,
        .keep_samples = data[0] & 1};
    const char *text = (const char *)data + 2;
    outcome whole = {0}, pieces = {0};
    if (!run(&options, text, bytes - 2, bytes, &whole)) return 0;
    bool again = run(&options, text, bytes - 2, 1 + data[1] % 16, &pieces);
    assert(again && strcmp(whole.folded, pieces.folded) == 0);
    assert(memcmp(&whole.counts, &pieces.counts, sizeof whole.counts) == 0);
    assert(whole.n_samples == pieces.n_samples && whole.n_samples == whole.counts.samples);
    assert(whole.threads == pieces.threads && whole.modules == pieces.modules);
    if (options.count_samples) assert(whole.weight == whole.n_samples);
    (void)pk_text_guess(text, bytes - 2, true);
    (void)pk_text_guess(text, bytes - 2, false);
    free(whole.folded);
    free(pieces.folded);
    return 0;
}
