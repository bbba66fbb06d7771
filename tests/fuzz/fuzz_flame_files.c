/* Any bytes as the files that colour and link frames: what is read is written and read again as the
 * same, and no attribute has a name that XML forbids. */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "profile/flame_attributes.h"
#include "profile/palette_map.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

static void read_palette(const char *text, size_t bytes, pk_strbuf *out, uint64_t *ignored) {
    pk_err err = {0};
    pk_palette_map *map = pk_palette_map_new();
    pk_strbuf_init(out, 1 << 24);
    if (map && pk_palette_map_read(map, text, bytes, ignored, &err))
        (void)!pk_palette_map_write(map, out, &err);
    pk_palette_map_free(map);
}

static void check_names(const pk_flame_wish *wish) {
    for (unsigned i = 0; i < wish->n_attributes; i++)
        assert(wish->attributes[i].name[0] && !strpbrk(wish->attributes[i].name, " \t\n<>&\"'=/") &&
               wish->attributes[i].value);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes) {
    if (bytes == 0 || bytes > 1 << 16 || memchr(data, 0, bytes)) return 0;
    const char *text = (const char *)data;
    uint64_t ignored = 0, again = 0;
    pk_strbuf once, twice;
    read_palette(text, bytes, &once, &ignored);
    read_palette(once.data, once.length, &twice, &again);
    assert(again == 0 && once.length == twice.length);
    assert(memcmp(once.data, twice.data, once.length) == 0);
    pk_strbuf_fini(&once);
    pk_strbuf_fini(&twice);

    pk_err err = {0};
    pk_flame_attributes *all = pk_flame_attributes_read(text, bytes, &ignored, &err);
    const char *tab = memchr(text, '\t', bytes);
    const pk_flame_wish *wish =
        all && tab ? pk_flame_attributes_find(all, text, (size_t)(tab - text)) : NULL;
    if (wish) check_names(wish);
    pk_flame_attributes_free(all);
    return 0;
}
