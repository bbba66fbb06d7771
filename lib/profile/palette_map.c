#include "profile/palette_map.h"

#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/lines.h"
#include "profile/names.h"

#define NAMES_BYTES_MAX ((size_t)256 << 20)
#define COLOURS_MAX (16u << 20)

struct pk_palette_map {
    pk_names *names;
    pk_array colours; /* pk_rgb, by the name's number */
};

pk_palette_map *pk_palette_map_new(void) {
    pk_palette_map *map = calloc(1, sizeof *map);
    if (!map) return NULL;
    map->colours = PK_ARRAY(pk_rgb, COLOURS_MAX);
    map->names = pk_names_new(NAMES_BYTES_MAX);
    if (map->names) return map;
    free(map);
    return NULL;
}

void pk_palette_map_free(pk_palette_map *map) {
    if (!map) return;
    pk_names_free(map->names);
    pk_array_fini(&map->colours);
    free(map);
}

bool pk_palette_map_find(const pk_palette_map *map, const char *name, size_t bytes,
                         pk_rgb *colour) {
    uint32_t number = pk_names_find(map->names, name, bytes);
    if (number == PK_NAME_NONE || number >= map->colours.count) return false;
    *colour = PK_AT(&map->colours, pk_rgb, number);
    return true;
}

bool pk_palette_map_set(pk_palette_map *map, const char *name, size_t bytes, pk_rgb colour) {
    uint32_t number = pk_names_intern(map->names, name, bytes);
    if (number == PK_NAME_NONE) return false;
    if (number == map->colours.count && !pk_array_push(&map->colours)) return false;
    PK_AT(&map->colours, pk_rgb, number) = colour;
    return true;
}

/* ---- reading ---- */

/* A number of 0 to 255 with blanks around it, and the `end` behind it. NULL: it is none. */
static const char *component(const char *at, const char *stop, char end, uint8_t *value) {
    unsigned number = 0, digits = 0;
    while (at < stop && *at == ' ') at++;
    for (; at < stop && *at >= '0' && *at <= '9' && digits < 4; at++, digits++)
        number = number * 10 + (unsigned)(*at - '0');
    while (at < stop && *at == ' ') at++;
    if (digits == 0 || number > 255 || at == stop || *at != end) return NULL;
    *value = (uint8_t)number;
    return at + 1;
}

static bool parse(const pk_line *line, size_t *name_bytes, pk_rgb *colour) {
    static const char opening[] = "->rgb(";
    const char *arrow = memmem(line->at, line->bytes, "->", 2), *stop = line->at + line->bytes;
    if (!arrow || (size_t)(stop - arrow) < sizeof opening - 1 ||
        memcmp(arrow, opening, sizeof opening - 1) != 0)
        return false;
    const char *at = component(arrow + sizeof opening - 1, stop, ',', &colour->r);
    at = at ? component(at, stop, ',', &colour->g) : NULL;
    at = at ? component(at, stop, ')', &colour->b) : NULL;
    if (!at) return false;
    while (at < stop && (*at == ' ' || *at == '\t' || *at == '\r')) at++;
    *name_bytes = (size_t)(arrow - line->at);
    return at == stop;
}

static bool out_of_memory(const pk_palette_map *map, pk_err *err) {
    pk_fail(err, PK_E_LIMIT, NULL, "not enough memory for %zu colours", map->colours.count);
    return false;
}

bool pk_palette_map_read(pk_palette_map *map, const char *text, size_t bytes, uint64_t *ignored,
                         pk_err *err) {
    pk_line line;
    for (size_t offset = 0; pk_line_next(text, bytes, &offset, &line);) {
        size_t name_bytes;
        pk_rgb colour;
        if (!parse(&line, &name_bytes, &colour)) ++*ignored;
        else if (!pk_palette_map_set(map, line.at, name_bytes, colour))
            return out_of_memory(map, err);
    }
    return true;
}

/* ---- writing ---- */

typedef struct row {
    const char *name;
    pk_rgb colour;
} row;

static int by_name(const void *a, const void *b) {
    return strcmp(((const row *)a)->name, ((const row *)b)->name);
}

bool pk_palette_map_write(const pk_palette_map *map, pk_strbuf *out, pk_err *err) {
    size_t n = map->colours.count;
    row *rows = calloc(n + 1, sizeof *rows);
    if (!rows) return out_of_memory(map, err);
    for (uint32_t i = 0; i < n; i++)
        rows[i] = (row){pk_names_text(map->names, i, NULL), PK_AT(&map->colours, pk_rgb, i)};
    qsort(rows, n, sizeof *rows, by_name);
    for (size_t i = 0; i < n; i++)
        pk_strbuf_addf(out, "%s->rgb(%u,%u,%u)\n", rows[i].name, rows[i].colour.r, rows[i].colour.g,
                       rows[i].colour.b);
    free(rows);
    return pk_strbuf_ok(out) || out_of_memory(map, err);
}
