/* Any bytes as perf.data, all the way to a profile: over time and by thread, merged, and off the
 * CPU. Its figures agree with each other. */
#include <assert.h>
#include <stdint.h>
#include <stdio.h>
#include <unistd.h>
#include <sys/mman.h>

#include "flame/collapse.h"
#include "profile/folded.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

static void check(const pk_collapse_options *options, pk_profile *p) {
    uint64_t samples = 0, frames = 0, unknown = 0;
    for (size_t i = 0; i < p->threads.count; i++)
        samples += PK_AT(&p->threads, pk_profile_thread, i).samples;
    assert(samples == p->n_samples);
    assert(!options->keep_samples || p->samples.count == p->n_samples);
    if (p->stacks_copied) assert(p->whole + p->truncated + p->unfinished == p->n_samples);
    for (size_t i = 0; i < p->samples.count; i++) {
        const pk_profile_sample *s = &PK_AT(&p->samples, pk_profile_sample, i);
        assert(s->node < p->tree.nodes.count && s->thread < p->threads.count);
        assert(i == 0 || s[-1].time_ns <= s->time_ns);
    }
    for (size_t i = 0; i < p->modules.count; i++) {
        frames += PK_AT(&p->modules, pk_profile_module, i).frames;
        unknown += PK_AT(&p->modules, pk_profile_module, i).unknown;
    }
    assert(unknown <= frames);
}

static void collapse(const char *path, const pk_collapse_options *options) {
    pk_err err = {0}, warning = {0};
    pk_profile profile;
    if (!pk_profile_init(&profile, 1, options->in_order, &err)) return;
    if (pk_collapse_file(path, options, NULL, NULL, &profile, &warning, &err)) {
        pk_strbuf out;
        pk_strbuf_init(&out, 1 << 24);
        check(options, &profile);
        (void)pk_stack_tree_sum(&profile.tree);
        if (!pk_folded_write(&profile.tree, &out, &err)) assert(err.what[0]);
        pk_strbuf_fini(&out);
    } else {
        assert(err.what[0]);
    }
    pk_profile_fini(&profile);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n) {
    if (n > 1 << 16) return 0;
    static const pk_collapse_options options[] = {
        {.keep_samples = true},
        {.in_order = true, .by_thread = true, .keep_samples = true, .label = PK_LABEL_PID},
        {.off_cpu = true, .in_order = true, .keep_samples = true, .event = "cpu-clock"},
    };
    int fd = memfd_create("perf.data", MFD_CLOEXEC);
    assert(fd >= 0 && write(fd, bytes, n) == (ssize_t)n);
    char path[32];
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    for (size_t i = 0; i < sizeof options / sizeof *options; i++) collapse(path, &options[i]);
    close(fd);
    return 0;
}
