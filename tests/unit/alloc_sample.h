/* Results of perfkit alloc with known figures, for the tests of what is made from them. */
#ifndef PK_TESTS_UNIT_ALLOC_SAMPLE_H
#define PK_TESTS_UNIT_ALLOC_SAMPLE_H

#include "check.h"

#include "alloc/collector.h"
#include "alloc/image.h"
#include "alloc/render.h"

/* Taken over by the result; nothing is left in *result that a test has not put there. */
static inline void alloc_begin(pk_alloc_result *result, const pk_alloc_options *options) {
    pk_err err = {0};
    assert_ok(pk_alloc_begin(result, options, &err), &err);
    result->live_known = true;
    result->backend = "preload";
    result->backend_reason = "a command";
    result->command = "./prog 1 2";
    result->duration_ns = 2000000000;
    result->started_unix_ns = 1764045201000000000;
    result->command_ran = true;
}

static inline void alloc_process(pk_alloc_result *result, const pk_alloc_process *process) {
    pk_alloc_process *p = pk_array_push(&result->processes);
    assert_non_null(p);
    *p = *process;
}

/* The place of "object`symbol+0x1f" at an address; "?": no symbol, "" for the object: unknown. */
static inline uint32_t alloc_place(pk_alloc_result *result, const char *object, const char *symbol,
                                   uint64_t offset, uint64_t address) {
    pk_alloc_place *p = pk_array_push(&result->places);
    assert_non_null(p);
    *p = (pk_alloc_place){.object = object[0] ? object : NULL,
                          .symbol = strcmp(symbol, "?") == 0 ? NULL : symbol,
                          .offset = offset,
                          .address = address,
                          .vaddr = address & 0xffff,
                          .module = UINT32_MAX};
    return (uint32_t)result->places.count - 1;
}

#define ALLOC_FRAMES_MAX 64

/* A stack of process 0 with the sums in *sums: `places` innermost first, n of them with the called
 * function. The tree has the places' symbols below "prog". */
static inline void alloc_stack(pk_alloc_result *result, const pk_alloc_stack *sums, uint32_t n,
                               const uint32_t places[]) {
    uint32_t names[ALLOC_FRAMES_MAX], *kept = PK_NEW(result->arena, n, uint32_t);
    pk_err err = {0};
    pk_alloc_stack *s = pk_array_push(&result->stacks);
    assert_non_null(s);
    assert_non_null(kept);
    assert_true(n >= 1 && n < ALLOC_FRAMES_MAX);
    names[0] = pk_names_intern(result->names, "prog", 4);
    for (uint32_t i = 0; i < n; i++) {
        const char *symbol = PK_AT(&result->places, pk_alloc_place, places[i]).symbol;
        if (!symbol) symbol = "[unknown]";
        kept[i] = places[i];
        names[n - i] = pk_names_intern(result->names, symbol, strlen(symbol));
    }
    *s = *sums;
    s->places = kept;
    s->n_frames = n - 1;
    const uint64_t weights[PK_WEIGHTS] = {s->calls, s->bytes, s->peak_bytes, s->leaked_bytes,
                                          s->temporary};
    s->node = pk_stack_tree_add(&result->tree, names, n + 1, weights, &err);
    assert_int_not_equal(s->node, PK_NODE_NONE);
    result->total.calls += s->calls;
    result->total.bytes += s->bytes;
    result->total.temporary += s->temporary;
    result->total.leaked_calls += s->leaked_calls;
    result->total.leaked_bytes += s->leaked_bytes;
    result->total.peak_bytes += s->peak_bytes;
}

static inline void alloc_moment(pk_alloc_result *result, uint64_t time_ns, uint64_t calls,
                                uint64_t live_bytes) {
    pk_alloc_moment *m = pk_array_push(&result->moments);
    assert_non_null(m);
    *m = (pk_alloc_moment){.time_ns = time_ns,
                           .calls = calls,
                           .bytes = calls * 40,
                           .frees = calls / 2,
                           .live_bytes = live_bytes,
                           .rss_bytes = live_bytes + (4u << 20)};
}

static const pk_alloc_options alloc_no_options = {0};

