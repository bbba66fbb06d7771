/* The load tester: options -> run -> result. Rendering is load/render.h.
 * Threads: pk_load_run starts its own workers and joins them; call it from any thread. */
#ifndef PK_LOAD_LOAD_H
#define PK_LOAD_LOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/error.h"
#include "base/interrupt.h"
#include "base/textlist.h"
#include "stats/histogram.h"
#include "timing/counters.h"

typedef enum pk_load_engine_kind {
    PK_LOAD_ENGINE_AUTO, /* h1 where it can send the request as meant, else curl */
    PK_LOAD_ENGINE_H1,
    PK_LOAD_ENGINE_CURL,
} pk_load_engine_kind;

typedef struct pk_load_options {
    const char *url;
    uint64_t requests;           /* stop after so many; used when duration_ns is 0 */
    uint64_t duration_ns;        /* stop after so long; 0: by requests */
    uint64_t connections;        /* >= 1 */
    uint64_t threads;            /* 0: min(CPUs, connections) */
    double rate_hz;              /* requests per second over all connections; 0: closed loop */
    bool latency_correction;     /* the main latency counts from the intended start */
    bool wait_ongoing;           /* at the deadline let running requests finish */
    uint64_t timeout_ns;         /* of a whole request, connect included; 0: none */
    uint64_t connect_timeout_ns; /* DNS + TCP + TLS */
    const char *method;          /* NULL: GET */
    pk_text_list headers;        /* "Name: value" */
    const char *body;            /* -d; NULL: none */
    const char *body_file;       /* -D; NULL: none */
    const char *content_type, *accept, *basic_auth /* user:password */, *host_header;
    bool disable_keepalive;
    bool insecure;
    const char *cacert, *cert, *key; /* PEM files */
    const char *unix_socket;
    pk_text_list connect_to;    /* host:port:target-host:target-port */
    const char *proxy;          /* http://[user:password@]host[:port]; NULL: none */
    pk_text_list proxy_headers; /* "Name: value", for the proxy alone */
    bool ipv4, ipv6;
    pk_load_engine_kind engine;
} pk_load_options;

/* Why a request got no response. One row each in load/error_class.c: JSON name, text, whose fault.
 */
typedef enum pk_load_error_class {
    PK_LOAD_NO_ERROR = 0,
    PK_LOAD_E_DEADLINE, /* in flight when the time was up */
    PK_LOAD_E_TIMEOUT,  /* --timeout or --connect-timeout */
    PK_LOAD_E_DNS,
    PK_LOAD_E_CONNECT, /* with the errno: refused, unreachable .. */
    PK_LOAD_E_PROXY,   /* the proxy opened no tunnel */
    PK_LOAD_E_TLS,
    PK_LOAD_E_SEND,
    PK_LOAD_E_RESET,       /* the peer reset or closed before a complete head */
    PK_LOAD_E_EMPTY,       /* closed without a single byte of an answer */
    PK_LOAD_E_TRUNCATED,   /* the body ended early */
    PK_LOAD_E_MALFORMED,   /* no HTTP, or against its rules */
    PK_LOAD_E_TOO_LARGE,   /* head over the limit */
    PK_LOAD_E_PORTS,       /* our limit: no free local port (EADDRNOTAVAIL) */
    PK_LOAD_E_FILES,       /* our limit: EMFILE, ENFILE */
    PK_LOAD_E_MEMORY,      /* our limit */
    PK_LOAD_E_INTERRUPTED, /* in flight at Ctrl-C */
    PK_LOAD_E_OTHER,
    PK_LOAD_E_CLASSES
} pk_load_error_class;

typedef struct pk_load_error_count {
    pk_load_error_class class_;
    int sys_errno; /* 0: none. Of E_PROXY: the status of the proxy's answer to CONNECT */
    uint64_t count;
} pk_load_error_count;
#define PK_LOAD_ERRORS_MAX 64 /* different (class, errno) pairs; further ones count as E_OTHER */

