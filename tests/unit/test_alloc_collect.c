/* What images say, read into a result: known answers for every rule of alloc/image.h. */
#include "tests/unit/alloc_image.h"

#include "alloc/alloc.h"
#include "alloc/folder.h"
#include "profile/stack_tree.h"

/* Functions whose addresses make stacks: this very program is what is mapped. */
__attribute__((noinline)) static int inner(int x) {
    return x * 3 + 1;
}
__attribute__((noinline)) static int outer(int x) {
    return inner(x) + 7;
}

/* Two that touch each other: a call at the end of the first returns to the second's address. */
__asm__(".pushsection .text\n"
        ".type pk_test_first, @function\npk_test_first: nop\nnop\n.size pk_test_first, 2\n"
        ".hidden pk_test_second\n.globl pk_test_second\n"
        ".type pk_test_second, @function\npk_test_second: nop\n.size pk_test_second, 1\n"
        ".popsection");
extern const char pk_test_second[] __attribute__((visibility("hidden")));

/* An address in a function, as a call returns to it. */
static uint64_t in(int (*function)(int), uint64_t offset) {
    return (uint64_t)(uintptr_t)function + offset;
}

typedef struct fixture {
    char folder[CHECK_PATH_MAX], path[CHECK_PATH_MAX];
    pk_alloc_options options;
    pk_alloc_result result;
    image im;
    char *maps;
} fixture;

static int begin(void **state) {
    fixture *f = calloc(1, sizeof *f);
    pk_err err = {0};
    assert_non_null(f);
    check_folder_begin(f->folder);
    f->im = image_new();
    pk_strbuf maps;
    pk_strbuf_init(&maps, 1 << 20);
    assert_ok(pk_file_read("/proc/self/maps", 1 << 20, &maps, &err), &err);
    f->maps = pk_strbuf_detach(&maps, NULL);
    assert_non_null(f->maps);
    assert_ok(pk_alloc_begin(&f->result, &f->options, &err), &err);
    *state = f;
    return 0;
}

static int end(void **state) {
    fixture *f = *state;
    pk_alloc_fini(&f->result);
    check_folder_end(f->folder);
    free(f->im.bytes);
    free(f->maps);
    free(f);
    return 0;
}

static void add(fixture *f) {
    pk_err err = {0};
    image_write(&f->im, f->folder, f->path);
    assert_ok(pk_alloc_add_image(&f->result, f->path, &err), &err);
}

static void finish(fixture *f) {
    pk_err err = {0};
    assert_ok(pk_alloc_end(&f->result, &err), &err);
    (void)pk_stack_tree_sum(&f->result.tree);
}

static const pk_alloc_stack *stack_at(const fixture *f, size_t i) {
    assert_true(i < f->result.stacks.count);
    return &PK_AT(&f->result.stacks, pk_alloc_stack, i);
}

static const pk_alloc_process *process_at(const fixture *f, size_t i) {
    assert_true(i < f->result.processes.count);
    return &PK_AT(&f->result.processes, pk_alloc_process, i);
}

/* "prog;outer;inner;malloc" */
static const char *text_of(const fixture *f, const pk_alloc_stack *s, char out[1024]) {
    uint32_t names[64];
    size_t n = pk_stack_tree_path(&f->result.tree, s->node, names), at = 0;
    for (size_t i = 0; i < n; i++)
        at += (size_t)snprintf(out + at, 1024 - at, "%s%s", i ? ";" : "",
                               pk_names_text(f->result.names, names[i], NULL));
    return out;
}

static void expect_text(const fixture *f, size_t i, const char *expected) {
    char text[1024];
    assert_string_equal(text_of(f, stack_at(f, i), text), expected);
}

/* ---- */

