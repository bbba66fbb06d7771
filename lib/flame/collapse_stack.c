#include "flame/collapse_stack.h"

#include <linux/perf_event.h>
#include <stdlib.h>
#include <string.h>

#include "profile/stack_tree.h"

/* A copy has at most 65528 bytes, and each frame takes a return address of it. */
#define ADDRESSES_MAX 16384u

static bool no_memory(pk_err *err) {
    pk_fail(err, PK_E_LIMIT, NULL, "not enough memory for the frames of a stack");
    return false;
}

/* ---- life ---- */

bool pk_stacks_init(pk_stacks *stacks, pk_collapse_maps *maps, const pk_symbolise_options *options,
                    pk_names *names, pk_err *err) {
    static const char truncated[] = "[truncated]", unknown[] = "[unknown]";
    *stacks = (pk_stacks){
        .maps = maps,
        .options = options,
        .names = names,
        .unwinder = pk_unwinder_new(maps->spaces, maps->modules),
        .truncated = pk_names_intern(names, truncated, sizeof truncated - 1),
        .unknown = pk_names_intern(names, unknown, sizeof unknown - 1),
        .addresses = calloc(ADDRESSES_MAX, sizeof *stacks->addresses),
        .frames = calloc(PK_STACK_DEPTH_MAX, sizeof *stacks->frames),
        .counts = PK_ARRAY(pk_module_count, UINT32_MAX),
    };
    bool ok = stacks->unwinder && stacks->addresses && stacks->frames &&
              stacks->truncated != PK_NAME_NONE && stacks->unknown != PK_NAME_NONE;
    return ok || no_memory(err);
}

void pk_stacks_fini(pk_stacks *stacks) {
    pk_symboliser_free(stacks->symboliser);
    pk_unwinder_free(stacks->unwinder);
    pk_array_fini(&stacks->counts);
    free(stacks->addresses);
    free(stacks->frames);
    *stacks = (pk_stacks){0};
}

/* Reading the kernel's functions takes longer than many a recording, and they may not be needed. */
static bool prepare(pk_stacks *stacks, bool kernel) {
    pk_collapse_maps *maps = stacks->maps;
    if (stacks->symboliser && (stacks->knows_kernel || !kernel)) return true;
    pk_symboliser_free(stacks->symboliser);
    const pk_kallsyms *kallsyms = kernel ? pk_collapse_maps_kernel(maps) : NULL;
    stacks->symboliser =
        pk_symboliser_new(stacks->options, stacks->names, maps->spaces, maps->modules, kallsyms);
    stacks->knows_kernel = kernel;
    return stacks->symboliser != NULL;
}

/* ---- what is known of modules ---- */

static pk_module_count *count_of(pk_stacks *stacks, uint32_t module) {
    if (module == UINT32_MAX) return &stacks->nowhere;
    while (stacks->counts.count <= module)
        if (!pk_array_push(&stacks->counts)) return NULL;
    return &PK_AT(&stacks->counts, pk_module_count, module);
}

/* ---- one stack, from its leaf to its root ---- */

typedef struct build {
    pk_stacks *stacks;
    uint32_t pid;
    bool java;
    bool done;    /* what calls the last frame is not wanted */
    bool skipped; /* because of skip_after, so no label either */
    bool failed;
    size_t at; /* stacks->frames[at..PK_STACK_DEPTH_MAX) is filled */
} build;

/* Room for the label and "[truncated]" is kept. */
#define FRAMES_ABOVE 2u

static void put_frames(build *b, const pk_frame frames[], size_t n) {
    for (size_t i = n; i-- > 0 && !b->done;) {
        b->stacks->frames[--b->at] = frames[i].name;
        b->done = frames[i].skip_callers || b->at == FRAMES_ABOVE;
        b->skipped = frames[i].skip_callers;
    }
}

static void put_address(build *b, bool kernel, uint64_t address) {
    size_t n = 0;
    const pk_frame *frames = NULL;
    if (b->done) return;
    if (prepare(b->stacks, kernel))
        frames = pk_symbolise(b->stacks->symboliser, kernel ? PK_PID_KERNEL : b->pid, address,
                              b->java, &n);
    pk_module_count *count = frames ? count_of(b->stacks, frames[0].module) : NULL;
    if (!count) {
        b->failed = b->done = true;
        return;
    }
    count->frames++;
    count->unknown += frames[0].unknown;
    put_frames(b, frames, n);
}

/* ---- callchains ---- */

/* The mode of what follows in a chain. After a marker that we do not know nothing can be said; what
 * guests and hypervisors do is not ours to name. */
static pk_cpu_mode mode_behind(uint64_t marker) {
    if (marker == PK_CHAIN_KERNEL) return PK_CPU_KERNEL;
    return marker == PK_CHAIN_USER ? PK_CPU_USER : PK_CPU_UNKNOWN;
}

