/* What a living process has mapped, as a recording of it would say. */
#ifndef PK_TESTS_UNIT_PROCESS_MAPS_H
#define PK_TESTS_UNIT_PROCESS_MAPS_H

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "profile/address_space.h"
#include "profile/modules.h"

/* One line of /proc/PID/maps; of code alone. False: out of memory. */
static inline bool process_maps_line(const char *line, uint32_t pid, pk_spaces *spaces,
                                     pk_modules *modules) {
    pk_map map = {0};
    char rights[5] = "", name[1024] = "//anon";
    int n = sscanf(line, "%" SCNx64 "-%" SCNx64 " %4s %" SCNx64 " %*s %*s %1023[^\n]", &map.begin,
                   &map.end, rights, &map.offset, name);
    if (n < 4 || rights[2] != 'x') return true;
    pk_module_id id = {.path = name, .pid = pid};
    map.file = pk_modules_number(modules, &id);
    pk_err err;
    return map.file != UINT32_MAX && pk_spaces_map(spaces, pid, &map, &err);
}

static inline bool process_maps(uint32_t pid, pk_spaces *spaces, pk_modules *modules) {
    char path[64], line[2048];
    snprintf(path, sizeof path, "/proc/%u/maps", pid);
    FILE *file = fopen(path, "re");
    if (!file) return false;
    bool ok = true;
    while (ok && fgets(line, sizeof line, file)) ok = process_maps_line(line, pid, spaces, modules);
    fclose(file);
    return ok;
}

/* The name of the function at an address; "?" where there is none. It lives as long as modules. */
static inline const char *process_symbol(uint32_t pid, uint64_t address, const pk_spaces *spaces,
                                         pk_modules *modules) {
    const pk_map *map = pk_spaces_find(spaces, pid, address);
    const pk_elf_image *image = map ? pk_module_image(modules, map->file) : NULL;
    uint64_t vaddr;
    if (!image || !pk_elf_image_vaddr(image, address - map->begin + map->offset, &vaddr))
        return "?";
    const pk_symbols *symbols = pk_module_symbols(modules, map->file);
    uint32_t found = symbols ? pk_symbols_find(symbols, vaddr) : PK_SYMBOL_NONE;
    return found == PK_SYMBOL_NONE ? "?" : pk_symbols_at(symbols, found)->name;
}

#endif