static void one_thread(void **state) {
    fixture *f = *state;
    char text[1024];
    pk_image_thread *thread = image_thread(&f->im, 100);
    *thread = (pk_image_thread){.chunk = thread->chunk,
                                .tid = 100,
                                .calls = 1000,
                                .bytes = 64000,
                                .frees = 900,
                                .freed_bytes = 57600,
                                .temporary = 800,
                                .stacks_remembered = 999,
                                .stacks_unwound = 1};
    thread->sizes[pk_image_size_class(64)] = 1000;
    f->im.head->peak_bytes = 12800;
    f->im.head->peak_ns = 1500000000;
    f->im.head->epoch = 1;
    image_maps(&f->im, f->maps, 1, 0);
    pk_image_chunk *frames = image_chunk(&f->im, PK_CHUNK_FRAMES, 1);
    pk_image_chunk *cells = image_cells(&f->im, thread);
    const uint64_t stack[] = {in(inner, 1), in(outer, 3)};
    pk_image_cell *cell = image_stack(&f->im, cells, frames, stack, 2, NULL);
    cell->calls = 1000;
    cell->bytes = 64000;
    cell->freed_calls = 900;
    cell->freed_bytes = 57600;
    cell->temporary = 800;
    cell->epoch = 1;
    cell->at_peak_calls = 200;
    cell->at_peak_bytes = 12800;
    add(f);
    finish(f);
    assert_int_equal(f->result.stacks.count, 1);
    const pk_alloc_stack *s = stack_at(f, 0);
    assert_int_equal(s->calls, 1000);
    assert_int_equal(s->bytes, 64000);
    assert_int_equal(s->freed_calls, 900);
    assert_int_equal(s->freed_bytes, 57600);
    assert_int_equal(s->temporary, 800);
    assert_int_equal(s->leaked_calls, 100);
    assert_int_equal(s->leaked_bytes, 6400);
    assert_int_equal(s->peak_calls, 200);
    assert_int_equal(s->peak_bytes, 12800);
    assert_string_equal(text_of(f, s, text), "prog;outer;inner;malloc");
    const pk_stack_node *node = pk_node(&f->result.tree, s->node);
    const uint64_t weights[PK_WEIGHTS] = {1000, 64000, 12800, 6400, 800};
    for (int i = 0; i < PK_WEIGHTS; i++) assert_int_equal(node->self[i], weights[i]);
    assert_int_equal(f->result.sizes[pk_image_size_class(64)], 1000);
    const pk_alloc_process *p = process_at(f, 0);
    assert_string_equal(p->name, "prog");
    assert_string_equal(p->exe, "/bin/prog");
    assert_int_equal(p->pid, 100);
    assert_int_equal(p->threads, 1);
    assert_int_equal(p->calls, 1000);
    assert_int_equal(p->leaked_calls, 100);
    assert_int_equal(p->leaked_bytes, 6400);
    assert_int_equal(p->started_ns, 0);
    assert_int_equal(p->ended_ns, 1000000000);
    assert_int_equal(p->peak_ns, 500000000);
    assert_int_equal(p->peak_bytes, 12800);
    assert_int_equal(p->peak_error_bytes, 0);
    assert_int_equal(f->result.total.calls, 1000);
    assert_int_equal(f->result.total.peak_bytes, 12800);
    assert_int_equal(f->result.total.stacks_remembered, 999);
    assert_int_equal(f->result.duration_ns, 1000000000);
    assert_true(f->result.live_known);
    assert_false(f->result.sampled || f->result.incomplete);
    assert_int_equal(f->result.notes.count, 0);
    assert_null(f->result.collector);
}

/* What show makes lines of: the object, the function, how far into it. */
static void places_have_object_symbol_and_offset(void **state) {
    fixture *f = *state;
    pk_image_thread *thread = image_thread(&f->im, 100);
    image_maps(&f->im, f->maps, 1, 0);
    pk_image_chunk *frames = image_chunk(&f->im, PK_CHUNK_FRAMES, 1);
    pk_image_chunk *cells = image_cells(&f->im, thread);
    const uint64_t second = (uint64_t)(uintptr_t)pk_test_second;
    /* A return address that is the next function's first byte is of the call before it; one that a
     * signal interrupted there is not. */
    const uint64_t stack[] = {in(inner, 1), second | 1ull << 63, 0x10, second};
    image_stack(&f->im, cells, frames, stack, 4, NULL)->function = PK_CALL_POSIX_MEMALIGN;
    add(f);
    finish(f);
    const pk_alloc_stack *s = stack_at(f, 0);
    assert_int_equal(s->n_frames, 4);
    const pk_alloc_place *p = pk_alloc_place_of(&f->result, s, 0);
    assert_string_equal(p->object, "libc.so.6");
    assert_string_equal(p->symbol, "posix_memalign");
    assert_int_equal(p->offset, 0);
    p = pk_alloc_place_of(&f->result, s, 1);
    assert_string_equal(p->object, "test_alloc_collect");
    assert_string_equal(p->symbol, "inner");
    assert_int_equal(p->offset, 1);
    assert_int_equal(p->address, in(inner, 1));
    assert_true(p->vaddr != 0 && (p->vaddr & 0xfff) == (in(inner, 1) & 0xfff));
    assert_true(PK_AT(&f->result.modules, pk_profile_module, p->module).symbols);
    p = pk_alloc_place_of(&f->result, s, 2);
    assert_string_equal(p->symbol, "pk_test_second");
    assert_int_equal(p->offset, 0);
    p = pk_alloc_place_of(&f->result, s, 4);
    assert_string_equal(p->symbol, "pk_test_first");
    assert_int_equal(p->offset, 2);
    p = pk_alloc_place_of(&f->result, s, 3);
    assert_null(p->object);
    assert_null(p->symbol);
    assert_int_equal(p->address, 0x10);
    assert_int_equal(p->module, UINT32_MAX);
    expect_text(f, 0, "prog;pk_test_first;[unknown];pk_test_second;inner;posix_memalign");
    bool mapped = false;
    for (size_t i = 0; i < f->result.maps.count; i++) {
        const pk_alloc_map *m = &PK_AT(&f->result.maps, pk_alloc_map, i);
        mapped = mapped || (m->process == 0 && in(inner, 1) - m->begin < m->end - m->begin);
    }
    assert_true(mapped);
}

