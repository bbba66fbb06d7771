#include "load/http1_scan.h"

#include <string.h>

size_t pk_http1_scan_portable(const char *data, size_t bytes) {
    const char *line = data, *end = data + bytes, *lf;
    while (line < end && (lf = memchr(line, '\n', (size_t)(end - line)))) {
        size_t length = (size_t)(lf - line);
        const char *cr = memchr(line, '\r', length);
        if ((cr && cr + 1 != lf) || memchr(line, '\0', length)) return 0;
        if (line > data && length == (cr ? 1 : 0)) return (size_t)(lf + 1 - data);
        line = lf + 1;
    }
    return 0;
}

#if defined(__SSE2__)
#include <emmintrin.h>
#include <stdint.h>

enum { BLOCK = 16 };

/* Where LF and CR stand: the upper half for the current block, the lower half for the one before,
 * so that what crosses the border needs no case of its own. */
typedef struct marks {
    uint32_t lf, cr;
} marks;

static uint32_t where(__m128i block, char c) {
    return (uint32_t)_mm_movemask_epi8(_mm_cmpeq_epi8(block, _mm_set1_epi8(c)));
}

/* Looks at the last `fresh` bytes of the block. What it finds stands in the upper half of *end (the
 * LF of an empty line) and of *wrong (a NUL, the byte behind a lone CR). */
static void look(marks *m, const char *at, unsigned fresh, uint32_t *end, uint32_t *wrong) {
    __m128i block = _mm_loadu_si128((const __m128i *)(const void *)at);
    unsigned old = BLOCK - fresh;
    m->lf = m->lf >> BLOCK | where(block, '\n') >> old << BLOCK;
    m->cr = m->cr >> BLOCK | where(block, '\r') >> old << BLOCK;
    uint32_t behind_lf = m->lf << 1;
    uint32_t mine = 0xffffu >> old << BLOCK;
    *end = m->lf & (behind_lf | (m->cr & behind_lf) << 1) & mine;
    *wrong = (where(block, '\0') >> old << BLOCK | (m->cr << 1 & ~m->lf)) & mine;
}

/* The answer when one of the two is not 0: the lowest bit came first. */
static size_t decide(size_t at, uint32_t end, uint32_t wrong) {
    uint32_t first = end & (0 - end);
    if (first == 0 || (wrong & (first - 1))) return 0;
    return at + (size_t)__builtin_ctz(first) - BLOCK + 1;
}

size_t pk_http1_scan(const char *data, size_t bytes) {
    if (bytes < BLOCK) return pk_http1_scan_portable(data, bytes);
    marks m = {0, 0};
    uint32_t end, wrong;
    size_t at = 0;
    for (; bytes - at >= BLOCK; at += BLOCK) {
        look(&m, data + at, BLOCK, &end, &wrong);
        if (end | wrong) return decide(at, end, wrong);
    }
    unsigned rest = (unsigned)(bytes - at);
    if (rest == 0) return 0;
    /* Overlap the last whole block rather than read behind the end. */
    look(&m, data + bytes - BLOCK, rest, &end, &wrong);
    return end | wrong ? decide(at, end, wrong) : 0;
}

#else

size_t pk_http1_scan(const char *data, size_t bytes) {
    return pk_http1_scan_portable(data, bytes);
}

#endif
