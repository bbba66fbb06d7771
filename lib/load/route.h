/* Where connections go: look-up of the host before the clock starts, and --connect-to. */
#ifndef PK_LOAD_ROUTE_H
#define PK_LOAD_ROUTE_H

#include <curl/curl.h>
#include "load/plan.h"

/* Resolves the URL's host, or the targets of the --connect-to entries that match it, and makes
 * one route per address of the preferred family (IPv4 before IPv6 unless asked otherwise). Each
 * route lists all addresses, its own first, so that libcurl falls back to the others.
 * With a proxy (NULL: none) it is the proxy's host that is resolved so; the URL's is left to the
 * proxy, and each --connect-to that matches it is a tunnel to that target. */
bool pk_routes_make(CURLU *url, const pk_load_options *options, const pk_proxy *proxy,
                    pk_arena *arena, const pk_route **routes, size_t *n_routes,
                    pk_err *err) PK_MUST_CHECK;

#endif
