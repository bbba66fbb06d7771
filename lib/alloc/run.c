/* Which way of counting, then that. */
#include "alloc/alloc.h"
#include "alloc/bpf.h"
#include "alloc/collector.h"
#include "alloc/inject.h"
#include "alloc/launch.h"

static bool run_command(const pk_alloc_options *options, const pk_interrupt *interrupt,
                        pk_alloc_result *result, pk_err *err) {
    if (options->backend != PK_BACKEND_AUTO && options->backend != PK_BACKEND_PRELOAD) {
        pk_fail(err, PK_E_UNSUPPORTED, NULL, "a command is counted by the hook loaded with it");
        pk_fix(err, "leave --backend out, or start the command and attach to it: -p PID");
        return false;
    }
    result->backend = "preload";
    result->backend_reason = "a command is counted by a hook that is loaded with it";
    return pk_alloc_launch(options, interrupt, result, err);
}

static bool run_attached(const pk_alloc_options *options, const pk_interrupt *interrupt,
                         pk_alloc_result *result, pk_err *err) {
    if (options->backend == PK_BACKEND_PRELOAD) {
        pk_fail(err, PK_E_USAGE, NULL, "a running process cannot be given a hook to start with");
        pk_fix(err, "use --backend bpf or inject, or start the command under perfkit alloc");
        return false;
    }
    pk_err no_bpf;
    if (options->backend == PK_BACKEND_INJECT) {
        result->backend_reason = "asked for";
        return pk_alloc_inject_run(options, interrupt, result, err);
    }
    if (options->backend == PK_BACKEND_AUTO && !options->function &&
        !pk_alloc_bpf_usable(&no_bpf)) {
        result->backend_reason = "BPF cannot be used here";
        return pk_alloc_inject_run(options, interrupt, result, err);
    }
    result->backend_reason = options->backend == PK_BACKEND_BPF
                                 ? "asked for"
                                 : "nothing is put into running processes where BPF is there";
    return pk_alloc_bpf_run(options, interrupt, result, err);
}

bool pk_alloc_run(const pk_alloc_options *options, const pk_interrupt *interrupt,
                  pk_alloc_result *result, pk_err *err) {
    if (!pk_alloc_begin(result, options, err)) return false;
    bool ok = options->argv ? run_command(options, interrupt, result, err)
                            : run_attached(options, interrupt, result, err);
    if (!ok || !pk_alloc_end(result, err)) return false;
    size_t n = options->argv ? pk_alloc_still_running(result) : 0;
    if (n > 0)
        pk_alloc_note_add(result, "count them alone: perfkit alloc -p PID",
                          "%zu process%s that it started still run%s; what they do from here on is "
                          "not counted",
                          n, n == 1 ? "" : "es", n == 1 ? "s" : "");
    return true;
}
