#include "flame/perf_argv.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/array.h"
#include "base/file.h"
#include "base/units.h"

/* perf takes twice this by itself, and would take more of a machine with many processors. */
#define RINGS_BYTES_MAX (256u << 20)
/* A burst of samples that is waited for while perf writes the one before. */
#define RING_SAMPLES 128
#define RING_BYTES_LEAST (512u << 10) /* perf's own size */
#define WORDS_MAX 65536

/* ---- a list of words ---- */

typedef struct words {
    pk_arena *arena;
    pk_array list; /* char * */
    bool failed;
} words;

static void add(words *w, const char *word) {
    char **place = word ? pk_array_push(&w->list) : NULL;
    if (place) *place = (char *)word;
    else w->failed = true;
}

static void add_all(words *w, const char *const *list) {
    for (; list && *list; list++) add(w, *list);
}

/* Copied into the arena with a NULL behind; NULL when something failed. */
static char **done(words *w) {
    char **argv = w->failed ? NULL : PK_NEW(w->arena, w->list.count + 1, char *);
    if (argv && w->list.count > 0) memcpy(argv, w->list.items, w->list.count * sizeof *argv);
    pk_array_fini(&w->list);
    return argv;
}

static words begin(const pk_record_options *options, pk_arena *arena) {
    words w = {.arena = arena, .list = PK_ARRAY(char *, WORDS_MAX)};
    add_all(&w, options->root);
    add(&w, options->perf ? options->perf : "perf");
    return w;
}

static void add_pids(words *w, const pid_t *pids, size_t n) {
    const char *list = "";
    for (size_t i = 0; i < n && list; i++)
        list = pk_arena_printf(w->arena, "%s%s%d", list, i > 0 ? "," : "", (int)pids[i]);
    add(w, "-p");
    add(w, list);
}

/* ---- rings ---- */

uint64_t pk_perf_ring_bytes(uint64_t allowed_bytes, size_t processors, uint64_t sample_bytes,
                            uint64_t page_bytes) {
    if (processors == 0) processors = 1;
    if (allowed_bytes > RINGS_BYTES_MAX) allowed_bytes = RINGS_BYTES_MAX;
    uint64_t each = allowed_bytes / processors;
    uint64_t wanted = RING_SAMPLES * sample_bytes;
    uint64_t bytes = RING_BYTES_LEAST;
    if (wanted <= bytes) return 0;
    /* One page more for the head of each ring. */
    while (bytes < wanted && bytes * 2 + page_bytes <= each) bytes *= 2;
    return bytes > RING_BYTES_LEAST ? bytes : 0;
}

/* What an unprivileged user may lock (perf_event_open(2), perf_event_mlock_kb). */
static uint64_t lockable_bytes(size_t processors) {
    struct rlimit limit;
    pk_strbuf text;
    pk_strbuf_init(&text, 64);
    pk_err err;
    int64_t kb = 0;
    bool read = pk_file_read("/proc/sys/kernel/perf_event_mlock_kb", 64, &text, &err);
    while (read && text.length > 0 && text.data[text.length - 1] == '\n')
        text.data[--text.length] = '\0';
    if (!read || !pk_parse_int(text.data, 0, INT32_MAX, &kb, &err)) kb = 0;
    pk_strbuf_fini(&text);
    if (getrlimit(RLIMIT_MEMLOCK, &limit) != 0) limit.rlim_cur = 0;
    if (limit.rlim_cur == RLIM_INFINITY || limit.rlim_cur > RINGS_BYTES_MAX)
        limit.rlim_cur = RINGS_BYTES_MAX;
    return (uint64_t)kb * 1024 * processors + limit.rlim_cur;
}

