/* Inside bench/command_*: results of commands as JSON. */
#ifndef PK_BENCH_COMMAND_JSON_PARTS_H
#define PK_BENCH_COMMAND_JSON_PARTS_H

#include "bench/command_render_parts.h"

/* Everything in a result, as keys of *object: the one form of it, in our document and behind
 * hyperfine's keys. docs/time.schema.json describes it ("result"). */
void pk_command_result_to_json(pk_json *object, const pk_command_report *report, size_t index);
/* The peak memory of a run; null where it is not known. */
void pk_command_bytes_to_json(pk_json *parent, const char *key, const pk_command_run *run);
/* Appends the document to *out, and frees it in any case. */
bool pk_command_json_finish(pk_json *document, pk_strbuf *out, pk_err *err) PK_MUST_CHECK;

#endif
