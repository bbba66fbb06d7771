/* The proxy of a run, taken apart: where it is and who asks. */
#ifndef PK_LOAD_PROXY_H
#define PK_LOAD_PROXY_H

#include <stdbool.h>
#include "base/arena.h"
#include "base/error.h"

typedef struct pk_proxy {
    const char *url;             /* "http://host:port", to show: without user and password */
    const char *host;            /* without the brackets of an IPv6 address */
    const char *port;            /* the scheme's own where the URL has none */
    const char *user, *password; /* decoded; NULL: none were given */
    bool is_tls;                 /* https: the way to the proxy is encrypted */
} pk_proxy;

/* "http://[user[:password]@]host[:port][/]" or the same with https. Texts come from the arena. The
 * error does not repeat the URL: a password may stand in it. */
bool pk_proxy_parse(const char *url, pk_arena *arena, pk_proxy *out, pk_err *err) PK_MUST_CHECK;

#endif