/* Equal stacks of two threads are one; what a thread frees of another's is that other's stack's. */
static void threads_are_summed_and_frees_credited(void **state) {
    fixture *f = *state;
    pk_image_thread *one = image_thread(&f->im, 100), *two = image_thread(&f->im, 101);
    one->calls = 10;
    two->calls = 20;
    two->frees = 7;
    f->im.head->epoch = 3;
    f->im.head->peak_ns = 1100000000;
    f->im.head->peak_bytes = 123456;
    image_maps(&f->im, f->maps, 1, 0);
    pk_image_chunk *frames_one = image_chunk(&f->im, PK_CHUNK_FRAMES, 1);
    pk_image_chunk *frames_two = image_chunk(&f->im, PK_CHUNK_FRAMES, 2);
    /* The one that frees comes first in the file. */
    pk_image_chunk *cells_two = image_cells(&f->im, two), *cells_one = image_cells(&f->im, one);
    const uint64_t a[] = {in(inner, 1), in(outer, 3)}, b[] = {in(outer, 3)};
    uint32_t number;
    pk_image_cell *own = image_stack(&f->im, cells_one, frames_one, a, 2, &number);
    own->calls = 10;
    own->bytes = 1000;
    own->freed_calls = 1;
    own->freed_bytes = 100;
    own->epoch = 2; /* not changed since the last peak: live now is live then */
    pk_image_cell *foreign = image_foreign(&f->im, cells_two, number);
    foreign->freed_calls = 5;
    foreign->freed_bytes = 500;
    foreign->epoch = 3; /* changed: 2 of these had been freed by then */
    foreign->at_peak_calls = -2;
    foreign->at_peak_bytes = -200;
    pk_image_cell *same = image_stack(&f->im, cells_two, frames_two, a, 2, NULL);
    same->calls = 12;
    same->bytes = 1200;
    same->epoch = 3;
    same->at_peak_calls = 4;
    same->at_peak_bytes = 400;
    pk_image_cell *other = image_stack(&f->im, cells_two, frames_two, b, 1, NULL);
    other->calls = 8;
    other->bytes = 8;
    other->temporary = 3;
    add(f);
    finish(f);
    assert_int_equal(f->result.stacks.count, 2);
    const pk_alloc_stack *s = stack_at(f, 0), *t = stack_at(f, 1);
    if (s->n_frames == 1) {
        t = s;
        s = stack_at(f, 1);
    }
    assert_int_equal(s->calls, 22);
    assert_int_equal(s->bytes, 2200);
    assert_int_equal(s->freed_calls, 6);
    assert_int_equal(s->freed_bytes, 600);
    assert_int_equal(s->leaked_calls, 16);
    assert_int_equal(s->leaked_bytes, 1600);
    assert_int_equal(s->peak_calls, 9 - 2 + 4);
    assert_int_equal(s->peak_bytes, 900 - 200 + 400);
    assert_int_equal(t->calls, 8);
    assert_int_equal(t->temporary, 3);
    assert_int_equal(t->peak_calls, 8); /* epoch 0: never changed since */
    const pk_alloc_process *p = process_at(f, 0);
    assert_int_equal(p->threads, 2);
    assert_int_equal(p->calls, 30);
    assert_int_equal(p->frees, 7);
    assert_int_equal(p->leaked_calls, 24);
    assert_int_equal(p->leaked_bytes, 1608);
    assert_int_equal(p->peak_bytes, 123456);
    assert_int_equal(p->peak_error_bytes, 2 * 65536);
    assert_int_equal(f->result.notes.count, 1);
    assert_holds(PK_AT(&f->result.notes, pk_alloc_note, 0).text, "within 128.00 KiB");
}

