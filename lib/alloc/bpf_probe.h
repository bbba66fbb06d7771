/* The program in the kernel (bpf_alloc.bpf.c): loaded, given its tables, attached, read, and gone
 * with its owner. Through libbpf; not thread-safe. */
#ifndef PK_ALLOC_BPF_PROBE_H
#define PK_ALLOC_BPF_PROBE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "alloc/bpf_shared.h"
#include "alloc/bpf_target.h"
#include "alloc/image.h"
#include "base/error.h"

typedef struct pk_bpf_probe pk_bpf_probe;

/* For so many processes. NULL: err says whether the kernel refused, or what it lacks. */
pk_bpf_probe *pk_bpf_probe_new(size_t n_processes, pk_err *err) PK_MUST_CHECK;
/* Detaches, and frees all the kernel holds for us. NULL is fine. */
void pk_bpf_probe_free(pk_bpf_probe *probe);

/* Appends rows of a file; *first: the number of rows[0]. */
bool pk_bpf_probe_rows(pk_bpf_probe *probe, const pk_bpf_row rows[], size_t n, uint32_t *first,
                       pk_err *err) PK_MUST_CHECK;
/* What a process has mapped from now on: segments[0..list->n_segments), at most
 * PK_BPF_SEGMENTS_MAX, by address. `turn` is another one than the last time. */
bool pk_bpf_probe_process(pk_bpf_probe *probe, uint32_t number, const pk_bpf_process *process,
                          const pk_bpf_list *list, const pk_bpf_segment segments[],
                          pk_err *err) PK_MUST_CHECK;
/* Calls of the process's functions are counted from here on. */
bool pk_bpf_probe_attach(pk_bpf_probe *probe, pid_t pid, uint32_t number,
                         const pk_bpf_entries *entries, pk_err *err) PK_MUST_CHECK;
/* Nothing is counted any more; what was can still be read. */
void pk_bpf_probe_detach(pk_bpf_probe *probe);

/* Stacks seen for the first time since the last call; one may come twice. `stack` is valid during
 * the call. False stops, and is returned. */
typedef bool pk_bpf_stack_visitor(void *context, const pk_bpf_stack *stack, const uint64_t *frames);
bool pk_bpf_probe_stacks(pk_bpf_probe *probe, pk_bpf_stack_visitor *each, void *context);
typedef bool pk_bpf_count_visitor(void *context, uint64_t hash, const pk_bpf_count *count);
bool pk_bpf_probe_counts(pk_bpf_probe *probe, pk_bpf_count_visitor *each, void *context);
/* Of all processors together. */
void pk_bpf_probe_totals(pk_bpf_probe *probe, pk_bpf_totals *totals);
/* What was counted, by pk_image_size_class. */
void pk_bpf_probe_sizes(pk_bpf_probe *probe, pk_bpf_size sizes[PK_IMAGE_SIZE_CLASSES]);

#endif
