/* Any bytes as an ELF file with debug information: names are texts, no longer than what so many
 * bytes can be packed from, and there are no more of them than there is room. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "profile/inlines.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes) {
    pk_err err;
    pk_elf_image *image = pk_elf_image_copy(data, bytes, "[input]", &err);
    if (!image) return 0;
    /* Without debug information of its own a link would lead outside. */
    pk_inlines *inlines =
        pk_elf_image_has_section(image, ".debug_info") ? pk_inlines_open(image, NULL, &err) : NULL;
    for (uint64_t vaddr = 0; inlines && vaddr < 0x2000; vaddr += 5) {
        const char *names[4];
        size_t n = pk_inlines_at(inlines, vaddr, names, 4);
        assert(n <= 4 && (n == 0 || pk_inlines_known(inlines)));
        for (size_t i = 0; i < n; i++) assert(strlen(names[i]) < 1032 * bytes);
    }
    pk_inlines_free(inlines);
    pk_elf_image_free(image);
    return 0;
}