static void a_peak_that_still_grows_is_what_is_live(void **state) {
    fixture *f = *state;
    pk_image_thread *thread = image_thread(&f->im, 100);
    thread->held = 500;
    f->im.head->live_bytes = 1000;
    f->im.head->peak_bytes = 1000;
    f->im.head->epoch = 4;
    pk_image_chunk *frames = image_chunk(&f->im, PK_CHUNK_FRAMES, 1);
    pk_image_chunk *cells = image_cells(&f->im, thread);
    const uint64_t a[] = {in(inner, 1)};
    pk_image_cell *cell = image_stack(&f->im, cells, frames, a, 1, NULL);
    cell->calls = 20;
    cell->bytes = 2000;
    cell->freed_calls = 5;
    cell->freed_bytes = 500;
    cell->epoch = 4;
    cell->at_peak_calls = 1; /* of a peak that was passed */
    cell->at_peak_bytes = 100;
    add(f);
    finish(f);
    assert_int_equal(stack_at(f, 0)->peak_calls, 15);
    assert_int_equal(stack_at(f, 0)->peak_bytes, 1500);
    assert_int_equal(process_at(f, 0)->peak_bytes, 1500);
    assert_int_equal(process_at(f, 0)->peak_ns, process_at(f, 0)->ended_ns);
}

/* Several threads tell of what they have in steps; in the end it is known. */
static void a_peak_is_at_least_what_is_live_at_the_end(void **state) {
    fixture *f = *state;
    f->im.head->peak_ns = 1200000000;
    f->im.head->peak_bytes = 1000;
    f->im.head->live_bytes = 300;
    f->im.head->epoch = 2;
    const uint64_t a[] = {in(inner, 1)};
    for (uint32_t i = 0; i < 2; i++) {
        pk_image_thread *thread = image_thread(&f->im, 100 + i);
        thread->held = 1000;
        pk_image_chunk *frames = image_chunk(&f->im, PK_CHUNK_FRAMES, thread->chunk.thread);
        pk_image_chunk *cells = image_cells(&f->im, thread);
        pk_image_cell *cell = image_stack(&f->im, cells, frames, a, 1, NULL);
        cell->calls = 1;
        cell->bytes = 1150;
        cell->epoch = 2;
    }
    add(f);
    finish(f);
    assert_int_equal(process_at(f, 0)->peak_bytes, 2300);
    assert_int_equal(process_at(f, 0)->peak_ns, process_at(f, 0)->ended_ns);
    assert_int_equal(stack_at(f, 0)->peak_bytes, 2300);
}

static void without_frees_there_is_no_leak(void **state) {
    fixture *f = *state;
    f->im.head->flags = 0;
    pk_image_thread *thread = image_thread(&f->im, 100);
    pk_image_chunk *frames = image_chunk(&f->im, PK_CHUNK_FRAMES, 1);
    const uint64_t a[] = {in(inner, 1)};
    pk_image_cell *cell = image_stack(&f->im, image_cells(&f->im, thread), frames, a, 1, NULL);
    cell->calls = 5;
    cell->bytes = 50;
    add(f);
    finish(f);
    assert_false(f->result.live_known);
    assert_int_equal(stack_at(f, 0)->calls, 5);
    assert_int_equal(stack_at(f, 0)->leaked_calls, 0);
    assert_int_equal(stack_at(f, 0)->peak_bytes, 0);
    assert_int_equal(process_at(f, 0)->leaked_bytes, 0);
}

