/* The search for the end of a head, the one part of the parser that looks at every byte. */
#ifndef PK_LOAD_HTTP1_SCAN_H
#define PK_LOAD_HTTP1_SCAN_H

#include <stddef.h>
#include <stdint.h>

/* Finds the lines of data[0..bytes) up to the first empty one behind the first line: lf[0..n) are
 * the offsets of their LF, the empty line's last; n is returned, at most lines_max. Lines end in LF
 * or CR LF. Returns 0 if there is no such line within lines_max, or if a NUL or a CR without LF
 * stands before its end. */
size_t pk_http1_scan(const char *data, size_t bytes, uint32_t lf[], size_t lines_max);

/* The same without instructions of a particular processor: for the others, and for tests. */
size_t pk_http1_scan_portable(const char *data, size_t bytes, uint32_t lf[], size_t lines_max);

#endif
