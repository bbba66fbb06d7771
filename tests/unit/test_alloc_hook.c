/* The hook, loaded into programs whose allocations are known (tests/programs/alloc): what it writes
 * is read back and must be exact. */
#include "tests/unit/check.h"

#include <glob.h>
#include <signal.h>
#include <sys/stat.h>

#include "alloc/image_file.h"
#include "alloc/image_stacks.h"
#include "alloc/preload.h"
#include "base/file.h"
#include "base/process.h"

#define DEADLINE_NS 60000000000ull

enum { IMAGES_MAX = 64 };

typedef struct image {
    pk_image_file file;
    pk_image_stacks stacks;
    uint64_t calls, bytes, frees, freed_bytes, temporary, remembered; /* sums of threads */
    int64_t held;
    uint64_t sizes[PK_IMAGE_SIZE_CLASSES];
    uint32_t n_threads;
} image;

typedef struct fixture {
    char folder[CHECK_PATH_MAX], images[CHECK_PATH_MAX], hook[CHECK_PATH_MAX];
    image all[IMAGES_MAX];
    size_t n;
    pk_exit exit;
} fixture;

/* ---- running a program ---- */

static int begin(void **state) {
    const void *bytes;
    size_t n_bytes;
    if (!pk_alloc_hook_object(&bytes, &n_bytes)) return 0; /* *state NULL: none for this machine */
    fixture *f = calloc(1, sizeof *f);
    pk_err err = {0};
    assert_non_null(f);
    check_folder_begin(f->folder);
    check_path(f->hook, f->folder, "hook.so");
    assert_ok(pk_file_replace(f->hook, bytes, n_bytes, &err), &err);
    check_path(f->images, f->folder, "images");
    assert_int_equal(mkdir(f->images, 0700), 0);
    *state = f;
    return 0;
}

static void close_images(fixture *f) {
    for (size_t i = 0; i < f->n; i++) {
        pk_image_stacks_fini(&f->all[i].stacks);
        pk_image_file_close(&f->all[i].file);
    }
    f->n = 0;
}

static int end(void **state) {
    fixture *f = *state;
    if (!f) return 0;
    close_images(f);
    check_folder_end(f->folder);
    free(f);
    return 0;
}

static fixture *fixture_of(void **state) {
    if (!*state) skip();
    return *state;
}

/* tests/alloc/NAME beside this program; false: it was not built. */
static bool program(const char *name, char path[CHECK_PATH_MAX]) {
    char self[CHECK_PATH_MAX];
    ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
    assert_true(n > 0);
    self[n] = '\0';
    for (int up = 0; up < 2; up++) *strrchr(self, '/') = '\0'; /* .../tests */
    assert_in_range(snprintf(path, CHECK_PATH_MAX, "%s/alloc/%s", self, name), 1,
                    CHECK_PATH_MAX - 1);
    return access(path, X_OK) == 0;
}

static void add_threads(image *im) {
    pk_image_thread thread;
    for (uint32_t i = 0; i < im->file.n_chunks; i++) {
        if (pk_image_file_chunk(&im->file, i).kind != PK_CHUNK_THREAD) continue;
        pk_image_file_read(&im->file, i, 0, &thread, sizeof thread);
        im->n_threads++;
        im->calls += thread.calls;
        im->bytes += thread.bytes;
        im->frees += thread.frees;
        im->freed_bytes += thread.freed_bytes;
        im->temporary += thread.temporary;
        im->remembered += thread.stacks_remembered;
        im->held += thread.held;
        for (uint32_t c = 0; c < PK_IMAGE_SIZE_CLASSES; c++) im->sizes[c] += thread.sizes[c];
    }
}

static void read_images(fixture *f) {
    char pattern[CHECK_PATH_MAX];
    glob_t found;
    close_images(f);
    memset(f->all, 0, sizeof f->all);
    check_path(pattern, f->images, "*.image");
    if (glob(pattern, 0, NULL, &found) != 0) return;
    for (size_t i = 0; i < found.gl_pathc && f->n < IMAGES_MAX; i++) {
        pk_err err = {0};
        image *im = &f->all[f->n++];
        assert_ok(pk_image_file_open(found.gl_pathv[i], &im->file, &err), &err);
        assert_ok(pk_image_stacks_read(&im->file, false, &im->stacks, &err), &err);
        add_threads(im);
        assert_int_equal(remove(found.gl_pathv[i]), 0);
    }
    globfree(&found);
}

