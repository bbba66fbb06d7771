/* The bytes of an HTTP/1.1 request, built once. */
#ifndef PK_LOAD_H1_REQUEST_H
#define PK_LOAD_H1_REQUEST_H

#include <stdbool.h>
#include <stddef.h>
#include "base/error.h"
#include "load/plan.h"

#define PK_H1_JOINED_BYTES_MAX 65536u /* up to here a body stands behind its head in one block */

typedef struct pk_h1_request {
    char *first; /* the head, and the body if it is small; owned */
    size_t first_bytes;
    const char *rest; /* a large body, the plan's; else NULL */
    size_t rest_bytes;
    bool is_head;
} pk_h1_request;

/* Can our own engine send this plan's request as it is meant? If not, *why says what needs
 * libcurl, as a noun ("a Transfer-Encoding header"). */
bool pk_h1_can_send(const pk_plan *plan, const char **why);

/* Any thread: the plan is only read. */
bool pk_h1_request_make(const pk_plan *plan, pk_h1_request *request, pk_err *err) PK_MUST_CHECK;
/* Of one that was made, or all zero. */
void pk_h1_request_fini(pk_h1_request *request);

#endif
