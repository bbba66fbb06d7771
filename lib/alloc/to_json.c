/* A result as document "alloc/1", complete. from_json.c reads it, in the same order. */
#include "alloc/json_words.h"
#include "alloc/render_parts.h"

static void add_time(pk_json *o, const char *key, uint64_t ns) {
    pk_json_uint_if(o, key, ns != UINT64_MAX, ns);
}

/* ---- the run ---- */

static void add_run(pk_json *o, const pk_alloc_result *r) {
    pk_json_text(o, "command", r->command);
    pk_json_text(o, "backend", r->backend);
    pk_json_text(o, "backend_reason", r->backend_reason);
    pk_json_bool(o, "attached", r->attached);
    pk_json_bool(o, "interrupted", r->interrupted);
    pk_json_bool(o, "incomplete", r->incomplete);
    pk_json_bool(o, "live_known", r->live_known);
    pk_json_bool(o, "sampled", r->sampled);
    pk_json_uint(o, "sample_bytes", r->sample_bytes);
    pk_json_uint(o, "duration_ns", r->duration_ns);
    pk_json_uint(o, "started_unix_ns", r->started_unix_ns);
    if (!r->command_ran) {
        pk_json_null(o, "exit");
        return;
    }
    pk_json *e = pk_json_object(o, "exit");
    pk_json_int(e, "code", r->exit.code);
    pk_json_int(e, "signal", r->exit.signal);
}

static void add_process(pk_json *o, const pk_alloc_process *p, bool live) {
    pk_json_uint(o, "pid", p->pid);
    pk_json_uint(o, "parent_pid", p->parent_pid);
    pk_json_uint(o, "exec_number", p->exec_number);
    pk_json_text(o, "name", p->name);
    pk_json_text(o, "exe", p->exe);
    add_time(o, "started_ns", p->started_ns);
    add_time(o, "ended_ns", p->ended_ns);
    pk_json_bool(o, "forked", p->forked);
    pk_json_uint(o, "threads", p->threads);
    pk_json_uint(o, "calls", p->calls);
    pk_json_uint(o, "bytes", p->bytes);
    pk_json_uint_if(o, "frees", live, p->frees);
    pk_json_uint_if(o, "freed_bytes", live, p->freed_bytes);
    pk_json_uint_if(o, "temporary", live, p->temporary);
    pk_json_uint_if(o, "leaked_calls", live, p->leaked_calls);
    pk_json_uint_if(o, "leaked_bytes", live, p->leaked_bytes);
    pk_json_uint_if(o, "peak_bytes", live, p->peak_bytes);
    pk_json_uint_if(o, "peak_error_bytes", live, p->peak_error_bytes);
    add_time(o, "peak_ns", live ? p->peak_ns : UINT64_MAX);
    pk_json_uint(o, "stacks_remembered", p->stacks_remembered);
    pk_json_uint(o, "stacks_unwound", p->stacks_unwound);
    pk_json_uint(o, "inside_hook", p->inside_hook);
    pk_json_uint(o, "before_ready", p->before_ready);
    pk_json_uint(o, "not_kept", p->not_kept);
    pk_json_uint(o, "unknown_frees", p->unknown_frees);
    pk_json_uint(o, "differences", p->differences);
}

static void add_processes(pk_json *o, const pk_alloc_result *r) {
    add_process(pk_json_object(o, "total"), &r->total, r->live_known);
    pk_json *all = pk_json_array(o, "processes");
    for (size_t i = 0; i < r->processes.count; i++)
        add_process(pk_json_object(all, NULL), &PK_AT(&r->processes, pk_alloc_process, i),
                    r->live_known);
}

/* ---- over time, and by size: columns, since there are many ---- */

