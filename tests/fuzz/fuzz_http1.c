/* The first byte is the kind of request and whether the connection ends, the second chooses where
 * the rest, a response, is cut. The fast parser and its oracle must say the same after every piece
 * and, in the end, mean the same. */
#include <assert.h>
#include <stdint.h>
#include "tests/oracle/http1_feeder.h"
#include "tests/oracle/http1_slow.h"

enum { IS_HEAD = 1, IS_CONNECT = 2, CLOSES = 4 };

/* 0: whole; below 64: pieces of that size; else: pieces of pseudo-random sizes up to 64, of each a
 * different sequence. */
static size_t piece_size(uint8_t cuts, uint32_t *random, size_t left) {
    *random = *random * 1664525u + 1013904223u;
    size_t size = cuts == 0 ? left : cuts < 64 ? cuts : 1 + (*random >> 26);
    return size < left ? size : left;
}

static void check_same(const http1_feeder *fast, const http1_slow *slow) {
    const pk_http1 *p = &fast->parser;
    assert(p->error == (uint8_t)slow->error && p->status == slow->status);
    assert(p->keep_alive == slow->keep_alive && p->suspicious == slow->suspicious);
    assert(p->body_bytes == slow->body_bytes);
    if (fast->step != PK_HTTP1_DONE) return;
    assert(p->status >= 200 && p->status <= 599 && p->error == PK_LOAD_NO_ERROR);
    assert(p->head_bytes == slow->head_bytes);
    assert(fast->used == slow->bytes && fast->used == p->head_bytes + p->body_bytes);
}

/* The connection ends here; or it is over already, and the answer stands. */
static void check_end(http1_feeder *fast, http1_slow *slow) {
    bool decided = fast->step != PK_HTTP1_MORE;
    pk_http1_step before = fast->step;
    fast->step = pk_http1_end(&fast->parser);
    pk_http1_step want = decided ? before : http1_slow_end(slow);
    assert(fast->step == want && want != PK_HTTP1_MORE);
    check_same(fast, slow);
    size_t used = 1;
    assert(pk_http1_feed(&fast->parser, "HTTP/1.1 200\n\n", 14, &used) == want && used == 0);
    check_same(fast, slow);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes) {
    static http1_slow slow; /* large, and begin sets what counts */
    if (bytes < 2) return 0;
    http1_feeder fast;
    http1_feeder_begin(&fast, data[0] & IS_HEAD, data[0] & IS_CONNECT);
    http1_slow_begin(&slow, data[0] & IS_HEAD, data[0] & IS_CONNECT);
    const char *text = (const char *)data + 2;
    uint32_t random = data[1];
    for (size_t at = 0, left = bytes - 2; left > 0 && fast.step == PK_HTTP1_MORE;) {
        size_t piece = piece_size(data[1], &random, left);
        http1_feeder_piece(&fast, text + at, piece);
        pk_http1_step want = PK_HTTP1_MORE;
        for (size_t i = 0; i < piece && want == PK_HTTP1_MORE; i++)
            want = http1_slow_byte(&slow, text[at + i]);
        assert(fast.step == want);
        at += piece;
        left -= piece;
        check_same(&fast, &slow);
    }
    if (data[0] & CLOSES) check_end(&fast, &slow);
    http1_feeder_end(&fast);
    return 0;
}
