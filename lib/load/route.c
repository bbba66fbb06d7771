#include "load/route.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <string.h>
#include <strings.h>

#include "base/array.h"
#include "base/strbuf.h"
#include "base/units.h"

#define ADDRESSES_MAX 64u
#define ROUTES_MAX 1024u

static bool fail_memory(pk_err *err) {
    pk_fail(err, PK_E_LIMIT, NULL, "out of memory for the addresses");
    return false;
}

/* The text up to the next ':' outside brackets, without the brackets; moves *text behind it. */
static const char *next_part(const char **text, pk_arena *arena) {
    const char *begin = *text;
    const char *end;
    if (*begin == '[') {
        end = strchr(++begin, ']');
        if (!end || (end[1] && end[1] != ':')) return NULL;
        *text = end + 1;
    } else {
        end = begin + strcspn(begin, ":");
        *text = end;
    }
    if (**text == ':') ++*text;
    return pk_arena_strndup(arena, begin, (size_t)(end - begin));
}

static bool is_port(const char *text) {
    int64_t port;
    pk_err ignored = {0};
    return pk_parse_int(text, 1, 65535, &port, &ignored);
}

bool pk_connect_to_parse(const char *text, pk_arena *arena, pk_connect_to *out, pk_err *err) {
    const char *rest = text;
    const char *parts[4];
    bool ok = true;
    for (int i = 0; i < 4; i++) {
        parts[i] = next_part(&rest, arena);
        ok = ok && parts[i] && *parts[i];
    }
    if (!ok || *rest || !is_port(parts[1]) || !is_port(parts[3])) {
        pk_fail(err, PK_E_USAGE, NULL, "\"%s\" is no pair of addresses", text);
        pk_fix(err, "write HOST:PORT:TARGET-HOST:TARGET-PORT, IPv6 addresses in brackets");
        return false;
    }
    *out = (pk_connect_to){parts[0], parts[1], parts[2], parts[3]};
    return true;
}

typedef struct addresses {
    char text[ADDRESSES_MAX][INET6_ADDRSTRLEN + 2]; /* IPv6 in brackets, as RESOLVE wants it */
    size_t count;
    size_t preferred; /* so many of them, from the first, are of the preferred family */
} addresses;

static void add_family(addresses *list, const struct addrinfo *found, int family) {
    for (const struct addrinfo *a = found; a && list->count < ADDRESSES_MAX; a = a->ai_next) {
        char text[INET6_ADDRSTRLEN];
        if (a->ai_family != family) continue;
        const void *bytes = family == AF_INET
                                ? (const void *)&((struct sockaddr_in *)a->ai_addr)->sin_addr
                                : (const void *)&((struct sockaddr_in6 *)a->ai_addr)->sin6_addr;
        inet_ntop(family, bytes, text, sizeof text);
        snprintf(list->text[list->count++], sizeof list->text[0], family == AF_INET ? "%s" : "[%s]",
                 text);
    }
}

static bool look_up(const char *host, const pk_load_options *o, addresses *list, pk_err *err) {
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_ADDRCONFIG};
    struct addrinfo *found = NULL;
    hints.ai_family = o->ipv4 == o->ipv6 ? AF_UNSPEC : o->ipv4 ? AF_INET : AF_INET6;
    int code = getaddrinfo(host, NULL, &hints, &found);
    if (code == EAI_NONAME || code == EAI_ADDRFAMILY || code == EAI_NODATA) {
        hints.ai_flags = 0; /* AI_ADDRCONFIG hides ::1 where only loopback has IPv6 */
        code = getaddrinfo(host, NULL, &hints, &found);
    }
    if (code != 0) {
        errno = code == EAI_SYSTEM ? errno : 0;
        pk_fail(err, PK_E_INPUT, host, "cannot find this host's address%s: %s",
                hints.ai_family == AF_INET6  ? " (IPv6 only)"
                : hints.ai_family == AF_INET ? " (IPv4 only)"
                                             : "",
                gai_strerror(code));
        pk_fix(err, "check the name, or give the address itself");
        return false;
    }
    *list = (addresses){0};
    if (!(o->ipv6 && !o->ipv4)) add_family(list, found, AF_INET);
    list->preferred = list->count;
    if (!(o->ipv4 && !o->ipv6)) add_family(list, found, AF_INET6);
    /* both families asked for: both get connections */
    if (list->preferred == 0 || (o->ipv4 && o->ipv6)) list->preferred = list->count;
    freeaddrinfo(found);
    return true;
}