static void samples_stand_for_more(void **state) {
    fixture *f = *state;
    f->im.head->sample_bytes = 4096;
    f->im.head->epoch = 1;
    f->im.head->peak_ns = 1500000000;
    pk_image_thread *thread = image_thread(&f->im, 100);
    thread->calls = 1050;
    thread->bytes = 65000;
    thread->frees = 1; /* of samples */
    thread->temporary = 4;
    pk_image_chunk *frames = image_chunk(&f->im, PK_CHUNK_FRAMES, 1);
    const uint64_t a[] = {in(inner, 1)};
    pk_image_chunk *cells = image_cells(&f->im, thread);
    pk_image_cell *cell = image_stack(&f->im, cells, frames, a, 1, NULL);
    cell->calls = 16;
    cell->bytes = 1024;
    cell->temporary = 4;
    cell->estimated_calls = 1032.4;
    cell->estimated_bytes = 66070.6;
    cell->estimated_freed_calls = 32.2;
    cell->estimated_freed_bytes = 2060.8;
    cell->variance_calls = 65536;
    cell->variance_bytes = 9e6;
    add(f);
    finish(f);
    const pk_alloc_stack *s = stack_at(f, 0);
    assert_int_equal(s->calls, 1032);
    assert_int_equal(s->bytes, 66071);
    assert_int_equal(s->freed_calls, 32);
    assert_int_equal(s->leaked_calls, 1000);
    assert_int_equal(s->leaked_bytes, 66071 - 2061);
    assert_int_equal(s->temporary, 258);   /* a quarter */
    assert_int_equal(s->peak_calls, 1000); /* unchanged since the peak */
    assert_near(s->calls_error, 256, 0);
    assert_near(s->bytes_error, 3000, 0);
    assert_int_equal(process_at(f, 0)->calls, 1050); /* counted */
    assert_int_equal(process_at(f, 0)->bytes, 65000);
    assert_int_equal(process_at(f, 0)->frees, 32); /* what samples stand for */
    assert_int_equal(process_at(f, 0)->freed_bytes, 2061);
    assert_int_equal(process_at(f, 0)->temporary, 258);
    assert_true(f->result.sampled);
    assert_int_equal(f->result.sample_bytes, 4096);
}

/* ---- addresses over time ---- */

/* The same addresses with this file at them. */
static void map_line(char *out, size_t bytes, uint64_t begin, const char *file) {
    snprintf(out, bytes, "%llx-%llx r-xp 00000000 fe:01 42 %s\n", (unsigned long long)begin,
             (unsigned long long)begin + 0x10000, file);
}

static void the_era_says_what_was_mapped(void **state) {
    fixture *f = *state;
    char line[256], late[256], two[512];
    pk_image_thread *thread = image_thread(&f->im, 100);
    map_line(line, sizeof line, 0x700000, "/nowhere/old.so");
    image_maps(&f->im, line, 10, 0);
    map_line(line, sizeof line, 0x700000, "/nowhere/new.so");
    image_maps(&f->im, line, 30, 1);
    /* Within an era the newest that has something there. */
    map_line(line, sizeof line, 0x700000, "/nowhere/newer.so");
    map_line(late, sizeof late, 0x900000, "/nowhere/late.so (deleted)");
    snprintf(two, sizeof two, "%s%s", late, line);
    image_maps(&f->im, two, 40, 1);
    pk_image_chunk *frames = image_chunk(&f->im, PK_CHUNK_FRAMES, 1);
    pk_image_chunk *cells = image_cells(&f->im, thread);
    const uint64_t a[] = {0x700123}, b[] = {0x900123};
    image_stack(&f->im, cells, frames, a, 1, NULL)->era = 1;
    image_stack(&f->im, cells, frames, b, 1, NULL)->era = 1;
    image_stack(&f->im, cells, frames, a, 1, NULL)->era = 0;
    image_stack(&f->im, cells, frames, b, 1, NULL)->era = 0; /* not there yet */
    /* The call of the last byte returns behind the mapping, none returns to its first. */
    const uint64_t last[] = {0x710000}, none[] = {0x700000};
    image_stack(&f->im, cells, frames, last, 1, NULL);
    image_stack(&f->im, cells, frames, none, 1, NULL);
    add(f);
    finish(f);
    assert_int_equal(f->result.stacks.count, 6);
    const char *const expected[] = {"old.so", NULL,       "old.so",
                                    NULL,     "newer.so", "late.so (deleted)"};
    for (size_t i = 0; i < 6; i++) {
        const char *object = pk_alloc_place_of(&f->result, stack_at(f, i), 1)->object;
        if (expected[i]) assert_string_equal(object, expected[i]);
        else assert_null(object);
    }
    expect_text(f, 0, "prog;[old.so];malloc");
    assert_true(PK_AT(&f->result.modules, pk_profile_module, 0).missing);
    assert_int_equal(PK_AT(&f->result.modules, pk_profile_module, 0).frames, 2);
    assert_int_equal(PK_AT(&f->result.modules, pk_profile_module, 0).unknown, 2);
}