/* The first address of each part is where it was interrupted, those behind it are where calls
 * return to: the call stands before. */
static void put_chain(build *b, const pk_record_sample *sample, bool kernel_only) {
    pk_cpu_mode mode = sample->mode;
    bool first = true;
    for (size_t i = 0; i < sample->n_chain && !b->done; i++) {
        uint64_t address = sample->chain[i];
        if (address >= PK_CHAIN_MARKER_LEAST) {
            mode = mode_behind(address);
            first = true;
        } else if (mode == PK_CPU_KERNEL || (mode == PK_CPU_USER && !kernel_only)) {
            put_address(b, mode == PK_CPU_KERNEL, first ? address : address - 1);
            first = false;
        }
    }
}

/* Where the user's part was interrupted, and the calls that the processor remembers. */
static void put_calls(build *b, const pk_record_sample *sample) {
    pk_cpu_mode mode = sample->mode;
    bool found = false;
    for (size_t i = 0; i < sample->n_chain && !found; i++) {
        if (sample->chain[i] >= PK_CHAIN_MARKER_LEAST) {
            mode = mode_behind(sample->chain[i]);
        } else if (mode == PK_CPU_USER) {
            put_address(b, false, sample->chain[i]);
            found = true;
        }
    }
    for (size_t i = 0; i < sample->n_calls; i++)
        if (sample->calls[3 * i] != 0) put_address(b, false, sample->calls[3 * i]);
}

static bool chain_has_mode(const pk_record_sample *sample, pk_cpu_mode wanted) {
    pk_cpu_mode mode = sample->mode;
    for (size_t i = 0; i < sample->n_chain; i++) {
        if (sample->chain[i] >= PK_CHAIN_MARKER_LEAST) mode = mode_behind(sample->chain[i]);
        else if (mode == wanted) return true;
    }
    return false;
}

/* ---- user stacks ---- */

/* Registers of a 64-bit program, and a copy of its stack. Kernel threads have none. */
static bool has_copy(const pk_record_sample *sample) {
    return sample->registers_abi == PERF_SAMPLE_REGS_ABI_64 && sample->stack;
}

static pk_stack_end put_copy(build *b, const pk_record_sample *sample) {
    pk_user_state state = {.pid = b->pid,
                           .registers = sample->registers,
                           .registers_known = sample->registers_known,
                           .stack = sample->stack,
                           .stack_bytes = sample->stack_bytes,
                           .stack_full = sample->stack_bytes == sample->stack_stored};
    size_t n;
    uint32_t lost_in;
    pk_unwind_end end =
        pk_unwind(b->stacks->unwinder, &state, b->stacks->addresses, ADDRESSES_MAX, &n, &lost_in);
    for (size_t i = 0; i < n; i++) put_address(b, false, b->stacks->addresses[i]);
    if (end == PK_UNWIND_WHOLE) return PK_STACK_END_WHOLE;
    if (end == PK_UNWIND_CUT) return PK_STACK_END_TRUNCATED;
    pk_module_count *count = end == PK_UNWIND_LOST ? count_of(b->stacks, lost_in) : NULL;
    if (count) count->lost++;
    return PK_STACK_END_UNFINISHED;
}

static pk_stack_end put_sample(build *b, const pk_record_sample *sample) {
    bool copy = has_copy(sample), user = sample->mode == PK_CPU_USER;
    /* The sample's own address, where nothing else is of the mode it was taken in. */
    if ((user || sample->mode == PK_CPU_KERNEL) && !(copy && user) &&
        !chain_has_mode(sample, sample->mode))
        put_address(b, !user, sample->ip);
    bool calls = !copy && sample->n_calls > 0;
    put_chain(b, sample, copy || calls);
    if (copy) return put_copy(b, sample);
    if (calls) put_calls(b, sample);
    bool has_user_part = sample->registers_abi != PERF_SAMPLE_REGS_ABI_NONE;
    return has_user_part ? PK_STACK_END_UNFINISHED : PK_STACK_END_WHOLE;
}

const uint32_t *pk_stacks_make(pk_stacks *stacks, const pk_record *record, uint32_t label,
                               bool java, size_t *n, pk_stack_end *end, pk_err *err) {
    build b = {.stacks = stacks,
               .pid = record->pid == PK_PID_KERNEL ? PK_PID_NOBODY : record->pid,
               .java = java,
               .at = PK_STACK_DEPTH_MAX};
    *end = put_sample(&b, &record->sample);
    if (b.failed) {
        no_memory(err);
        return NULL;
    }
    if (b.at == PK_STACK_DEPTH_MAX) stacks->frames[--b.at] = stacks->unknown;
    if (!b.skipped) {
        if (*end == PK_STACK_END_TRUNCATED) stacks->frames[--b.at] = stacks->truncated;
        stacks->frames[--b.at] = label;
    }
    *n = PK_STACK_DEPTH_MAX - b.at;
    return stacks->frames + b.at;
}
