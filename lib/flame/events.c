#include "flame/events.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/hex.h"
#include "base/suggest.h"
#include "base/units.h"

#define HARDWARE(what) PERF_TYPE_HARDWARE, PERF_COUNT_HW_##what
#define SOFTWARE(what) PERF_TYPE_SOFTWARE, PERF_COUNT_SW_##what
/* perf_event_open(2), PERF_TYPE_HW_CACHE: which cache, what is done, with which result. */
#define CACHE(which, op, result)                                                                   \
    PERF_TYPE_HW_CACHE, PERF_COUNT_HW_CACHE_##which | (uint64_t)PERF_COUNT_HW_CACHE_OP_##op << 8 | \
                            (uint64_t)PERF_COUNT_HW_CACHE_RESULT_##result << 16

static const struct named_event {
    const char *name;
    uint32_t type;
    uint64_t config;
} named_events[] = {
    {"cycles", HARDWARE(CPU_CYCLES)},
    {"cpu-cycles", HARDWARE(CPU_CYCLES)},
    {"instructions", HARDWARE(INSTRUCTIONS)},
    {"cache-references", HARDWARE(CACHE_REFERENCES)},
    {"cache-misses", HARDWARE(CACHE_MISSES)},
    {"branches", HARDWARE(BRANCH_INSTRUCTIONS)},
    {"branch-instructions", HARDWARE(BRANCH_INSTRUCTIONS)},
    {"branch-misses", HARDWARE(BRANCH_MISSES)},
    {"bus-cycles", HARDWARE(BUS_CYCLES)},
    {"stalled-cycles-frontend", HARDWARE(STALLED_CYCLES_FRONTEND)},
    {"idle-cycles-frontend", HARDWARE(STALLED_CYCLES_FRONTEND)},
    {"stalled-cycles-backend", HARDWARE(STALLED_CYCLES_BACKEND)},
    {"idle-cycles-backend", HARDWARE(STALLED_CYCLES_BACKEND)},
    {"ref-cycles", HARDWARE(REF_CPU_CYCLES)},
    {"cpu-clock", SOFTWARE(CPU_CLOCK)},
    {"task-clock", SOFTWARE(TASK_CLOCK)},
    {"page-faults", SOFTWARE(PAGE_FAULTS)},
    {"faults", SOFTWARE(PAGE_FAULTS)},
    {"minor-faults", SOFTWARE(PAGE_FAULTS_MIN)},
    {"major-faults", SOFTWARE(PAGE_FAULTS_MAJ)},
    {"context-switches", SOFTWARE(CONTEXT_SWITCHES)},
    {"cs", SOFTWARE(CONTEXT_SWITCHES)},
    {"cpu-migrations", SOFTWARE(CPU_MIGRATIONS)},
    {"migrations", SOFTWARE(CPU_MIGRATIONS)},
    {"alignment-faults", SOFTWARE(ALIGNMENT_FAULTS)},
    {"emulation-faults", SOFTWARE(EMULATION_FAULTS)},
    {"L1-dcache-loads", CACHE(L1D, READ, ACCESS)},
    {"L1-dcache-load-misses", CACHE(L1D, READ, MISS)},
    {"L1-dcache-stores", CACHE(L1D, WRITE, ACCESS)},
    {"L1-dcache-store-misses", CACHE(L1D, WRITE, MISS)},
    {"L1-icache-loads", CACHE(L1I, READ, ACCESS)},
    {"L1-icache-load-misses", CACHE(L1I, READ, MISS)},
    {"LLC-loads", CACHE(LL, READ, ACCESS)},
    {"LLC-load-misses", CACHE(LL, READ, MISS)},
    {"LLC-stores", CACHE(LL, WRITE, ACCESS)},
    {"LLC-store-misses", CACHE(LL, WRITE, MISS)},
    {"dTLB-loads", CACHE(DTLB, READ, ACCESS)},
    {"dTLB-load-misses", CACHE(DTLB, READ, MISS)},
    {"dTLB-stores", CACHE(DTLB, WRITE, ACCESS)},
    {"dTLB-store-misses", CACHE(DTLB, WRITE, MISS)},
    {"iTLB-loads", CACHE(ITLB, READ, ACCESS)},
    {"iTLB-load-misses", CACHE(ITLB, READ, MISS)},
    {"branch-loads", CACHE(BPU, READ, ACCESS)},
    {"branch-load-misses", CACHE(BPU, READ, MISS)},
    {"node-loads", CACHE(NODE, READ, ACCESS)},
    {"node-load-misses", CACHE(NODE, READ, MISS)},
    {"node-stores", CACHE(NODE, WRITE, ACCESS)},
    {"node-store-misses", CACHE(NODE, WRITE, MISS)},
};
enum {
    NAMED_EVENTS = sizeof named_events / sizeof named_events[0],
    NAME_MAX_BYTES = 128,
    ID_FILE_MAX = 64
};

static bool find_named(const char *name, pk_event *event) {
    for (size_t i = 0; i < NAMED_EVENTS; i++) {
        if (strcmp(named_events[i].name, name) != 0) continue;
        event->type = named_events[i].type;
        event->config = named_events[i].config;
        return true;
    }
    return false;
}

