/* The engine interface: what makes requests happen. A worker thread owns one engine; an engine
 * owns `slots` connections' worth of requests in flight. No call allocates per request. */
#ifndef PK_LOAD_ENGINE_H
#define PK_LOAD_ENGINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/error.h"
#include "load/load.h"
#include "load/plan.h"

/* One finished request. Moments are pk_now_ns(); spans in ns. */
typedef struct pk_completion {
    uint32_t slot;
    uint16_t status; /* 0: no response */
    pk_load_error_class error;
    int sys_errno;
    bool opened;  /* opened a connection: dns, tcp, tls and dialup are valid */
    bool has_tls; /* tls_ns is valid */
    bool retried;
    bool suspicious;        /* an answer, but where it ended could be read in two ways */
    uint64_t start_ns;      /* just before the send, or before DNS + connect if it opened one */
    uint64_t end_ns;        /* the last byte was there, or the error was known */
    uint64_t head_ns;       /* moment of the first response byte; 0: none came */
    uint64_t first_byte_ns; /* moment of the first body byte; 0: no body */
    uint64_t dns_ns, tcp_ns, tls_ns, dialup_ns;
    uint64_t body_bytes, head_bytes, sent_bytes;
} pk_completion;

/* A wait for events. */
typedef struct pk_wait {
    uint64_t now_ns;   /* in: the moment of the call */
    uint64_t until_ns; /* in: when to return at the latest; 0: at once, UINT64_MAX: never */
    uint64_t woke_ns;  /* out: when it ended, for the loop's own work */
} pk_wait;

/* What only the engine knows, when it is closed. */
typedef struct pk_engine_totals {
    bool retransmits_known;
    uint64_t retransmits; /* TCP segments sent again, over all connections (TCP_INFO) */
} pk_engine_totals;

typedef struct pk_engine pk_engine;

typedef struct pk_engine_ops {
    const char *name;
    uint32_t files_per_64_slots; /* descriptors it opens beside the connections themselves */
    /* NULL and *err on failure. Called in the worker's thread, before the clock starts. A poll
     * returns when wake_fd is readable. first_slot: the run-wide number of slot 0. */
    pk_engine *(*open)(const pk_plan *plan, uint32_t slots, uint64_t first_slot, int wake_fd,
                       pk_err *err);
    /* Starts the next request of an idle slot; returns its start_ns. A failure to start comes as a
     * completion of a later poll. */
    uint64_t (*submit)(pk_engine *engine, uint32_t slot);
    /* Waits for events, works on one batch of them and returns how many completions stand in
     * *done[0..), ascending in end_ns, at most one per slot; they are the engine's, valid until
     * its next call. */
    size_t (*poll)(pk_engine *engine, pk_wait *wait, const pk_completion **done);
    /* Connections being opened right now. */
    uint32_t (*connecting)(const pk_engine *engine);
    /* Drops what the slot has in flight, without a completion; the slot is idle afterwards. */
    void (*abort)(pk_engine *engine, uint32_t slot);
    void (*close)(pk_engine *engine, pk_engine_totals *totals);
} pk_engine_ops;

extern const pk_engine_ops pk_engine_curl; /* the reference: libcurl throughout */
extern const pk_engine_ops pk_engine_h1;   /* HTTP/1.1 on our own loop and parser */

#endif
