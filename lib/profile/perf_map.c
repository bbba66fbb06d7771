#include "profile/perf_map.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/array.h"
#include "base/hex.h"
#include "base/lines.h"

#define LINES_MAX (1u << 26)
#define TEXTS_MAX (1u << 30)
#define NOBODY UINT32_MAX

typedef struct piece {
    uint64_t begin, end;
    const char *name;
} piece;

struct pk_perf_map {
    pk_arena *texts;
    pk_array lines;   /* of piece, in the order of the file */
    uint64_t *bounds; /* n_bounds, ascending: where lines begin or end */
    uint32_t *owners; /* the line that has [bounds[i], bounds[i + 1]), or NOBODY */
    size_t n_bounds;
};

/* False: out of memory. */
static bool add_line(pk_perf_map *map, const char *line, size_t bytes) {
    uint64_t begin, size, end;
    size_t at = pk_hex(line, bytes, &begin);
    if (at == 0 || at == bytes || line[at] != ' ') return true;
    while (at < bytes && line[at] == ' ') at++;
    size_t taken = pk_hex(line + at, bytes - at, &size);
    at += taken;
    if (taken == 0 || at == bytes || line[at] != ' ') return true;
    while (at < bytes && line[at] == ' ') at++;
    size_t name = strnlen(line + at, bytes - at);
    while (name > 0 && line[at + name - 1] == '\r') name--;
    if (name == 0 || size == 0 || __builtin_add_overflow(begin, size, &end)) return true;
    const char *copy = pk_arena_strndup(map->texts, line + at, name);
    piece *place = copy ? pk_array_push(&map->lines) : NULL;
    if (!place) return false;
    *place = (piece){begin, end, copy};
    return true;
}

static int ascending(const void *a, const void *b) {
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

/* How many bounds are at or below the address. */
static size_t bounds_up_to(const pk_perf_map *map, uint64_t address) {
    size_t low = 0, high = map->n_bounds;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (map->bounds[middle] <= address) low = middle + 1;
        else high = middle;
    }
    return low;
}

/* The first gap at or after i that nobody has yet. next[i] leads there; paths are halved. */
static size_t next_free(uint32_t *next, size_t i) {
    while (next[i] != i) {
        next[i] = next[next[i]];
        i = next[i];
    }
    return i;
}

/* From the last line to the first, each takes what of its range is still free: every gap between
 * two bounds is taken once. */
static void share_out(pk_perf_map *map, uint32_t *next) {
    for (size_t i = 0; i < map->n_bounds; i++) {
        map->owners[i] = NOBODY;
        next[i] = (uint32_t)i;
    }
    for (size_t l = map->lines.count; l-- > 0;) {
        const piece *p = &PK_AT(&map->lines, piece, l);
        size_t end = bounds_up_to(map, p->end) - 1;
        for (size_t i = next_free(next, bounds_up_to(map, p->begin) - 1); i < end;
             i = next_free(next, i)) {
            map->owners[i] = (uint32_t)l;
            next[i] = (uint32_t)i + 1;
        }
    }
}

static bool settle(pk_perf_map *map) {
    size_t n = map->lines.count;
    map->bounds = calloc(2 * n + 1, sizeof *map->bounds);
    map->owners = calloc(2 * n + 1, sizeof *map->owners);
    uint32_t *next = calloc(2 * n + 1, sizeof *next);
    bool ok = map->bounds && map->owners && next;
    if (ok) {
        for (size_t i = 0; i < n; i++) {
            map->bounds[2 * i] = PK_AT(&map->lines, piece, i).begin;
            map->bounds[2 * i + 1] = PK_AT(&map->lines, piece, i).end;
        }
        qsort(map->bounds, 2 * n, sizeof *map->bounds, ascending);
        for (size_t i = 0; i < 2 * n; i++)
            if (map->n_bounds == 0 || map->bounds[map->n_bounds - 1] != map->bounds[i])
                map->bounds[map->n_bounds++] = map->bounds[i];
        share_out(map, next);
    }
    free(next);
    return ok;
}

pk_perf_map *pk_perf_map_parse(const char *text, size_t bytes, pk_err *err) {
    pk_perf_map *map = calloc(1, sizeof *map);
    if (map) map->lines = PK_ARRAY(piece, LINES_MAX);
    if (map) map->texts = pk_arena_new(TEXTS_MAX);
    bool ok = map && map->texts;
    pk_line line;
    for (size_t offset = 0; ok && pk_line_next(text, bytes, &offset, &line);)
        ok = add_line(map, line.at, line.bytes);
    if (ok && settle(map)) return map;
    pk_perf_map_free(map);
    pk_fail(err, PK_E_LIMIT, NULL, "not enough memory for the map of compiled code");
    return NULL;
}

void pk_perf_map_free(pk_perf_map *map) {
    if (!map) return;
    pk_arena_free(map->texts);
    pk_array_fini(&map->lines);
    free(map->bounds);
    free(map->owners);
    free(map);
}

const char *pk_perf_map_find(const pk_perf_map *map, uint64_t address) {
    size_t i = bounds_up_to(map, address);
    if (i == 0 || map->owners[i - 1] == NOBODY) return NULL;
    return PK_AT(&map->lines, piece, map->owners[i - 1]).name;
}

size_t pk_perf_map_count(const pk_perf_map *map) {
    return map->lines.count;
}
