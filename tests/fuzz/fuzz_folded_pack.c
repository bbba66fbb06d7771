/* Any bytes as packed stacks: what unpacks, unpacks within its bound. */
#include <assert.h>
#include <stdint.h>

#include "profile/folded_pack.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes) {
    enum { MAX = 1 << 20 };
    pk_strbuf folded;
    pk_strbuf_init(&folded, MAX);
    pk_err err = {0};
    bool ok = pk_folded_unpack((const char *)data, bytes, &folded, &err);
    assert(folded.length <= MAX);
    assert(ok == (err.kind == PK_OK));
    pk_strbuf_fini(&folded);
    return 0;
}
