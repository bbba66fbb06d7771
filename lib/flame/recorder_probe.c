#include "flame/recorder_probe.h"

#include <limits.h>
#include <linux/perf_event.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/file.h"
#include "base/units.h"
#include "flame/kernel_text.h"
#include "flame/recorder.h"

enum { SETTING_BYTES_MAX = 64 };

int64_t pk_kernel_setting(const char *name, int64_t otherwise) {
    char path[128];
    pk_strbuf text;
    pk_err err;
    int64_t value = otherwise;
    pk_strbuf_init(&text, SETTING_BYTES_MAX);
    snprintf(path, sizeof path, "/proc/sys/kernel/%s", name);
    if (pk_file_read(path, SETTING_BYTES_MAX, &text, &err)) {
        while (text.length > 0 && text.data[text.length - 1] == '\n')
            text.data[--text.length] = '\0';
        if (!pk_parse_int(text.data, INT_MIN, INT_MAX, &value, &err)) value = otherwise;
    }
    pk_strbuf_fini(&text);
    return value;
}

/* Whether such an event can be opened for ourselves, or for a whole CPU. */
static bool opens(uint32_t type, uint64_t config, bool kernel, bool all_cpus) {
    struct perf_event_attr attr = {.type = type,
                                   .size = sizeof attr,
                                   .config = config,
                                   .disabled = 1,
                                   .exclude_kernel = !kernel,
                                   .exclude_hv = !kernel};
    int fd = (int)syscall(SYS_perf_event_open, &attr, all_cpus ? -1 : 0, all_cpus ? 0 : -1, -1,
                          PERF_FLAG_FD_CLOEXEC);
    if (fd >= 0) close(fd);
    return fd >= 0;
}

void pk_record_probe_machine(pk_record_probe *probe) {
    uint64_t text;
    *probe = (pk_record_probe){
        .paranoid = (int)pk_kernel_setting("perf_event_paranoid", INT_MAX),
        .kernel_allowed = opens(PERF_TYPE_SOFTWARE, PERF_COUNT_SW_CPU_CLOCK, true, false),
        .all_cpus_allowed = opens(PERF_TYPE_SOFTWARE, PERF_COUNT_SW_CPU_CLOCK, false, true),
        .addresses_hidden = !pk_kernel_text_find("/proc/kallsyms", &text),
        .cycles = opens(PERF_TYPE_HARDWARE, PERF_COUNT_HW_CPU_CYCLES, false, false),
        .max_frequency_hz = (uint64_t)pk_kernel_setting("perf_event_max_sample_rate", 0),
        .max_stack = (uint32_t)pk_kernel_setting("perf_event_max_stack", 0)};
}
