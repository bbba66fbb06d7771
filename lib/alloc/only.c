#include "alloc/only.h"

#include <string.h>

const char *pk_alloc_function_name(pk_alloc_function function) {
    static const char *const names[PK_CALLS] = {
        [PK_CALL_MALLOC] = "malloc",
        [PK_CALL_CALLOC] = "calloc",
        [PK_CALL_REALLOC] = "realloc",
        [PK_CALL_REALLOCARRAY] = "reallocarray",
        [PK_CALL_ALIGNED_ALLOC] = "aligned_alloc",
        [PK_CALL_MEMALIGN] = "memalign",
        [PK_CALL_POSIX_MEMALIGN] = "posix_memalign",
        [PK_CALL_VALLOC] = "valloc",
        [PK_CALL_PVALLOC] = "pvalloc",
        [PK_CALL_NEW] = "operator new",
        [PK_CALL_MMAP] = "mmap",
    };
    return function < PK_CALLS ? names[function] : NULL;
}

pk_alloc_function pk_alloc_function_named(const char *name) {
    for (int i = 0; i < PK_CALL_NEW; i++)
        if (strcmp(pk_alloc_function_name((pk_alloc_function)i), name) == 0)
            return (pk_alloc_function)i;
    return PK_CALLS;
}

static void less(uint64_t *from, uint64_t part) {
    *from -= part < *from ? part : *from;
}

static void take_out(pk_alloc_result *result, const pk_alloc_stack *stack) {
    const uint64_t parts[PK_WEIGHTS] = {
        [PK_WEIGHT_CALLS] = stack->calls,         [PK_WEIGHT_BYTES] = stack->bytes,
        [PK_WEIGHT_PEAK] = stack->peak_bytes,     [PK_WEIGHT_LEAKED] = stack->leaked_bytes,
        [PK_WEIGHT_TEMPORARY] = stack->temporary,
    };
    pk_stack_node *node = pk_node(&result->tree, stack->node);
    for (int i = 0; i < PK_WEIGHTS; i++) less(&node->self[i], parts[i]);
    pk_alloc_process *sums[] = {
        &PK_AT(&result->processes, pk_alloc_process, stack->process),
        &result->total,
    };
    for (size_t i = 0; i < sizeof sums / sizeof *sums; i++) {
        less(&sums[i]->calls, stack->calls);
        less(&sums[i]->bytes, stack->bytes);
        less(&sums[i]->frees, stack->freed_calls);
        less(&sums[i]->freed_bytes, stack->freed_bytes);
        less(&sums[i]->temporary, stack->temporary);
        less(&sums[i]->leaked_calls, stack->leaked_calls);
        less(&sums[i]->leaked_bytes, stack->leaked_bytes);
        less(&sums[i]->peak_bytes, stack->peak_bytes);
    }
}

uint64_t pk_alloc_only(pk_alloc_result *result, pk_alloc_function function) {
    size_t kept = 0;
    uint64_t calls = 0;
    for (size_t i = 0; i < result->stacks.count; i++) {
        pk_alloc_stack *stack = &PK_AT(&result->stacks, pk_alloc_stack, i);
        if (stack->function == function) {
            PK_AT(&result->stacks, pk_alloc_stack, kept++) = *stack;
        } else {
            calls += stack->calls;
            take_out(result, stack);
        }
    }
    result->stacks.count = kept;
    return calls;
}
