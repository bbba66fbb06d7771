#include "serve/routes.h"

#include <string.h>
#include "serve/endpoints.h"

#define EXACT(text) .path = (text), .path_bytes = sizeof(text) - 1
#define PREFIX(text, argument) \
    .path = (text), .path_bytes = sizeof(text) - 1, .prefix = true, .shown = text argument

// clang-format off
static const pk_route routes[] = {
    {EXACT("/"), .methods = PK_ALL_METHODS, .faults = true, .answer = pk_answer_root,
     .help = "a greeting, or --body; with --static the index.html"},
    {EXACT("/help"), .methods = PK_READ_METHODS, .answer = pk_answer_help,
     .help = "this list"},
    {EXACT("/healthz"), .methods = PK_READ_METHODS, .answer = pk_answer_healthz,
     .help = "200 as long as the server runs"},
    {EXACT("/readyz"), .methods = PK_READ_METHODS, .answer = pk_answer_readyz,
     .help = "200; 503 while it drains"},
    {EXACT("/metrics"), .methods = PK_READ_METHODS, .scrape = true, .answer = pk_answer_metrics,
     .help = "counters in Prometheus text format"},
    {EXACT("/echo"), .methods = PK_ALL_METHODS, .faults = true, .keeps_body = true,
     .answer = pk_answer_echo, .help = "the request's body, with its Content-Type"},
    {EXACT("/headers"), .methods = PK_ALL_METHODS, .faults = true, .answer = pk_answer_headers,
     .help = "the request's header fields, as JSON"},
    {EXACT("/ip"), .methods = PK_ALL_METHODS, .faults = true, .answer = pk_answer_ip,
     .help = "the client's address, as JSON"},
    {EXACT("/method"), .methods = PK_ALL_METHODS, .faults = true, .answer = pk_answer_method,
     .help = "the request's method, as JSON"},
    {PREFIX("/bytes/", "N"), .methods = PK_ALL_METHODS, .faults = true, .answer = pk_answer_bytes,
     .help = "N bytes, the same every time (64k, 1MB; up to --max-bytes)"},
    {PREFIX("/status/", "CODE[:WEIGHT],..."), .methods = PK_ALL_METHODS, .faults = true,
     .answer = pk_answer_status, .help = "that status, or one of several by weight"},
    {PREFIX("/delay/", "DURATION"), .methods = PK_ALL_METHODS, .faults = true,
     .answer = pk_answer_delay, .help = "answers later, holding no thread (a bare number: ms)"},
    {PREFIX("/block/", "DURATION"), .methods = PK_ALL_METHODS, .faults = true,
     .answer = pk_answer_block, .help = "answers later and stalls its thread meanwhile"},
    {PREFIX("/stream/", "N?chunk=BYTES&every=DURATION"), .methods = PK_ALL_METHODS, .faults = true,
     .answer = pk_answer_stream, .help = "N chunks, one after the other"},
    {EXACT("/drip"), .shown = "/drip?bytes=N&duration=D&delay=D", .methods = PK_ALL_METHODS,
     .faults = true, .answer = pk_answer_drip, .help = "a body that trickles over a time"},
    {PREFIX("/redirect/", "N"), .methods = PK_ALL_METHODS, .faults = true,
     .answer = pk_answer_redirect, .help = "N redirects, then 200"},
    {EXACT("/redirect-to"), .shown = "/redirect-to?url=URL", .methods = PK_ALL_METHODS,
     .faults = true, .answer = pk_answer_redirect_to, .help = "one redirect to anywhere"},
    {EXACT("/error"), .shown = "/error?rate=SHARE&kind=KIND", .methods = PK_ALL_METHODS,
     .faults = true, .answer = pk_answer_error,
     .help = "a share of failures: 500, reset, truncate, hang or slow"},
};
static const pk_route file_route = {.path = "", .methods = PK_READ_METHODS, .faults = true,
                                    .answer = pk_answer_file};
static const pk_route no_route = {.path = "", .methods = PK_ALL_METHODS, .faults = true,
                                  .answer = pk_answer_not_found};
// clang-format on

enum { ROUTES = sizeof routes / sizeof *routes };

const pk_route *pk_route_at(size_t i) {
    return i < ROUTES ? &routes[i] : NULL;
}

const char *pk_route_shown(const pk_route *route) {
    return route->shown ? route->shown : route->path;
}

const pk_route *pk_route_find(const char *path, size_t path_bytes, const char **argument) {
    for (size_t i = 0; i < ROUTES; i++) {
        const pk_route *route = &routes[i];
        bool fits =
            route->prefix ? path_bytes > route->path_bytes : path_bytes == route->path_bytes;
        if (fits && memcmp(path, route->path, route->path_bytes) == 0) {
            *argument = path + route->path_bytes;
            return route;
        }
    }
    *argument = path + path_bytes;
    return NULL;
}

const pk_route *pk_route_fallback(const pk_server *server) {
    return server->static_fd >= 0 ? &file_route : &no_route;
}
