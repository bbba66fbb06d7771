#include "base/compress.h"

#include <stdint.h>
#include <zlib.h>

#define GZIP (15 + 16)         /* zlib.h: the window's bits, and 16 for gzip's wrapping */
#define GZIP_OR_ZLIB (15 + 32) /* and 32 for whichever it is */
#define MEMORY_LEVEL 8         /* zlib's own default */

/* zlib counts its input in an unsigned int. */
static bool fits(size_t bytes) {
    return bytes <= UINT32_MAX;
}

/* deflate or inflate, until it says that there is no more to come of it. */
static int run(z_stream *z, int (*step)(z_stream *z, int flush), int flush, pk_strbuf *out) {
    int status = Z_OK;
    while (status == Z_OK) {
        char *to = pk_strbuf_reserve(out, PK_COMPRESS_STEP);
        if (!to) break;
        z->next_out = (Bytef *)to;
        z->avail_out = (uInt)PK_COMPRESS_STEP;
        status = step(z, flush);
        pk_strbuf_grown(out, PK_COMPRESS_STEP - z->avail_out);
    }
    return status;
}

bool pk_gzip(const void *data, size_t bytes, pk_strbuf *out) {
    z_stream z = {.next_in = (z_const Bytef *)data, .avail_in = (uInt)bytes};
    if (!fits(bytes) || deflateInit2(&z, Z_DEFAULT_COMPRESSION, Z_DEFLATED, GZIP, MEMORY_LEVEL,
                                     Z_DEFAULT_STRATEGY) != Z_OK)
        return false;
    int status = run(&z, deflate, Z_FINISH, out);
    deflateEnd(&z);
    return status == Z_STREAM_END;
}

bool pk_inflate(const void *data, size_t bytes, pk_strbuf *out) {
    z_stream z = {.next_in = (z_const Bytef *)data, .avail_in = (uInt)bytes};
    if (!fits(bytes) || inflateInit2(&z, GZIP_OR_ZLIB) != Z_OK) return false;
    /* Z_BUF_ERROR when the input ends too early */
    bool whole = run(&z, inflate, Z_NO_FLUSH, out) == Z_STREAM_END && z.avail_in == 0;
    inflateEnd(&z);
    return whole;
}
