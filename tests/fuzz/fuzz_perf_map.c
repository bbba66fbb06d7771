/* Any bytes as a map of compiled code: a name is found only if there are lines, and has text. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "profile/perf_map.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes) {
    pk_err err;
    pk_perf_map *map = pk_perf_map_parse((const char *)data, bytes, &err);
    if (!map) return 0;
    for (uint64_t address = 0; address < 0x3000; address += 7) {
        const char *name = pk_perf_map_find(map, address);
        assert(!name || (pk_perf_map_count(map) > 0 && name[0] && !strchr(name, '\n')));
    }
    assert(!pk_perf_map_find(map, UINT64_MAX));
    pk_perf_map_free(map);
    return 0;
}
