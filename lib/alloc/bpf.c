#include "alloc/bpf.h"

#ifdef HAVE_LIBBPF
#include <unistd.h>

#include "alloc/bpf_probe.h"
#include "alloc/bpf_session.h"

#define UPROBES "/sys/bus/event_source/devices/uprobe/type"

bool pk_alloc_bpf_usable(pk_err *err) {
    if (access(UPROBES, R_OK) != 0) {
        pk_fail(err, PK_E_UNSUPPORTED, "BPF", "this kernel has no probes in programs (uprobes)");
        pk_fix(err, "--backend inject does without them");
        return false;
    }
    pk_bpf_probe *probe = pk_bpf_probe_new(1, err);
    pk_bpf_probe_free(probe);
    return probe != NULL;
}

bool pk_alloc_bpf_run(const pk_alloc_options *options, const pk_interrupt *interrupt,
                      pk_alloc_result *result, pk_err *err) {
    return pk_bpf_session(options, interrupt, result, err);
}

#else

bool pk_alloc_bpf_usable(pk_err *err) {
    pk_fail(err, PK_E_UNSUPPORTED, "BPF", "this build cannot: it was made without libbpf or clang");
    pk_fix(err, "install them (Debian: libbpf-dev, clang; x86-64) and build again, or use "
                "--backend inject");
    return false;
}

bool pk_alloc_bpf_run(const pk_alloc_options *options, const pk_interrupt *interrupt,
                      pk_alloc_result *result, pk_err *err) {
    (void)options;
    (void)interrupt;
    (void)result;
    return pk_alloc_bpf_usable(err);
}

#endif
