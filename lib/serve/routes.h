/* The table of endpoints: from it come dispatch, 405 with Allow, /help and the man page. */
#ifndef PK_SERVE_ROUTES_H
#define PK_SERVE_ROUTES_H

#include "serve/server.h"

struct pk_route {
    const char
        *path; /* what is matched: the whole path, or its beginning if it takes an argument */
    size_t path_bytes;
    bool prefix;       /* an argument follows */
    bool faults;       /* --delay, --jitter and --error-rate apply */
    bool scrape;       /* counted apart from the requests */
    bool keeps_body;   /* the request's body is kept, in request->upload */
    unsigned methods;  /* enum pk_method; OPTIONS is always there */
    const char *shown; /* in lists: "/bytes/N"; NULL: path */
    const char *help;
    enum MHD_Result (*answer)(pk_conn *conn);
};

/* The route for a path, and where its argument begins; NULL if there is none. Pure. */
const pk_route *pk_route_find(const char *path, size_t path_bytes, const char **argument);
/* Row i, NULL behind the last. */
const pk_route *pk_route_at(size_t i);
/* What it is called in lists. */
const char *pk_route_shown(const pk_route *route);

/* What answers when no route does: a file, or 404. */
const pk_route *pk_route_fallback(const pk_server *server);

#endif
