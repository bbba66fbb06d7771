/* The built-in recorder. The calling thread opens events, starts and watches the command, and
 * empties the rings; a second one hands the records to the sink (feed).
 *
 * A command is held until its events are open; they begin to sample at its exec. Processes that
 * already run get a second, silent event for each thread, which tells of maps and threads from the
 * moment it is opened: so that between reading /proc and the first sample nothing is missed. */
#include "flame/recorder_own.h"

#include <stdlib.h>
#include <unistd.h>

#include "timing/clock.h"
#include "timing/cpu.h"

enum { PIDS_MAX = 1 << 16 };

static bool no_memory(pk_err *err) {
    pk_fail(err, PK_E_LIMIT, NULL, "not enough memory to record");
    pk_fix(err, "end something else, or record with smaller stacks");
    return false;
}

/* What found no room at the very end, when no record followed that could have told of it. */
static bool tell_last_lost(pk_own_recorder *own, pk_err *err) {
    uint64_t lost = pk_sampler_lost(&own->sampler);
    pk_recording *recording = own->recording;
    recording->lost = own->lost_samples + own->lost_in_rings;
    if (lost <= own->lost_in_rings) return true;
    const pk_record record = {.type = PK_RECORD_LOST,
                              .pid = UINT32_MAX,
                              .tid = UINT32_MAX,
                              .time_ns = recording->end_ns,
                              .cpu = UINT32_MAX,
                              .lost = lost - own->lost_in_rings};
    recording->lost = own->lost_samples + lost;
    return own->sink(own->context, &own->info, &record, err);
}

static void describe(const pk_own_recorder *own) {
    const pk_sampler *sampler = &own->sampler;
    pk_recording *recording = own->recording;
    recording->event = own->event_name;
    recording->event_fell_back = sampler->attr.fell_back;
    recording->kernel_excluded = sampler->attr.kernel_excluded;
    recording->frequency_hz = sampler->attr.sampled.freq ? sampler->attr.sampled.sample_freq : 0;
    recording->stack_bytes = sampler->attr.sampled.sample_stack_user;
    recording->ring_bytes = sampler->ring_bytes;
    recording->ring_bytes_wanted = sampler->ring_bytes_wanted;
}

/* From here on there is a recording, whatever comes: errors are told beside it. */
static void finish(pk_own_recorder *own, pk_err *err) {
    pk_recording *recording = own->recording;
    describe(own);
    pk_feed_close(own->feed); /* it works while the command takes its time to end */
    pk_record_command_end(&own->command, own->options, pk_interrupt_signal(own->interrupt),
                          recording);
    pk_err why = {0};
    bool ok = pk_feed_end(own->feed, &why);
    own->feed = NULL;
    if (ok) ok = tell_last_lost(own, &why);
    if (ok) return;
    recording->end = PK_RECORDING_RECORDER;
    *err = why;
}

static bool record(pk_own_recorder *own, pk_err *err) {
    const pk_record_options *options = own->options;
    bool on_exec = options->argv && !options->all_cpus;
    bool tracks = !on_exec || options->delay_ns > 0;
    if (!pk_record_command_hold(options, &own->command, err)) return false;
    bool ok = pk_sampler_init(&own->sampler, options, on_exec, tracks, err);
    if (ok) {
        ok = pk_own_open(own, err) &&
             (own->feed = pk_feed_start(&own->info, own->sink, own->context, err)) != NULL &&
             pk_own_run(own, err);
        if (ok) finish(own, err);
        pk_feed_drop(own->feed);
        pk_sampler_fini(&own->sampler);
    }
    if (!ok && own->command.there) pk_held_drop(&own->command.held);
    return ok;
}

bool pk_record_own(const pk_record_options *options, const pk_interrupt *interrupt,
                   pk_record_sink *sink, void *context, pk_arena *arena, pk_recording *recording,
                   pk_err *err) {
    pk_cpu_usage before, after;
    pk_own_recorder *own = malloc(sizeof *own);
    if (!own) return no_memory(err);
    *own = (pk_own_recorder){.options = options,
                             .interrupt = interrupt,
                             .sink = sink,
                             .context = context,
                             .arena = arena,
                             .recording = recording,
                             .pidfds = PK_ARRAY(int, PIDS_MAX)};
    *recording = (pk_recording){0};
    pk_cpu_process(&before);
    bool ok = record(own, err);
    pk_cpu_process(&after);
    pk_cpu_usage used = pk_cpu_usage_between(&before, &after);
    recording->recorder_cpu_s = (double)(used.user_ns + used.system_ns) / 1e9;
    for (size_t i = 0; i < own->pidfds.count; i++)
        if (PK_AT(&own->pidfds, int, i) >= 0) close(PK_AT(&own->pidfds, int, i));
    pk_array_fini(&own->pidfds);
    free(own);
    return ok;
}
