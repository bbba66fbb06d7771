/* Any bytes as a relocatable object: names that are found lie within it and can be spelt in a
 * linker's script. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "bench/elf_sections.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes) {
    pk_array names = PK_ARRAY(const char *, 1000);
    pk_err err;
    if (!pk_elf_code_sections(data, bytes, &names, &err)) assert(err.what[0] && err.fix[0]);
    for (size_t i = 0; i < names.count; i++) {
        const char *name = PK_AT(&names, const char *, i), *end = (const char *)data + bytes;
        assert(name >= (const char *)data && name < end);
        size_t length = strnlen(name, (size_t)(end - name));
        assert(name + length < end && strncmp(name, ".text.", 6) == 0 && length > 6);
        assert(strcspn(name, " \n*(){}[]?;\"'\\/,") == length);
    }
    bool defined, cplusplus;
    if (!pk_elf_symbols(data, bytes, "two", &defined, &cplusplus, &err))
        assert(err.what[0] && err.fix[0]);
    pk_array_fini(&names);
    return 0;
}
