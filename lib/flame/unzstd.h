/* One zstd stream in pieces, as perf record -z writes it. Without libzstd only pk_unzstd_open is of
 * use: it says so. */
#ifndef PK_FLAME_UNZSTD_H
#define PK_FLAME_UNZSTD_H

#include <stddef.h>

#include "base/error.h"

typedef struct pk_unzstd pk_unzstd;
/* NULL, PK_E_UNSUPPORTED: not built in. */
pk_unzstd *pk_unzstd_open(pk_err *err) PK_MUST_CHECK;
void pk_unzstd_close(pk_unzstd *z);
/* The next piece of the stream; the bytes stay the caller's until pk_unzstd_read gives 0. */
void pk_unzstd_feed(pk_unzstd *z, const unsigned char *bytes, size_t n);
/* Writes at most `room` bytes; *got = 0: needs the next piece. False (PK_E_INPUT): broken. */
bool pk_unzstd_read(pk_unzstd *z, unsigned char *out, size_t room, size_t *got,
                    pk_err *err) PK_MUST_CHECK;

#endif
