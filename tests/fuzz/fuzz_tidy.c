/* Any bytes as a symbol: the first byte chooses the options, then name and module, parted by a line
 * break. Names come out as UTF-8 without ';' (unless raw), as many as it says. */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "profile/tidy.h"
#include "report/utf8.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

static void check_name(const char *name, size_t bytes, bool raw) {
    for (size_t i = 0; i < bytes;) {
        uint32_t code;
        i += pk_utf8_next(name + i, bytes - i, &code);
        assert(code != PK_UTF8_INVALID && code != 0 && (raw || code != ';'));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes) {
    if (bytes == 0 || bytes > 1 << 14) return 0;
    const char *items[] = {"f(int)", "[unknown]"};
    pk_symbolise_options options = {.raw = data[0] & 1,
                                    .addresses = data[0] & 2,
                                    .annotate_kernel = data[0] & 4,
                                    .annotate_jit = data[0] & 8,
                                    .skip_after = {items, 2}};
    const char *text = (const char *)data + 1, *end = text + bytes - 1;
    const char *parted = memchr(text, '\n', bytes - 1);
    pk_piece name = {text, (size_t)((parted ? parted : end) - text)};
    pk_piece module = parted ? (pk_piece){parted + 1, (size_t)(end - parted - 1)} : name;
    pk_tidy_symbol symbol = {name, module, {"7f12", 4}, data[0] & 16};
    pk_strbuf out;
    pk_strbuf_init(&out, 16 << 20);
    bool skip;
    size_t n = pk_tidy(&options, &symbol, &out, &skip), counted = 0;
    assert(pk_strbuf_ok(&out));
    for (size_t begin = 0; begin < out.length; counted++) {
        size_t length = strlen(out.data + begin);
        check_name(out.data + begin, length, options.raw);
        begin += length + 1;
    }
    assert(counted == n && (n <= 1 || !options.raw));
    assert(n > 0 || name.at[0] == '(');
    if (skip) assert(n > 0);
    pk_strbuf_fini(&out);
    return 0;
}
