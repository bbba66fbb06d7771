#include "load/tally.h"

#include <stdlib.h>

void pk_tally_free(pk_tally *t) {
    if (!t) return;
    for (int i = 0; i < PK_TALLY_HISTS; i++) pk_hist_free(t->hist[i]);
    free(t);
}

pk_tally *pk_tally_new(bool has_rate, pk_err *err) {
    pk_tally *t = calloc(1, sizeof *t);
    if (!t) {
        pk_fail(err, PK_E_LIMIT, NULL, "out of memory for a thread's counters");
        return NULL;
    }
    t->interval_ns = PK_INTERVAL_FIRST_NS;
    for (int i = 0; i < PK_TALLY_HISTS; i++) {
        if (!has_rate && (i == PK_TALLY_RESPONSE || i == PK_TALLY_LAG)) continue;
        t->hist[i] = pk_hist_new_latency(err);
        if (!t->hist[i]) {
            pk_tally_free(t);
            return NULL;
        }
    }
    return t;
}

void pk_tally_error(pk_tally *t, pk_load_error_class class_, int sys_errno, uint64_t n) {
    size_t i = 0;
    while (i < t->n_errors &&
           (t->errors[i].class_ != class_ || t->errors[i].sys_errno != sys_errno))
        i++;
    if (i == PK_LOAD_ERRORS_MAX) { /* keep the count, lose the kind */
        i = PK_LOAD_ERRORS_MAX - 1;
        t->errors[i].class_ = PK_LOAD_E_OTHER;
        t->errors[i].sys_errno = 0;
    } else if (i == t->n_errors) {
        t->errors[t->n_errors++] = (pk_load_error_count){class_, sys_errno, 0};
    }
    t->errors[i].count += n;
}

/* Twice as long intervals, each the sum of two. */
static void double_intervals(pk_tally *t) {
    for (size_t i = 0; i < PK_INTERVALS_MAX; i++) {
        pk_load_interval sum = {0};
        for (size_t k = 2 * i; k < 2 * i + 2 && k < PK_INTERVALS_MAX; k++) {
            sum.responses += t->intervals[k].responses;
            sum.errors += t->intervals[k].errors;
            sum.bytes += t->intervals[k].bytes;
        }
        t->intervals[i] = sum;
    }
    t->interval_ns *= 2;
    t->current_idx = t->current_start_ns = 0;
}

/* Nearly all fall into the interval of the one before: that spares the divisions. */
static pk_load_interval *interval_at(pk_tally *t, uint64_t since_start_ns) {
    if (since_start_ns - t->current_start_ns >= t->interval_ns) {
        while (since_start_ns / t->interval_ns >= PK_INTERVALS_MAX) double_intervals(t);
        t->current_idx = since_start_ns / t->interval_ns;
        t->current_start_ns = t->current_idx * t->interval_ns;
    }
    return &t->intervals[t->current_idx];
}

static void record_spans(pk_tally *t, const pk_completion *c) {
    if (c->head_ns) pk_hist_record(t->hist[PK_TALLY_HEAD], c->head_ns - c->start_ns);
    if (c->first_byte_ns)
        pk_hist_record(t->hist[PK_TALLY_FIRST_BYTE], c->first_byte_ns - c->start_ns);
}

static void record_connection(pk_tally *t, const pk_completion *c) {
    t->connections_opened++;
    pk_hist_record(t->hist[PK_TALLY_DNS], c->dns_ns);
    pk_hist_record(t->hist[PK_TALLY_TCP], c->tcp_ns);
    pk_hist_record(t->hist[PK_TALLY_DIALUP], c->dialup_ns);
    if (c->has_tls) pk_hist_record(t->hist[PK_TALLY_TLS], c->tls_ns);
}