/* The text oha prints for the same cause where it has one ("Connection refused (os error 111)"). */
const char *pk_load_error_text(char *out, size_t bytes, pk_load_error_class class_, int sys_errno);
const char *pk_load_error_name(pk_load_error_class class_);   /* "timeout", for JSON */
bool pk_load_error_is_ours(pk_load_error_class class_);       /* a limit of the client's side */
const char *pk_load_error_advice(pk_load_error_class class_); /* how to lift it; "" if not ours */

/* One fixed interval of the run. */
typedef struct pk_load_interval {
    uint64_t responses, errors, bytes;
} pk_load_interval;

/* The generator's own figures: was the client the limit? */
typedef struct pk_load_generator {
    double target_rate_hz;                     /* 0: closed loop */
    double achieved_rate_hz;                   /* requests sent per second */
    double rate_ratio;                         /* NaN without a target */
    double lag_p50_ns, lag_p99_ns, lag_max_ns; /* own lateness: from due with a free connection to
                                                  the send; NaN without a rate */
    double loop_p99_ns, loop_max_ns;           /* work between two waits for events */
    double cpu_ratio_max;                      /* busiest thread's CPU share of the window, 0..1 */
    double cpu_ratio_mean;                     /* mean over the threads */
    double cpu_wait_ratio; /* share of the window in which the thread that had to wait longest for a
                              CPU did so; NaN if unknown */
    double cpu_spun_ratio; /* part of cpu_ratio_mean spent looking at the clock before sends */
    double cpu_ns_per_request; /* without that part */
    double paused_ratio; /* share of the threads' time paused for answers to gather (gather.h) */
    double steal_ratio;  /* of the machine, NaN if unknown */
    double busy_ratio;   /* of the machine, NaN if unknown */
    unsigned cpus;       /* that perfkit may run on: pk_cpu_count() */
    uint64_t switches_involuntary;
    uint64_t retransmits; /* TCP_INFO total over all connections */
    bool retransmits_known;
    uint64_t ports;        /* local ports for all targets together; 0: unknown, or no TCP */
    double port_hold_s;    /* how long one stays taken after its connection */
    double mean_in_flight; /* time-integrated over the window */
    double mean_idle;      /* connections - mean_in_flight: the client's own share (closed loop) */
    pk_counter_values counters; /* hardware counters of the workers; missing ones marked so */
} pk_load_generator;

typedef struct pk_load_result {
    /* what was asked, for the record */
    char url[2048];
    char method[32];
    char engine[16];
    char proxy[320]; /* "http://host:port"; empty: none */
    uint64_t connections, threads;
    uint64_t requests_asked, duration_asked_ns;
    double rate_hz;
    bool latency_correction;
    bool wait_ongoing, keepalive;
    uint64_t timeout_ns, connect_timeout_ns; /* 0: none */
    uint64_t started_unix_ns;

    uint64_t elapsed_ns; /* the measuring window: first send to deadline, or to the last answer */
    uint64_t drain_ns;   /* after the deadline, with wait_ongoing; not part of elapsed_ns */
    bool interrupted;    /* ended by a signal: partial */

    uint64_t sent;                /* requests started */
    uint64_t responses;           /* complete answers, any status */
    uint64_t responses_in_window; /* of them, before the deadline: what rates count */
    uint64_t timeouts;            /* of the errors: recorded in the latencies at their timeout */
    uint64_t errors_total;        /* all classes but deadline and interrupted */
    uint64_t errors_ours;         /* of them, those at a limit of this machine */
    uint64_t aborted;             /* in flight at the end (deadline or interrupt) */
    uint64_t aborted_oldest_ns;
    uint64_t never_sent; /* due before the deadline but still waiting for a free connection */
    uint64_t never_sent_oldest_ns;
    uint64_t retried;     /* sent again on a fresh connection because a kept one had died */
    uint64_t suspicious;  /* of the responses: two lengths, or bytes behind the end; the connection
                             was not kept. The engine curl does not tell */
    uint64_t status[600]; /* by code */
    size_t n_errors;
    pk_load_error_count errors[PK_LOAD_ERRORS_MAX]; /* by count, descending; the aborted ones are a
                                                       row too (deadline, interrupted) */

    uint64_t body_bytes; /* response bodies as transferred */
    uint64_t head_bytes; /* response heads */
    uint64_t sent_bytes; /* request heads and bodies */
    uint64_t connections_opened;

    /* All in ns; owned; never NULL except `response` without a rate. */
    pk_hist *service;      /* from the send (connect included where it opened one) to the last byte;
                              timeouts enter at their timeout */
    pk_hist *response;     /* from the intended start; never-sent ones enter with the wait so far */
    pk_hist *first_byte;   /* first body byte, from the send; answers with a body only */
    pk_hist *head;         /* first byte of the head, from the send */
    pk_hist *dns, *dialup; /* of requests that opened a connection; dialup = DNS + TCP + TLS */
    pk_hist *tcp, *tls;    /* TCP alone; TLS alone (https only) */
    unsigned syn_linear_timeouts; /* of this machine: when its SYN retries go out */

    uint64_t interval_ns; /* fixed, >= 100 ms */
    size_t n_intervals;   /* complete ones inside the window */
    pk_load_interval *intervals;

    pk_load_generator generator;
} pk_load_result;

