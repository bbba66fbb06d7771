/* Request targets (RFC 9112, section 3.2): from the bytes on the request line to a decoded path and
 * query parameters. Pure functions on bytes; they allocate nothing. */
#ifndef PK_SERVE_TARGET_H
#define PK_SERVE_TARGET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/error.h"

typedef struct pk_target {
    const char *path; /* percent-decoded, NUL-terminated; begins with '/', or is "*" */
    size_t path_bytes;
    const char *query;  /* as it came, without '?'; inside the raw target; may be empty */
    bool encoded_slash; /* "%2F" stood in the path: it is not the separator that "/" is */
} pk_target;

/* raw: the NUL-terminated target in origin form ("/a?b"), absolute form ("http://host/a?b") or
 * "*". Both raw and buffer (strlen(raw) + 2 bytes) must outlive *target. A fragment is cut off.
 * False: no such form, a bad percent escape, or an escaped NUL or control character. */
bool pk_target_parse(const char *raw, char *buffer, pk_target *target) PK_MUST_CHECK;

typedef enum pk_query_result { PK_QUERY_ABSENT, PK_QUERY_FOUND, PK_QUERY_BAD } pk_query_result;

/* The first parameter called `name`, decoded ('+' is a blank, %XX a byte) into out[0..size) and
 * NUL-terminated. BAD: an escape that is none or stands for NUL, or no room; out is then "". */
pk_query_result pk_query_get(const char *query, const char *name, char *out, size_t size);

/* A duration as it stands in a path or query: with a unit as everywhere ("1.5s", "200us"); a bare
 * number means milliseconds. At most PK_SERVE_WAIT_MAX_NS. */
bool pk_wait_parse(const char *text, uint64_t *ns, pk_err *err) PK_MUST_CHECK;
#define PK_SERVE_WAIT_MAX_NS 3600000000000ull

/* "404" or weighted alternatives "200:9,503:1,500" (a weight missing is 1). */
typedef struct pk_status_choice {
    unsigned status; /* 200..599 */
    double weight;   /* > 0 for at least one of the list */
} pk_status_choice;
#define PK_STATUS_CHOICES_MAX 16
/* Fills choices[0..PK_STATUS_CHOICES_MAX) and *count. */
bool pk_status_list_parse(const char *text, pk_status_choice *choices, size_t *count,
                          pk_err *err) PK_MUST_CHECK;
/* The status that the share u in [0, 1) of the total weight falls on. */
unsigned pk_status_list_choose(const pk_status_choice *choices, size_t count, double u);

#endif
