/* A result cut down to one function: its stacks, sums and tree. */
#include "check.h"

#include "alloc/only.h"
#include "profile/names.h"

static uint32_t add(pk_alloc_result *r, const char *function, const pk_alloc_stack *stack) {
    uint32_t frames[2] = {pk_names_intern(r->names, "program", 7),
                          pk_names_intern(r->names, function, strlen(function))};
    const uint64_t weights[PK_WEIGHTS] = {stack->calls, stack->bytes, stack->peak_bytes,
                                          stack->leaked_bytes, stack->temporary};
    pk_err err = {0};
    uint32_t node = pk_stack_tree_add(&r->tree, frames, 2, weights, &err);
    assert_ok(node != PK_NODE_NONE, &err);
    pk_alloc_stack *own = pk_array_push(&r->stacks);
    assert_non_null(own);
    *own = *stack;
    own->node = node;
    return node;
}

static const pk_alloc_stack of_malloc = {.function = PK_CALL_MALLOC,
                                         .calls = 10,
                                         .bytes = 1000,
                                         .freed_calls = 7,
                                         .freed_bytes = 700,
                                         .temporary = 4,
                                         .leaked_calls = 3,
                                         .leaked_bytes = 300,
                                         .peak_bytes = 500};
static const pk_alloc_stack of_calloc = {.function = PK_CALL_CALLOC,
                                         .calls = 2,
                                         .bytes = 64,
                                         .freed_calls = 1,
                                         .freed_bytes = 32,
                                         .temporary = 1,
                                         .leaked_calls = 1,
                                         .leaked_bytes = 32,
                                         .peak_bytes = 64};

static void what_others_did_is_taken_out(void **state) {
    (void)state;
    pk_alloc_result r = {.stacks = PK_ARRAY(pk_alloc_stack, 10),
                         .processes = PK_ARRAY(pk_alloc_process, 10)};
    pk_err err = {0};
    r.names = pk_names_new(1 << 20);
    assert_ok(pk_stack_tree_init(&r.tree, r.names, PK_WEIGHTS, false, &err), &err);
    uint32_t calloc_node = add(&r, "calloc", &of_calloc);
    uint32_t malloc_node = add(&r, "malloc", &of_malloc);
    pk_alloc_process *process = pk_array_push(&r.processes);
    assert_non_null(process);
    *process = r.total = (pk_alloc_process){.calls = 12,
                                            .bytes = 1064,
                                            .frees = 8,
                                            .freed_bytes = 732,
                                            .temporary = 5,
                                            .leaked_calls = 4,
                                            .leaked_bytes = 332,
                                            .peak_bytes = 564};

    assert_int_equal(pk_alloc_only(&r, PK_CALL_MALLOC), 2);
    assert_int_equal(r.stacks.count, 1);
    assert_int_equal(PK_AT(&r.stacks, pk_alloc_stack, 0).node, malloc_node);
    for (int w = 0; w < PK_WEIGHTS; w++) {
        assert_int_equal(pk_node(&r.tree, calloc_node)->self[w], 0);
        assert_int_not_equal(pk_node(&r.tree, malloc_node)->self[w], 0);
    }
    const pk_alloc_process *sums[] = {process, &r.total};
    for (int i = 0; i < 2; i++) {
        assert_int_equal(sums[i]->calls, 10);
        assert_int_equal(sums[i]->bytes, 1000);
        assert_int_equal(sums[i]->frees, 7);
        assert_int_equal(sums[i]->freed_bytes, 700);
        assert_int_equal(sums[i]->temporary, 4);
        assert_int_equal(sums[i]->leaked_calls, 3);
        assert_int_equal(sums[i]->leaked_bytes, 300);
        assert_int_equal(sums[i]->peak_bytes, 500);
    }
    assert_int_equal(pk_alloc_only(&r, PK_CALL_MALLOC), 0);

    pk_stack_tree_fini(&r.tree);
    pk_names_free(r.names);
    pk_array_fini(&r.stacks);
    pk_array_fini(&r.processes);
}

static void functions_have_the_names_of_their_symbols(void **state) {
    (void)state;
    assert_int_equal(pk_alloc_function_named("malloc"), PK_CALL_MALLOC);
    assert_int_equal(pk_alloc_function_named("posix_memalign"), PK_CALL_POSIX_MEMALIGN);
    assert_int_equal(pk_alloc_function_named("pvalloc"), PK_CALL_PVALLOC);
    assert_int_equal(pk_alloc_function_named("free"), PK_CALLS);
    assert_int_equal(pk_alloc_function_named(""), PK_CALLS);
    assert_string_equal(pk_alloc_function_name(PK_CALL_NEW), "operator new");
    assert_null(pk_alloc_function_name(PK_CALL_OTHER));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_others_did_is_taken_out),
        cmocka_unit_test(functions_have_the_names_of_their_symbols),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
