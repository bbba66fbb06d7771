#include "load/ports.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/units.h"

#define PROC "/proc/sys/net/ipv4/"
#define FILE_BYTES_MAX (1u << 20) /* the list of reserved ports can be long */
#define TIME_WAIT_NS (60 * PK_NS_PER_S)
#define REUSE_DELAY_MS 1000 /* where the kernel has no tcp_tw_reuse_delay */
/* What a thread of ours can open at most: 37 us of CPU for each connect (measured, h1 on loopback).
 * Above it a closed loop cannot use the ports up. */
#define CONNECTS_PER_THREAD_HZ 30000.0

/* ---- the kernel's files ---- */

/* The integer in text[0..bytes), blanks around it allowed. */
static bool read_int(const char *text, size_t bytes, int64_t max, int64_t *out) {
    char number[24];
    pk_err ignored = {0};
    while (bytes && strchr(" \t\n", text[0])) text++, bytes--;
    while (bytes && strchr(" \t\n", text[bytes - 1])) bytes--;
    if (bytes == 0 || bytes >= sizeof number) return false;
    memcpy(number, text, bytes);
    number[bytes] = '\0';
    return pk_parse_int(number, 0, max, out, &ignored);
}

/* The one integer of a file; `fallback` where there is none. */
static int64_t file_int(const char *text, int64_t fallback) {
    int64_t value;
    return text && read_int(text, strlen(text), INT32_MAX, &value) ? value : fallback;
}

/* How many of low..high an item of the reserved list takes away: "8080" or "9148-9150". */
static int64_t reserved_by(const char *item, size_t bytes, int64_t low, int64_t high) {
    int64_t first, last;
    const char *dash = memchr(item, '-', bytes);
    size_t head = dash ? (size_t)(dash - item) : bytes;
    if (!read_int(item, head, UINT16_MAX, &first)) return 0;
    if (!dash) last = first;
    else if (!read_int(dash + 1, bytes - head - 1, UINT16_MAX, &last)) return 0;
    if (first < low) first = low;
    if (last > high) last = high;
    return last >= first ? last - first + 1 : 0;
}

/* The kernel writes the list merged and ascending, so that no port is in it twice. */
static int64_t count_reserved(const char *list, int64_t low, int64_t high) {
    int64_t count = 0;
    for (const char *item = list; item && *item;) {
        size_t bytes = strcspn(item, ",");
        count += reserved_by(item, bytes, low, high);
        item += bytes + (item[bytes] == ',');
    }
    return count;
}

bool pk_ports_parse(const pk_ports_files *files, pk_ports *ports) {
    int64_t low, high;
    const char *range = files->ip_local_port_range;
    if (!range) return false;
    size_t first = strcspn(range, " \t");
    if (!read_int(range, first, UINT16_MAX, &low) ||
        !read_int(range + first, strlen(range + first), UINT16_MAX, &high) || high < low)
        return false;
    int64_t reserved = count_reserved(files->ip_local_reserved_ports, low, high);
    int64_t reuse = file_int(files->tcp_tw_reuse, 0);
    int64_t delay_ms = file_int(files->tcp_tw_reuse_delay, REUSE_DELAY_MS);
    bool can_reuse = file_int(files->tcp_timestamps, 1) != 0;
    uint64_t delay_ns = (uint64_t)delay_ms * PK_NS_PER_MS;
    *ports = (pk_ports){
        .per_target = (uint64_t)(high - low + 1 - reserved),
        .hold_ns = can_reuse && reuse == 1 ? delay_ns : TIME_WAIT_NS,
        .hold_loopback_ns = can_reuse && reuse >= 1 ? delay_ns : TIME_WAIT_NS,
        .can_reuse = can_reuse,
    };
    return true;
}

/* ---- what the run asks for ---- */

static bool is_loopback(const char *peer) {
    static const char *const begins[] = {"127.", "[::1]", "[::ffff:127.", "0.0.0.0", "[::]"};
    for (size_t i = 0; i < sizeof begins / sizeof begins[0]; i++)
        if (strncmp(peer, begins[i], strlen(begins[i])) == 0) return true;
    return false;
}

static bool is_first_of_its_kind(const pk_plan *plan, size_t i) {
    for (size_t k = 0; k < i; k++)
        if (strcmp(plan->routes[k].peer, plan->routes[i].peer) == 0) return false;
    return true;
}

pk_ports_need pk_ports_need_of(const pk_load_options *o, const pk_plan *plan) {
    pk_ports_need need = {
        .is_loopback = true,
        .keepalive = !o->disable_keepalive,
        .connections = o->connections,
        .threads = o->threads,
        .requests = o->duration_ns ? 0 : o->requests,
        .duration_ns = o->duration_ns,
        .rate_hz = o->rate_hz,
    };
    for (size_t i = 0; i < plan->n_routes; i++) {
        if (!plan->routes[i].peer[0] || !is_first_of_its_kind(plan, i)) continue;
        need.targets++;
        need.is_loopback = need.is_loopback && is_loopback(plan->routes[i].peer);
    }
    return need;
}

/* Connections that the whole run opens, one for each request; infinity where only the server's
 * speed is a limit. */
