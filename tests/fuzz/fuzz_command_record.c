/* Files of results of commands, which other programs wrote. What is read has runs with times. */
#include <assert.h>
#include <math.h>
#include <stdint.h>
#include <string.h>

#include "bench/command_store.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

enum { ARENA_BYTES = 256 << 20 };

static void check_item(const pk_command_stored *item) {
    const pk_bench_result *r = item->result;
    assert(item->command && r && r->n_workers >= 1);
    assert(strncmp(r->id, PK_COMMAND_GROUP "/", strlen(PK_COMMAND_GROUP) + 1) == 0);
    for (size_t i = 0; i < r->n_workers; i++) {
        double ns = r->workers[i].side[PK_SIDE_NEW].trimmed_ns;
        assert(ns > 0 && isfinite(ns));
    }
    for (size_t i = 0; i < item->n_parameters; i++)
        assert(item->parameters[i].name && item->parameters[i].value);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes) {
    if (bytes > 1u << 14) return 0;
    pk_arena *arena = pk_arena_new(ARENA_BYTES);
    assert(arena);
    for (int failed_too = 0; failed_too < 2; failed_too++) {
        pk_command_record record = {.n = 77};
        bool mine = false;
        pk_err err = {0};
        if (pk_command_record_parse((const char *)data, bytes, "fuzz.json", failed_too, arena,
                                    &record, &mine, &err)) {
            assert(mine || record.n == 0);
            for (size_t i = 0; i < record.n; i++) check_item(&record.items[i]);
        } else {
            assert(record.n == 77 && err.what[0]);
        }
    }
    pk_arena_free(arena);
    return 0;
}
