#include "flame/notes.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/units.h"

#define TEXT_BYTES 1024
/* Shares of all samples, from which on it is worth a sentence. */
#define TRUNCATED_SHARE_LEAST 0.005
#define UNFINISHED_SHARE_LEAST 0.01
#define UNNAMED_SHARE_LEAST 0.05 /* of all frames, in one module without names */
#define MODULES_NAMED_MAX 3
#define FIX_BYTES 160
#define RING_PAGES_KIB 64 /* what the kernel locks beside a ring's bytes: a page */

void pk_flame_note_add(pk_flame_result *result, const char *fix, const char *text, ...) {
    char sentence[TEXT_BYTES];
    va_list args;
    va_start(args, text);
    vsnprintf(sentence, sizeof sentence, text, args);
    va_end(args);
    pk_arena *arena = result->profile.arena;
    const char *kept = pk_arena_strdup(arena, sentence);
    const char *kept_fix = fix ? pk_arena_strdup(arena, fix) : NULL;
    pk_flame_note *note = kept ? pk_array_push(&result->notes) : NULL;
    if (note) *note = (pk_flame_note){.text = kept, .fix = kept_fix};
}

void pk_flame_note_error(pk_flame_result *result, const pk_err *err) {
    char line[PK_ERR_LINE_MAX];
    pk_err sentence = *err; /* the fix stands apart */
    sentence.fix[0] = '\0';
    pk_err_format(&sentence, line, sizeof line);
    pk_flame_note_add(result, err->fix[0] ? err->fix : NULL, "%s", line);
}

static double share(uint64_t part, uint64_t whole) {
    return whole > 0 ? (double)part / (double)whole : 0;
}

static const char *plural(uint64_t n) {
    return n == 1 ? "" : "s";
}

/* ---- how it was recorded ---- */

static void note_recording(const pk_flame_options *options, pk_flame_result *result) {
    const pk_recording *r = &result->recording;
    bool own_words = options->record.perf_words != NULL; /* that ask for what they like */
    uint64_t asked_hz = own_words ? 0 : options->record.frequency_hz;
    if (r->event_fell_back && !own_words)
        pk_flame_note_add(result, NULL,
                          "the event is cpu-clock, since this machine counts no cycles");
    if (r->kernel_excluded && !result->profile.off_cpu)
        pk_flame_note_add(result, "sudo sysctl kernel.perf_event_paranoid=1, or run as root",
                          "the kernel was not sampled: this user may not");
    if (asked_hz > 0 && r->frequency_hz > 0 && r->frequency_hz < asked_hz) {
        char fix[FIX_BYTES];
        snprintf(fix, sizeof fix, "sudo sysctl kernel.perf_event_max_sample_rate=%" PRIu64,
                 asked_hz);
        pk_flame_note_add(result, fix,
                          "the kernel allows %" PRIu64 " samples a second, not %" PRIu64,
                          r->frequency_hz, asked_hz);
    }
}

/* ---- what the kernel dropped ---- */

static void fix_losses(const pk_flame_result *result, char fix[FIX_BYTES]) {
    const pk_recording *r = &result->recording;
    bool perf = result->recorder && strcmp(result->recorder, "perf") == 0;
    if (r->ring_bytes < r->ring_bytes_wanted)
        snprintf(fix, FIX_BYTES,
                 "sudo sysctl kernel.perf_event_mlock_kb=%zu, or a larger ulimit -l, gives them "
                 "more room",
                 (r->ring_bytes_wanted >> 10) + RING_PAGES_KIB);
    else
        snprintf(fix, FIX_BYTES, "%s",
                 perf ? "--recorder builtin, or a lower --freq"
                      : "a lower --freq, or --call-graph dwarf,16384");
}

