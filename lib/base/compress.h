/* DEFLATE (RFC 1951) in the wrappings of gzip (RFC 1952) and zlib (RFC 1950), on zlib. */
#ifndef PK_BASE_COMPRESS_H
#define PK_BASE_COMPRESS_H

#include <stddef.h>
#include "base/strbuf.h"

/* Bytes of *out that are asked for at a time: its maximum needs so much more than it will hold. */
#define PK_COMPRESS_STEP ((size_t)16 << 10)

/* Appends data[0..bytes) as one gzip member, without name and time: equal data, equal bytes. False
 * without memory, or when *out has no room (it is marked failed then). */
bool pk_gzip(const void *data, size_t bytes, pk_strbuf *out) PK_MUST_CHECK;
/* Appends what is in data[0..bytes): one gzip member or zlib stream. False when it is none, ends
 * too early, has something behind it, or *out has no room; *out may hold a part then. The format
 * limits its ratio to about 1032, so memory stays in proportion to the input even below out's
 * maximum. */
bool pk_inflate(const void *data, size_t bytes, pk_strbuf *out) PK_MUST_CHECK;

#endif
