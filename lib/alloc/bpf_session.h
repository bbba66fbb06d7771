/* One count in running processes, from attaching to the result: what pk_alloc_bpf_run does where
 * it is built in. */
#ifndef PK_ALLOC_BPF_SESSION_H
#define PK_ALLOC_BPF_SESSION_H

#include "alloc/alloc.h"

bool pk_bpf_session(const pk_alloc_options *options, const pk_interrupt *interrupt,
                    pk_alloc_result *result, pk_err *err) PK_MUST_CHECK;

#endif
