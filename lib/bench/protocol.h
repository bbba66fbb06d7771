/* What perfkit and its worker say to each other: jobs and replies as text.
 *
 * One line per value: a key, a blank, the value; the last line is "end". Numbers as base/units
 * prints them, "nan" where unknown. Texts go to the end of the line; in them \n stands for a line
 * break and \\ for a backslash. What is absent has no line. The parsers take any bytes (a
 * benchmark may write to the same descriptor): unknown keys, values that are no such value, a key
 * twice, a line outside its block, anything behind "end" are errors. parse(print(x)) = x.
 *
 *     task measure                    done
 *     object.new /tmp/fib.so          metric oncpu
 *     index.new 2                     new.trimmed 9876.5
 *     param 20                        ...
 *     ...                             end
 *     end
 */
#ifndef PK_BENCH_PROTOCOL_H
#define PK_BENCH_PROTOCOL_H

#include "base/arena.h"
#include "base/strbuf.h"
#include "bench/worker.h"
#include "bench/worker_unit.h"

#define PK_WORKER_TEXT_MAX (4u << 20) /* bytes of a job or a reply, at most */

/* Appends; the buffer says whether there was room. */
void pk_worker_job_print(const pk_worker_job *job, pk_strbuf *out);
void pk_worker_reply_print(const pk_worker_reply *reply, pk_strbuf *out);

/* text[0..bytes), need not end in NUL. Texts and offers of *job and *reply are copied into the
 * arena. False (PK_E_INPUT) with the number of the line in err->where. */
bool pk_worker_job_parse(const char *text, size_t bytes, pk_arena *arena, pk_worker_job *job,
                         pk_err *err) PK_MUST_CHECK;
bool pk_worker_reply_parse(const char *text, size_t bytes, pk_arena *arena, pk_worker_reply *reply,
                           pk_err *err) PK_MUST_CHECK;

/* ---- drivers: workers in other languages; docs/driver-protocol.md ----
 *
 * The same lines, with a job that has one side and a reply that may leave out what has a meaning
 * then; times come as units, and the figures are made of them here (bench/driver.h). */

#define PK_DRIVER_PROTOCOL 1
#define PK_DRIVER_UNITS_MAX 100000

typedef struct pk_driver_job {
    uint32_t protocol; /* PK_DRIVER_PROTOCOL */
    pk_worker_task task;
    const char *file;     /* with the benchmarks; NULL: the driver brings its own */
    const char *folder;   /* where the file looks for what lies beside it; NULL: no file */
    const char *group;    /* LIST: of benchmarks whose file names none; else the benchmark's */
    const char *function; /* of the benchmark; NULL: none */
    uint32_t index;       /* of the benchmark, in what LIST offered */
    const char *param;    /* NULL: none */
    uint64_t worker_ns, warm_ns, unit_ns;
} pk_driver_job;

typedef struct pk_driver_reply {
    pk_reply_kind kind;
    const char *why;     /* as in pk_worker_reply */
    const char *program; /* LIST: to be started next time in place of the first word; NULL: none */
    pk_bench_throughput throughput;
    pk_worker_offer *offers; /* LIST: n_offers */
    size_t n_offers;
    double loop_ns;      /* of the loop alone, per iteration; NaN: not said */
    uint64_t iterations; /* of each unit; 0 if and only if there are no units */
    /* n_units, in order, after the warm-up, with wall_ns > 0, and the first unit_numbers of wall,
     * CPU and wait; the rest is 0. */
    pk_unit *units;
    size_t n_units;
    unsigned unit_numbers;
} pk_driver_reply;

void pk_driver_job_print(const pk_driver_job *job, pk_strbuf *out);
bool pk_driver_job_parse(const char *text, size_t bytes, pk_arena *arena, pk_driver_job *job,
                         pk_err *err) PK_MUST_CHECK;
bool pk_driver_reply_parse(const char *text, size_t bytes, pk_arena *arena, pk_driver_reply *reply,
                           pk_err *err) PK_MUST_CHECK;

#endif
