#include "profile/folded_pack.h"

#include "base/base64.h"
#include "base/compress.h"
#include "profile/folded.h"

bool pk_folded_pack(const pk_stack_tree *tree, pk_strbuf *out, pk_err *err) {
    pk_strbuf folded, small;
    pk_strbuf_init(&folded, PK_FOLDED_BYTES_MAX);
    pk_strbuf_init(&small, PK_FOLDED_BYTES_MAX);
    bool ok = pk_folded_write(tree, &folded, err);
    if (ok && (!pk_gzip(folded.data, folded.length, &small) ||
               !pk_base64_encode(small.data, small.length, out))) {
        pk_fail(err, PK_E_LIMIT, NULL, "no room for %zu bytes of folded stacks", folded.length);
        ok = false;
    }
    pk_strbuf_fini(&folded);
    pk_strbuf_fini(&small);
    return ok;
}

static bool is_blank(char c) {
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

bool pk_folded_unpack(const char *packed, size_t length, pk_strbuf *folded, pk_err *err) {
    while (length && is_blank(packed[length - 1])) length--;
    while (length && is_blank(*packed)) packed++, length--;
    pk_strbuf small;
    pk_strbuf_init(&small, PK_FOLDED_BYTES_MAX);
    bool ok = pk_base64_decode(packed, length, &small) &&
              pk_inflate(small.data, small.length, folded) && pk_strbuf_ok(folded);
    if (!ok) pk_fail(err, PK_E_INPUT, NULL, "the packed stacks are damaged");
    pk_strbuf_fini(&small);
    return ok;
}