static double connections_asked(const pk_ports_need *need) {
    if (need->requests) return (double)need->requests;
    return need->rate_hz > 0 ? need->rate_hz * (double)need->duration_ns / 1e9 : INFINITY;
}

/* ---- both together ---- */

pk_ports_budget pk_ports_plan(const pk_ports *ports, const pk_ports_need *need) {
    pk_ports_budget b = {
        .ports = ports->per_target * need->targets,
        .hold_ns = need->is_loopback ? ports->hold_loopback_ns : ports->hold_ns,
    };
    b.reuse_helps = ports->can_reuse && b.hold_ns == TIME_WAIT_NS;
    if (need->targets == 0) return b;
    if (need->connections > b.ports) b.outlook = PK_PORTS_TOO_MANY_OPEN;
    /* in a closed loop each connection has a port in use all the time */
    uint64_t in_use = need->rate_hz > 0 ? 0 : need->connections;
    double free_ports = b.ports > in_use ? (double)(b.ports - in_use) : 0;
    double hold_s = (double)b.hold_ns / 1e9;
    double run_s = need->duration_ns ? (double)need->duration_ns / 1e9 : INFINITY;
    b.sustained_hz = free_ports / hold_s;
    b.limit_hz = free_ports / fmin(hold_s, run_s);
    if (need->keepalive || b.outlook != PK_PORTS_ENOUGH || connections_asked(need) <= free_ports)
        return b;
    if (need->rate_hz > 0 && need->rate_hz > b.limit_hz) {
        b.outlook = PK_PORTS_RUN_OUT;
        b.out_after_ns = (uint64_t)(free_ports / need->rate_hz * 1e9);
    } else if (need->rate_hz <= 0 && b.limit_hz < CONNECTS_PER_THREAD_HZ * (double)need->threads) {
        b.outlook = PK_PORTS_MAY_RUN_OUT;
    }
    return b;
}

static const char *sysctl_advice(const pk_ports_budget *b) {
    return b->reuse_helps ? "set net.ipv4.tcp_tw_reuse=1 (ports come back after 1 s)"
                          : "widen net.ipv4.ip_local_port_range";
}

bool pk_ports_advice(char *out, size_t bytes, const pk_ports_budget *b, const pk_ports_need *need) {
    char hold[PK_FORMAT_MAX], after[PK_FORMAT_MAX];
    snprintf(hold, sizeof hold, "%g s", (double)b->hold_ns / 1e9);
    pk_format_duration(after, sizeof after, (double)b->out_after_ns);
    out[0] = '\0';
    switch (b->outlook) {
    case PK_PORTS_ENOUGH:
        return false;
    case PK_PORTS_TOO_MANY_OPEN:
        snprintf(out, bytes,
                 "%" PRIu64 " connections want a local port each and there are %" PRIu64
                 ": the others will fail; lower -c, widen net.ipv4.ip_local_port_range, or spread "
                 "them over more addresses with --connect-to",
                 need->connections, b->ports);
        return true;
    case PK_PORTS_RUN_OUT:
        snprintf(out, bytes,
                 "each request takes a local port for %s, and %" PRIu64
                 " ports are enough for %.0f/s: at %.0f/s they run out after %s and requests fail; "
                 "leave out --disable-keepalive, lower -q, or %s",
                 hold, b->ports, floor(b->limit_hz), need->rate_hz, after, sysctl_advice(b));
        return true;
    case PK_PORTS_MAY_RUN_OUT:
        snprintf(out, bytes,
                 "each request takes a local port for %s: if the server answers more than %.0f/s, "
                 "the %" PRIu64 " ports run out and requests fail; leave out --disable-keepalive, "
                 "add -q %.0f, or %s",
                 hold, floor(b->limit_hz), b->ports, floor(b->limit_hz), sysctl_advice(b));
        return true;
    }
    return false;
}

/* ---- this machine ---- */

/* The file's text in *sb; NULL when there is none. */
static const char *read_file(const char *path, pk_strbuf *sb) {
    pk_err ignored = {0};
    pk_strbuf_init(sb, FILE_BYTES_MAX);
    return pk_file_read(path, FILE_BYTES_MAX, sb, &ignored) ? sb->data : NULL;
}

bool pk_ports_read(pk_ports *ports) {
    static const char *const paths[] = {PROC "ip_local_port_range", PROC "ip_local_reserved_ports",
                                        PROC "tcp_tw_reuse", PROC "tcp_tw_reuse_delay",
                                        PROC "tcp_timestamps"};
    enum { N = sizeof paths / sizeof paths[0] };
    pk_strbuf memory[N];
    const char *text[N];
    for (size_t i = 0; i < N; i++) text[i] = read_file(paths[i], &memory[i]);
    bool ok = pk_ports_parse(&(pk_ports_files){.ip_local_port_range = text[0],
                                               .ip_local_reserved_ports = text[1],
                                               .tcp_tw_reuse = text[2],
                                               .tcp_tw_reuse_delay = text[3],
                                               .tcp_timestamps = text[4]},
                             ports);
    for (size_t i = 0; i < N; i++) pk_strbuf_fini(&memory[i]);
    return ok;
}