void pk_tally_completion(pk_tally *t, const pk_completion *c, uint64_t due_ns,
                         uint64_t run_start_ns, bool in_window) {
    pk_load_interval *interval = interval_at(t, c->end_ns - run_start_ns);
    bool is_response = c->error == PK_LOAD_NO_ERROR;
    t->last_end_ns = c->end_ns;
    t->sent_bytes += c->sent_bytes;
    t->retried += c->retried;
    if (c->opened) record_connection(t, c);
    if (is_response) {
        t->responses++;
        t->responses_in_window += in_window;
        t->suspicious += c->suspicious;
        t->status[c->status < 600 ? c->status : 0]++;
        t->head_bytes += c->head_bytes; /* of complete answers only, as all byte figures */
        t->body_bytes += c->body_bytes;
        interval->responses++;
        interval->bytes += c->body_bytes;
        record_spans(t, c);
    } else {
        t->errors_total++;
        interval->errors++;
        pk_tally_error(t, c->error, c->sys_errno, 1);
    }
    if (c->error == PK_LOAD_E_TIMEOUT) t->timeouts++;
    /* A timeout enters at its timeout: leaving it out would cut off the very tail it stands for.
     * Other errors have no latency. */
    if (!is_response && c->error != PK_LOAD_E_TIMEOUT) return;
    pk_hist_record(t->hist[PK_TALLY_SERVICE], c->end_ns - c->start_ns);
    if (t->hist[PK_TALLY_RESPONSE]) pk_hist_record(t->hist[PK_TALLY_RESPONSE], c->end_ns - due_ns);
}

void pk_tally_publish(pk_tally *t) {
    atomic_store_explicit(&t->live.responses, t->responses, memory_order_relaxed);
    atomic_store_explicit(&t->live.errors, t->errors_total, memory_order_relaxed);
    atomic_store_explicit(&t->live.bytes, t->body_bytes, memory_order_relaxed);
    atomic_store_explicit(&t->live.in_flight, t->in_flight, memory_order_relaxed);
}

static void max_into(uint64_t *into, uint64_t value) {
    if (value > *into) *into = value;
}

bool pk_tally_merge(pk_tally *into, pk_tally *from, pk_err *err) {
    for (int i = 0; i < PK_TALLY_HISTS; i++)
        if (into->hist[i] && !pk_hist_merge(into->hist[i], from->hist[i], err)) return false;
    const struct {
        uint64_t *into, from;
    } sums[] = {
        {&into->sent, from->sent},
        {&into->responses, from->responses},
        {&into->responses_in_window, from->responses_in_window},
        {&into->timeouts, from->timeouts},
        {&into->errors_total, from->errors_total},
        {&into->aborted, from->aborted},
        {&into->never_sent, from->never_sent},
        {&into->retried, from->retried},
        {&into->suspicious, from->suspicious},
        {&into->body_bytes, from->body_bytes},
        {&into->head_bytes, from->head_bytes},
        {&into->sent_bytes, from->sent_bytes},
        {&into->connections_opened, from->connections_opened},
    };
    for (size_t i = 0; i < sizeof sums / sizeof sums[0]; i++) *sums[i].into += sums[i].from;
    max_into(&into->aborted_oldest_ns, from->aborted_oldest_ns);
    max_into(&into->never_sent_oldest_ns, from->never_sent_oldest_ns);
    max_into(&into->last_end_ns, from->last_end_ns);
    into->in_flight_sum_ns += from->in_flight_sum_ns;
    for (size_t i = 0; i < 600; i++) into->status[i] += from->status[i];
    for (size_t i = 0; i < from->n_errors; i++)
        pk_tally_error(into, from->errors[i].class_, from->errors[i].sys_errno,
                       from->errors[i].count);
    while (into->interval_ns < from->interval_ns) double_intervals(into);
    while (from->interval_ns < into->interval_ns) double_intervals(from);
    for (size_t i = 0; i < PK_INTERVALS_MAX; i++) {
        into->intervals[i].responses += from->intervals[i].responses;
        into->intervals[i].errors += from->intervals[i].errors;
        into->intervals[i].bytes += from->intervals[i].bytes;
    }
    return true;
}
