/* HdrHistogram's V2 encoding. Layout, all big-endian: cookie (4 bytes), bytes of counts (4),
 * normalizing index offset (4), digits (4), lowest (8), highest (8), value ratio as a double (8);
 * then the counts from index 0 up to the last that is not zero, as LEB128 of at most nine bytes
 * (the ninth holds eight bits) over ZigZag: n >= 0 is a count, n < 0 stands for -n zero counts.
 * Compressed: cookie (4), bytes of zlib data (4), zlib data of the above. */
#include "stats/histogram.h"

#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "base/base64.h"
#include "base/compress.h"

enum {
    HEADER_BYTES = 40,
    WRAPPER_BYTES = 8,
    LEB_BYTES_MAX = 9,
    TEXT_BYTES_MAX = 64 << 20,
};
/* The low byte's upper nibble is the word size of older versions; V2 writers put 1 there. */
#define COOKIE_PLAIN 0x1c849303u
#define COOKIE_COMPRESSED 0x1c849304u
#define COOKIE_WORD_SIZE 0x10u
#define COOKIE_WORD_MASK 0xf0u
/* The largest layout (5 digits from 1 to 2^63 - 1) has 6.2 million counts. */
#define PLAIN_BYTES_MAX (HEADER_BYTES + (size_t)LEB_BYTES_MAX * 47 * 131072)

static void put_be(unsigned char *out, int bytes, uint64_t value) {
    for (int i = bytes - 1; i >= 0; i--, value >>= 8) out[i] = (unsigned char)value;
}

static uint64_t get_be(const unsigned char *in, int bytes) {
    uint64_t value = 0;
    for (int i = 0; i < bytes; i++) value = value << 8 | in[i];
    return value;
}

static pk_hist *refuse(pk_err *err, const char *why) {
    pk_fail(err, PK_E_INPUT, NULL, "not a histogram in HdrHistogram's V2 encoding: %s", why);
    pk_fix(err, "give the whole text as it was written: the last field of a line in a .hlog file");
    return NULL;
}

static bool out_of_room(pk_err *err) {
    pk_fail(err, PK_E_LIMIT, NULL, "no room for an encoded histogram");
    pk_fix(err, "free memory, or use fewer significant digits");
    return false;
}

static void put_leb(pk_strbuf *out, uint64_t zigzag) {
    unsigned char bytes[LEB_BYTES_MAX];
    size_t n = 0;
    for (; zigzag > 0x7f && n < LEB_BYTES_MAX - 1; zigzag >>= 7)
        bytes[n++] = (unsigned char)(zigzag | 0x80);
    bytes[n++] = (unsigned char)zigzag;
    pk_strbuf_add(out, bytes, n);
}

/* False at the end of the data. */
static bool get_leb(const unsigned char **at, const unsigned char *end, uint64_t *zigzag) {
    uint64_t value = 0;
    for (int i = 0; *at < end; i++) {
        unsigned char byte = *(*at)++;
        if (i == LEB_BYTES_MAX - 1 || byte < 0x80) {
            *zigzag = value | (uint64_t)byte << (7 * i);
            return true;
        }
        value |= (uint64_t)(byte & 0x7f) << (7 * i);
    }
    return false;
}

static void put_counts(const pk_hist *hist, pk_strbuf *out) {
    uint32_t end = hist->counts_length;
    while (end > 0 && hist->counts[end - 1] == 0) end--;
    for (uint32_t i = 0; i < end;) {
        uint32_t zeros = 0;
        while (hist->counts[i + zeros] == 0) zeros++;         /* ends at end - 1, which is not 0 */
        if (zeros > 1) put_leb(out, 2 * (uint64_t)zeros - 1); /* ZigZag of -zeros */
        else put_leb(out, 2 * hist->counts[i]); /* a single zero is shorter as the count 0 */
        i += zeros > 1 ? zeros : 1;
    }
}

bool pk_hist_encode_plain(const pk_hist *hist, pk_strbuf *out, pk_err *err) {
    if (hist->total - hist->overflow > INT64_MAX) {
        pk_fail(err, PK_E_LIMIT, NULL, "a histogram of more than 2^63 values cannot be encoded");
        pk_fix(err, "split the recording");
        return false;
    }
    bool ok = false;
    pk_strbuf counts;
    pk_strbuf_init(&counts, PLAIN_BYTES_MAX);
    put_counts(hist, &counts);
    char *to = pk_strbuf_ok(&counts) ? pk_strbuf_reserve(out, HEADER_BYTES + counts.length) : NULL;
    if (!to) {
        out_of_room(err);
        goto out;
    }
    unsigned char *header = (unsigned char *)to;
    double ratio = 1; /* values are integers; the format allows scaled ones */
    uint64_t ratio_bits;
    memcpy(&ratio_bits, &ratio, sizeof ratio_bits);
    put_be(header, 4, COOKIE_PLAIN | COOKIE_WORD_SIZE);
    put_be(header + 4, 4, counts.length);
    put_be(header + 8, 4, 0);
    put_be(header + 12, 4, (uint64_t)hist->digits);
    put_be(header + 16, 8, hist->lowest);
    put_be(header + 24, 8, hist->highest);
    put_be(header + 32, 8, ratio_bits);
    memcpy(to + HEADER_BYTES, counts.data, counts.length);
    pk_strbuf_grown(out, HEADER_BYTES + counts.length);
    ok = true;
out:
    pk_strbuf_fini(&counts);
    return ok;
}

