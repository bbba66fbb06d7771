#include "flame/unzstd.h"

#ifdef HAVE_LIBZSTD

#include <stdlib.h>
#include <zstd.h>

struct pk_unzstd {
    ZSTD_DCtx *context;
    ZSTD_inBuffer in;
};

pk_unzstd *pk_unzstd_open(pk_err *err) {
    pk_unzstd *z = calloc(1, sizeof *z);
    if (z) z->context = ZSTD_createDCtx();
    if (z && z->context) return z;
    free(z);
    pk_fail(err, PK_E_LIMIT, NULL, "not enough memory to decompress");
    return NULL;
}

void pk_unzstd_close(pk_unzstd *z) {
    if (z) ZSTD_freeDCtx(z->context);
    free(z);
}

void pk_unzstd_feed(pk_unzstd *z, const unsigned char *bytes, size_t n) {
    z->in = (ZSTD_inBuffer){bytes, n, 0};
}

bool pk_unzstd_read(pk_unzstd *z, unsigned char *out, size_t room, size_t *got, pk_err *err) {
    ZSTD_outBuffer to = {out, room, 0};
    size_t result = ZSTD_decompressStream(z->context, &to, &z->in);
    if (ZSTD_isError(result)) {
        pk_fail(err, PK_E_INPUT, NULL, "compressed records are broken: %s",
                ZSTD_getErrorName(result));
        return false;
    }
    *got = to.pos;
    return true;
}

#else

pk_unzstd *pk_unzstd_open(pk_err *err) {
    pk_fail(err, PK_E_UNSUPPORTED, NULL,
            "the records are compressed, and this perfkit was built "
            "without libzstd");
    pk_fix(err, "record again without -z");
    return NULL;
}

void pk_unzstd_close(pk_unzstd *z) {
    (void)z;
}

void pk_unzstd_feed(pk_unzstd *z, const unsigned char *bytes, size_t n) {
    (void)z;
    (void)bytes;
    (void)n;
}

bool pk_unzstd_read(pk_unzstd *z, unsigned char *out, size_t room, size_t *got, pk_err *err) {
    (void)z;
    (void)out;
    (void)room;
    *got = 0;
    pk_fail(err, PK_E_INTERNAL, NULL, "no zstd");
    return false;
}

#endif
