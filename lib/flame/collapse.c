#include "flame/collapse.h"

#include <linux/perf_event.h>
#include <stdlib.h>
#include <string.h>

#include "flame/collapse_event.h"
#include "flame/collapse_state.h"

#define EVENTS_MAX 4096u

typedef enum event_verdict { NOT_JUDGED, WANTED, NOT_WANTED } event_verdict;

static bool no_memory(pk_err *err) {
    pk_fail(err, PK_E_LIMIT, NULL, "not enough memory for the samples");
    return false;
}

/* ---- life ---- */

static bool begin(pk_collapse *c, pk_err *err) {
    static const char preempted[] = "[preempted]";
    const pk_collapse_options *options = c->options;
    pk_names *names = c->profile->names;
    pk_collapse_threads_init(&c->threads, options, NULL, names);
    if (!pk_collapse_maps_init(&c->maps, options, names, err) ||
        !pk_stacks_init(&c->stacks, &c->maps, &options->symbolise, names, err))
        return false;
    c->threads.spaces = c->maps.spaces;
    c->tree = c->reordered ? &c->merged : &c->profile->tree;
    if (c->reordered && !pk_stack_tree_init(&c->merged, names, 1, false, err)) return false;
    c->preempted = pk_names_intern(names, preempted, sizeof preempted - 1);
    c->path = calloc(PK_STACK_DEPTH_MAX, sizeof *c->path);
    return (c->path && c->preempted != PK_NAME_NONE) || no_memory(err);
}

pk_collapse *pk_collapse_new(const pk_collapse_options *options, pk_profile *profile, pk_err *err) {
    pk_collapse *c = calloc(1, sizeof *c);
    if (!c) {
        no_memory(err);
        return NULL;
    }
    *c = (pk_collapse){.options = options,
                       .profile = profile,
                       .verdicts = PK_ARRAY(uint8_t, EVENTS_MAX),
                       .begin_ns = PK_TIME_NONE,
                       .last_ns = PK_TIME_NONE,
                       .reordered = options->in_order && (options->by_thread || options->off_cpu)};
    profile->off_cpu = options->off_cpu;
    if (begin(c, err)) return c;
    pk_collapse_free(c);
    return NULL;
}

void pk_collapse_free(pk_collapse *c) {
    if (!c) return;
    pk_stacks_fini(&c->stacks);
    pk_collapse_maps_fini(&c->maps);
    pk_collapse_threads_fini(&c->threads);
    if (c->reordered) pk_stack_tree_fini(&c->merged);
    pk_array_fini(&c->verdicts);
    free(c->path);
    free(c);
}

/* ---- what the recording says of itself ---- */

static bool copy_text(pk_profile *profile, const char *text, const char **to, pk_err *err) {
    if (!text || *to) return true;
    *to = pk_arena_strdup(profile->arena, text);
    return *to || no_memory(err);
}

static bool describe_event(pk_collapse *c, const pk_perf_info *info, size_t attr, pk_err *err) {
    char room[PK_EVENT_NAME_BYTES];
    pk_profile *p = c->profile;
    const pk_perf_attr *a = &info->events.attrs[attr];
    const char *name = pk_event_name(info, attr, room);
    p->event = pk_arena_strndup(p->arena, name, pk_event_base_bytes(name));
    if (!p->event) return no_memory(err);
    p->frequency_hz = a->is_frequency ? (double)a->sample_period : 0;
    p->period = a->is_frequency ? 0 : a->sample_period;
    p->stacks_copied = (a->sample_type & PERF_SAMPLE_STACK_USER) && a->stack_user > 0;
    p->weight_is_time = !c->options->count_samples && (c->options->off_cpu || pk_event_is_clock(a));
    p->unit = p->weight_is_time ? "ns" : c->options->count_samples ? "samples" : p->event;
    return true;
}

static bool describe(pk_collapse *c, const pk_perf_info *info, pk_err *err) {
    pk_profile *p = c->profile;
    return copy_text(p, info->command, &p->command, err) &&
           copy_text(p, info->host, &p->host, err) && copy_text(p, info->kernel, &p->kernel, err) &&
           (p->event || info->events.n_attrs == 0 || describe_event(c, info, 0, err));
}

/* ---- which event ---- */

static bool is_switch(const char *name) {
    return pk_event_is(name, "context-switches") || pk_event_is(name, "cs") ||
           pk_event_is(name, "sched:sched_switch");
}

static bool is_wanted(const pk_collapse *c, const char *name) {
    if (c->options->event) return pk_event_is(name, c->options->event);
    if (c->options->off_cpu) return is_switch(name);
    return !c->event_name || strcmp(name, c->event_name) == 0;
}

static bool judge_event(pk_collapse *c, const pk_perf_info *info, size_t attr, uint8_t *verdict,
                        pk_err *err) {
    char room[PK_EVENT_NAME_BYTES];
    const char *name = pk_event_name(info, attr, room);
    *verdict = is_wanted(c, name) ? WANTED : NOT_WANTED;
    if (*verdict == NOT_WANTED || c->event_name) return true;
    c->event_name = pk_arena_strdup(c->profile->arena, name);
    return c->event_name ? describe_event(c, info, attr, err) : no_memory(err);
}

/* ---- samples ---- */

