#include "flame/collapse_event.h"

#include <inttypes.h>
#include <linux/perf_event.h>
#include <stdio.h>
#include <string.h>

typedef struct known_event {
    uint32_t type;
    uint64_t config;
    const char *name;
} known_event;

static const known_event known_events[] = {
    {PERF_TYPE_HARDWARE, PERF_COUNT_HW_CPU_CYCLES, "cycles"},
    {PERF_TYPE_HARDWARE, PERF_COUNT_HW_INSTRUCTIONS, "instructions"},
    {PERF_TYPE_HARDWARE, PERF_COUNT_HW_CACHE_REFERENCES, "cache-references"},
    {PERF_TYPE_HARDWARE, PERF_COUNT_HW_CACHE_MISSES, "cache-misses"},
    {PERF_TYPE_HARDWARE, PERF_COUNT_HW_BRANCH_INSTRUCTIONS, "branches"},
    {PERF_TYPE_HARDWARE, PERF_COUNT_HW_BRANCH_MISSES, "branch-misses"},
    {PERF_TYPE_HARDWARE, PERF_COUNT_HW_BUS_CYCLES, "bus-cycles"},
    {PERF_TYPE_HARDWARE, PERF_COUNT_HW_STALLED_CYCLES_FRONTEND, "stalled-cycles-frontend"},
    {PERF_TYPE_HARDWARE, PERF_COUNT_HW_STALLED_CYCLES_BACKEND, "stalled-cycles-backend"},
    {PERF_TYPE_HARDWARE, PERF_COUNT_HW_REF_CPU_CYCLES, "ref-cycles"},
    {PERF_TYPE_SOFTWARE, PERF_COUNT_SW_CPU_CLOCK, "cpu-clock"},
    {PERF_TYPE_SOFTWARE, PERF_COUNT_SW_TASK_CLOCK, "task-clock"},
    {PERF_TYPE_SOFTWARE, PERF_COUNT_SW_PAGE_FAULTS, "page-faults"},
    {PERF_TYPE_SOFTWARE, PERF_COUNT_SW_CONTEXT_SWITCHES, "context-switches"},
    {PERF_TYPE_SOFTWARE, PERF_COUNT_SW_CPU_MIGRATIONS, "cpu-migrations"},
    {PERF_TYPE_SOFTWARE, PERF_COUNT_SW_PAGE_FAULTS_MIN, "minor-faults"},
    {PERF_TYPE_SOFTWARE, PERF_COUNT_SW_PAGE_FAULTS_MAJ, "major-faults"},
    {PERF_TYPE_SOFTWARE, PERF_COUNT_SW_ALIGNMENT_FAULTS, "alignment-faults"},
    {PERF_TYPE_SOFTWARE, PERF_COUNT_SW_EMULATION_FAULTS, "emulation-faults"},
};

const char *pk_event_name(const pk_perf_info *info, size_t attr, char room[PK_EVENT_NAME_BYTES]) {
    if (info->event_names && info->event_names[attr]) return info->event_names[attr];
    const pk_perf_attr *a = &info->events.attrs[attr];
    for (size_t i = 0; i < sizeof known_events / sizeof *known_events; i++)
        if (known_events[i].type == a->type && known_events[i].config == a->config)
            return known_events[i].name;
    snprintf(room, PK_EVENT_NAME_BYTES, "event %" PRIu32 ":0x%" PRIx64, a->type, a->config);
    return room;
}

/* perf-list(1), "EVENT MODIFIERS"; tracepoints have a ':' in their names too. */
size_t pk_event_base_bytes(const char *name) {
    const char *colon = strrchr(name, ':');
    size_t bytes = strlen(name);
    if (!colon || colon == name || strspn(colon + 1, "ukhGHIpPSDWeb") != strlen(colon + 1))
        return bytes;
    return (size_t)(colon - name);
}

bool pk_event_is(const char *name, const char *wanted) {
    if (strcmp(name, wanted) == 0) return true;
    size_t bytes = pk_event_base_bytes(name);
    return strlen(wanted) == bytes && memcmp(name, wanted, bytes) == 0;
}

bool pk_event_is_clock(const pk_perf_attr *attr) {
    return attr->type == PERF_TYPE_SOFTWARE &&
           (attr->config == PERF_COUNT_SW_CPU_CLOCK || attr->config == PERF_COUNT_SW_TASK_CLOCK);
}