static void what_is_the_same_in_two_eras_is_one(void **state) {
    fixture *f = *state;
    pk_image_thread *thread = image_thread(&f->im, 100);
    image_maps(&f->im, f->maps, 10, 0);
    image_maps(&f->im, f->maps, 20, 1);
    pk_image_chunk *frames = image_chunk(&f->im, PK_CHUNK_FRAMES, 1);
    pk_image_chunk *cells = image_cells(&f->im, thread);
    const uint64_t a[] = {in(inner, 1), in(outer, 3)};
    image_stack(&f->im, cells, frames, a, 2, NULL)->calls = 3;
    pk_image_cell *later = image_stack(&f->im, cells, frames, a, 2, NULL);
    later->calls = 4;
    later->era = 1;
    add(f);
    finish(f);
    assert_int_equal(f->result.stacks.count, 1);
    assert_int_equal(stack_at(f, 0)->calls, 7);
}

/* The text of a snapshot is cut into chunks anywhere, also within a line. */
static void a_snapshot_of_several_parts(void **state) {
    fixture *f = *state;
    char line[256];
    size_t n = 0;
    char *text = calloc(1, 400 << 10);
    assert_non_null(text);
    for (uint64_t i = 0; n < 150 << 10; i++) {
        map_line(line, sizeof line, 0x700000 + i * 0x20000, "/nowhere/some-library-of-many.so.6");
        n += (size_t)snprintf(text + n, (400 << 10) - n, "%s", line);
    }
    uint64_t last = strtoull(line, NULL, 16);
    pk_image_thread *thread = image_thread(&f->im, 100);
    image_maps(&f->im, text, 10, 0);
    assert_int_equal(f->im.n_chunks, 2 + 3);
    free(text);
    pk_image_chunk *frames = image_chunk(&f->im, PK_CHUNK_FRAMES, 1);
    pk_image_chunk *cells = image_cells(&f->im, thread);
    uint64_t missing = 0;
    uint64_t *a = calloc(200, sizeof *a);
    assert_non_null(a);
    uint64_t step = (last - 0x700000) / 0x20000 / 199 * 0x20000;
    for (uint64_t i = 0; i < 200; i++) a[i] = 0x700010 + i * step;
    a[199] = last + 5;
    image_stack(&f->im, cells, frames, a, 200, NULL);
    free(a);
    add(f);
    finish(f);
    for (uint32_t i = 1; i <= 200; i++)
        missing += !pk_alloc_place_of(&f->result, stack_at(f, 0), i)->object;
    assert_int_equal(missing, 0);
}

/* ---- several programs ---- */

static void programs_are_apart_and_in_order(void **state) {
    fixture *f = *state;
    pk_err err = {0};
    const uint64_t a[] = {in(inner, 1)};
    for (uint32_t i = 0; i < 3; i++) { /* the first written began last */
        image im = image_new();
        im.head->pid = 200;
        im.head->exec_number = 2 - i;
        im.head->started_ns = 5000000000 - i * 1000000000ull;
        im.head->ended_ns = i == 0 ? 6000000000 : 0;
        im.head->forked = i == 2;
        im.head->peak_bytes = 100 * (i + 1);
        snprintf(im.head->name, sizeof im.head->name, "p %u", i);
        pk_image_thread *thread = image_thread(&im, 200);
        thread->calls = i + 1;
        image_maps(&im, f->maps, 1, 0);
        pk_image_chunk *frames = image_chunk(&im, PK_CHUNK_FRAMES, 1);
        pk_image_cell *cell = image_stack(&im, image_cells(&im, thread), frames, a, 1, NULL);
        cell->calls = i + 1;
        image_write(&im, f->folder, f->path);
        free(im.bytes);
    }
    check_write_file(check_path(f->path, f->folder, "300.0.image"), "not yet one");
    check_write_file(check_path(f->path, f->folder, PK_ALLOC_HOOK_NAME), "something else");
    assert_ok(pk_alloc_add_folder(&f->result, f->folder, &err), &err);
    finish(f);
    assert_int_equal(f->result.processes.count, 3);
    for (uint32_t i = 0; i < 3; i++) {
        assert_int_equal(process_at(f, i)->started_ns, i * 1000000000ull);
        assert_int_equal(process_at(f, i)->ended_ns, (i + 1) * 1000000000ull); /* exec ends it */
        assert_int_equal(process_at(f, i)->exec_number, i);
        assert_int_equal(process_at(f, i)->forked, i == 0);
        assert_int_equal(stack_at(f, i)->process, i);
    }
    expect_text(f, 0, "p_2;inner;malloc");
    assert_int_equal(f->result.total.calls, 6);
    assert_int_equal(f->result.total.peak_bytes, 300);
    assert_int_equal(f->result.duration_ns, 3000000000);
}

