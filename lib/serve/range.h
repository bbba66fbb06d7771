/* What conditional and range requests need: pure functions (RFC 9110, sections 5.6.7, 13 and 14).
 */
#ifndef PK_SERVE_RANGE_H
#define PK_SERVE_RANGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

typedef enum pk_range_result {
    PK_RANGE_WHOLE,         /* to be ignored: another unit, several ranges, or no range at all */
    PK_RANGE_PART,          /* *first .. *last */
    PK_RANGE_UNSATISFIABLE, /* 416 */
} pk_range_result;
/* A Range field's value against a representation of `size` bytes. PART: first <= last < size. */
pk_range_result pk_range_parse(const char *value, uint64_t size, uint64_t *first, uint64_t *last);

#define PK_HTTP_DATE_MAX 30
/* "Sun, 06 Nov 1994 08:49:37 GMT". Returns out; "" for a time out of the years 1 to 9999. */
char *pk_http_date_format(time_t when, char out[PK_HTTP_DATE_MAX]);
/* That form, and the two obsolete ones that a server must still read. False for anything else. */
bool pk_http_date_parse(const char *text, time_t *when);

/* Does If-None-Match name this entity tag ("\"abc\"")? Weak comparison; "*" matches. */
bool pk_etag_listed(const char *list, const char *etag);

#endif