/* The latency that the report's main sections show. */
static inline const pk_hist *pk_load_main_latency(const pk_load_result *r) {
    return r->latency_correction && r->response ? r->response : r->service;
}

/* What is known while it runs; totals so far over all threads. */
typedef struct pk_load_snapshot {
    uint64_t elapsed_ns, duration_ns;            /* duration 0: by requests */
    uint64_t responses, errors, requests, bytes; /* requests: the number asked */
    uint64_t in_flight;
} pk_load_snapshot;

typedef struct pk_load_hooks {
    void *context;
    uint64_t progress_interval_ns;                                     /* 0: no calls */
    void (*progress)(void *context, const pk_load_snapshot *snapshot); /* calling thread */
    void (*note)(void *context, const char *line); /* a warning before or during the run */
} pk_load_hooks;

/* Runs to the end (count, deadline, signal). *result is filled on success and then owned by the
 * caller (pk_load_result_fini). False: could not start (bad URL, file, limits); err says why. */
bool pk_load_run(const pk_load_options *options, const pk_load_hooks *hooks, pk_interrupt *intr,
                 pk_load_result *result, pk_err *err) PK_MUST_CHECK;
void pk_load_result_fini(pk_load_result *result);

/* The verdict on the generator: true when the client was the limit; reasons as a line each. */
typedef struct pk_load_verdict {
    bool client_limited;
    size_t n_reasons;
    char reasons[8][240];
} pk_load_verdict;
void pk_load_judge(const pk_load_result *result, pk_load_verdict *verdict);

/* Is this a URL we can use? For early checks of the command line. */
bool pk_load_check_url(const char *url, pk_err *err) PK_MUST_CHECK;
/* "Name: value" with a valid field name, no CR, LF or NUL. */
bool pk_load_check_header(const char *header, pk_err *err) PK_MUST_CHECK;
/* The value of a header: no CR or LF. */
bool pk_load_check_value(const char *value, pk_err *err) PK_MUST_CHECK;
/* user:password, either may be empty. The error does not repeat it. */
bool pk_load_check_basic_auth(const char *auth, pk_err *err) PK_MUST_CHECK;
/* A token of RFC 9110. */
bool pk_load_check_method(const char *method, pk_err *err) PK_MUST_CHECK;
/* http://[user:password@]host[:port]. The error does not repeat it. */
bool pk_load_check_proxy(const char *url, pk_err *err) PK_MUST_CHECK;
/* host:port:target-host:target-port, IPv6 in brackets. */
bool pk_load_check_connect_to(const char *text, pk_err *err) PK_MUST_CHECK;

#endif
