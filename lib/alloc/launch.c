#include "alloc/launch.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "alloc/collector.h"
#include "alloc/folder.h"
#include "alloc/image.h"
#include "alloc/program.h"
#include "alloc/timeline.h"
#include "base/strbuf.h"
#include "timing/clock.h"

#define SETTINGS_BYTES (PATH_MAX + 64)
#define PRELOAD_BYTES_MAX ((size_t)128 << 10) /* as much as Linux takes of one variable */
#define WORDS_BYTES_MAX ((size_t)1 << 20)

typedef struct launch {
    const pk_alloc_options *options;
    const pk_interrupt *interrupt;
    pk_alloc_result *result;
    pk_alloc_folder folder;
    pk_timeline *timeline;
    pk_process process;
    uint64_t begin_ns;
} launch;

/* ---- how the hook is told ---- */

bool pk_alloc_settings(const pk_alloc_options *options, const char *folder, bool attached,
                       char *out, size_t bytes) {
    unsigned flags =
        (options->counts_only ? 0u : PK_ALLOC_LIVE) | (options->no_follow ? 0u : PK_ALLOC_FOLLOW) |
        (options->check ? PK_ALLOC_CHECK : 0u) | (options->mappings ? PK_ALLOC_MAPPINGS : 0u) |
        (attached ? PK_ALLOC_ATTACHED : 0u);
    int n = snprintf(out, bytes, "%s:%x:%" PRIu64, folder, flags, options->sample_bytes);
    return n > 0 && (size_t)n < bytes;
}

static bool start(launch *l, pk_err *err) {
    const pk_alloc_options *options = l->options;
    char settings[SETTINGS_BYTES + sizeof PK_ALLOC_VARIABLE];
    pk_strbuf preload;
    memcpy(settings, PK_ALLOC_VARIABLE "=", sizeof PK_ALLOC_VARIABLE);
    bool ok = pk_alloc_settings(options, l->folder.path, false, settings + sizeof PK_ALLOC_VARIABLE,
                                SETTINGS_BYTES);
    pk_strbuf_init(&preload, PRELOAD_BYTES_MAX);
    pk_strbuf_addf(&preload, "LD_PRELOAD=%s/%s", l->folder.path, PK_ALLOC_HOOK_NAME);
    if (options->preload && options->preload[0]) pk_strbuf_addf(&preload, ":%s", options->preload);
    const char *const variables[] = {settings, preload.data, NULL};
    pk_spawn_options how = PK_SPAWN_DEFAULT;
    how.stdin_fd = STDIN_FILENO;
    how.variables = variables;
    if (!ok || !pk_strbuf_ok(&preload)) {
        pk_fail(err, PK_E_LIMIT, l->folder.path, "the settings of the hook do not fit");
        pk_fix(err, "give a shorter --folder or LD_PRELOAD");
        ok = false;
    }
    l->begin_ns = pk_now_ns();
    ok = ok && pk_process_spawn(options->argv, &how, &l->process, err);
    l->result->command_ran = ok;
    pk_strbuf_fini(&preload);
    return ok;
}

/* ---- while it runs ---- */

typedef enum ending { BY_ITSELF, BY_SIGNAL, BY_DURATION } ending;

static ending watch(launch *l) {
    struct pollfd fds[] = {{.fd = l->process.pidfd, .events = POLLIN},
                           {.fd = pk_interrupt_fd(l->interrupt), .events = POLLIN}};
    uint64_t end_ns = UINT64_MAX;
    if (l->options->duration_ns > 0) end_ns = l->begin_ns + l->options->duration_ns;
    for (;;) {
        uint64_t now_ns = pk_now_ns(), wait_ns = pk_timeline_wait_ns(l->timeline, now_ns);
        if (now_ns >= end_ns) return BY_DURATION;
        if (wait_ns > end_ns - now_ns) wait_ns = end_ns - now_ns;
        struct timespec wait = {(time_t)(wait_ns / 1000000000u), (long)(wait_ns % 1000000000u)};
        int n = ppoll(fds, 2, &wait, NULL);
        if (n > 0 && fds[0].revents) return BY_ITSELF;
        if (n > 0 && fds[1].revents) return BY_SIGNAL;
        pk_timeline_tick(l->timeline, pk_now_ns());
    }
}

/* As a recording ends its command (flame/recorder_command). */
static void finish(launch *l, ending how) {
    pk_alloc_result *result = l->result;
    int signal = pk_interrupt_signal(l->interrupt);
    if (how == BY_ITSELF) pk_process_wait(&l->process, UINT64_MAX, &result->exit);
    else
        pk_process_stop_after(&l->process, how == BY_SIGNAL ? signal : 0, l->options->grace_ns,
                              &result->exit);
    /* Ctrl-C ends it too, and its end may be seen before our signal is. */
    result->interrupted = how == BY_SIGNAL || (signal != 0 && result->exit.signal == signal);
    result->command_stopped = result->interrupted || how == BY_DURATION;
    uint64_t now_ns = pk_now_ns();
    result->duration_ns = now_ns - l->begin_ns;
    pk_timeline_end(l->timeline, now_ns);
    l->timeline = NULL;
}

/* ---- the whole of it ---- */

static const char *words_of(pk_alloc_result *result, char *const argv[]) {
    pk_strbuf words;
    pk_strbuf_init(&words, WORDS_BYTES_MAX);
    for (size_t i = 0; argv[i]; i++) pk_strbuf_addf(&words, "%s%s", i ? " " : "", argv[i]);
    const char *copy = pk_arena_strdup(result->arena, words.data);
    pk_strbuf_fini(&words);
    return copy;
}

static bool check_command(const pk_alloc_options *options, pk_err *err) {
    char path[PATH_MAX];
    if (options->function) {
        pk_fail(err, PK_E_UNSUPPORTED, NULL, "--function needs probes in the kernel");
        pk_fix(err, "start the command, then: perfkit alloc -p PID --function LIB:SYMBOL");
        return false;
    }
    return pk_process_find(options->argv[0], path, sizeof path, err) &&
           pk_alloc_program_check(path, err);
}

static bool count(launch *l, pk_err *err) {
    l->timeline = pk_timeline_begin(l->result, l->folder.path, l->options->timeline_ns,
                                    !l->options->no_follow, err);
    if (!l->timeline) return false;
    if (!start(l, err)) {
        pk_timeline_end(l->timeline, l->begin_ns);
        return false;
    }
    finish(l, watch(l));
    if (pk_alloc_add_folder(l->result, l->folder.path, err)) return true;
    if (err->kind == PK_E_INPUT) {
        pk_fail(err, PK_E_UNSUPPORTED, l->options->argv[0],
                "nothing was counted: the hook was not loaded");
        pk_fix(err, "start it, then: perfkit alloc -p PID");
    }
    return false;
}

bool pk_alloc_launch(const pk_alloc_options *options, const pk_interrupt *interrupt,
                     pk_alloc_result *result, pk_err *err) {
    launch l = {.options = options, .interrupt = interrupt, .result = result};
    result->command = words_of(result, options->argv);
    if (!check_command(options, err) ||
        !pk_alloc_folder_make(options->folder, &options->runtime_folders, &l.folder, err))
        return false;
    bool ok = count(&l, err);
    pk_alloc_folder_remove(&l.folder);
    return ok;
}