static void note_losses(const pk_flame_options *options, pk_flame_result *result) {
    const pk_profile *p = &result->profile;
    bool copies = p->stacks_copied;
    if (p->lost > 0) {
        char fix[FIX_BYTES];
        fix_losses(result, fix);
        pk_flame_note_add(result, result->recorded ? fix : NULL,
                          "%" PRIu64 " record%s lost (%.1f %% of the samples): they came faster "
                          "than they could be taken",
                          p->lost, p->lost == 1 ? " was" : "s were",
                          100 * share(p->lost, p->lost + p->n_samples));
    }
    if (p->throttled > 0)
        pk_flame_note_add(result, "a lower --freq",
                          "the kernel held sampling back %" PRIu64 " time%s, since it took too "
                          "much of a processor",
                          p->throttled, plural(p->throttled));
    if (copies && share(p->truncated, p->n_samples) >= TRUNCATED_SHARE_LEAST) {
        bool largest = options->record.stack_bytes >= PK_STACK_COPY_MAX;
        pk_flame_note_add(
            result,
            !result->recorded ? "record with --call-graph dwarf,65528, or with perfkit flame"
            : largest         ? "--call-graph fp, in programs with frame pointers"
                              : "--call-graph dwarf copies 64 KiB, the most there is",
            "%" PRIu64 " stack%s (%.1f %%) %s deeper than what was copied; %s with "
            "[truncated]",
            p->truncated, plural(p->truncated), 100 * share(p->truncated, p->n_samples),
            p->truncated == 1 ? "was" : "were", p->truncated == 1 ? "it begins" : "they begin");
    }
}

/* ---- modules ---- */

static void note_unfinished(pk_flame_result *result) {
    const pk_profile *p = &result->profile;
    if (!p->stacks_copied || share(p->unfinished, p->n_samples) < UNFINISHED_SHARE_LEAST) return;
    const pk_profile_module *worst = NULL; /* that has most of them */
    uint64_t lost = 0;
    for (size_t i = 0; i < p->modules.count; i++) {
        const pk_profile_module *m = &PK_AT(&p->modules, pk_profile_module, i);
        lost += m->lost;
        if (m->lost > p->unfinished / 2) worst = m;
    }
    bool code = lost > p->unfinished / 2; /* the reason is in modules; else in stacks */
    pk_flame_note_add(result,
                      code ? "build with -fasynchronous-unwind-tables, or see --modules"
                           : "their pages could not be copied, or execve had given them back",
                      "%" PRIu64 " stack%s (%.1f %%) could not be followed to %s beginning%s%s",
                      p->unfinished, plural(p->unfinished),
                      100 * share(p->unfinished, p->n_samples),
                      p->unfinished == 1 ? "its" : "their", worst ? ", most of them in " : "",
                      worst ? worst->path : "");
}

static const char *base_name(const char *path) {
    const char *slash = strrchr(path, '/');
    return slash && slash[1] ? slash + 1 : path;
}

/* "a, b and 3 more" of the modules that `is` is true of, into out; returns how many. */
static size_t list_modules(const pk_profile *p, bool (*is)(const pk_profile_module *, uint64_t),
                           char *out, size_t bytes) {
    uint64_t frames = 0;
    size_t n = 0, length = 0;
    out[0] = '\0';
    for (size_t i = 0; i < p->modules.count; i++)
        frames += PK_AT(&p->modules, pk_profile_module, i).frames;
    for (size_t i = 0; i < p->modules.count; i++) {
        const pk_profile_module *m = &PK_AT(&p->modules, pk_profile_module, i);
        if (!is(m, frames) || ++n > MODULES_NAMED_MAX) continue;
        int added = snprintf(out + length, bytes - length, "%s%.80s", n > 1 ? ", " : "",
                             base_name(m->path));
        if (added > 0 && (size_t)added < bytes - length) length += (size_t)added;
    }
    if (n > MODULES_NAMED_MAX)
        snprintf(out + length, bytes - length, " and %zu more", n - MODULES_NAMED_MAX);
    return n;
}

static bool is_file(const pk_profile_module *m) {
    return m->path[0] == '/' && m->path[1] != '/';
}

static bool is_unnamed(const pk_profile_module *m, uint64_t frames) {
    return is_file(m) && !m->missing && !m->changed && !m->symbols && !m->debug_information &&
           share(m->unknown, frames) >= UNNAMED_SHARE_LEAST;
}

static bool is_changed(const pk_profile_module *m, uint64_t frames) {
    (void)frames;
    return m->changed;
}

static bool is_missing(const pk_profile_module *m, uint64_t frames) {
    return is_file(m) && m->missing && share(m->frames, frames) >= UNNAMED_SHARE_LEAST;
}

