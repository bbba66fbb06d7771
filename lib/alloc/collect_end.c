/* What follows from all processes together: totals, times, and what people should know. */
#include <inttypes.h>
#include <signal.h>
#include <string.h>

#include "alloc/collector.h"
#include "base/units.h"

/* ---- totals ---- */

static void add_totals(pk_alloc_process *total, const pk_alloc_process *p) {
    total->threads += p->threads;
    pk_alloc_sum(&total->calls, p->calls);
    pk_alloc_sum(&total->bytes, p->bytes);
    pk_alloc_sum(&total->frees, p->frees);
    pk_alloc_sum(&total->freed_bytes, p->freed_bytes);
    pk_alloc_sum(&total->temporary, p->temporary);
    pk_alloc_sum(&total->leaked_calls, p->leaked_calls);
    pk_alloc_sum(&total->leaked_bytes, p->leaked_bytes);
    pk_alloc_sum(&total->stacks_remembered, p->stacks_remembered);
    pk_alloc_sum(&total->stacks_unwound, p->stacks_unwound);
    pk_alloc_sum(&total->inside_hook, p->inside_hook);
    pk_alloc_sum(&total->before_ready, p->before_ready);
    pk_alloc_sum(&total->not_kept, p->not_kept);
    pk_alloc_sum(&total->unknown_frees, p->unknown_frees);
    pk_alloc_sum(&total->differences, p->differences);
}

/* The image that a process had before exec ended when the next one began. */
static void end_by_exec(pk_alloc_result *result) {
    for (size_t i = 0; i + 1 < result->processes.count; i++) {
        pk_alloc_process *p = &PK_AT(&result->processes, pk_alloc_process, i);
        for (size_t k = i + 1; p->ended_ns == UINT64_MAX && k < result->processes.count; k++) {
            const pk_alloc_process *next = &PK_AT(&result->processes, pk_alloc_process, k);
            if (next->pid == p->pid && next->exec_number > p->exec_number)
                p->ended_ns = next->started_ns;
        }
    }
}

static uint64_t since(uint64_t moment_ns, uint64_t begin_ns) {
    if (moment_ns == UINT64_MAX) return moment_ns;
    return moment_ns > begin_ns ? moment_ns - begin_ns : 0;
}

/* From CLOCK_MONOTONIC to what has passed since the first process began. */
static void count_from_begin(pk_alloc_result *result) {
    uint64_t begin_ns = UINT64_MAX, last_ns = 0;
    for (size_t i = 0; i < result->processes.count; i++) {
        uint64_t started_ns = PK_AT(&result->processes, pk_alloc_process, i).started_ns;
        if (started_ns < begin_ns) begin_ns = started_ns;
    }
    for (size_t i = 0; i < result->processes.count; i++) {
        pk_alloc_process *p = &PK_AT(&result->processes, pk_alloc_process, i);
        p->started_ns = since(p->started_ns, begin_ns);
        p->ended_ns = since(p->ended_ns, begin_ns);
        p->peak_ns = p->peak_ns == UINT64_MAX ? p->ended_ns : since(p->peak_ns, begin_ns);
        if (p->ended_ns != UINT64_MAX && p->ended_ns > last_ns) last_ns = p->ended_ns;
    }
    for (size_t i = 0; i < result->moments.count; i++) {
        pk_alloc_moment *m = &PK_AT(&result->moments, pk_alloc_moment, i);
        m->time_ns = since(m->time_ns, begin_ns);
        if (m->time_ns > last_ns) last_ns = m->time_ns;
    }
    if (result->duration_ns == 0) result->duration_ns = last_ns;
}

/* ---- notes ---- */

static void note_not_counted(pk_alloc_result *result) {
    const pk_alloc_process *total = &result->total;
    uint64_t unknown = 0; /* a copy of its parent may free what that has allocated */
    for (size_t i = 0; i < result->processes.count; i++) {
        const pk_alloc_process *p = &PK_AT(&result->processes, pk_alloc_process, i);
        if (!p->forked) pk_alloc_sum(&unknown, p->unknown_frees);
    }
    if (total->not_kept > 0)
        pk_alloc_note_add(result,
                          "give it more room: a folder on a larger disk with --folder, or "
                          "--sample-bytes 512k",
                          "%" PRIu64 " calls were not kept by stack: there was no room left",
                          total->not_kept);
    if (total->inside_hook > 0)
        pk_alloc_note_add(result, NULL,
                          "%" PRIu64 " calls came from signal handlers that interrupted an "
                          "allocation; they were not counted",
                          total->inside_hook);
    if (total->before_ready > 0)
        pk_alloc_note_add(result, NULL, "%" PRIu64 " calls came before counting could begin",
                          total->before_ready);
    if (unknown > 0 && result->live_known && !result->attached)
        pk_alloc_note_add(result, NULL,
                          "%" PRIu64 " frees were of blocks that nobody was seen to allocate",
                          unknown);
    if (total->differences > 0)
        pk_alloc_note_add(result, "please report it: it is a mistake of perfkit's",
                          "%" PRIu64 " remembered stacks differ from a full walk",
                          total->differences);
}

