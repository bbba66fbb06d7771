/* Results out of JSON: what pk_bench_result_to_json wrote (bench/render.h), in the store's
 * perfkit.json and in the documents of `perfkit bench --json`. Everything comes back as it was, but
 * for texts that were no UTF-8 and environment.ticks. */
#ifndef PK_BENCH_RESULT_JSON_H
#define PK_BENCH_RESULT_JSON_H

#include "bench/bench.h"
#include "report/json_read.h"

/* What is absent in the object is unknown in the result: an older perfkit wrote less. The id and
 * the group must be there. What the result holds is copied into the arena, so that the tree can go.
 * False: the reader has failed; *result is undefined then. */
bool pk_bench_result_from_json(pk_json_reader *reader, const pk_json_value *object, pk_arena *arena,
                               pk_bench_result *result) PK_MUST_CHECK;
/* `object` may be NULL: all unknown. */
bool pk_bench_environment_from_json(pk_json_reader *reader, const pk_json_value *object,
                                    pk_environment *environment) PK_MUST_CHECK;

/* Results with the machine they come from, as files hold them. */
typedef struct pk_bench_record {
    pk_bench_result *results;
    size_t n_results;
    pk_environment environment;
    bool has_environment;
} pk_bench_record;
/* text[0..bytes), any bytes: one result (pk_bench_result_write) or a whole document of
 * pk_bench_render_json. `where` names it in errors. The record lives in the arena. */
bool pk_bench_record_parse(const char *text, size_t bytes, const char *where, pk_arena *arena,
                           pk_bench_record *record, pk_err *err) PK_MUST_CHECK;

#endif