/* "LD_PRELOAD=..", "PERFKIT_ALLOC=.." and the command, by env(1), which is not counted itself. */
static pk_process start(const fixture *f, uint32_t flags, uint64_t sample_bytes, int out,
                        char *const command[]) {
    static char preload[CHECK_PATH_MAX + 16], settings[CHECK_PATH_MAX + 64];
    char name[] = "env";
    char *argv[16] = {name, preload, settings};
    snprintf(preload, sizeof preload, "LD_PRELOAD=%s", f->hook);
    snprintf(settings, sizeof settings, PK_ALLOC_VARIABLE "=%s:%x:%llu", f->images, flags,
             (unsigned long long)sample_bytes);
    for (size_t i = 0; command[i]; i++) {
        assert_true(i + 4 < sizeof argv / sizeof *argv);
        argv[i + 3] = command[i];
    }
    pk_spawn_options options = PK_SPAWN_DEFAULT;
    options.stdout_fd = out;
    pk_process process;
    pk_err err = {0};
    assert_ok(pk_process_spawn(argv, &options, &process, &err), &err);
    return process;
}

static void run_command(fixture *f, uint32_t flags, uint64_t sample_bytes, char *const command[]) {
    pk_process process = start(f, flags, sample_bytes, -1, command);
    if (!pk_process_wait(&process, DEADLINE_NS, &f->exit)) {
        pk_process_stop(&process, false, 0, &f->exit);
        fail_msg("%s did not end", command[0]);
    }
    read_images(f);
}

/* tests/alloc/NAME with up to two words. Its only image, or the first one. */
static image *run(fixture *f, uint32_t flags, const char *name, const char *word,
                  const char *second) {
    char path[CHECK_PATH_MAX], one[CHECK_PATH_MAX], two[CHECK_PATH_MAX];
    if (!program(name, path)) skip();
    snprintf(one, sizeof one, "%s", word);
    snprintf(two, sizeof two, "%s", second ? second : "");
    char *command[] = {path, one, second ? two : NULL, NULL};
    run_command(f, flags, 0, command);
    assert_true(f->n > 0);
    return &f->all[0];
}

/* Of a program that ends well, with stacks checked and frees followed. */
static image *run_well(fixture *f, const char *name, const char *word) {
    image *im = run(f, PK_ALLOC_LIVE | PK_ALLOC_CHECK | PK_ALLOC_FOLLOW, name, word, NULL);
    assert_int_equal(f->exit.code, 0);
    for (size_t i = 0; i < f->n; i++) {
        assert_int_equal(f->all[i].file.head.differences, 0);
        assert_int_equal(f->all[i].file.head.inside_hook, 0);
        assert_int_equal(f->all[i].file.head.full, 0);
        assert_int_equal(f->all[i].stacks.broken, 0);
    }
    return im;
}

/* ---- what came of it ---- */

static const pk_image_stack *stack_at(const image *im, size_t i) {
    return &PK_AT(&im->stacks.stacks, pk_image_stack, i);
}

/* The only stack with so many calls and bytes. */
static const pk_image_stack *stack(const image *im, pk_alloc_function function, uint64_t calls,
                                   uint64_t bytes) {
    const pk_image_stack *found = NULL;
    for (size_t i = 0; i < im->stacks.stacks.count; i++) {
        const pk_image_stack *s = stack_at(im, i);
        if (s->function != function || s->calls != calls || s->bytes != bytes) continue;
        if (found) fail_msg("two stacks with %llu calls", (unsigned long long)calls);
        found = s;
    }
    if (!found) fail_msg("no stack with %llu calls", (unsigned long long)calls);
    return found;
}

