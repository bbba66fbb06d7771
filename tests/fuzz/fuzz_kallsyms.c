/* Any bytes as /proc/kallsyms: whatever is found covers the address, moved or not. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "profile/kallsyms.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

static void look(const pk_kallsyms *k, uint64_t address, uint64_t moved_by) {
    pk_kernel_symbol found;
    if (!pk_kallsyms_find(k, address, &found)) return;
    assert(found.begin != 0 && found.name[0] && (!found.module || found.module[0]));
    assert(found.begin <= address - moved_by && address - moved_by < found.end);
    assert(moved_by == 0 || !found.module);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes) {
    pk_err err;
    pk_kallsyms *k = pk_kallsyms_parse((const char *)data, bytes, &err);
    if (!k) return 0;
    assert(pk_kallsyms_restricted(k) == (pk_kallsyms_count(k) == 0));
    uint64_t addresses[] = {0, 1, 4096, 0xffffffff81000000, 0xffffffffc0000010, UINT64_MAX};
    size_t n = sizeof addresses / sizeof *addresses;
    for (size_t i = 0; i < n; i++) look(k, addresses[i], 0);
    /* One place to the next; _text may share its address with a module's symbol. */
    if (pk_kallsyms_relocate(k, 0xffffffff91000000)) {
        pk_kernel_symbol text;
        bool found = pk_kallsyms_find(k, 0xffffffff91000000, &text);
        for (size_t i = 0; found && i < n; i++)
            look(k, addresses[i], 0xffffffff91000000 - text.begin);
    }
    pk_kallsyms_free(k);
    return 0;
}