/* Fills counts and total; NULL, or what is wrong. */
static const char *get_counts(pk_hist *hist, const unsigned char *at, const unsigned char *end) {
    uint32_t i = 0;
    while (at < end) {
        uint64_t zigzag;
        if (!get_leb(&at, end, &zigzag)) return "its last count is cut off";
        uint64_t half = zigzag >> 1;
        if (zigzag & 1) {
            if (half >= hist->counts_length - i) return "more counts than its range has";
            i += (uint32_t)half + 1;
            continue;
        }
        if (i == hist->counts_length) return "more counts than its range has";
        if (__builtin_add_overflow(hist->total, half, &hist->total) || hist->total > INT64_MAX)
            return "its counts add up to more than 2^63";
        hist->counts[i++] = half;
    }
    return NULL;
}

/* What the counts alone tell about the values. */
static void derive(pk_hist *hist) {
    uint64_t low, high, count;
    for (uint32_t i = 0; pk_hist_next(hist, &i, &low, &high, &count);) {
        if (hist->min == UINT64_MAX) hist->min = low;
        hist->max = high;
        hist->sum += ((double)low + (double)(high - low) / 2) * (double)count;
    }
}

pk_hist *pk_hist_decode_plain(const void *data, size_t bytes, pk_err *err) {
    const unsigned char *in = data;
    if (bytes < HEADER_BYTES) return refuse(err, "it is too short");
    if ((get_be(in, 4) & ~(uint64_t)COOKIE_WORD_MASK) != COOKIE_PLAIN)
        return refuse(err, "its cookie is another one");
    if (get_be(in + 4, 4) != bytes - HEADER_BYTES)
        return refuse(err, "its length is not the length it states");
    /* Offset and ratio are not looked at: counts stand in the order of values whatever the offset
     * (it is about the writer's memory), scaled histograms have a cookie of their own, and writers
     * disagree (hdr-histogram-js 3 writes offset 1 and the ratio as an integer). */
    uint64_t digits = get_be(in + 12, 4);
    pk_hist *hist = pk_hist_new(get_be(in + 16, 8), get_be(in + 24, 8),
                                digits > PK_HIST_DIGITS_MAX ? 0 : (int)digits, err);
    if (!hist) return NULL;
    const char *wrong = get_counts(hist, in + HEADER_BYTES, in + bytes);
    if (wrong) {
        pk_hist_free(hist);
        return refuse(err, wrong);
    }
    derive(hist);
    return hist;
}

pk_hist *pk_hist_decode(const char *text, size_t bytes, pk_err *err) {
    pk_hist *hist = NULL;
    pk_strbuf wrapped, plain;
    pk_strbuf_init(&wrapped, TEXT_BYTES_MAX);
    pk_strbuf_init(&plain, PLAIN_BYTES_MAX + PK_COMPRESS_STEP);
    if (bytes > TEXT_BYTES_MAX || !pk_base64_decode(text, bytes, &wrapped)) {
        refuse(err, "it is not base64");
        goto out;
    }
    const unsigned char *in = (const unsigned char *)wrapped.data;
    if (wrapped.length < WRAPPER_BYTES ||
        (get_be(in, 4) & ~(uint64_t)COOKIE_WORD_MASK) != COOKIE_COMPRESSED) {
        refuse(err, "its cookie is another one");
        goto out;
    }
    size_t compressed = wrapped.length - WRAPPER_BYTES;
    if (get_be(in + 4, 4) != compressed || !pk_inflate(in + WRAPPER_BYTES, compressed, &plain)) {
        refuse(err, "its compressed data is damaged");
        goto out;
    }
    hist = pk_hist_decode_plain(plain.data, plain.length, err);
out:
    pk_strbuf_fini(&wrapped);
    pk_strbuf_fini(&plain);
    return hist;
}

bool pk_hist_encode(const pk_hist *hist, pk_strbuf *out, pk_err *err) {
    bool ok = false;
    unsigned char *wrapped = NULL;
    pk_strbuf plain;
    pk_strbuf_init(&plain, PLAIN_BYTES_MAX);
    if (!pk_hist_encode_plain(hist, &plain, err)) goto out;
    uLongf compressed = compressBound((uLong)plain.length);
    wrapped = malloc(WRAPPER_BYTES + compressed);
    if (!wrapped || compress(wrapped + WRAPPER_BYTES, &compressed, (const Bytef *)plain.data,
                             (uLong)plain.length) != Z_OK) {
        out_of_room(err);
        goto out;
    }
    put_be(wrapped, 4, COOKIE_COMPRESSED | COOKIE_WORD_SIZE);
    put_be(wrapped + 4, 4, compressed);
    ok = pk_base64_encode(wrapped, WRAPPER_BYTES + compressed, out) || out_of_room(err);
out:
    free(wrapped);
    pk_strbuf_fini(&plain);
    return ok;
}
