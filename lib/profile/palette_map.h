/* Colours kept from one picture to the next, so that a function keeps its own: FlameGraph's
 * palette.map (--cp), read and written as inferno-flamegraph 0.12 does. */
#ifndef PK_PROFILE_PALETTE_MAP_H
#define PK_PROFILE_PALETTE_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/strbuf.h"
#include "profile/flame_colour.h"

typedef struct pk_palette_map pk_palette_map;

/* NULL: out of memory. */
pk_palette_map *pk_palette_map_new(void);
void pk_palette_map_free(pk_palette_map *map);

/* Lines "NAME->rgb(R,G,B)" of text[0..bytes), a later one for a name replaces an earlier one;
 * others are passed over and counted: *ignored is added to. False: out of memory. */
bool pk_palette_map_read(pk_palette_map *map, const char *text, size_t bytes, uint64_t *ignored,
                         pk_err *err) PK_MUST_CHECK;
/* Appends such lines, sorted by name. False: out of memory. */
bool pk_palette_map_write(const pk_palette_map *map, pk_strbuf *out, pk_err *err) PK_MUST_CHECK;

bool pk_palette_map_find(const pk_palette_map *map, const char *name, size_t bytes, pk_rgb *colour);
/* False: out of memory. */
bool pk_palette_map_set(pk_palette_map *map, const char *name, size_t bytes,
                        pk_rgb colour) PK_MUST_CHECK;

#endif
