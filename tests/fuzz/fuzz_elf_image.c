/* Any bytes as an ELF file: its symbols are in order and are found where they lie. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "profile/symbols.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

static void check_symbols(const pk_symbols *symbols) {
    for (uint32_t i = 0; i < pk_symbols_count(symbols); i++) {
        const pk_symbol *symbol = pk_symbols_at(symbols, i);
        assert(symbol->begin < symbol->end && symbol->name[0]);
        assert(i == 0 || pk_symbols_at(symbols, i - 1)->begin < symbol->begin);
        assert(pk_symbols_find(symbols, symbol->begin) == i);
    }
    uint32_t found = pk_symbols_find(symbols, 0);
    assert(found == PK_SYMBOL_NONE || pk_symbols_at(symbols, found)->begin == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes) {
    pk_err err;
    pk_elf_image *image = pk_elf_image_copy(data, bytes, "[input]", &err);
    if (!image) {
        assert(err.what[0] && err.fix[0]);
        return 0;
    }
    size_t id_bytes = 0;
    const uint8_t *id = pk_elf_image_build_id(image, &id_bytes);
    assert(!id || (id_bytes > 0 && id_bytes <= 64));
    assert(pk_elf_image_same_build(image, image) == (id != NULL));
    uint32_t crc;
    const char *link = pk_elf_image_debug_link(image, &crc);
    assert(!link || strlen(link) > 0);
    uint64_t vaddr;
    for (uint64_t offset = 0; offset < bytes; offset += 512)
        (void)!pk_elf_image_vaddr(image, offset, &vaddr);
    /* No folders: nothing outside is looked at, but for the link beside "[input]". */
    pk_symbols *symbols = link ? NULL : pk_symbols_load(image, NULL, &err);
    if (symbols) check_symbols(symbols);
    pk_symbols_free(symbols);
    pk_elf_image_free(image);
    return 0;
}
