#include "bench/render.h"

#include <signal.h>
#include <stdio.h>

#include "base/units.h"

/* What a benchmark dies of, in the words of its author. signal(7); sigabbrev_np is glibc's alone.
 */
static const struct {
    int number;
    const char *name, *meaning;
} signals[] = {
    {SIGSEGV, "SIGSEGV", "invalid memory access"},
    {SIGBUS, "SIGBUS", "access beyond a mapped file, or misaligned"},
    {SIGABRT, "SIGABRT", "abort or a failed assertion"},
    {SIGFPE, "SIGFPE", "division by zero or overflow"},
    {SIGILL, "SIGILL", "instruction this CPU does not have, or a trap"},
    {SIGTRAP, "SIGTRAP", "a trap"},
    {SIGSYS, "SIGSYS", "forbidden system call"},
    {SIGKILL, "SIGKILL", "by someone else, or out of memory"},
    {SIGTERM, "SIGTERM", "by someone else"},
    {SIGINT, "SIGINT", "interrupted"},
    {SIGHUP, "SIGHUP", "terminal closed"},
    {SIGQUIT, "SIGQUIT", "quit from the terminal"},
    {SIGPIPE, "SIGPIPE", "wrote where nobody reads"},
    {SIGALRM, "SIGALRM", "its own alarm"},
    {SIGUSR1, "SIGUSR1", "no handler for it"},
    {SIGUSR2, "SIGUSR2", "no handler for it"},
    {SIGXCPU, "SIGXCPU", "limit of CPU time"},
    {SIGXFSZ, "SIGXFSZ", "limit of file size"},
};

char *pk_bench_signal_text(char *out, size_t bytes, int number) {
    for (size_t i = 0; i < sizeof signals / sizeof signals[0]; i++) {
        if (signals[i].number != number) continue;
        snprintf(out, bytes, "killed by %s (%s)", signals[i].name, signals[i].meaning);
        return out;
    }
    snprintf(out, bytes, "killed by signal %d", number);
    return out;
}

char *pk_bench_failure_text(char *out, size_t bytes, const pk_bench_failure *failure) {
    char limit[PK_FORMAT_MAX];
    switch (failure->kind) {
    case PK_FAIL_SIGNAL:
        pk_bench_signal_text(out, bytes, failure->number);
        break;
    case PK_FAIL_EXIT:
        snprintf(out, bytes, "exited with code %d", failure->number);
        break;
    case PK_FAIL_TIMEOUT:
        snprintf(out, bytes, "not done after %s (--timeout)",
                 pk_format_duration(limit, sizeof limit, (double)failure->timeout_ns));
        break;
    case PK_FAIL_GARBAGE:
        snprintf(out, bytes, "broke the protocol between perfkit and its worker");
        break;
    case PK_FAIL_REFUSED:
        snprintf(out, bytes, "refused");
        break;
    }
    return out;
}

const char *pk_bench_failure_name(pk_bench_failure_kind kind) {
    static const char *const names[] = {"signal", "exit", "timeout", "garbage", "refused"};
    return names[kind];
}

const char *pk_bench_source_name(pk_change_source source) {
    static const char *const names[] = {"none", "live", "isolated", "stored"};
    return names[source];
}