static void note_modules(pk_flame_result *result) {
    const pk_profile *p = &result->profile;
    char names[512];
    size_t n = list_modules(p, is_unnamed, names, sizeof names);
    if (n > 0)
        pk_flame_note_add(result, "build with -g and do not strip, or install the debug package",
                          "%s %s neither symbols nor debug information", names,
                          n == 1 ? "has" : "have");
    n = list_modules(p, is_changed, names, sizeof names);
    if (n > 0)
        pk_flame_note_add(result, "record again with the files as they are now",
                          "%s changed since the recording: %s functions have no names", names,
                          n == 1 ? "its" : "their");
    n = list_modules(p, is_missing, names, sizeof names);
    if (n > 0)
        pk_flame_note_add(result, "put it where it was, or look at it on the machine it ran on",
                          "%s %s not there: %s functions have no names", names,
                          n == 1 ? "is" : "are", n == 1 ? "its" : "their");
}

static bool is_kernel(const pk_profile_module *m) {
    return strncmp(m->path, "[kernel", 7) == 0 || strncmp(m->path, "[guest.kernel", 13) == 0;
}

static void note_kernel(bool hidden, pk_flame_result *result) {
    const pk_profile *p = &result->profile;
    for (size_t i = 0; hidden && i < p->modules.count; i++) {
        const pk_profile_module *m = &PK_AT(&p->modules, pk_profile_module, i);
        if (!is_kernel(m) || m->frames == 0) continue;
        pk_flame_note_add(result, "sudo sysctl kernel.kptr_restrict=0, or run as root",
                          "functions of the kernel have no names: its addresses are hidden");
        return;
    }
}

/* ---- no sample at all ---- */

static const char *why_none(const pk_flame_options *options, const pk_flame_result *result,
                            const char **fix) {
    const pk_recording *r = &result->recording;
    const pk_record_options *o = &options->record;
    uint64_t period_ns = o->frequency_hz > 0 ? PK_NS_PER_S / o->frequency_hz : 0;
    *fix = "record for longer, or with a higher --freq";
    if (result->profile.lost > 0) return "all records were lost";
    if (o->delay_ns > 0 && r->duration_ns == 0) return "it ended before --delay was over";
    if (o->off_cpu) return "nothing waited";
    if (period_ns > 0 && r->duration_ns < 20 * period_ns) return "that is too short";
    *fix = "--off-cpu shows where it waits";
    return o->argv || o->n_pids ? "it used almost no CPU: it was asleep or waited" : "nothing ran";
}

static void note_nothing(const pk_flame_options *options, pk_flame_result *result) {
    const pk_profile *p = &result->profile;
    const char *event = p->event ? p->event : result->recording.event;
    if (!event) event = options->collapse.event ? options->collapse.event : "any event";
    if (!result->recorded) {
        pk_flame_note_add(result, "see which events and stacks it has", "it holds no sample of %s",
                          event);
        return;
    }
    char duration[PK_FORMAT_MAX];
    pk_format_duration(duration, sizeof duration, (double)result->recording.duration_ns);
    const char *fix, *why = why_none(options, result, &fix);
    pk_flame_note_add(result, fix, "no sample of %s in %s: %s", event, duration, why);
}

/* ---- all ---- */

void pk_flame_notes_make(const pk_flame_options *options, bool kernel_hidden,
                         pk_flame_result *result) {
    bool nothing = result->profile.n_samples == 0;
    if (nothing) note_nothing(options, result);
    if (result->recorded && !nothing) note_recording(options, result);
    note_losses(options, result);
    if (result->profile.incomplete && !result->recorded)
        pk_flame_note_add(result, NULL,
                          "the recording is not complete: this is what could be read");
    note_unfinished(result);
    note_modules(result);
    note_kernel(kernel_hidden, result);
}

void pk_flame_note_text(const char *path, const pk_flame_text_read *read, pk_flame_result *result) {
    const char *name = strcmp(path, "-") == 0 ? "standard input" : path;
    if (read->ignored > 0)
        pk_flame_note_add(result, NULL, "%s: %" PRIu64 " line%s passed over", name, read->ignored,
                          read->ignored == 1 ? " was" : "s were");
    if (read->without > 0)
        pk_flame_note_add(result, "record with --call-graph", "%s: %" PRIu64 " sample%s no stack",
                          name, read->without, read->without == 1 ? " has" : "s have");
    if (read->fraction > 0)
        pk_flame_note_add(result, NULL, "%s: the fractions of %" PRIu64 " count%s dropped", name,
                          read->fraction, read->fraction == 1 ? " were" : "s were");
}
