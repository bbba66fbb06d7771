/* Any bytes as a symbol: the readable name is bounded, and is the symbol itself if it is not
 * mangled. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "profile/demangle.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes) {
    char *symbol = strndup((const char *)data, bytes);
    if (!symbol) return 0;
    pk_strbuf out;
    pk_strbuf_init(&out, 2 * PK_DEMANGLED_MAX);
    pk_demangle(symbol, &out);
    assert(pk_strbuf_ok(&out) && out.length <= PK_DEMANGLED_MAX + 256);
    size_t length = strlen(symbol);
    if (symbol[0] != '_' && length <= PK_DEMANGLED_MAX && !strstr(symbol, ".llvm.") &&
        !strchr(symbol, '@'))
        assert(strcmp(out.data, symbol) == 0);
    pk_strbuf_fini(&out);
    free(symbol);
    return 0;
}