static void check_sums(const image *im, uint64_t calls, uint64_t bytes, uint64_t frees,
                       uint64_t freed_bytes) {
    uint64_t sums[4] = {0};
    assert_int_equal(im->calls, calls);
    assert_int_equal(im->bytes, bytes);
    assert_int_equal(im->frees, frees);
    assert_int_equal(im->freed_bytes, freed_bytes);
    for (size_t i = 0; i < im->stacks.stacks.count; i++) {
        const pk_image_stack *s = stack_at(im, i);
        sums[0] += s->calls;
        sums[1] += s->bytes;
        sums[2] += s->freed_calls;
        sums[3] += s->freed_bytes;
    }
    assert_int_equal(sums[0], calls);
    assert_int_equal(sums[1], bytes);
    assert_int_equal(sums[2], frees);
    assert_int_equal(sums[3], freed_bytes);
    assert_int_equal(im->file.head.live_bytes + im->held, bytes - freed_bytes);
}

/* Each program calls 11 times before main. */
enum { EARLY_CALLS = 11, EARLY_BYTES = 77 };

static void check_calls(const image *im) {
    check_sums(im, 1500 + EARLY_CALLS, 94000 + EARLY_BYTES, 1500 + EARLY_CALLS,
               94000 + EARLY_BYTES);
    const pk_image_stack *f = stack(im, PK_CALL_MALLOC, 1000, 24000);
    const pk_image_stack *one = stack(im, PK_CALL_MALLOC, 300, 30000);
    const pk_image_stack *two = stack(im, PK_CALL_MALLOC, 200, 40000);
    /* f, 10 of chain, calls, run, main, two of libc, _start */
    assert_int_equal(f->n_frames, 17);
    assert_int_equal(one->n_frames, 18);
    assert_int_equal(f->flags | one->flags | two->flags, 0);
    assert_int_equal(one->frames[0], two->frames[0]); /* in g, by two callers */
    assert_int_not_equal(one->frames[1], two->frames[1]);
    assert_int_equal(memcmp(one->frames + 3, two->frames + 3, 15 * sizeof(uint64_t)), 0);
    assert_int_equal(memcmp(one->frames + 3, f->frames + 2, 15 * sizeof(uint64_t)), 0);
    for (int i = 3; i < 11; i++) assert_int_equal(f->frames[i], f->frames[2]); /* chain */
    assert_int_equal(im->temporary, 1511);
    /* A stack is walked once: what is not remembered is found by walking. */
    assert_int_equal(im->remembered, 1511 - 4);
}

static void test_calls(void **state) {
    fixture *f = fixture_of(state);
    image *im = run_well(f, "known", "calls");
    assert_int_equal(f->n, 1);
    check_calls(im);
    assert_string_equal(im->file.head.name, "known");
    assert_int_equal(im->file.head.exec_number, 0);
    assert_int_equal(im->file.head.forked, 0);
    assert_true(im->file.head.ended_ns >= im->file.head.started_ns);
    assert_int_equal(im->sizes[pk_image_size_class(24)], 1000);
    assert_int_equal(im->sizes[pk_image_size_class(100)], 300);
    assert_int_equal(im->sizes[7], 11);
}

static void test_frame_pointers_and_allocators_of_others(void **state) {
    fixture *f = fixture_of(state);
    check_calls(run_well(f, "frames", "calls"));
    image *im = run_well(f, "jemalloc", "calls"); /* skips the rest where it is not installed */
    stack(im, PK_CALL_MALLOC, 1000, 24000);
    stack(im, PK_CALL_MALLOC, 200, 40000);
    im = run_well(f, "jemalloc", "leak");
    assert_int_equal(stack(im, PK_CALL_MALLOC, 7, 7000)->freed_calls, 0);
    assert_int_equal(stack(im, PK_CALL_MALLOC, 5, 2500)->freed_calls, 5);
    assert_int_equal(im->file.head.unknown_frees, 0);
}

static void test_counts_alone(void **state) {
    fixture *f = fixture_of(state);
    image *im = run(f, 0, "known", "calls", NULL);
    assert_int_equal(im->calls, 1511);
    assert_int_equal(im->frees, 0);
    assert_int_equal(im->file.head.peak_bytes, 0);
    stack(im, PK_CALL_MALLOC, 1000, 24000);
}