static void an_empty_folder_is_an_error(void **state) {
    fixture *f = *state;
    pk_err err = {0};
    assert_false(pk_alloc_add_folder(&f->result, f->folder, &err));
    assert_int_equal(err.kind, PK_E_INPUT);
    assert_holds(err.what, "there is no image");
    memset(&err, 0, sizeof err);
    assert_fails(pk_alloc_add_folder(&f->result, "/nowhere/at/all", &err), &err, PK_E_SYS);
    memset(&err, 0, sizeof err);
    assert_false(pk_alloc_end(&f->result, &err));
}

/* ---- damage ---- */

static void what_is_no_image_is_refused(void **state) {
    fixture *f = *state;
    pk_err err = {0};
    assert_fails(pk_alloc_add_image(&f->result, "/nowhere/1.0.image", &err), &err, PK_E_SYS);
    memset(&err, 0, sizeof err);
    assert_fails(pk_alloc_add_image(&f->result, "/dev/zero", &err), &err, PK_E_INPUT);
    memset(&err, 0, sizeof err);
    check_write_file(check_path(f->path, f->folder, "1.0.image"), "some text");
    assert_fails(pk_alloc_add_image(&f->result, f->path, &err), &err, PK_E_INPUT);
    memset(&err, 0, sizeof err);
    f->im.head->version = PK_IMAGE_VERSION + 1;
    image_write(&f->im, f->folder, f->path);
    assert_fails(pk_alloc_add_image(&f->result, f->path, &err), &err, PK_E_INPUT);
    assert_int_equal(f->result.processes.count, 0);
}

static void nonsense_is_counted_as_it_is(void **state) {
    fixture *f = *state;
    pk_image_thread *thread = image_thread(&f->im, 100);
    pk_image_chunk *frames = image_chunk(&f->im, PK_CHUNK_FRAMES, 1);
    pk_image_chunk *cells = image_cells(&f->im, thread);
    const uint64_t a[] = {in(inner, 1)};
    const uint64_t places[] = {1,       UINT64_MAX, PK_IMAGE_CHUNK_BYTES * 2, /* its head */
                               1 << 16, 1ull << 40, PK_IMAGE_CHUNK_BYTES * 4 - 8};
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        pk_image_cell *cell = image_stack(&f->im, cells, frames, a, 1, NULL);
        cell->frames = places[i];
        cell->n_frames = i == 0 ? 60000 : 2;
        cell->calls = 1;
    }
    image_foreign(&f->im, cells, 12)->freed_calls = 9;                       /* the head's chunk */
    image_foreign(&f->im, cells, UINT32_MAX - 1)->freed_calls = 9;           /* beyond the file */
    image_foreign(&f->im, cells, 3 * PK_IMAGE_CELLS + 300)->freed_calls = 9; /* no cell (yet) */
    f->im.head->live_bytes = INT64_MAX;
    thread->held = INT64_MAX;
    add(f);
    finish(f);
    assert_int_equal(f->result.stacks.count, 1);
    assert_int_equal(stack_at(f, 0)->calls, sizeof places / sizeof *places);
    assert_int_equal(stack_at(f, 0)->freed_calls, 0);
    assert_true(f->result.incomplete);
    expect_text(f, 0, "prog;[unknown];malloc");
}

static void frees_of_cells_that_are_not_there(void **state) {
    fixture *f = *state;
    pk_image_thread *thread = image_thread(&f->im, 100);
    pk_image_chunk *cells = image_cells(&f->im, thread);
    image_foreign(&f->im, cells, 12)->freed_calls = 9;
    add(f);
    finish(f);
    assert_true(f->result.incomplete);
    assert_int_equal(f->result.stacks.count, 0);
    assert_holds(PK_AT(&f->result.notes, pk_alloc_note, 0).text, "is missing");
}