static void add_moments(pk_json *o, const pk_alloc_result *r) {
    pk_json *m = pk_json_object(o, "moments");
    pk_json *time = pk_json_array(m, "time_ns"), *calls = pk_json_array(m, "calls");
    pk_json *bytes = pk_json_array(m, "bytes"), *frees = pk_json_array(m, "frees");
    pk_json *live = pk_json_array(m, "live_bytes"), *rss = pk_json_array(m, "rss_bytes");
    for (size_t i = 0; i < r->moments.count; i++) {
        const pk_alloc_moment *at = &PK_AT(&r->moments, pk_alloc_moment, i);
        pk_json_uint(time, NULL, at->time_ns);
        pk_json_uint(calls, NULL, at->calls);
        pk_json_uint(bytes, NULL, at->bytes);
        pk_json_uint(frees, NULL, at->frees);
        pk_json_uint(live, NULL, at->live_bytes);
        pk_json_uint(rss, NULL, at->rss_bytes);
    }
}

static void add_sizes(pk_json *o, const pk_alloc_result *r) {
    pk_json *s = pk_json_object(o, "sizes");
    pk_json *from = pk_json_array(s, "from_bytes"), *calls = pk_json_array(s, "calls");
    for (uint32_t i = 0; i < PK_IMAGE_SIZE_CLASSES; i++) {
        if (r->sizes[i] == 0) continue;
        pk_json_uint(from, NULL, pk_image_size_least(i));
        pk_json_uint(calls, NULL, r->sizes[i]);
    }
}

/* ---- files, places, stacks ---- */

static void add_modules(pk_json *o, const pk_alloc_result *r) {
    pk_json *all = pk_json_array(o, "modules");
    for (size_t i = 0; i < r->modules.count; i++) {
        const pk_profile_module *m = &PK_AT(&r->modules, pk_profile_module, i);
        pk_json *row = pk_json_object(all, NULL);
        pk_json_text(row, "path", m->path);
        pk_json_uint(row, "frames", m->frames);
        pk_json_uint(row, "unknown", m->unknown);
        pk_json_uint(row, "lost", m->lost);
        pk_json_bool(row, "symbols", m->symbols);
        pk_json_bool(row, "debug_information", m->debug_information);
        pk_json_bool(row, "call_frame_information", m->call_frame_information);
        pk_json_bool(row, "missing", m->missing);
        pk_json_bool(row, "changed", m->changed);
    }
    all = pk_json_array(o, "maps");
    for (size_t i = 0; i < r->maps.count; i++) {
        const pk_alloc_map *m = &PK_AT(&r->maps, pk_alloc_map, i);
        pk_json *row = pk_json_object(all, NULL);
        pk_json_uint(row, "process", m->process);
        pk_json_uint(row, "begin", m->begin);
        pk_json_uint(row, "end", m->end);
        pk_json_uint(row, "offset", m->offset);
        pk_json_text(row, "path", m->path);
    }
}

static void add_places(pk_json *o, const pk_alloc_result *r) {
    pk_json *all = pk_json_array(o, "places");
    for (size_t i = 0; i < r->places.count; i++) {
        const pk_alloc_place *p = &PK_AT(&r->places, pk_alloc_place, i);
        pk_json *row = pk_json_object(all, NULL);
        pk_json_text(row, "object", p->object);
        pk_json_text(row, "symbol", p->symbol);
        pk_json_uint(row, "offset", p->offset);
        pk_json_uint(row, "address", p->address);
        pk_json_uint(row, "vaddr", p->vaddr);
        pk_json_uint_if(row, "module", p->module != UINT32_MAX, p->module);
    }
}

/* The tree as two columns: node i + 1 has a parent with a smaller number, 0 is the root. */
static void add_tree(pk_json *o, const pk_alloc_result *r) {
    pk_json *names = pk_json_array(o, "names");
    for (uint32_t i = 0; i < pk_names_count(r->names); i++)
        pk_json_text(names, NULL, pk_names_text(r->names, i, NULL));
    pk_json *tree = pk_json_object(o, "tree");
    pk_json *parent = pk_json_array(tree, "parent"), *name = pk_json_array(tree, "name");
    for (uint32_t i = 1; i < r->tree.nodes.count; i++) {
        pk_json_uint(parent, NULL, pk_node(&r->tree, i)->parent);
        pk_json_uint(name, NULL, pk_node(&r->tree, i)->name);
    }
}

