/* The shared objects of tests/programs/symbols: their files, and where the dynamic linker says that
 * things lie in them. */
#ifndef PK_TESTS_UNIT_SYMBOL_OBJECTS_H
#define PK_TESTS_UNIT_SYMBOL_OBJECTS_H

#include "tests/unit/check.h"

#include <dlfcn.h>
#include <link.h>

/* BUILD/tests/symbols/NAME, from where this test lies: BUILD/tests/unit/. */
static inline char *symbol_object(char out[CHECK_PATH_MAX], const char *name) {
    char self[CHECK_PATH_MAX - 64];
    ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
    assert_true(n > 0);
    self[n] = '\0';
    *strrchr(self, '/') = '\0';
    int length = snprintf(out, CHECK_PATH_MAX, "%s/../symbols/%s", self, name);
    assert_in_range(length, 1, CHECK_PATH_MAX - 1);
    return out;
}

typedef struct loaded {
    void *handle;
    uint64_t base; /* what the dynamic linker adds to the file's own addresses */
} loaded;

static inline loaded load_object(const char *name) {
    char path[CHECK_PATH_MAX];
    loaded l = {.handle = dlopen(symbol_object(path, name), RTLD_NOW | RTLD_LOCAL)};
    if (!l.handle) fail_msg("%s", dlerror());
    struct link_map *map;
    assert_int_equal(dlinfo(l.handle, RTLD_DI_LINKMAP, &map), 0);
    l.base = map->l_addr;
    return l;
}

/* Where a symbol lies in memory. */
static inline const void *loaded_place(const loaded *l, const char *symbol) {
    const void *place = dlsym(l->handle, symbol);
    if (!place) fail_msg("no symbol %s", symbol);
    return place;
}

/* The same in the file's own numbering. */
static inline uint64_t loaded_vaddr(const loaded *l, const char *symbol) {
    return (uint64_t)(uintptr_t)loaded_place(l, symbol) - l->base;
}

/* And as an offset into the file, as the kernel mapped it: /proc/self/maps. */
static inline uint64_t loaded_offset(const loaded *l, const char *symbol) {
    uint64_t place = (uint64_t)(uintptr_t)loaded_place(l, symbol), result = UINT64_MAX;
    FILE *maps = fopen("/proc/self/maps", "r");
    assert_non_null(maps);
    unsigned long begin, end, offset;
    char line[1024];
    while (fgets(line, sizeof line, maps))
        if (sscanf(line, "%lx-%lx %*s %lx", &begin, &end, &offset) == 3 && place >= begin &&
            place < end)
            result = place - begin + offset;
    fclose(maps);
    assert_true(result != UINT64_MAX);
    return result;
}

#endif
