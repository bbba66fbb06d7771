/* Any bytes as JSON, as a stored result, and as a document of results: what reads is whole, what
 * does not is refused with a reason and a place. */
#include <assert.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "bench/result_json.h"
#include "report/json_read.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

enum { ARENA_BYTES = 16 << 20 };

static size_t check_tree(const pk_json_value *value, const pk_json_value *parent, int depth) {
    size_t n = 0;
    assert(depth <= PK_JSON_DEPTH_MAX);
    for (; value; value = value->next) {
        assert(value->parent == parent);
        n += 1 + check_tree(value->first, value, depth + 1);
    }
    return n;
}

static void check_json(const char *text, size_t bytes) {
    pk_err err = {0};
    pk_arena *arena = pk_arena_new(ARENA_BYTES);
    pk_json_reader reader = {.where = "input", .arena = arena, .err = &err};
    const pk_json_value *root = pk_json_read(&reader, text, bytes);
    assert((root == NULL) == reader.failed);
    if (!root) assert(err.kind != PK_OK && err.what[0]);
    else assert(check_tree(root, NULL, 0) <= bytes);
    pk_arena_free(arena);
}

static void check_record(const char *text, size_t bytes) {
    pk_err err = {0};
    pk_arena *arena = pk_arena_new(ARENA_BYTES);
    pk_bench_record record = {.n_results = 77};
    if (!pk_bench_record_parse(text, bytes, "input", arena, &record, &err)) {
        assert(record.n_results == 77 && err.kind != PK_OK && err.what[0]);
    } else {
        for (size_t i = 0; i < record.n_results; i++)
            assert(record.results[i].id && record.results[i].group);
    }
    pk_arena_free(arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes) {
    check_json((const char *)data, bytes);
    check_record((const char *)data, bytes);
    return 0;
}