static void test_realloc_grows_and_shrinks(void **state) {
    fixture *f = fixture_of(state);
    image *im = run_well(f, "known", "reallocs");
    check_sums(im, 30 + EARLY_CALLS, 11500 + EARLY_BYTES, 30 + EARLY_CALLS, 11500 + EARLY_BYTES);
    stack(im, PK_CALL_MALLOC, 10, 1000);
    assert_int_equal(stack(im, PK_CALL_REALLOC, 10, 10000)->temporary, 10);
    stack(im, PK_CALL_REALLOC, 10, 500);
    assert_int_equal(im->file.head.peak_bytes, 1000);
    im = run_well(f, "corners", "refused");
    check_sums(im, 1, 1000, 0, 0);
}

static void test_other_functions(void **state) {
    fixture *f = fixture_of(state);
    image *im = run_well(f, "known", "aligned");
    static const struct {
        pk_alloc_function function;
        uint64_t bytes;
    } forms[] = {{PK_CALL_CALLOC, 210},         {PK_CALL_REALLOCARRAY, 300},
                 {PK_CALL_ALIGNED_ALLOC, 384},  {PK_CALL_MEMALIGN, 450},
                 {PK_CALL_POSIX_MEMALIGN, 600}, {PK_CALL_VALLOC, 900},
                 {PK_CALL_PVALLOC, 1200}};
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++)
        assert_int_equal(stack(im, forms[i].function, 3, forms[i].bytes)->freed_calls, 0);
    check_sums(im, 21 + EARLY_CALLS, 4044 + EARLY_BYTES, EARLY_CALLS, EARLY_BYTES);
    im = run_well(f, "known", "copies");
    stack(im, PK_CALL_MALLOC, 7, 42);
}

static void test_cpp(void **state) {
    fixture *f = fixture_of(state);
    image *im = run_well(f, "news", "");
    assert_int_equal(stack(im, PK_CALL_MALLOC, 100, 4000)->freed_calls, 100);
    assert_int_equal(stack(im, PK_CALL_MALLOC, 50, 3500)->freed_calls, 0);
    assert_int_equal(stack(im, PK_CALL_ALIGNED_ALLOC, 20, 5120)->freed_calls, 20);
    stack(im, PK_CALL_MALLOC, 10, 330);
    stack(im, PK_CALL_MALLOC, 1, 8000);
    assert_int_equal(im->file.head.unknown_frees, 0);
}

static void test_leaks_and_peak(void **state) {
    fixture *f = fixture_of(state);
    image *im = run_well(f, "known", "leak");
    check_sums(im, 15 + EARLY_CALLS, 9530 + EARLY_BYTES, 5 + EARLY_CALLS, 2500 + EARLY_BYTES);
    assert_int_equal(im->file.head.peak_bytes, 9500);
    assert_int_equal(stack(im, PK_CALL_MALLOC, 7, 7000)->peak_bytes, 7000);
    assert_int_equal(stack(im, PK_CALL_MALLOC, 5, 2500)->peak_calls, 5);
    assert_int_equal(stack(im, PK_CALL_MALLOC, 3, 30)->peak_bytes, 0);
    im = run_well(f, "known", "peak");
    assert_int_equal(im->file.head.peak_bytes, 1050000);
    assert_int_equal(stack(im, PK_CALL_MALLOC, 1, 50000)->peak_bytes, 50000);
    assert_int_equal(stack(im, PK_CALL_MALLOC, 10, 1000000)->peak_bytes, 1000000);
    assert_int_equal(stack(im, PK_CALL_MALLOC, 1, 900000)->peak_bytes, 0);
    assert_true(im->file.head.peak_ns >= im->file.head.started_ns);
    im = run_well(f, "known", "temporary");
    assert_int_equal(im->temporary, 40 + EARLY_CALLS);
    assert_int_equal(stack(im, PK_CALL_MALLOC, 40, 2560)->temporary, 40);
}