static void add_ring(words *w, const pk_record_options *options) {
    bool privileged = geteuid() == 0 || (options->root && options->root[0]);
    long online = sysconf(_SC_NPROCESSORS_ONLN), page = sysconf(_SC_PAGESIZE);
    size_t processors = online > 0 ? (size_t)online : 1;
    uint64_t allowed = privileged ? RINGS_BYTES_MAX : lockable_bytes(processors);
    uint64_t bytes = pk_perf_ring_bytes(
        allowed, processors, options->call_graph == PK_CALL_GRAPH_DWARF ? options->stack_bytes : 0,
        page > 0 ? (uint64_t)page : 4096);
    if (bytes == 0) return;
    add(w, "-m");
    add(w, pk_arena_printf(w->arena, "%" PRIu64 "K", bytes / 1024));
}

/* ---- what we say ---- */

static void add_event(words *w, const pk_record_options *options) {
    const char *event = options->off_cpu ? "context-switches" : options->event;
    if (event) {
        add(w, "-e");
        add(w, event);
    }
    if (options->off_cpu) add(w, "--switch-events");
    uint64_t period = options->off_cpu ? 1 : options->period;
    bool by_frequency = !options->off_cpu && options->frequency_hz > 0;
    add(w, by_frequency ? "-F" : "-c");
    add(w, pk_arena_printf(w->arena, "%" PRIu64, by_frequency ? options->frequency_hz : period));
}

static void add_call_graph(words *w, const pk_record_options *options) {
    if (options->call_graph == PK_CALL_GRAPH_NONE) return;
    add(w, "--call-graph");
    if (options->call_graph == PK_CALL_GRAPH_FP) add(w, "fp");
    else if (options->call_graph == PK_CALL_GRAPH_LBR) add(w, "lbr");
    else add(w, pk_arena_printf(w->arena, "dwarf,%" PRIu32, options->stack_bytes));
}

static void add_output(words *w, const pk_record_options *options) {
    add(w, "-o");
    add(w, options->keep ? options->keep : "-");
    if (options->keep) add(w, "-N"); /* no copies of binaries into ~/.debug */
    if (options->keep && options->compression > 0)
        add(w, pk_arena_printf(w->arena, "-z=%d", options->compression));
}

char **pk_perf_argv(const pk_record_options *options, pid_t command, const pk_perf_control *control,
                    pk_arena *arena) {
    words w = begin(options, arena);
    add(&w, "record");
    add_event(&w, options);
    add_call_graph(&w, options);
    add_ring(&w, options);
    add(&w, "-k");
    add(&w, "monotonic");
    /* Off until told. The paths of pipes of ours, and no numbers: sudo closes what it does not
     * know, and a named pipe would be a file to leave behind. */
    add(&w, "-D");
    add(&w, "-1");
    add(&w, "--control");
    add(&w, pk_arena_printf(arena, "fifo:/proc/%d/fd/%d,/proc/%d/fd/%d", (int)control->pid,
                            control->tell, (int)control->pid, control->answered));
    add_output(&w, options);
    if (options->all_cpus) add(&w, "-a");
    else if (command > 0) add_pids(&w, &command, 1);
    else add_pids(&w, options->pids, options->n_pids);
    return done(&w);
}

/* ---- what the user says ---- */

/* The file behind "-o", "-oFILE", "--output" or "--output=FILE"; NULL: none. */
static const char *named_output(const char *const *list) {
    for (; *list; list++) {
        const char *word = *list;
        if (strcmp(word, "-o") == 0 || strcmp(word, "--output") == 0) return list[1];
        if (strncmp(word, "--output=", 9) == 0) return word + 9;
        if (strncmp(word, "-o", 2) == 0) return word + 2;
    }
    return NULL;
}

char **pk_perf_argv_own_words(const pk_record_options *options, const char **file,
                              pk_arena *arena) {
    words w = begin(options, arena);
    add_all(&w, options->perf_words);
    const char *named = named_output(options->perf_words);
    if (!named) {
        add(&w, "-o");
        add(&w, named = "perf.data");
    }
    if (options->all_cpus) add(&w, "-a");
    if (options->n_pids > 0) add_pids(&w, options->pids, options->n_pids);
    add_all(&w, (const char *const *)options->argv);
    *file = named;
    return done(&w);
}