/* "r" and hexadecimal digits: the number of an event of this processor. */
static bool find_raw(const char *name, pk_event *event) {
    size_t n = strlen(name);
    uint64_t config;
    if (n < 2 || name[0] != 'r' || pk_hex(name + 1, n - 1, &config) != n - 1) return false;
    event->type = PERF_TYPE_RAW;
    event->config = config;
    return true;
}

/* "u", "kp", ...: what stands behind the last colon. As perf has it, to name one mode is to exclude
 * the others. */
static bool take_modifiers(const char *text, pk_event *event) {
    bool user = false, kernel = false;
    if (!*text) return false;
    for (; *text; text++) {
        if (*text == 'u') user = true;
        else if (*text == 'k') kernel = true;
        else if (*text == 'p') event->precise++;
        else if (*text == 'P') event->precise = 3;
        else return false;
    }
    event->exclude_kernel = user && !kernel;
    event->exclude_user = kernel && !user;
    return event->precise <= 3;
}

/* ---- tracepoints ---- */

static bool has_folder_letters(const char *name) {
    for (const char *p = name; *p; p++)
        if (!isalnum((unsigned char)*p) && *p != '_' && *p != '-') return false;
    return *name != '\0';
}

static bool read_tracepoint(const char *folder, const char *group, const char *name, uint64_t *id,
                            pk_err *err) {
    char path[512];
    int length = snprintf(path, sizeof path, "%s/events/%s/%s/id", folder, group, name);
    pk_strbuf text;
    pk_strbuf_init(&text, ID_FILE_MAX);
    bool ok =
        length > 0 && (size_t)length < sizeof path && pk_file_read(path, ID_FILE_MAX, &text, err);
    if (ok) {
        int64_t number;
        while (text.length > 0 && text.data[text.length - 1] == '\n')
            text.data[--text.length] = '\0';
        ok = pk_parse_int(text.data, 0, INT64_MAX, &number, err);
        if (ok) *id = (uint64_t)number;
    }
    pk_strbuf_fini(&text);
    return ok;
}

static bool find_tracepoint(const char *group, const char *name, const char *tracefs,
                            pk_event *event, pk_err *err) {
    const char *const usual[] = {"/sys/kernel/tracing", "/sys/kernel/debug/tracing"};
    if (!has_folder_letters(group) || !has_folder_letters(name)) {
        pk_fail(err, PK_E_INPUT, NULL, "\"%s:%s\" is no name of a tracepoint", group, name);
        pk_fix(err, "write it as GROUP:NAME, such as sched:sched_switch");
        return false;
    }
    event->type = PERF_TYPE_TRACEPOINT;
    bool found = read_tracepoint(tracefs ? tracefs : usual[0], group, name, &event->config, err);
    bool denied = !found && (err->sys_errno == EACCES || err->sys_errno == EPERM);
    if (!found && !denied && !tracefs)
        found = read_tracepoint(usual[1], group, name, &event->config, err);
    if (found) return true;
    if (denied) {
        pk_fail(err, PK_E_SYS, NULL, "the tracepoint %s:%s may not be read", group, name);
        pk_fix(err, "run as root, or: mount -o remount,mode=755 /sys/kernel/tracing");
    } else {
        pk_fail(err, PK_E_UNSUPPORTED, NULL, "there is no tracepoint %s:%s", group, name);
        pk_fix(err, "see them in /sys/kernel/tracing/events; if that is empty: "
                    "mount -t tracefs tracefs /sys/kernel/tracing");
    }
    return false;
}

/* ---- any event ---- */

static bool unknown(const char *text, const char *name, pk_err *err) {
    const char *names[NAMED_EVENTS];
    for (size_t i = 0; i < NAMED_EVENTS; i++) names[i] = named_events[i].name;
    if (strpbrk(text, ",{}")) {
        pk_fail(err, PK_E_INPUT, NULL, "\"%.100s\" is more than one event", text);
        pk_fix(err, "give one, or record with perf");
    } else if (strchr(text, '/')) {
        pk_fail(err, PK_E_UNSUPPORTED, NULL,
                "\"%.100s\" is an event of a PMU's own, which the built-in recorder does not know",
                text);
        pk_fix(err, "record with perf");
    } else {
        const char *near = pk_suggest(name, names, NAMED_EVENTS);
        pk_fail(err, PK_E_INPUT, NULL, "there is no event \"%.100s\"", text);
        if (near) pk_fix(err, "did you mean %s?", near);
        else
            pk_fix(err, "known are cycles, cpu-clock, page-faults, context-switches and others of "
                        "`perf list`, GROUP:NAME, rNNN");
    }
    return false;
}

bool pk_event_parse(const char *text, const char *tracefs, pk_event *event, pk_err *err) {
    char name[NAME_MAX_BYTES];
    pk_event found = {0};
    size_t n = strlen(text);
    if (n >= sizeof name || strpbrk(text, ",/{}")) return unknown(text, text, err);
    memcpy(name, text, n + 1);
    char *colon = strrchr(name, ':');
    /* The tail of "sched:sched_switch" is no modifier: it has other letters, or another colon
     * stands before it. */
    if (colon && take_modifiers(colon + 1, &found)) *colon = '\0';
    else found = (pk_event){0};
    char *group_end = strchr(name, ':');
    if (group_end) {
        *group_end = '\0';
        if (!find_tracepoint(name, group_end + 1, tracefs, &found, err)) return false;
    } else if (!find_named(name, &found) && !find_raw(name, &found)) {
        return unknown(text, name, err);
    }
    *event = found;
    return true;
}