static void test_large_blocks(void **state) {
    fixture *f = fixture_of(state);
    image *im = run(f, PK_ALLOC_LIVE, "corners", "large", NULL);
    if (f->exit.code == 9) skip(); /* the machine gives no 5 GiB */
    uint64_t gib = (uint64_t)1 << 30;
    check_sums(im, 5, 21 * gib + 100, 4, 16 * gib + 100);
    assert_int_equal(im->file.head.peak_bytes, 15 * gib);
}

static void test_threads(void **state) {
    fixture *f = fixture_of(state);
    image *im = run_well(f, "known", "threads");
    stack(im, PK_CALL_MALLOC, 8 * 1000, 8 * 24000);
    stack(im, PK_CALL_MALLOC, 8 * 300, 8 * 30000);
    stack(im, PK_CALL_MALLOC, 8 * 200, 8 * 40000);
    im = run_well(f, "known", "thread-leaks");
    assert_int_equal(stack(im, PK_CALL_MALLOC, 8 * 7, 8 * 7000)->freed_calls, 0);
    assert_int_equal(stack(im, PK_CALL_MALLOC, 8 * 5, 8 * 2500)->freed_bytes, 8 * 2500);
    im = run_well(f, "known", "two-threads"); /* what one allocated, another one freed */
    assert_int_equal(stack(im, PK_CALL_MALLOC, 100, 8000)->freed_bytes, 8000);
    assert_int_equal(im->file.head.unknown_frees, 0);
    im = run_well(f, "known", "thread-ends");
    stack(im, PK_CALL_MALLOC, 8 * 13, 8 * 130);
    im = run_well(f, "corners", "many-threads");
    stack(im, PK_CALL_MALLOC, 1200, 30000);
    assert_in_range(im->n_threads, 2, 3); /* used again, not one for each */
}

static void test_odd_stacks(void **state) {
    fixture *f = fixture_of(state);
    image *im = run_well(f, "known", "signals");
    const pk_image_stack *s = stack(im, PK_CALL_MALLOC, 50, 500);
    assert_int_equal(s->flags, 0);
    assert_true(s->frames[2] >> 63 & 1); /* the handler, libc's return from it, what it stopped */
    assert_true(s->n_frames > 6);
    s = stack(run_well(f, "known", "coroutines"), PK_CALL_MALLOC, 6, 60);
    assert_int_equal(s->n_frames, 2);
    assert_int_equal(s->flags, 0);
    s = stack(run_well(f, "corners", "deep"), PK_CALL_MALLOC, 10, 100);
    assert_int_equal(s->n_frames, PK_IMAGE_FRAMES_MAX);
    assert_int_equal(s->flags, PK_STACK_CUT);
    s = stack(run_well(f, "corners", "jit"), PK_CALL_MALLOC, 20, 600);
    assert_int_equal(s->n_frames, 7); /* by_jit, made code, jit, main, two of libc, _start */
    assert_int_equal(s->flags, PK_STACK_GUESSED);
    s = stack(run_well(f, "corners", "aligned-frame"), PK_CALL_MALLOC, 25, 1000);
    assert_int_equal(s->n_frames, 6);
    assert_int_equal(s->flags, 0);
}

/* Handlers that come while the program is being counted are counted too. */
static void test_interrupted(void **state) {
    fixture *f = fixture_of(state);
    image *im = run_well(f, "corners", "interrupted");
    uint64_t in_handler = 0;
    for (size_t i = 0; i < im->stacks.stacks.count; i++)
        if (stack_at(im, i)->bytes == 10 * stack_at(im, i)->calls)
            in_handler += stack_at(im, i)->calls;
    assert_int_equal(in_handler, 101 * 3);
    assert_int_equal(im->calls - im->frees, 1); /* pthread_create's */
}

