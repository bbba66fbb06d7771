#include "serve/faults.h"

#include <string.h>

static const char *const fault_names[PK_SERVE_FAULT_KINDS] = {
    [PK_SERVE_FAULT_STATUS] = "500",        [PK_SERVE_FAULT_RESET] = "reset",
    [PK_SERVE_FAULT_TRUNCATE] = "truncate", [PK_SERVE_FAULT_HANG] = "hang",
    [PK_SERVE_FAULT_SLOW] = "slow",
};

const char *pk_serve_fault_name(pk_serve_fault kind) {
    return fault_names[kind];
}

pk_serve_fault pk_fault_named(const char *name) {
    for (int kind = PK_SERVE_FAULT_NONE + 1; kind < PK_SERVE_FAULT_KINDS; kind++)
        if (strcmp(fault_names[kind], name) == 0) return (pk_serve_fault)kind;
    return PK_SERVE_FAULT_NONE;
}

static uint64_t mix(uint64_t z) {
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

double pk_chance_nth(uint64_t seed, pk_chance stream, uint64_t n) {
    static const uint64_t golden = 0x9e3779b97f4a7c15u;
    uint64_t start = mix(seed + ((uint64_t)stream + 1) * golden);
    return (double)(mix(start + (n + 1) * golden) >> 11) * 0x1p-53;
}

double pk_chance_next(pk_faults *faults, pk_chance stream) {
    uint64_t n = atomic_fetch_add_explicit(&faults->drawn[stream], 1, memory_order_relaxed);
    return pk_chance_nth(faults->seed, stream, n);
}
