/* Any bytes as /proc/PID/maps: what is given out is executable, not empty, and has a name. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "profile/proc_maps.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

typedef struct limits {
    const char *begin, *end;
    size_t n;
} limits;

static bool judge(void *context, const pk_proc_map *map, pk_err *err) {
    limits *l = context;
    (void)err;
    assert(map->executable && map->end > map->begin);
    assert(map->file[0]);
    assert(strcmp(map->file, "//anon") == 0 || (map->file > l->begin && map->file < l->end));
    l->n++;
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes) {
    char *text = malloc(bytes + 1);
    if (!text) return 0;
    memcpy(text, data, bytes);
    text[bytes] = '#'; /* not a NUL: nothing may read on */
    size_t lines = 0;
    for (size_t i = 0; i < bytes; i++) lines += text[i] == '\n';
    limits l = {text, text + bytes, 0};
    pk_err err;
    assert(pk_proc_maps_parse(text, bytes, judge, &l, &err));
    assert(l.n <= lines && text[bytes] == '#');
    free(text);
    return 0;
}