static void test_unloaded_code(void **state) {
    fixture *f = fixture_of(state);
    char path[CHECK_PATH_MAX], what[] = "libraries", one[CHECK_PATH_MAX], two[CHECK_PATH_MAX];
    if (!program("known", path) || !program("one.so", one) || !program("two.so", two)) skip();
    char *command[] = {path, what, one, two, NULL};
    run_command(f, PK_ALLOC_LIVE | PK_ALLOC_CHECK, 0, command);
    assert_int_equal(f->exit.code, 0);
    assert_int_equal(f->n, 1);
    assert_int_equal(f->all[0].file.head.differences, 0);
    uint32_t eras[2] = {0};
    size_t n = 0;
    for (size_t i = 0; i < f->all[0].stacks.stacks.count; i++) {
        const pk_image_stack *s = stack_at(&f->all[0], i);
        if (s->calls == 17 && s->bytes == 170) {
            assert_true(n < 2);
            eras[n++] = s->era;
        }
    }
    assert_int_equal(n, 2); /* also where both were at the same place */
    assert_int_not_equal(eras[0], eras[1]);
}

static void test_processes(void **state) {
    fixture *f = fixture_of(state);
    run_well(f, "known", "forks");
    assert_int_equal(f->n, 2);
    image *parent = &f->all[f->all[0].file.head.forked ? 1 : 0];
    image *child = &f->all[f->all[0].file.head.forked ? 0 : 1];
    check_sums(parent, 1300 + EARLY_CALLS, 54000 + EARLY_BYTES, 1300 + EARLY_CALLS,
               54000 + EARLY_BYTES);
    check_sums(child, 12, 1950000, 12, 1950000);
    assert_int_equal(child->file.head.parent_pid, parent->file.head.pid);
    assert_int_equal(child->file.head.peak_bytes, 1050000);
    assert_true(child->file.head.ended_ns > 0); /* by _exit */

    run_well(f, "known", "spawns");
    assert_int_equal(f->n, 2);
    check_calls(&f->all[f->all[0].calls == 1511 ? 0 : 1]);

    run_well(f, "known", "execs");
    assert_int_equal(f->n, 2);
    assert_int_equal(f->all[0].file.head.pid, f->all[1].file.head.pid);
    assert_int_equal(f->all[0].file.head.exec_number + f->all[1].file.head.exec_number, 1);
    size_t second = f->all[0].file.head.exec_number ? 0 : 1;
    check_calls(&f->all[second]);
    stack(&f->all[1 - second], PK_CALL_MALLOC, 200, 40000);

    run(f, PK_ALLOC_LIVE, "known", "execs", NULL); /* not followed */
    assert_int_equal(f->exit.code, 0);
    assert_int_equal(f->n, 1);
}

static void test_ends(void **state) {
    fixture *f = fixture_of(state);
    static const struct {
        const char *how;
        int code, signal;
        bool says;
    } ends[] = {{"exit", 5, 0, true},         {"_exit", 3, 0, true},
                {"quick_exit", 4, 0, false},  {"abort", -1, SIGABRT, false},
                {"kill", -1, SIGKILL, false}, {"crash", -1, SIGSEGV, false}};
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        image *im = run(f, PK_ALLOC_LIVE, "known", "ends", ends[i].how);
        assert_int_equal(f->exit.code, ends[i].code);
        assert_int_equal(f->exit.signal, ends[i].signal);
        check_sums(im, 1003 + EARLY_CALLS, 24030 + EARLY_BYTES, 1000 + EARLY_CALLS,
                   24000 + EARLY_BYTES);
        if (ends[i].says) assert_true(im->file.head.ended_ns > 0);
    }
}

/* What is counted is there while the program runs. */
static void test_killed(void **state) {
    fixture *f = fixture_of(state);
    char path[CHECK_PATH_MAX], what[] = "waits", text[8] = "";
    int out[2];
    if (!program("known", path)) skip();
    char *command[] = {path, what, NULL};
    assert_int_equal(pipe2(out, O_CLOEXEC), 0);
    pk_process process = start(f, PK_ALLOC_LIVE, 0, out[1], command);
    close(out[1]);
    assert_true(read(out[0], text, sizeof text) > 0);
    close(out[0]);
    assert_int_equal(kill(process.pid, SIGKILL), 0);
    assert_true(pk_process_wait(&process, DEADLINE_NS, &f->exit));
    read_images(f);
    assert_int_equal(f->n, 1);
    stack(&f->all[0], PK_CALL_MALLOC, 1000, 24000);
    assert_int_equal(f->all[0].file.head.ended_ns, 0);
}

