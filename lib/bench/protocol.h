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

#endif
