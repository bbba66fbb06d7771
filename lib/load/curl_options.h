/* The plan in libcurl's options: what both engines set alike. */
#ifndef PK_LOAD_CURL_OPTIONS_H
#define PK_LOAD_CURL_OPTIONS_H

#include <curl/curl.h>
#include "load/engine.h"
#include "load/plan.h"

/* Where to and how to connect: addresses, time limits, TLS. */
void pk_curl_set_connection(CURL *easy, const pk_plan *plan);

/* A route in libcurl's terms; the handle refers to the lists, so they live as long as it does. */
typedef struct pk_curl_route {
    struct curl_slist *resolve, *connect_to, *proxy_headers;
    const pk_plan *plan;
    const char *proxy; /* the plan's; NULL: none */
} pk_curl_route;
/* False when out of memory; call fini then too. */
bool pk_curl_route_init(pk_curl_route *out, const pk_plan *plan,
                        const pk_route *route) PK_MUST_CHECK;
void pk_curl_route_fini(pk_curl_route *route);
void pk_curl_set_route(CURL *easy, const pk_curl_route *route);

/* Appends a copy; false when out of memory. */
bool pk_curl_add_line(struct curl_slist **list, const char *line) PK_MUST_CHECK;

/* Phases of the connection that this handle opened, if it got that far. */
void pk_curl_fill_phases(CURL *easy, pk_completion *completion);
/* One of libcurl's times in ns; 0 if it was not reached. */
uint64_t pk_curl_span_ns(CURL *easy, CURLINFO what);

#endif