static void test_no_room(void **state) {
    fixture *f = fixture_of(state);
    static const char *const limits[] = {"file-size", "memory"};
    for (size_t i = 0; i < 2; i++) {
        image *im = run(f, PK_ALLOC_LIVE, "corners", limits[i], NULL);
        assert_int_equal(f->exit.code, 0);
        assert_int_equal(im->calls, 8193);
        assert_in_range(im->stacks.stacks.count, 100, 8000);
        uint64_t kept = 0;
        for (size_t s = 0; s < im->stacks.stacks.count; s++) kept += stack_at(im, s)->calls;
        assert_int_equal(kept + im->file.head.full, 8193);
    }
    image *im = run_well(f, "corners", "closes"); /* the descriptor is taken away */
    assert_int_equal(im->calls, 8193);
    assert_int_equal(im->stacks.stacks.count, 8193);
    run_well(f, "corners", "errno");
}

static void test_mappings(void **state) {
    fixture *f = fixture_of(state);
    image *im = run(f, PK_ALLOC_LIVE | PK_ALLOC_MAPPINGS, "corners", "maps", NULL);
    uint64_t mib = 1 << 20;
    assert_int_equal(f->exit.code, 0);
    /* 1 MiB, the half of another one, and what became the third are gone; the second half, 1 of 2
     * MiB that it grew to, and what lies over the other are there. */
    const pk_image_stack *three = stack(im, PK_CALL_MMAP, 3, 3 * mib);
    assert_int_equal(three->freed_calls, 3);
    assert_int_equal(three->freed_bytes, 2 * mib + mib / 2);
    const pk_image_stack *grown = stack(im, PK_CALL_MMAP, 1, 2 * mib);
    assert_int_equal(grown->freed_calls, 0);
    assert_int_equal(grown->freed_bytes, mib);
    assert_int_equal(stack(im, PK_CALL_MMAP, 1, mib)->freed_bytes, 0);
    assert_int_equal(im->file.head.live_bytes + im->held, 2 * mib + mib / 2);
    im = run(f, PK_ALLOC_LIVE, "corners", "maps", NULL); /* not asked for */
    assert_int_equal(im->calls, 0);
}

/* As injection has it: again and again, while another thread goes on. */
static void test_attached_many_times(void **state) {
    fixture *f = fixture_of(state);
    char path[CHECK_PATH_MAX], what[] = "attaches", settings[CHECK_PATH_MAX + 8];
    if (!program("corners", path)) skip();
    snprintf(settings, sizeof settings, "%s:11:0", f->images);
    char *command[] = {path, what, f->hook, settings, NULL};
    pk_process process;
    pk_spawn_options options = PK_SPAWN_DEFAULT;
    pk_err err = {0};
    assert_ok(pk_process_spawn(command, &options, &process, &err), &err);
    assert_true(pk_process_wait(&process, DEADLINE_NS, &f->exit));
    assert_int_equal(f->exit.code, 0);
    read_images(f);
    assert_int_equal(f->n, 60);
    for (size_t i = 0; i < f->n; i++) {
        assert_int_equal(stack(&f->all[i], PK_CALL_MALLOC, 10, 700)->freed_calls, 10);
        assert_int_equal(f->all[i].file.head.inside_hook, 0);
    }
}

/* 125,000 blocks of 100 and as many of 10,000 bytes; one sample per 5,000 bytes. The estimates lie
 * within five of their standard errors. */
