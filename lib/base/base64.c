#include "base/base64.h"

#include <stdint.h>
#include <string.h>

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

bool pk_base64_encode(const void *data, size_t bytes, pk_strbuf *out) {
    const unsigned char *from = data;
    size_t length = (bytes + 2) / 3 * 4;
    char *to = pk_strbuf_reserve(out, length);
    if (!to) return false;
    for (size_t i = 0; i < bytes; i += 3) {
        size_t have = bytes - i < 3 ? bytes - i : 3;
        uint32_t group = (uint32_t)from[i] << 16;
        if (have > 1) group |= (uint32_t)from[i + 1] << 8;
        if (have > 2) group |= from[i + 2];
        *to++ = digits[group >> 18];
        *to++ = digits[group >> 12 & 63];
        *to++ = have > 1 ? digits[group >> 6 & 63] : '=';
        *to++ = have > 2 ? digits[group & 63] : '=';
    }
    pk_strbuf_grown(out, length);
    return true;
}

bool pk_base64_decode(const char *text, size_t length, pk_strbuf *out) {
    if (length % 4 != 0) return false;
    size_t padding = 0;
    while (padding < 2 && padding < length && text[length - 1 - padding] == '=') padding++;
    for (size_t i = 0; i < length; i += 4) {
        size_t n_digits = i + 4 == length ? 4 - padding : 4;
        uint32_t group = 0;
        for (size_t k = 0; k < 4; k++) {
            char c = text[i + k];
            const char *digit = k < n_digits && c ? strchr(digits, c) : NULL;
            if (k < n_digits && !digit) return false;
            group = group << 6 | (digit ? (uint32_t)(digit - digits) : 0);
        }
        const unsigned char decoded[] = {(unsigned char)(group >> 16), (unsigned char)(group >> 8),
                                         (unsigned char)group};
        pk_strbuf_add(out, decoded, n_digits - 1);
    }
    return pk_strbuf_ok(out);
}