static bool is_address(const char *host) {
    struct in6_addr bytes;
    return inet_pton(AF_INET, host, &bytes) == 1 || inet_pton(AF_INET6, host, &bytes) == 1;
}

/* Routes for one target. CONNECT_TO with a name of our own for each rotation of the addresses
 * spreads the connections and leaves the URL's host in Host, SNI and the certificate's check. */
static bool add_target(pk_array *routes, const char *host, const char *port,
                       const pk_load_options *o, pk_arena *arena, pk_err *err) {
    addresses list;
    if (!look_up(host, o, &list, err)) return false;
    size_t target = routes->count;
    for (size_t first = 0; first < list.preferred; first++) {
        pk_strbuf line;
        pk_strbuf_init(&line, 8192);
        const char *name = pk_arena_printf(arena, "a%zu.t%zu.invalid", first, target);
        pk_strbuf_addf(&line, "%s:%s:", name ? name : "", port);
        for (size_t i = 0; i < list.count; i++) {
            size_t turn = i < list.preferred ? (first + i) % list.preferred : i;
            pk_strbuf_addf(&line, "%s%s", i ? "," : "", list.text[turn]);
        }
        pk_route *route = pk_array_push(routes);
        if (route) {
            route->connect_to = pk_arena_printf(arena, "::%s:%s", name, port);
            route->resolve = pk_arena_strdup(arena, line.data);
        }
        bool ok = name && route && route->connect_to && route->resolve && pk_strbuf_ok(&line);
        pk_strbuf_fini(&line);
        if (!ok) return fail_memory(err);
    }
    return true;
}

/* One --connect-to entry: adds its routes if it speaks of the URL's host and port. */
static bool add_connect_to(pk_array *routes, const char *text, const char *host, const char *port,
                           const pk_load_options *o, pk_arena *arena, pk_err *err) {
    pk_connect_to entry;
    if (!pk_connect_to_parse(text, arena, &entry, err)) return false;
    if (strcasecmp(entry.host, host) != 0 || strcmp(entry.port, port) != 0) return true;
    return add_target(routes, entry.target_host, entry.target_port, o, arena, err);
}

static bool collect(pk_array *routes, char *host, const char *port, const pk_load_options *o,
                    pk_arena *arena, pk_err *err) {
    size_t length = strlen(host);
    if (host[0] == '[' && length > 2) { /* the URL's brackets around IPv6 */
        host[length - 1] = '\0';
        host++;
    }
    for (size_t i = 0; i < o->connect_to.count; i++)
        if (!add_connect_to(routes, o->connect_to.items[i], host, port, o, arena, err))
            return false;
    if (routes->count) return true;
    if (!o->unix_socket && !is_address(host)) return add_target(routes, host, port, o, arena, err);
    return pk_array_push(routes) ? true : fail_memory(err); /* straight to the URL's host */
}

bool pk_routes_make(CURLU *url, const pk_load_options *o, pk_arena *arena, const pk_route **out,
                    size_t *n_out, pk_err *err) {
    pk_array routes = PK_ARRAY(pk_route, ROUTES_MAX);
    char *host = NULL;
    char *port = NULL;
    bool ok = false;
    if (curl_url_get(url, CURLUPART_HOST, &host, 0) != CURLUE_OK ||
        curl_url_get(url, CURLUPART_PORT, &port, CURLU_DEFAULT_PORT) != CURLUE_OK) {
        pk_fail(err, PK_E_USAGE, o->url, "the URL has no host");
        pk_fix(err, "write it as http://HOST[:PORT]/PATH");
        goto out;
    }
    if (!collect(&routes, host, port, o, arena, err)) goto out;
    pk_route *list = PK_NEW(arena, routes.count, pk_route);
    if (!list) {
        fail_memory(err);
        goto out;
    }
    memcpy(list, routes.items, routes.count * sizeof *list);
    *out = list;
    *n_out = routes.count;
    ok = true;
out:
    pk_array_fini(&routes);
    curl_free(host);
    curl_free(port);
    return ok;
}
