/* The search for the end of a head, the one part of the parser that looks at every byte. */
#ifndef PK_LOAD_HTTP1_SCAN_H
#define PK_LOAD_HTTP1_SCAN_H

#include <stddef.h>

/* The bytes up to and including the first empty line behind the first line. 0 if there is none in
 * data[0..bytes), or if a NUL or a CR without LF stands before its end. Lines end in LF or CR LF.
 */
size_t pk_http1_scan(const char *data, size_t bytes);

/* The same without instructions of a particular processor: for the others, and for tests. */
size_t pk_http1_scan_portable(const char *data, size_t bytes);

#endif
