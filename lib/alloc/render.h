/* The results of perfkit alloc as text and files. Nothing here changes a result, apart from
 * pk_alloc_tree_ready; all take results that were run, recovered or read from JSON. Where a result
 * is sampled all counts are estimates, and say so where the format has a place for it. */
#ifndef PK_ALLOC_RENDER_H
#define PK_ALLOC_RENDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "alloc/alloc.h"
#include "base/strbuf.h"
#include "profile/flame_svg.h"
#include "report/json.h"

/* "calls", "bytes", "peak", "leaked", "temporary": the words of --sort and --weight. */
const char *pk_alloc_weight_name(pk_alloc_weight weight);
/* Is it known? Without frees followed only calls and bytes are. */
bool pk_alloc_weight_known(const pk_alloc_result *result, pk_alloc_weight weight);
/* Sums and sorts the result's tree: once, before anything below. */
bool pk_alloc_tree_ready(pk_alloc_result *result, pk_err *err) PK_MUST_CHECK;

/* ---- the terminal ---- */

typedef enum pk_alloc_by {
    PK_ALLOC_BY_STACK,
    PK_ALLOC_BY_FUNCTION,
    PK_ALLOC_BY_OBJECT
} pk_alloc_by;

typedef struct pk_alloc_view {
    pk_alloc_weight sort; /* the largest first */
    pk_alloc_by by;       /* FUNCTION, OBJECT: a stack counts once for each that it is in ("total"),
                             and for the innermost that is not the allocator ("self") */
    size_t rows;          /* stacks, functions or objects; 0: all */
    size_t frames;        /* of each stack; 0: all */
    bool colour;
    int width; /* of the terminal, in cells: longer names lose their end; 0: they do not */
} pk_alloc_view;

/* The top rows that have any of it, then the totals, then what there is to note. Sorted by a weight
 * that is not known: PK_E_USAGE. Not flushed. */
bool pk_alloc_text(FILE *out, const pk_alloc_result *result, const pk_alloc_view *view,
                   pk_err *err) PK_MUST_CHECK;

/* ---- dtrace's layout ---- */

typedef enum pk_alloc_aggregation {
    PK_ALLOC_COUNT,   /* @[ustack()] = count() */
    PK_ALLOC_SUM,     /* @[ustack()] = sum(arg0): bytes */
    PK_ALLOC_QUANTIZE /* @ = quantize(arg0): of all stacks together, the only one whose sizes are
                         kept */
} pk_alloc_aggregation;

typedef struct pk_alloc_dtrace_style {
    pk_alloc_aggregation aggregation;
    unsigned frames; /* ustackframes: of each stack, the allocator's included; 0: 20 */
    unsigned indent; /* stackindent; 0: 14 */
    bool reversed;   /* aggsortrev: the largest first */
    bool by_key;     /* aggsortkey: by the stacks' text */
} pk_alloc_dtrace_style;

/* Appends what dtrace prints at its end: per stack an empty line, one line per frame, innermost
 * first ("object`function+0x1f"), and the value; the smallest first, equal ones by their text.
 * Stacks that read alike are one. */
bool pk_alloc_dtrace(const pk_alloc_result *result, const pk_alloc_dtrace_style *style,
                     pk_strbuf *out, pk_err *err) PK_MUST_CHECK;

/* ---- files; all append. A weight that is not known: PK_E_USAGE ---- */

/* "process;main;f;malloc 1000" per line, sorted. */
bool pk_alloc_folded(const pk_alloc_result *result, pk_alloc_weight weight, pk_strbuf *out,
                     pk_err *err) PK_MUST_CHECK;
/* Count name and what a weight is are set here, and the title where the style has none; the rest of
 * the style is the caller's (NULL: PK_FLAME_STYLE). *left_out as pk_flame_svg. */
bool pk_alloc_flame(const pk_alloc_result *result, pk_alloc_weight weight,
                    const pk_flame_style *style, pk_strbuf *out, size_t *left_out,
                    pk_err *err) PK_MUST_CHECK;
/* For `go tool pprof`: alloc_objects, alloc_space, and where known inuse_objects, inuse_space (at
 * the end), peak_objects, peak_space, temporary_objects. Who reads it does not show malloc and its
 * like, but their callers. Binary. */
bool pk_alloc_pprof(const pk_alloc_result *result, pk_strbuf *out, pk_err *err) PK_MUST_CHECK;
/* For ms_print and massif-visualizer: live bytes over time, with the stacks of the peak and of the
 * end. threshold: a share; places with less are one line (massif's own: 0.01). PK_E_USAGE where
 * frees were not followed. Of several programs the one with the highest peak has its stacks there.
 */
bool pk_alloc_massif(const pk_alloc_result *result, double threshold, pk_strbuf *out,
                     pk_err *err) PK_MUST_CHECK;
/* gperftools' text: "in use" is what is live at the end. Of several programs the one with the most
 * calls: addresses belong to one. */
bool pk_alloc_heapprofile(const pk_alloc_result *result, pk_strbuf *out, pk_err *err) PK_MUST_CHECK;
/* One row per stack, with a row of headings. */
bool pk_alloc_csv(const pk_alloc_result *result, pk_strbuf *out, pk_err *err) PK_MUST_CHECK;
/* One self-contained page. */
bool pk_alloc_page(FILE *out, const pk_alloc_result *result, pk_err *err) PK_MUST_CHECK;

/* ---- JSON: document "alloc/1" (docs/formats.md), complete ---- */

/* NULL: out of memory. */
pk_json *pk_alloc_to_json(const pk_alloc_result *result, pk_err *err);
/* Is it one? Told by the first bytes of a file (a few KiB are enough). */
bool pk_alloc_is_json(const char *text, size_t bytes);
/* Back into a result, ready to be shown; to be given to pk_alloc_fini in any case. False: no such
 * document (PK_E_INPUT, `where` names it), or out of memory. */
bool pk_alloc_from_json(const char *where, const char *text, size_t bytes, pk_alloc_result *result,
                        pk_err *err) PK_MUST_CHECK;

#endif