static void add_stack(pk_json *o, const pk_alloc_stack *s, bool live, bool sampled) {
    pk_json_uint(o, "process", s->process);
    pk_json_uint(o, "node", s->node);
    pk_json_text(o, "function", pk_alloc_function_word(s->function));
    pk_json_bool(o, "cut", s->flags & PK_STACK_CUT);
    pk_json_bool(o, "lost", s->flags & PK_STACK_LOST);
    pk_json_bool(o, "guessed", s->flags & PK_STACK_GUESSED);
    pk_json_uint(o, "calls", s->calls);
    pk_json_uint(o, "bytes", s->bytes);
    pk_json_uint_if(o, "freed_calls", live, s->freed_calls);
    pk_json_uint_if(o, "freed_bytes", live, s->freed_bytes);
    pk_json_uint_if(o, "temporary", live, s->temporary);
    pk_json_uint_if(o, "leaked_calls", live, s->leaked_calls);
    pk_json_uint_if(o, "leaked_bytes", live, s->leaked_bytes);
    pk_json_uint_if(o, "peak_calls", live, s->peak_calls);
    pk_json_uint_if(o, "peak_bytes", live, s->peak_bytes);
    if (sampled) {
        pk_json_double(o, "calls_error", s->calls_error);
        pk_json_double(o, "bytes_error", s->bytes_error);
    }
    pk_json *places = pk_json_array(o, "places");
    for (uint32_t i = 0; i <= s->n_frames; i++) pk_json_uint(places, NULL, s->places[i]);
}

static void add_stacks(pk_json *o, const pk_alloc_result *r) {
    pk_json *all = pk_json_array(o, "stacks");
    for (size_t i = 0; i < r->stacks.count; i++)
        add_stack(pk_json_object(all, NULL), &PK_AT(&r->stacks, pk_alloc_stack, i), r->live_known,
                  r->sampled);
}

/* ---- what follows from the rest, for who reads it with other tools ---- */

static void add_weights(pk_json *o, const uint64_t weights[PK_WEIGHTS],
                        const pk_alloc_result *result) {
    for (int w = 0; w < PK_WEIGHTS; w++)
        pk_json_uint_if(o, pk_alloc_weight_name((pk_alloc_weight)w),
                        pk_alloc_weight_known(result, (pk_alloc_weight)w), weights[w]);
}

static bool add_functions(pk_json *o, const pk_alloc_result *r, pk_err *err) {
    pk_array rows;
    if (!pk_alloc_rows(r, PK_ALLOC_BY_FUNCTION, PK_WEIGHT_CALLS, &rows, err)) return false;
    pk_json *all = pk_json_array(o, "functions");
    for (size_t i = 0; i < rows.count; i++) {
        const pk_alloc_row *f = &PK_AT(&rows, pk_alloc_row, i);
        pk_json *row = pk_json_object(all, NULL);
        pk_json_text(row, "name", pk_names_text(r->names, f->name, NULL));
        add_weights(pk_json_object(row, "self"), f->self, r);
        add_weights(pk_json_object(row, "total"), f->total, r);
    }
    pk_array_fini(&rows);
    return true;
}

static void add_notes(pk_json *o, const pk_alloc_result *r) {
    pk_json *all = pk_json_array(o, "notes");
    for (size_t i = 0; i < r->notes.count; i++) {
        const pk_alloc_note *n = &PK_AT(&r->notes, pk_alloc_note, i);
        pk_json *row = pk_json_object(all, NULL);
        pk_json_text(row, "text", n->text);
        pk_json_text(row, "fix", n->fix);
    }
}

pk_json *pk_alloc_to_json(const pk_alloc_result *result, pk_err *err) {
    pk_json *o = pk_json_document(PK_ALLOC_SCHEMA);
    if (!o) {
        pk_alloc_no_memory(err);
        return NULL;
    }
    add_run(o, result);
    add_processes(o, result);
    add_moments(o, result);
    add_sizes(o, result);
    bool ok = add_functions(o, result, err);
    add_modules(o, result);
    add_places(o, result);
    add_tree(o, result);
    add_stacks(o, result);
    add_notes(o, result);
    if (ok) return o;
    pk_json_free(o);
    return NULL;
}