bool pk_collapse_keep(pk_collapse *c, pk_collapse_thread *t, const pk_profile_sample *sample,
                      pk_stack_end end, pk_err *err) {
    pk_profile *p = c->profile;
    if (t->number == UINT32_MAX) {
        pk_profile_thread *new = pk_array_push(&p->threads);
        if (!new) return no_memory(err);
        *new = (pk_profile_thread){.pid = t->pid, .tid = t->tid, .first_ns = sample->time_ns};
        t->number = (uint32_t)p->threads.count - 1;
    }
    pk_profile_thread *thread = &PK_AT(&p->threads, pk_profile_thread, t->number);
    thread->name = t->comm;
    thread->samples++;
    if (sample->time_ns > thread->last_ns) thread->last_ns = sample->time_ns;
    p->n_samples++;
    if (p->stacks_copied) {
        p->whole += end == PK_STACK_END_WHOLE;
        p->truncated += end == PK_STACK_END_TRUNCATED;
        p->unfinished += end == PK_STACK_END_UNFINISHED;
    }
    if (!c->reordered && !c->options->keep_samples) return true;
    pk_profile_sample *kept = pk_array_push(&p->samples);
    if (!kept) return no_memory(err);
    *kept = *sample;
    kept->thread = t->number;
    return true;
}

static bool in_part(const pk_collapse *c, uint64_t time_ns) {
    const pk_collapse_options *options = c->options;
    if (options->begin_ns == 0 && options->end_ns == 0) return true;
    if (time_ns == PK_TIME_NONE || time_ns < c->begin_ns) return false;
    uint64_t since = time_ns - c->begin_ns;
    return since >= options->begin_ns && (options->end_ns == 0 || since < options->end_ns);
}

static bool add_sample(pk_collapse *c, const pk_record *record, pk_err *err) {
    const pk_collapse_options *options = c->options;
    bool off_cpu = options->off_cpu;
    if (off_cpu ? record->tid == 0 : !in_part(c, record->time_ns)) return true;
    pk_collapse_thread *t = pk_collapse_thread_now(&c->threads, record->pid, record->tid, err);
    if (!t) return false;
    if (!t->wanted) return true;
    size_t n;
    pk_stack_end end;
    const uint32_t *frames = pk_stacks_make(&c->stacks, record, t->label, t->java, &n, &end, err);
    if (!frames) return false;
    uint64_t weight = options->count_samples ? 1 : record->sample.period;
    uint64_t weights[PK_STACK_WEIGHTS_MAX] = {off_cpu ? 0 : weight};
    uint32_t node = pk_stack_tree_add(c->tree, frames, n, weights, err);
    if (node == PK_NODE_NONE) return false;
    if (off_cpu) return pk_off_cpu_sample(c, t, record->time_ns, node, end, err);
    pk_profile_sample sample = {.time_ns = record->time_ns, .node = node, .weight = weight};
    return pk_collapse_keep(c, t, &sample, end, err);
}

static bool take_sample(pk_collapse *c, const pk_perf_info *info, const pk_record *record,
                        pk_err *err) {
    while (c->verdicts.count <= record->attr)
        if (!pk_array_push(&c->verdicts)) return no_memory(err);
    uint8_t *verdict = &PK_AT(&c->verdicts, uint8_t, record->attr);
    if (*verdict == NOT_JUDGED && !judge_event(c, info, record->attr, verdict, err)) return false;
    if (*verdict == WANTED) return add_sample(c, record, err);
    c->profile->other_events++;
    return true;
}

/* ---- records ---- */

/* Those that perf made up before the recording began have none, or 0. */
static void note_time(pk_collapse *c, uint64_t time_ns) {
    if (time_ns == PK_TIME_NONE || time_ns == 0) return;
    if (c->begin_ns == PK_TIME_NONE) c->begin_ns = c->last_ns = time_ns;
    if (time_ns > c->last_ns) c->last_ns = time_ns;
}

static bool take_exit(pk_collapse *c, const pk_perf_info *info, const pk_record *record,
                      pk_err *err) {
    pk_collapse_thread *t = pk_collapse_thread_find(&c->threads, record->pid, record->tid);
    if (t && !pk_off_cpu_close(c, t, record->time_ns, err)) return false;
    return pk_collapse_maps_record(&c->maps, info, record, err);
}

static void add_lost(uint64_t *sum, uint64_t lost) {
    if (__builtin_add_overflow(*sum, lost, sum)) *sum = UINT64_MAX;
}

bool pk_collapse_record(pk_collapse *c, const pk_perf_info *info, const pk_record *record,
                        pk_err *err) {
    pk_profile *p = c->profile;
    note_time(c, record->time_ns);
    if (!describe(c, info, err)) return false;
    switch ((int)record->type) {
    case PK_RECORD_SAMPLE:
        return take_sample(c, info, record, err);
    case PK_RECORD_LOST:
        add_lost(&c->lost_in_rings, record->lost);
        break;
    case PK_RECORD_LOST_SAMPLES:
        add_lost(&c->lost_samples, record->lost);
        break;
    case PK_RECORD_THROTTLE:
        p->throttled++;
        return true;
    case PK_RECORD_SWITCH:
    case PK_RECORD_SWITCH_CPU_WIDE:
        return !c->options->off_cpu || pk_off_cpu_switch(c, record, err);
    case PK_RECORD_EXIT:
        return take_exit(c, info, record, err);
    default:
        return pk_collapse_maps_record(&c->maps, info, record, err);
    }
    /* At its end perf (6.1 and later) tells by LOST_SAMPLES what the rings told by LOST before. */
    p->lost = c->lost_in_rings > c->lost_samples ? c->lost_in_rings : c->lost_samples;
    return true;
}