static void test_samples(void **state) {
    fixture *f = fixture_of(state);
    char path[CHECK_PATH_MAX], what[] = "samples";
    if (!program("corners", path)) skip();
    char *command[] = {path, what, NULL};
    run_command(f, PK_ALLOC_LIVE, 5000, command);
    assert_int_equal(f->exit.code, 0);
    assert_int_equal(f->all[0].calls, 250000); /* of the threads: exact */
    assert_int_equal(f->all[0].bytes, 1262500000);
    assert_int_equal(f->all[0].stacks.stacks.count, 2);
    for (size_t i = 0; i < 2; i++) {
        const pk_image_stack *s = stack_at(&f->all[0], i);
        double size = (double)s->bytes / (double)s->calls, p = 1 - exp(-size / 5000);
        double sigma = sqrt(125000 * (1 - p) / p);
        assert_true(size == 100 || size == 10000);
        assert_true(fabs(s->estimated_calls - 125000) < 5 * sigma);
        assert_true(fabs(s->estimated_bytes - 125000 * size) < 5 * sigma * size);
        assert_near(s->estimated_calls, (double)s->calls / p, 1e-9);
        assert_near(s->variance_calls, (double)s->calls * (1 - p) / (p * p), 1e-9);
        assert_near(s->variance_bytes, s->variance_calls * size * size, 1e-9);
    }
    assert_near((double)f->all[0].file.head.peak_bytes, 1262500000, 0.05);
}

/* Each remembered stack agrees with a walk. */
static void test_real_programs(void **state) {
    fixture *f = fixture_of(state);
    char perl[] = "perl", perl_e[] = "-e",
         perl_text[] = "my %h; $h{$_} = \"v$_\" for 1..20000; exit(keys(%h) != 20000)";
    char python[] = "/usr/bin/python3", python_c[] = "-c",
         python_text[] = "import json; json.loads(json.dumps([{'a': i} for i in range(20000)]))";
    char git[] = "git", git_version[] = "help", git_all[] = "-a";
    char *commands[][4] = {{perl, perl_e, perl_text, NULL},
                           {python, python_c, python_text, NULL},
                           {git, git_version, git_all, NULL}};
    int null_fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
    assert_true(null_fd >= 0);
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) {
        pk_process process = start(f, PK_ALLOC_LIVE | PK_ALLOC_CHECK, 0, null_fd, commands[i]);
        assert_true(pk_process_wait(&process, DEADLINE_NS, &f->exit));
        read_images(f);
        if (f->exit.code == 127) continue; /* not installed */
        assert_int_equal(f->exit.code, 0);
        assert_true(f->n > 0);
        for (size_t j = 0; j < f->n; j++) {
            assert_true(f->all[j].remembered > 20);
            assert_int_equal(f->all[j].file.head.differences, 0);
            assert_int_equal(f->all[j].file.head.full, 0);
        }
    }
    close(null_fd);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_calls, begin, end),
        cmocka_unit_test_setup_teardown(test_frame_pointers_and_allocators_of_others, begin, end),
        cmocka_unit_test_setup_teardown(test_counts_alone, begin, end),
        cmocka_unit_test_setup_teardown(test_realloc_grows_and_shrinks, begin, end),
        cmocka_unit_test_setup_teardown(test_other_functions, begin, end),
        cmocka_unit_test_setup_teardown(test_cpp, begin, end),
        cmocka_unit_test_setup_teardown(test_leaks_and_peak, begin, end),
        cmocka_unit_test_setup_teardown(test_large_blocks, begin, end),
        cmocka_unit_test_setup_teardown(test_threads, begin, end),
        cmocka_unit_test_setup_teardown(test_odd_stacks, begin, end),
        cmocka_unit_test_setup_teardown(test_interrupted, begin, end),
        cmocka_unit_test_setup_teardown(test_unloaded_code, begin, end),
        cmocka_unit_test_setup_teardown(test_processes, begin, end),
        cmocka_unit_test_setup_teardown(test_ends, begin, end),
        cmocka_unit_test_setup_teardown(test_killed, begin, end),
        cmocka_unit_test_setup_teardown(test_no_room, begin, end),
        cmocka_unit_test_setup_teardown(test_mappings, begin, end),
        cmocka_unit_test_setup_teardown(test_attached_many_times, begin, end),
        cmocka_unit_test_setup_teardown(test_samples, begin, end),
        cmocka_unit_test_setup_teardown(test_real_programs, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