static void huge_figures_stay_at_the_greatest(void **state) {
    fixture *f = *state;
    pk_image_thread *thread = image_thread(&f->im, 100);
    thread->calls = UINT64_MAX;
    image_thread(&f->im, 101)->calls = UINT64_MAX;
    f->im.head->peak_bytes = INT64_MIN;
    f->im.head->sample_bytes = 1;
    pk_image_chunk *frames = image_chunk(&f->im, PK_CHUNK_FRAMES, 1);
    pk_image_chunk *cells = image_cells(&f->im, thread);
    const uint64_t a[] = {in(inner, 1)};
    for (int i = 0; i < 2; i++) {
        pk_image_cell *cell = image_stack(&f->im, cells, frames, a, 1, NULL);
        cell->calls = cell->temporary = UINT64_MAX;
        cell->estimated_calls = INFINITY;
        cell->estimated_bytes = i ? NAN : -INFINITY;
        cell->estimated_freed_calls = NAN;
        cell->variance_calls = -1;
        cell->variance_bytes = INFINITY;
        cell->epoch = 7;
        cell->at_peak_bytes = INT64_MIN;
    }
    add(f);
    finish(f);
    assert_int_equal(f->result.total.calls, UINT64_MAX);
    assert_int_equal(stack_at(f, 0)->calls, UINT64_MAX);
    assert_int_equal(stack_at(f, 0)->bytes, 0);
    assert_near(stack_at(f, 0)->calls_error, 0, 0);
}

/* A file that ends early (no room left for the program) says as much as it has. */
static void a_cut_file_says_what_it_has(void **state) {
    fixture *f = *state;
    pk_err err = {0};
    pk_image_thread *thread = image_thread(&f->im, 100);
    thread->calls = 5;
    pk_image_chunk *frames = image_chunk(&f->im, PK_CHUNK_FRAMES, 1);
    pk_image_chunk *cells = image_cells(&f->im, thread);
    const uint64_t a[] = {in(inner, 1)};
    for (int i = 0; i < 3; i++) image_stack(&f->im, cells, frames, a, 1, NULL)->calls = 2;
    f->im.head->chunks = 1000000;
    f->im.head->full = 4;
    image_write(&f->im, f->folder, f->path);
    off_t middle = (off_t)(3 * PK_IMAGE_CHUNK_BYTES + sizeof(pk_image_chunk) + 1.5 * sizeof *cells);
    assert_int_equal(truncate(f->path, middle), 0);
    assert_ok(pk_alloc_add_image(&f->result, f->path, &err), &err);
    finish(f);
    assert_int_equal(process_at(f, 0)->calls, 5);
    assert_int_equal(process_at(f, 0)->not_kept, 4);
    assert_holds(PK_AT(&f->result.notes, pk_alloc_note, 0).text, "4 calls were not kept");
    assert_non_null(PK_AT(&f->result.notes, pk_alloc_note, 0).fix);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(one_thread, begin, end),
        cmocka_unit_test_setup_teardown(places_have_object_symbol_and_offset, begin, end),
        cmocka_unit_test_setup_teardown(threads_are_summed_and_frees_credited, begin, end),
        cmocka_unit_test_setup_teardown(a_peak_that_still_grows_is_what_is_live, begin, end),
        cmocka_unit_test_setup_teardown(a_peak_is_at_least_what_is_live_at_the_end, begin, end),
        cmocka_unit_test_setup_teardown(without_frees_there_is_no_leak, begin, end),
        cmocka_unit_test_setup_teardown(samples_stand_for_more, begin, end),
        cmocka_unit_test_setup_teardown(the_era_says_what_was_mapped, begin, end),
        cmocka_unit_test_setup_teardown(what_is_the_same_in_two_eras_is_one, begin, end),
        cmocka_unit_test_setup_teardown(a_snapshot_of_several_parts, begin, end),
        cmocka_unit_test_setup_teardown(programs_are_apart_and_in_order, begin, end),
        cmocka_unit_test_setup_teardown(an_empty_folder_is_an_error, begin, end),
        cmocka_unit_test_setup_teardown(what_is_no_image_is_refused, begin, end),
        cmocka_unit_test_setup_teardown(nonsense_is_counted_as_it_is, begin, end),
        cmocka_unit_test_setup_teardown(frees_of_cells_that_are_not_there, begin, end),
        cmocka_unit_test_setup_teardown(huge_figures_stay_at_the_greatest, begin, end),
        cmocka_unit_test_setup_teardown(a_cut_file_says_what_it_has, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
