#include "serve/metrics.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "base/file.h"
#include "base/units.h"

/* Upper ends in ns: 1, 2.5 and 5 per decade from 10 us to 1 s, then 2.5 s, 5 s and 10 s. */
static const uint64_t duration_ends_ns[PK_DURATION_BUCKETS] = {
    10000,     25000,      50000,      100000,     250000,      500000,    1000000,
    2500000,   5000000,    10000000,   25000000,   50000000,    100000000, 250000000,
    500000000, 1000000000, 2500000000, 5000000000, 10000000000,
};

pk_counters *pk_counters_new(size_t n) {
    size_t bytes;
    if (__builtin_mul_overflow(n, sizeof(pk_counters), &bytes)) return NULL;
    pk_counters *blocks = aligned_alloc(alignof(pk_counters), bytes);
    if (blocks) memset(blocks, 0, bytes);
    return blocks;
}

void pk_count_duration(pk_counters *counters, uint64_t ns) {
    size_t bucket = 0;
    while (bucket < PK_DURATION_BUCKETS && ns > duration_ends_ns[bucket]) bucket++;
    pk_count(counters, PK_COUNTER(duration_count) + bucket, 1);
    pk_count(counters, PK_COUNTER(duration_sum_ns), ns);
}

void pk_counters_add(const pk_counters *counters, pk_totals *totals) {
    uint64_t sums[sizeof *totals / sizeof(uint64_t)];
    memcpy(sums, totals, sizeof sums);
    for (size_t i = 0; i < sizeof sums / sizeof *sums; i++)
        sums[i] += atomic_load_explicit(&counters->values[i], memory_order_relaxed);
    memcpy(totals, sums, sizeof sums);
}

uint64_t pk_resident_bytes(void) {
    pk_strbuf text;
    pk_err err;
    int64_t pages = 0;
    pk_strbuf_init(&text, 4096);
    if (pk_file_read("/proc/self/statm", 4096, &text, &err)) {
        /* "size resident shared ..", in pages (proc(5)) */
        char *resident = strchr(text.data, ' ');
        char *end = resident ? strchr(resident + 1, ' ') : NULL;
        if (end) *end = '\0';
        if (!end || !pk_parse_int(resident + 1, 0, INT64_MAX / 65536, &pages, &err)) pages = 0;
    }
    pk_strbuf_fini(&text);
    return (uint64_t)pages * (uint64_t)sysconf(_SC_PAGESIZE);
}

static void write_head(pk_strbuf *out, const char *name, const char *type, const char *help) {
    pk_strbuf_addf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void write_one(pk_strbuf *out, const char *name, const char *type, const char *help,
                      uint64_t value) {
    write_head(out, name, type, help);
    pk_strbuf_addf(out, "%s %" PRIu64 "\n", name, value);
}

static void write_seconds(pk_strbuf *out, const char *name, const char *type, const char *help,
                          double value) {
    char text[PK_FORMAT_MAX];
    write_head(out, name, type, help);
    pk_strbuf_addf(out, "%s %s\n", name, pk_format_double(text, sizeof text, value));
}

static void write_requests(pk_strbuf *out, const pk_totals *totals) {
    static const char *const reasons[PK_ABORT_REASONS] = {
        [PK_ABORT_ERROR] = "error",
        [PK_ABORT_TIMEOUT] = "timeout",
        [PK_ABORT_CLIENT] = "client",
        [PK_ABORT_SHUTDOWN] = "shutdown",
    };
    write_one(out, "requests_started_total", "counter",
              "Requests whose head was complete and well-formed, /metrics excluded.",
              totals->started);
    write_head(out, "requests_total", "counter",
               "Answers by status, counted when the answer is queued; /metrics excluded.");
    for (size_t status = 0; status < PK_STATUS_MAX; status++)
        /* 200 always: a rate over a series that is not there yet is no rate. */
        if (totals->answered[status] || status == 200)
            pk_strbuf_addf(out, "requests_total{code=\"%zu\"} %" PRIu64 "\n", status,
                           totals->answered[status]);
    write_head(out, "requests_aborted_total", "counter",
               "Requests that ended before their answer was sent completely.");
    for (size_t i = 0; i < PK_ABORT_REASONS; i++)
        pk_strbuf_addf(out, "requests_aborted_total{reason=\"%s\"} %" PRIu64 "\n", reasons[i],
                       totals->aborted[i]);
    write_one(out, "scrapes_total", "counter", "Earlier requests to /metrics.", totals->scrapes);
    write_head(out, "faults_injected_total", "counter",
               "Requests failed on purpose, by --error-rate and /error.");
    for (int kind = PK_SERVE_FAULT_NONE + 1; kind < PK_SERVE_FAULT_KINDS; kind++)
        pk_strbuf_addf(out, "faults_injected_total{kind=\"%s\"} %" PRIu64 "\n",
                       pk_serve_fault_name((pk_serve_fault)kind), totals->faults[kind]);
}

static void write_durations(pk_strbuf *out, const pk_totals *totals) {
    static const char *const name = "request_duration_seconds";
    char text[PK_FORMAT_MAX];
    uint64_t count = 0;
    write_head(out, name, "histogram",
               "From reading the end of the head to the last byte handed to the kernel, of answers "
               "sent completely; delays included, /metrics excluded.");
    for (size_t i = 0; i < PK_DURATION_BUCKETS; i++) {
        count += totals->duration_count[i];
        pk_format_double(text, sizeof text, (double)duration_ends_ns[i] / 1e9);
        pk_strbuf_addf(out, "%s_bucket{le=\"%s\"} %" PRIu64 "\n", name, text, count);
    }
    count += totals->duration_count[PK_DURATION_BUCKETS];
    pk_format_double(text, sizeof text, (double)totals->duration_sum_ns / 1e9);
    pk_strbuf_addf(out, "%s_bucket{le=\"+Inf\"} %" PRIu64 "\n%s_sum %s\n%s_count %" PRIu64 "\n",
                   name, count, name, text, name, count);
}

void pk_metrics_write(pk_strbuf *out, const pk_totals *totals, const pk_gauges *gauges) {
    write_requests(out, totals);
    write_durations(out, totals);
    write_one(out, "bytes_sent_total", "counter",
              "Bytes of response bodies: of answers sent completely, and of streams as far as they "
              "came; heads and /metrics excluded.",
              totals->body_bytes);
    /* closed was read before opened only by chance: never below zero */
    write_one(out, "connections", "gauge", "Open connections, the scrape's own included.",
              totals->opened > totals->closed ? totals->opened - totals->closed : 0);
    write_one(out, "connections_opened_total", "counter", "Accepted connections.", totals->opened);
    write_one(out, "connections_limit", "gauge",
              "Connections beyond this wait in the backlog, unanswered.",
              gauges->connections_limit);
    write_one(out, "connections_waiting", "gauge",
              "Connections put aside by a delay, not holding a thread.", gauges->suspended);
    write_one(out, "heads_cut_total", "counter", "Connections cut because a head took too long.",
              totals->heads_cut);
    write_one(out, "draining", "gauge", "1 from the signal to end on.", gauges->draining);
    write_seconds(out, "process_cpu_seconds_total", "counter", "User and system time.",
                  gauges->cpu_s);
    if (gauges->resident_bytes)
        write_one(out, "process_resident_memory_bytes", "gauge", "Resident memory.",
                  gauges->resident_bytes);
    write_seconds(out, "uptime_seconds", "gauge", "Since the start.", gauges->uptime_s);
}
