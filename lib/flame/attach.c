#include "flame/attach.h"

#include <dirent.h>
#include <errno.h>
#include <linux/perf_event.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/procfs.h"
#include "base/units.h"
#include "flame/kernel_text.h"
#include "profile/address_space.h"
#include "profile/proc_maps.h"

enum {
    PATH_BYTES = 64,
    COMM_BYTES_MAX = 256,
    MAPS_BYTES_MAX = 256 << 20 /* vm.max_map_count is 65530 by default, a line rarely 200 bytes */
};

/* ---- threads ---- */

static bool known(const pk_array *tids, pid_t tid) {
    for (size_t i = 0; i < tids->count; i++)
        if (PK_AT(tids, pid_t, i) == tid) return true;
    return false;
}

/* The next entry of /proc/PID/task; 0: no more. */
static pid_t next_thread(DIR *folder) {
    for (struct dirent *entry; (entry = readdir(folder));) {
        int64_t tid;
        pk_err ignored;
        if (entry->d_name[0] >= '1' && entry->d_name[0] <= '9' &&
            pk_parse_int(entry->d_name, 1, INT32_MAX, &tid, &ignored))
            return (pid_t)tid;
    }
    return 0;
}

static DIR *open_threads(pid_t pid) {
    char path[PATH_BYTES];
    snprintf(path, sizeof path, "/proc/%d/task", (int)pid);
    return opendir(path);
}

bool pk_attach_threads(pid_t pid, pk_array *tids, pk_err *err) {
    DIR *folder = open_threads(pid);
    if (!folder) {
        pk_fail(err, PK_E_INPUT, NULL, "there is no process %d", (int)pid);
        pk_fix(err, "see the running ones with: ps -e");
        return false;
    }
    bool ok = true;
    for (pid_t tid; ok && (tid = next_thread(folder)) != 0;) {
        if (known(tids, tid)) continue;
        pid_t *slot = pk_array_push(tids);
        ok = slot != NULL;
        if (ok) *slot = tid;
        else pk_fail(err, PK_E_LIMIT, NULL, "process %d has too many threads", (int)pid);
    }
    closedir(folder);
    return ok;
}

/* ---- what they are called and have mapped ---- */

typedef struct teller {
    pid_t pid;
    const pk_perf_info *info;
    pk_record_sink *sink;
    void *context;
} teller;

static bool tell_comm(const teller *t, pid_t tid, pk_err *err) {
    char path[PATH_BYTES];
    pk_strbuf name;
    pk_err unreadable;
    bool ok = true;
    pk_strbuf_init(&name, COMM_BYTES_MAX);
    snprintf(path, sizeof path, "/proc/%d/task/%d/comm", (int)t->pid, (int)tid);
    if (pk_file_read(path, COMM_BYTES_MAX, &name, &unreadable)) {
        if (name.length > 0 && name.data[name.length - 1] == '\n') name.data[--name.length] = '\0';
        const pk_record record = {.type = PK_RECORD_COMM,
                                  .pid = (uint32_t)t->pid,
                                  .tid = (uint32_t)tid,
                                  .cpu = UINT32_MAX,
                                  .comm = {.name = name.data}};
        ok = t->sink(t->context, t->info, &record, err);
    }
    pk_strbuf_fini(&name);
    return ok;
}

/* As the kernel would have told of it when it was made. */
static bool tell_map(void *context, const pk_proc_map *map, pk_err *err) {
    const teller *t = context;
    const pk_record record = {.type = PK_RECORD_MMAP2,
                              .misc = PERF_RECORD_MISC_USER,
                              .pid = (uint32_t)t->pid,
                              .tid = (uint32_t)t->pid,
                              .cpu = UINT32_MAX,
                              .mmap = {.address = map->begin,
                                       .bytes = map->end - map->begin,
                                       .offset = map->offset,
                                       .executable = map->executable,
                                       .major = map->major,
                                       .minor = map->minor,
                                       .inode = map->inode,
                                       .file = map->file}};
    return t->sink(t->context, t->info, &record, err);
}

static bool tell_maps(teller *t, pk_err *err) {
    char path[PATH_BYTES];
    pk_strbuf text;
    pk_err unreadable;
    bool ok = true;
    pk_strbuf_init(&text, MAPS_BYTES_MAX);
    snprintf(path, sizeof path, "/proc/%d/maps", (int)t->pid);
    if (pk_file_read(path, MAPS_BYTES_MAX, &text, &unreadable))
        ok = pk_proc_maps_parse(text.data, text.length, tell_map, t, err);
    pk_strbuf_fini(&text);
    return ok;
}

bool pk_attach_process(pid_t pid, const pk_perf_info *info, pk_record_sink *sink, void *context,
                       pk_err *err) {
    teller t = {pid, info, sink, context};
    DIR *folder = open_threads(pid);
    if (!folder) return true;
    bool ok = true;
    for (pid_t tid; ok && (tid = next_thread(folder)) != 0;) ok = tell_comm(&t, tid, err);
    closedir(folder);
    return ok && tell_maps(&t, err);
}

/* ---- the machine ---- */

typedef struct walk {
    const pk_perf_info *info;
    pk_record_sink *sink;
    void *context;
    pk_err *err;
    bool ok;
} walk;

static bool tell_process(void *context, const pk_process_info *process) {
    walk *w = context;
    w->ok = pk_attach_process(process->pid, w->info, w->sink, w->context, w->err);
    return w->ok;
}

bool pk_attach_machine(const pk_perf_info *info, pk_record_sink *sink, void *context, pk_err *err) {
    walk w = {info, sink, context, err, true};
    pk_procfs_each_process(tell_process, &w);
    return w.ok;
}

bool pk_attach_kernel(const pk_perf_info *info, pk_record_sink *sink, void *context, pk_err *err) {
    uint64_t text;
    if (!pk_kernel_text_find("/proc/kallsyms", &text)) return true;
    /* As far as the addresses go: its modules lie behind it. */
    const pk_record record = {.type = PK_RECORD_MMAP,
                              .misc = PERF_RECORD_MISC_KERNEL,
                              .pid = PK_PID_KERNEL,
                              .tid = 0,
                              .cpu = UINT32_MAX,
                              .mmap = {.address = text,
                                       .bytes = UINT64_MAX - text,
                                       .offset = text,
                                       .executable = true,
                                       .file = "[kernel.kallsyms]_text"}};
    return sink(context, info, &record, err);
}