static void note_peak(pk_alloc_result *result) {
    char error[PK_FORMAT_MAX];
    if (!result->live_known || result->total.peak_error_bytes == 0) return;
    if (result->total.peak_bytes == 0) return;
    pk_format_bytes(error, sizeof error, (double)result->total.peak_error_bytes);
    pk_alloc_note_add(result, NULL,
                      "the peak is right within %s: each of %" PRIu32
                      " threads reports every 64 KiB",
                      error, result->total.threads);
}

static void note_ends(pk_alloc_result *result) {
    size_t n_execs = 0;
    for (size_t i = 0; i < result->processes.count; i++)
        n_execs += PK_AT(&result->processes, pk_alloc_process, i).exec_number > 0;
    if (n_execs > 0 && result->live_known)
        pk_alloc_note_add(result, NULL,
                          "a process became another program (exec), %zu time%s; what it had "
                          "allocated before counts as leaked",
                          n_execs, n_execs == 1 ? "" : "s");
    if (result->attached && result->live_known)
        pk_alloc_note_add(result, NULL,
                          "blocks from before are not known; what is still live may yet be freed");
    if (result->incomplete)
        pk_alloc_note_add(result, NULL, "some of what was counted is missing: an image was cut");
}

static void note_stacks(pk_alloc_result *result) {
    uint64_t lost = 0, cut = 0, all = 0;
    for (size_t i = 0; i < result->stacks.count; i++) {
        const pk_alloc_stack *s = &PK_AT(&result->stacks, pk_alloc_stack, i);
        pk_alloc_sum(&all, s->calls);
        if (s->flags & PK_STACK_LOST) pk_alloc_sum(&lost, s->calls);
        else if (s->flags & PK_STACK_CUT) pk_alloc_sum(&cut, s->calls);
    }
    if (lost > 0)
        pk_alloc_note_add(result, NULL,
                          "the stacks of %.2f %% of the calls end in code without call frame "
                          "information; [unknown] stands for the rest",
                          100.0 * (double)lost / (double)all);
    if (cut > 0)
        pk_alloc_note_add(result, NULL,
                          "the stacks of %.2f %% of the calls are deeper than %u frames; "
                          "[truncated] stands for the rest",
                          100.0 * (double)cut / (double)all, PK_IMAGE_FRAMES_MAX);
}

bool pk_alloc_end(pk_alloc_result *result, pk_err *err) {
    if (result->processes.count == 0) {
        pk_fail(err, PK_E_INPUT, NULL, "nothing was counted");
        return false;
    }
    const pk_alloc_process *highest = result->processes.items;
    end_by_exec(result);
    count_from_begin(result);
    for (size_t i = 0; i < result->processes.count; i++) {
        const pk_alloc_process *p = &PK_AT(&result->processes, pk_alloc_process, i);
        add_totals(&result->total, p);
        if (p->peak_bytes > highest->peak_bytes) highest = p;
    }
    result->total.peak_bytes = highest->peak_bytes;
    result->total.peak_ns = highest->peak_ns;
    result->total.peak_error_bytes = highest->peak_error_bytes;
    result->total.name = result->command ? result->command : highest->name;
    result->total.exe = highest->exe;
    result->total.ended_ns = result->duration_ns;
    note_not_counted(result);
    note_peak(result);
    note_stacks(result);
    note_ends(result);
    pk_collector_free(result->collector);
    result->collector = NULL;
    return true;
}

size_t pk_alloc_still_running(const pk_alloc_result *result) {
    size_t n = 0;
    for (size_t i = 0; i < result->processes.count; i++) {
        const pk_alloc_process *p = &PK_AT(&result->processes, pk_alloc_process, i);
        n += p->ended_ns == UINT64_MAX && p->pid > 0 && kill((pid_t)p->pid, 0) == 0;
    }
    return n;
}
