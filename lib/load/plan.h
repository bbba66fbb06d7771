/* What every request of a run looks like and where it goes, worked out before the clock starts.
 * Read-only afterwards, shared by all threads. */
#ifndef PK_LOAD_PLAN_H
#define PK_LOAD_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include "base/arena.h"
#include "base/error.h"
#include "load/load.h"
#include "load/proxy.h"

/* One way to reach the target. A connection slot uses routes[slot % n_routes], so that several
 * addresses (or several --connect-to for one host) get equal shares. In libcurl's syntax. */
typedef struct pk_route {
    const char *connect_to; /* "::name:port"; NULL: straight to the URL's host. With a proxy: what
                               it shall open a tunnel to */
    const char *resolve;    /* "name:port:address,address"; NULL: the host is an address already */
    const char *proxy;      /* "http://name:port"; NULL: no proxy */
    const char *peer;       /* "127.0.0.1:80", "[::1]:80": where it connects to first; "" for a
                               Unix socket */
} pk_route;

typedef struct pk_plan {
    pk_arena *arena; /* owns all texts below */
    const char *url; /* as libcurl normalised it, without user and password */
    bool is_tls;
    const char *method;
    bool is_head;
    bool is_idempotent;         /* RFC 9110, 9.2.2: may be sent again when a kept connection died */
    const char *const *headers; /* "Name: value" or "Name;" (empty value), in sending order */
    size_t n_headers;
    bool sends_body; /* a body, or an explicit length of 0 (POST, PUT, PATCH) */
    const char *body;
    size_t body_bytes;
    const pk_route *routes; /* at least one */
    size_t n_routes;
    bool has_proxy;
    pk_proxy proxy;
    bool is_tunnelled; /* the proxy connects us through (CONNECT), else it is sent whole URLs */
    const char *const *proxy_headers; /* as headers, for the proxy alone */
    size_t n_proxy_headers;
    const char *basic_auth; /* user:password or NULL */
    const char *unix_socket;
    bool disable_keepalive;
    bool insecure;
    bool ipv4, ipv6;
    const char *ca_file; /* path of a PEM file; NULL: libcurl's default store */
    int ca_fd;           /* behind ca_file when it was merged in memory; else -1 */
    const char *cert, *key;
    uint64_t timeout_ns, connect_timeout_ns; /* 0: none */
} pk_plan;

/* Checks the options, reads the body file, resolves the host (one blocking look-up). */
bool pk_plan_init(pk_plan *plan, const pk_load_options *options, pk_err *err) PK_MUST_CHECK;
void pk_plan_fini(pk_plan *plan);

/* Splits "host:port:target-host:target-port"; brackets of IPv6 hosts are removed. All four from
 * the arena. */
typedef struct pk_connect_to {
    const char *host, *port, *target_host, *target_port;
} pk_connect_to;
bool pk_connect_to_parse(const char *text, pk_arena *arena, pk_connect_to *out,
                         pk_err *err) PK_MUST_CHECK;

/* The header lines in sending order, in libcurl's syntax: defaults, then the options for single
 * headers, then -H. A -H of the same name replaces a default or an option; two -H of one name are
 * both sent. */
bool pk_plan_headers(const pk_load_options *options, pk_arena *arena, const char *const **headers,
                     size_t *n_headers, pk_err *err) PK_MUST_CHECK;

#endif
