#include "load/curl_options.h"

static long ms_rounded_up(uint64_t ns) {
    return (long)((ns + 999999u) / 1000000u);
}

static void set_tls(CURL *easy, const pk_plan *plan) {
    if (!plan->is_tls) return;
    if (plan->insecure) {
        curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 0L);
        curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 0L);
    }
    if (plan->ca_file) curl_easy_setopt(easy, CURLOPT_CAINFO, plan->ca_file);
    /* without a CAPATH libcurl keeps the parsed store between connections */
    curl_easy_setopt(easy, CURLOPT_CAPATH, NULL);
    if (plan->cert) curl_easy_setopt(easy, CURLOPT_SSLCERT, plan->cert);
    if (plan->key) curl_easy_setopt(easy, CURLOPT_SSLKEY, plan->key);
}

void pk_curl_set_connection(CURL *easy, const pk_plan *plan) {
    curl_easy_setopt(easy, CURLOPT_URL, plan->url);
    curl_easy_setopt(easy, CURLOPT_PATH_AS_IS, 1L);
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_TCP_NODELAY, 1L);
    curl_easy_setopt(easy, CURLOPT_DNS_CACHE_TIMEOUT, -1L);
    curl_easy_setopt(easy, CURLOPT_MAXAGE_CONN, 86400L);
    curl_easy_setopt(easy, CURLOPT_IPRESOLVE,
                     plan->ipv4 == plan->ipv6 ? CURL_IPRESOLVE_WHATEVER
                     : plan->ipv4             ? CURL_IPRESOLVE_V4
                                              : CURL_IPRESOLVE_V6);
    if (plan->unix_socket) curl_easy_setopt(easy, CURLOPT_UNIX_SOCKET_PATH, plan->unix_socket);
    if (plan->timeout_ns)
        curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, ms_rounded_up(plan->timeout_ns));
    if (plan->connect_timeout_ns)
        curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, ms_rounded_up(plan->connect_timeout_ns));
    set_tls(easy, plan);
}

bool pk_curl_add_line(struct curl_slist **list, const char *line) {
    struct curl_slist *longer = curl_slist_append(*list, line);
    if (longer) *list = longer;
    return longer != NULL;
}

bool pk_curl_route_init(pk_curl_route *out, const pk_plan *plan, const pk_route *route) {
    *out = (pk_curl_route){.plan = plan, .proxy = route->proxy};
    if (route->resolve && !pk_curl_add_line(&out->resolve, route->resolve)) return false;
    if (route->connect_to && !pk_curl_add_line(&out->connect_to, route->connect_to)) return false;
    for (size_t i = 0; i < plan->n_proxy_headers; i++)
        if (!pk_curl_add_line(&out->proxy_headers, plan->proxy_headers[i])) return false;
    return true;
}

void pk_curl_route_fini(pk_curl_route *route) {
    curl_slist_free_all(route->resolve);
    curl_slist_free_all(route->connect_to);
    curl_slist_free_all(route->proxy_headers);
    *route = (pk_curl_route){0};
}

/* A TLS proxy is trusted by the same rules as the target; the client's certificate is not for it.
 */
static void set_proxy(CURL *easy, const pk_curl_route *route) {
    const pk_plan *plan = route->plan;
    curl_easy_setopt(easy, CURLOPT_PROXY, route->proxy);
    curl_easy_setopt(easy, CURLOPT_PROXYUSERNAME, plan->proxy.user);
    curl_easy_setopt(easy, CURLOPT_PROXYPASSWORD, plan->proxy.password);
    curl_easy_setopt(easy, CURLOPT_NOPROXY, "");
    curl_easy_setopt(easy, CURLOPT_HEADEROPT, (long)CURLHEADER_SEPARATE);
    curl_easy_setopt(easy, CURLOPT_PROXYHEADER, route->proxy_headers);
    if (!plan->proxy.is_tls) return;
    if (plan->insecure) {
        curl_easy_setopt(easy, CURLOPT_PROXY_SSL_VERIFYPEER, 0L);
        curl_easy_setopt(easy, CURLOPT_PROXY_SSL_VERIFYHOST, 0L);
    }
    if (plan->ca_file) curl_easy_setopt(easy, CURLOPT_PROXY_CAINFO, plan->ca_file);
    curl_easy_setopt(easy, CURLOPT_PROXY_CAPATH, NULL);
}

void pk_curl_set_route(CURL *easy, const pk_curl_route *route) {
    curl_easy_setopt(easy, CURLOPT_RESOLVE, route->resolve);
    curl_easy_setopt(easy, CURLOPT_CONNECT_TO, route->connect_to);
    if (route->proxy) set_proxy(easy, route);
    else curl_easy_setopt(easy, CURLOPT_PROXY, ""); /* not from the environment */
}

uint64_t pk_curl_span_ns(CURL *easy, CURLINFO what) {
    curl_off_t us = 0;
    curl_easy_getinfo(easy, what, &us);
    return us > 0 ? (uint64_t)us * 1000u : 0;
}

void pk_curl_fill_phases(CURL *easy, pk_completion *c) {
    /* libcurl's moments count from the start of the transfer */
    uint64_t dns = pk_curl_span_ns(easy, CURLINFO_NAMELOOKUP_TIME_T);
    uint64_t tcp = pk_curl_span_ns(easy, CURLINFO_CONNECT_TIME_T);
    uint64_t tls = pk_curl_span_ns(easy, CURLINFO_APPCONNECT_TIME_T);
    if (tcp == 0) return; /* it never got that far */
    c->opened = true;
    c->has_tls = tls > 0;
    c->dns_ns = dns;
    c->tcp_ns = tcp > dns ? tcp - dns : 0;
    c->tls_ns = tls > tcp ? tls - tcp : 0;
    c->dialup_ns = c->has_tls ? tls : tcp;
}
