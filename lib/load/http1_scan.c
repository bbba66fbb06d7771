#include "load/http1_scan.h"

#include <string.h>

size_t pk_http1_scan_portable(const char *data, size_t bytes, uint32_t lf[], size_t lines_max) {
    const char *line = data, *end = data + bytes, *stop;
    size_t n = 0;
    while (n < lines_max && line < end && (stop = memchr(line, '\n', (size_t)(end - line)))) {
        size_t length = (size_t)(stop - line);
        const char *cr = memchr(line, '\r', length);
        if ((cr && cr + 1 != stop) || memchr(line, '\0', length)) return 0;
        lf[n++] = (uint32_t)(stop - data);
        if (n > 1 && length == (cr ? 1 : 0)) return n;
        line = stop + 1;
    }
    return 0;
}

#if defined(__SSE2__)
#include <emmintrin.h>

enum { HALF = 16, BLOCK = 32 };

/* A bit for each byte: the upper half for the current block, the lower half for the one before, so
 * that what crosses the border needs no case of its own. Nothing is found in the lower half again:
 * the search ended when it was the upper one. */
typedef struct marks {
    uint64_t lf, cr;
    uint64_t end;   /* the LF of an empty line */
    uint64_t wrong; /* a NUL, or the byte behind a lone CR */
} marks;

static inline uint64_t where(__m128i first, __m128i second, char c) {
    __m128i wanted = _mm_set1_epi8(c);
    uint32_t low = (uint32_t)_mm_movemask_epi8(_mm_cmpeq_epi8(first, wanted));
    uint32_t high = (uint32_t)_mm_movemask_epi8(_mm_cmpeq_epi8(second, wanted));
    return low | high << HALF;
}

/* Goes on to the block at `at`, of which the last `fresh` bytes are new. */
static inline void look(marks *m, const char *at, unsigned fresh) {
    __m128i first = _mm_loadu_si128((const __m128i *)(const void *)at);
    __m128i second = _mm_loadu_si128((const __m128i *)(const void *)(at + HALF));
    unsigned old = BLOCK - fresh;
    m->lf = m->lf >> BLOCK | where(first, second, '\n') >> old << BLOCK;
    m->cr = m->cr >> BLOCK | where(first, second, '\r') >> old << BLOCK;
    uint64_t nul = where(first, second, '\0') >> old << BLOCK;
    uint64_t behind_lf = m->lf << 1;
    m->end = m->lf & (behind_lf | (m->cr & behind_lf) << 1);
    m->wrong = nul | (m->cr << 1 & ~m->lf);
}

static uint32_t offset_of(uint64_t mark, size_t block_at) {
    return (uint32_t)block_at + (uint32_t)__builtin_ctzll(mark) - BLOCK;
}

/* Adds the line ends among the current block's marks. */
static inline size_t note(uint64_t marked, size_t block_at, uint32_t lf[], size_t n,
                          size_t lines_max) {
    for (marked >>= BLOCK, marked <<= BLOCK; marked && n < lines_max; marked &= marked - 1)
        lf[n++] = offset_of(marked, block_at);
    return n;
}

/* A block with an end or something wrong: the lowest bit came first. */
static size_t decide(const marks *m, size_t block_at, uint32_t lf[], size_t n, size_t lines_max) {
    uint64_t end = m->end & (0 - m->end);
    if (end == 0 || (m->wrong & (end - 1))) return 0;
    n = note(m->lf & (end | (end - 1)), block_at, lf, n, lines_max);
    return n > 0 && lf[n - 1] == offset_of(end, block_at) ? n : 0;
}

size_t pk_http1_scan(const char *data, size_t bytes, uint32_t lf[], size_t lines_max) {
    if (bytes < BLOCK) return pk_http1_scan_portable(data, bytes, lf, lines_max);
    marks m = {0};
    size_t n = 0, at = 0;
    for (; bytes - at >= BLOCK; at += BLOCK) {
        look(&m, data + at, BLOCK);
        if (m.end | m.wrong) return decide(&m, at, lf, n, lines_max);
        n = note(m.lf, at, lf, n, lines_max);
    }
    /* Overlap the last whole block rather than read behind the end. */
    look(&m, data + bytes - BLOCK, (unsigned)(bytes - at));
    return m.end | m.wrong ? decide(&m, at, lf, n, lines_max) : 0;
}

#else

size_t pk_http1_scan(const char *data, size_t bytes, uint32_t lf[], size_t lines_max) {
    return pk_http1_scan_portable(data, bytes, lf, lines_max);
}

#endif
