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

/* One place to connect to, by a name that only libcurl sees. */
typedef struct place {
    const char *host; /* in an URL's form: IPv6 addresses in brackets */
    const char *port;
    const char *resolve; /* "host:port:address,address" */
    const char *peer;    /* "address:port", the first of them */
} place;

typedef struct router {
    const pk_load_options *options;
    const pk_proxy *proxy; /* NULL: none */
    pk_arena *arena;
    pk_err *err;
} router;

/* "host:port:" and all addresses, number `first` of the preferred ones first. */
static const char *resolve_line(const router *r, const char *host, const char *port,
                                const addresses *list, size_t first) {
    pk_strbuf line;
    pk_strbuf_init(&line, 8192);
    pk_strbuf_addf(&line, "%s:%s:", host, port);
    for (size_t i = 0; i < list->count; i++) {
        size_t turn = i < list->preferred ? (first + i) % list->preferred : i;
        pk_strbuf_addf(&line, "%s%s", i ? "," : "", list->text[turn]);
    }
    const char *text = pk_strbuf_ok(&line) ? pk_arena_strdup(r->arena, line.data) : NULL;
    pk_strbuf_fini(&line);
    return text;
}

/* A TLS proxy is checked by the name in its URL, so that name must stay: there is one place only.
 */
static bool must_keep_name(const router *r) {
    return r->proxy && r->proxy->is_tls;
}

/* Places for one host: each preferred address comes first in one of them, so that connections that
 * take the places in turn get equal shares. The names of our own leave the URL's host in Host, SNI
 * and the certificate's check. */
static bool add_places(const router *r, pk_array *places, const char *host, const char *port) {
    addresses list;
    if (!look_up(host, r->options, &list, r->err)) return false;
    size_t target = places->count;
    bool keep = must_keep_name(r);
    for (size_t first = 0; first < (keep ? 1 : list.preferred); first++) {
        place *p = pk_array_push(places);
        if (!p) return fail_memory(r->err);
        p->host =
            keep ? r->proxy->host : pk_arena_printf(r->arena, "a%zu.t%zu.invalid", first, target);
        p->port = port;
        if (p->host) p->resolve = resolve_line(r, p->host, port, &list, first);
        p->peer = pk_arena_printf(r->arena, "%s:%s", list.text[first], port);
        if (!p->resolve || !p->peer) return fail_memory(r->err);
    }
    return true;
}

static bool is_meant(const pk_connect_to *entry, const char *host, const char *port) {
    return strcasecmp(entry->host, host) == 0 && strcmp(entry->port, port) == 0;
}

/* Where to connect for host:port: where --connect-to says, else to its addresses. An address that
 * no --connect-to speaks of gives no place. */
static bool find_places(const router *r, pk_array *places, const char *host, const char *port) {
    const pk_text_list *list = &r->options->connect_to;
    for (size_t i = 0; i < list->count; i++) {
        pk_connect_to entry;
        if (!pk_connect_to_parse(list->items[i], r->arena, &entry, r->err)) return false;
        if (!is_meant(&entry, host, port)) continue;
        if (!add_places(r, places, entry.target_host, entry.target_port)) return false;
        if (must_keep_name(r)) break;
    }
    if (places->count || r->options->unix_socket || is_address(host)) return true;
    return add_places(r, places, host, port);
}

static bool add_route(const router *r, pk_array *routes, pk_route route, bool complete) {
    pk_route *added = complete && route.peer ? pk_array_push(routes) : NULL;
    if (!added) return fail_memory(r->err);
    *added = route;
    return true;
}

/* "address:port" of a host that is an address. */
static const char *peer_of(const router *r, const char *host, const char *port) {
    if (r->options->unix_socket) return "";
    return pk_arena_printf(r->arena, strchr(host, ':') ? "[%s]:%s" : "%s:%s", host, port);
}

/* Without a proxy: a route per place, or straight to the URL's host. */
static bool add_direct(const router *r, pk_array *routes, const pk_array *places, const char *host,
                       const char *port) {
    if (!places->count)
        return add_route(r, routes, (pk_route){.peer = peer_of(r, host, port)}, true);
    for (size_t i = 0; i < places->count; i++) {
        const place *p = &PK_AT(places, place, i);
        pk_route route = {.connect_to = pk_arena_printf(r->arena, "::%s:%s", p->host, p->port),
                          .resolve = p->resolve,
                          .peer = p->peer};
        if (!add_route(r, routes, route, route.connect_to)) return false;
    }
    return true;
}

/* Through a proxy: a route per place of it, all to the same tunnel (NULL: to the URL's host). */
static bool add_proxied(const router *r, pk_array *routes, const pk_array *places,
                        const char *tunnel) {
    const pk_proxy *proxy = r->proxy;
    const char *scheme = proxy->is_tls ? "https" : "http";
    if (!places->count) {
        pk_route route = {.proxy = proxy->url,
                          .connect_to = tunnel,
                          .peer = peer_of(r, proxy->host, proxy->port)};
        return add_route(r, routes, route, true);
    }
    for (size_t i = 0; i < places->count; i++) {
        const place *p = &PK_AT(places, place, i);
        pk_route route = {.proxy =
                              pk_arena_printf(r->arena, "%s://%s:%s", scheme, p->host, p->port),
                          .resolve = p->resolve,
                          .connect_to = tunnel,
                          .peer = p->peer};
        if (!add_route(r, routes, route, route.proxy)) return false;
    }
    return true;
}

/* The proxy looks the URL's host up; a --connect-to of it is where the proxy shall connect to. */
static bool collect_proxied(const router *r, pk_array *routes, const pk_array *places,
                            const char *host, const char *port) {
    const pk_text_list *list = &r->options->connect_to;
    for (size_t i = 0; i < list->count; i++) {
        pk_connect_to entry;
        if (!pk_connect_to_parse(list->items[i], r->arena, &entry, r->err)) return false;
        if (!is_meant(&entry, host, port)) continue;
        const char *form = strchr(entry.target_host, ':') ? "::[%s]:%s" : "::%s:%s";
        const char *tunnel = pk_arena_printf(r->arena, form, entry.target_host, entry.target_port);
        if (!tunnel) return fail_memory(r->err);
        if (!add_proxied(r, routes, places, tunnel)) return false;
    }
    return routes->count || add_proxied(r, routes, places, NULL);
}

static bool collect(const router *r, pk_array *routes, char *host, const char *port) {
    pk_array places = PK_ARRAY(place, ROUTES_MAX);
    size_t length = strlen(host);
    if (host[0] == '[' && length > 2) { /* the URL's brackets around IPv6 */
        host[length - 1] = '\0';
        host++;
    }
    bool ok = r->proxy ? find_places(r, &places, r->proxy->host, r->proxy->port) &&
                             collect_proxied(r, routes, &places, host, port)
                       : find_places(r, &places, host, port) &&
                             add_direct(r, routes, &places, host, port);
    pk_array_fini(&places);
    return ok;
}

bool pk_routes_make(CURLU *url, const pk_load_options *o, const pk_proxy *proxy, pk_arena *arena,
                    const pk_route **out, size_t *n_out, pk_err *err) {
    const router r = {.options = o, .proxy = proxy, .arena = arena, .err = err};
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
    if (!collect(&r, &routes, host, port)) goto out;
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
