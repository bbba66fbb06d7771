#include "flame/perf_says.h"

#include <stdio.h>
#include <string.h>

typedef struct known {
    const char *needle; /* in perf's text */
    pk_err_kind kind;
    const char *what, *fix; /* "%s" in it is the event */
} known;

/* Texts of builtin-record.c, util/evsel.c (evsel__open_strerror), util/parse-events.c of perf 5.10
 * to 6.x; the first that fits is taken. */
static const known known_texts[] = {
    {"event syntax error", PK_E_INPUT, "perf knows no event \"%s\"",
     "perf list shows the events; without -e it takes cycles or cpu-clock"},
    {"doesn't support branch stack sampling", PK_E_UNSUPPORTED,
     "this machine records no branches (LBR)", "use --call-graph dwarf"},
    {"Access to performance monitoring and observability operations is limited", PK_E_UNSUPPORTED,
     "perf may not do this as this user",
     "sudo sysctl kernel.perf_event_paranoid=-1, or --root, or give perf the capability "
     "CAP_PERFMON"},
    {"You may not have permission to collect", PK_E_UNSUPPORTED,
     "perf may not do this as this user", "sudo sysctl kernel.perf_event_paranoid=-1, or --root"},
    {"Permission error mapping pages", PK_E_LIMIT, "perf may not lock enough memory for its rings",
     "sudo sysctl kernel.perf_event_mlock_kb=16384, or raise ulimit -l"},
    {"event is not supported", PK_E_UNSUPPORTED, "this machine does not count \"%s\"",
     "perf list shows the events; cpu-clock is always there"},
    {"unknown option `control'", PK_E_UNSUPPORTED, "this perf is too old: it has no --control",
     "install perf 5.11 or newer, or use --recorder builtin"},
    {"perf not found for kernel", PK_E_UNSUPPORTED, "the perf of this kernel is not installed",
     "install linux-tools-$(uname -r), or use --recorder builtin"},
    {"Too many events are opened", PK_E_LIMIT, "perf needs more open files than it may have",
     "raise the limit (ulimit -n)"},
    {"No such process", PK_E_INPUT, "a process to be recorded is not there",
     "pgrep -a NAME shows the numbers of processes"},
    {"a password is required", PK_E_UNSUPPORTED, "sudo asks for a password, and has no terminal",
     "run sudo -v before, or run perfkit itself as root"},
};

/* The first line that says something, without "Error:" and the like; false: there is none. */
static bool first_line(const char *text, char *out, size_t bytes) {
    static const char *const headings[] = {"Error:", "Events disabled", "Events enabled",
                                           "Warning:", "WARNING:"};
    for (const char *line = text; *line;) {
        const char *end = strchrnul(line, '\n'), *from = line;
        while (from < end && (*from == ' ' || *from == '\t')) from++;
        bool heading = from == end || *from == '[';
        for (size_t i = 0; i < sizeof headings / sizeof headings[0] && !heading; i++) {
            size_t n = strlen(headings[i]);
            heading = (size_t)(end - from) == n && memcmp(from, headings[i], n) == 0;
        }
        if (!heading) {
            snprintf(out, bytes, "%.*s", (int)(end - from < 300 ? end - from : 300), from);
            return true;
        }
        line = *end ? end + 1 : end;
    }
    return false;
}

void pk_perf_says_fail(const pk_record_options *options, const char *text, const pk_exit *exit,
                       pk_err *err) {
    const char *perf = options->perf ? options->perf : "perf";
    const char *event = options->event ? options->event : "cycles";
    for (size_t i = 0; i < sizeof known_texts / sizeof known_texts[0]; i++) {
        const known *k = &known_texts[i];
        if (!strstr(text, k->needle)) continue;
        pk_fail(err, k->kind, NULL, k->what, event); /* not all name it */
        pk_fix(err, "%s", k->fix);
        return;
    }
    char line[320];
    bool said = first_line(text, line, sizeof line);
    if (said && exit->signal == 0) pk_fail(err, PK_E_UNSUPPORTED, perf, "it says \"%s\"", line);
    else if (exit->signal > 0)
        pk_fail(err, PK_E_UNSUPPORTED, perf, "it was killed (signal %d)", exit->signal);
    else pk_fail(err, PK_E_UNSUPPORTED, perf, "it ended with %d and said nothing", exit->code);
    pk_fix(err, "try --recorder builtin, which needs no perf");
}
