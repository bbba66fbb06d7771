#include <errno.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/strbuf.h"
#include "flame/attach.h"
#include "flame/recorder_own.h"

enum { THREADS_MAX = 1 << 22, COMMAND_BYTES_MAX = 1 << 20 };

/* ---- events ---- */

static bool no_memory(pk_err *err) {
    pk_fail(err, PK_E_LIMIT, NULL, "not enough memory to record");
    pk_fix(err, "end something else, or record with smaller stacks");
    return false;
}

static void no_process(pid_t pid, pk_err *err) {
    pk_fail(err, PK_E_INPUT, NULL, "there is no process %d", (int)pid);
    pk_fix(err, "see the running ones with: ps -e");
}

static bool open_thread(pk_own_recorder *own, pid_t tid, bool late, bool *any, pk_err *err) {
    pk_sampler_answer answer = pk_sampler_open(&own->sampler, tid, err);
    if (answer == PK_SAMPLER_OPENED) *any = true;
    if (answer != PK_SAMPLER_OPENED || !late) return answer != PK_SAMPLER_FAILED;
    return pk_owners_add_late(&own->sampler.owners, tid) || no_memory(err);
}

/* The threads of a process, and those that begin while we look. */
static bool open_threads(pk_own_recorder *own, pid_t pid, pk_err *err) {
    pk_array tids = PK_ARRAY(pid_t, THREADS_MAX);
    bool ok, any = false;
    size_t known;
    do {
        known = tids.count;
        ok = pk_attach_threads(pid, &tids, err) || any; /* it may end meanwhile */
        for (size_t i = known; ok && i < tids.count; i++)
            ok = open_thread(own, PK_AT(&tids, pid_t, i), known > 0, &any, err);
    } while (ok && tids.count > known);
    pk_array_fini(&tids);
    if (!ok || any) return ok;
    no_process(pid, err);
    return false;
}

static bool open_process(pk_own_recorder *own, pid_t pid, pk_err *err) {
    int *slot = pk_array_push(&own->pidfds);
    if (!slot) return no_memory(err);
    *slot = (int)syscall(SYS_pidfd_open, pid, 0);
    if (*slot >= 0) return open_threads(own, pid, err);
    if (errno == ESRCH || errno == EINVAL || errno == ENOENT) { /* or it is a thread's number */
        no_process(pid, err);
    } else {
        pk_fail(err, PK_E_SYS, NULL, "cannot watch process %d (pidfd_open)", (int)pid);
        pk_fix(err, "this needs Linux 5.3, and a free descriptor (ulimit -n)");
    }
    return false;
}

static bool open_one(pk_own_recorder *own, pid_t tid, pk_err *err) {
    pk_sampler_answer answer = pk_sampler_open(&own->sampler, tid, err);
    if (answer == PK_SAMPLER_GONE) {
        errno = ESRCH;
        pk_fail(err, PK_E_SYS, NULL, "the command ended before it began");
        pk_fix(err, "start it again");
    }
    return answer == PK_SAMPLER_OPENED;
}

static bool given_before(const pk_record_options *options, size_t i) {
    size_t first = 0;
    while (options->pids[first] != options->pids[i]) first++;
    return first < i;
}

static bool open_events(pk_own_recorder *own, pk_err *err) {
    const pk_record_options *options = own->options;
    if (options->all_cpus) return open_one(own, -1, err);
    if (options->argv) return open_one(own, pk_record_command_pid(&own->command), err);
    bool ok = true;
    for (size_t i = 0; i < options->n_pids && ok; i++)
        if (!given_before(options, i)) ok = open_process(own, options->pids[i], err);
    return ok;
}

/* ---- what the records are of ---- */

static const char *command_words(pk_own_recorder *own) {
    pk_strbuf words;
    pk_strbuf_init(&words, COMMAND_BYTES_MAX);
    for (char *const *word = own->options->argv; *word; word++) {
        if (words.length > 0) pk_strbuf_add_char(&words, ' ');
        pk_strbuf_add_str(&words, *word);
    }
    const char *copy = pk_arena_strdup(own->arena, words.data);
    pk_strbuf_fini(&words);
    return copy;
}

static bool describe_source(pk_own_recorder *own, pk_err *err) {
    const struct perf_event_attr *sampled = &own->sampler.attr.sampled;
    struct utsname system;
    pk_perf_info *info = &own->info;
    bool ok = pk_perf_attr_parse((const unsigned char *)sampled, sizeof *sampled, &own->attr);
    own->event_name = pk_arena_strdup(own->arena, own->sampler.attr.name);
    info->events = (pk_perf_events){.attrs = &own->attr, .n_attrs = 1};
    info->event_names = &own->event_name;
    info->cpus = (uint32_t)own->sampler.cpus.count;
    ok = ok && own->event_name;
    if (ok && own->options->argv) ok = (info->command = command_words(own)) != NULL;
    if (ok && uname(&system) == 0) {
        info->host = pk_arena_strdup(own->arena, system.nodename);
        info->kernel = pk_arena_strdup(own->arena, system.release);
        info->machine = pk_arena_strdup(own->arena, system.machine);
        ok = info->host && info->kernel && info->machine;
    }
    return ok || no_memory(err);
}

static bool tell_what_is_there(pk_own_recorder *own, pk_err *err) {
    const pk_record_options *options = own->options;
    bool ok = own->sampler.attr.kernel_excluded ||
              pk_attach_kernel(&own->info, own->sink, own->context, err);
    if (ok && options->all_cpus) return pk_attach_machine(&own->info, own->sink, own->context, err);
    for (size_t i = 0; i < options->n_pids && ok; i++)
        ok = pk_attach_process(options->pids[i], &own->info, own->sink, own->context, err);
    return ok;
}

bool pk_own_open(pk_own_recorder *own, pk_err *err) {
    return open_events(own, err) && describe_source(own, err) && tell_what_is_there(own, err);
}
