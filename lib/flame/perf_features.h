/* What perf.data says beside its records: events with ids and names, the command, build-ids. */
#ifndef PK_FLAME_PERF_FEATURES_H
#define PK_FLAME_PERF_FEATURES_H

#include "base/array.h"
#include "flame/perf_data.h"

/* Grows *info, whose arrays lie here and whose texts lie in the arena. */
typedef struct pk_perf_features {
    pk_arena *arena;
    pk_perf_info *info;
    pk_array attrs, names, ids, build_ids;
} pk_perf_features;
void pk_perf_features_fini(pk_perf_features *features);

/* An event: attr[0..n), and the ids its records carry (n_ids words). */
bool pk_perf_features_event(pk_perf_features *features, const unsigned char *attr, size_t n,
                            const unsigned char *ids, size_t n_ids, pk_err *err) PK_MUST_CHECK;
/* The payload of a HEADER_ATTR record: attr and ids behind it. */
bool pk_perf_features_attr(pk_perf_features *features, const unsigned char *payload, size_t n,
                           pk_err *err) PK_MUST_CHECK;
/* One section, by its feature bit; unknown ones are passed over, and so is what is broken: none of
 * it is needed to read the records. False: no memory, or recorded in a way we do not read. */
bool pk_perf_features_section(pk_perf_features *features, uint64_t bit, const unsigned char *bytes,
                              size_t n, pk_err *err) PK_MUST_CHECK;
/* The payload of one build-id record. */
bool pk_perf_features_build_id(pk_perf_features *features, uint16_t misc,
                               const unsigned char *payload, size_t n, pk_err *err) PK_MUST_CHECK;

#endif