static inline void alloc_known_process(pk_alloc_result *r) {
    alloc_process(r, &(pk_alloc_process){.pid = 100,
                                         .parent_pid = 1,
                                         .name = "prog",
                                         .exe = "/bin/prog",
                                         .ended_ns = 2000000000,
                                         .threads = 2,
                                         .calls = 1550,
                                         .bytes = 67600,
                                         .frees = 1496,
                                         .freed_bytes = 62536,
                                         .temporary = 150,
                                         .leaked_calls = 54,
                                         .leaked_bytes = 5064,
                                         .peak_bytes = 11600,
                                         .peak_ns = 500000000,
                                         .stacks_unwound = 5,
                                         .stacks_remembered = 1545});
    r->total = PK_AT(&r->processes, pk_alloc_process, 0);
    r->sizes[pk_image_size_class(16)] = 1000;
    r->sizes[pk_image_size_class(32)] = 50;
    r->sizes[pk_image_size_class(100)] = 500;
    alloc_moment(r, 250000000, 400, 5000);
    alloc_moment(r, 500000000, 900, 11600);
    alloc_moment(r, 1000000000, 1200, 8000);
    alloc_moment(r, 2000000000, 1550, 5064);
}

/* 1000 mallocs of 16 bytes from f; 500 of 100 bytes from g, 300 called by main, 200 by h at two
 * places of it; 50 through operator new from a template whose name is markup. */
static inline void alloc_known(pk_alloc_result *r) {
    alloc_begin(r, &alloc_no_options);
    uint32_t called = alloc_place(r, "libc.so.6", "malloc", 0, 0);
    uint32_t f = alloc_place(r, "prog", "f", 0x1f, 0x40101f);
    uint32_t g = alloc_place(r, "prog", "g", 0x10, 0x401110);
    uint32_t h1 = alloc_place(r, "prog", "h", 0x20, 0x401220);
    uint32_t h2 = alloc_place(r, "prog", "h", 0x30, 0x401230);
    uint32_t main1 = alloc_place(r, "prog", "main", 0x8, 0x401308);
    uint32_t main2 = alloc_place(r, "prog", "main", 0x18, 0x401318);
    uint32_t new = alloc_place(r, "libstdc++.so.6", "operator new(unsigned long)", 0x14, 0x7f1014);
    uint32_t markup =
        alloc_place(r, "lib&amp.so", "push<</text><script>alert('1')</script>>", 0, 0x7f2000);
    uint32_t unknown = alloc_place(r, "", "?", 0, 0xdead0);
    alloc_stack(r,
                &(pk_alloc_stack){.calls = 1000,
                                  .bytes = 16000,
                                  .freed_calls = 996,
                                  .freed_bytes = 15936,
                                  .temporary = 100,
                                  .leaked_calls = 4,
                                  .leaked_bytes = 64,
                                  .peak_calls = 100,
                                  .peak_bytes = 1600},
                3, (const uint32_t[]){called, f, main1});
    alloc_stack(r,
                &(pk_alloc_stack){.calls = 300,
                                  .bytes = 30000,
                                  .freed_calls = 300,
                                  .freed_bytes = 30000,
                                  .peak_calls = 80,
                                  .peak_bytes = 8000},
                3, (const uint32_t[]){called, g, main2});
    alloc_stack(
        r,
        &(pk_alloc_stack){.calls = 150, .bytes = 15000, .freed_calls = 150, .freed_bytes = 15000},
        4, (const uint32_t[]){called, g, h1, main1});
    alloc_stack(r,
                &(pk_alloc_stack){.calls = 50,
                                  .bytes = 5000,
                                  .leaked_calls = 50,
                                  .leaked_bytes = 5000,
                                  .peak_calls = 20,
                                  .peak_bytes = 2000},
                4, (const uint32_t[]){called, g, h2, main1});
    alloc_stack(
        r,
        &(pk_alloc_stack){
            .calls = 50, .bytes = 1600, .freed_calls = 50, .freed_bytes = 1600, .temporary = 50},
        4, (const uint32_t[]){called, new, markup, unknown});
    alloc_known_process(r);
    pk_alloc_map *map = pk_array_push(&r->maps);
    assert_non_null(map);
    *map = (pk_alloc_map){0, 0x401000, 0x402000, 0x1000, "/bin/prog"};
    pk_alloc_note_add(r, "give it more room", "1 thing was <b>not</b> counted");
    pk_err err = {0};
    assert_ok(pk_alloc_tree_ready(r, &err), &err);
}

#endif
