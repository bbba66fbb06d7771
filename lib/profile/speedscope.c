#include "profile/speedscope.h"

#include <stdlib.h>
#include <string.h>

#include "base/version.h"
#include "profile/thread_samples.h"
#include "report/json.h"

#define NAME_BYTES_MAX 4096

typedef struct writer {
    const pk_profile *profile;
    pk_strbuf *out;
    uint32_t *frames; /* by name: its number in the file + 1; 0: not used */
    uint32_t *path;
    pk_thread_samples by_thread;
} writer;

/* ---- frames, shared by all profiles of the file ---- */

static void add_frames(writer *w) {
    const pk_stack_tree *tree = &w->profile->tree;
    uint32_t n = 0;
    pk_strbuf_add_str(w->out, "\"shared\":{\"frames\":[");
    for (uint32_t i = 1; i < tree->nodes.count; i++) {
        uint32_t name = pk_node(tree, i)->name;
        if (name == PK_NAME_NONE || w->frames[name]) continue;
        w->frames[name] = ++n;
        size_t bytes;
        const char *text = pk_names_text(tree->names, name, &bytes);
        pk_strbuf_add_str(w->out, n > 1 ? ",\n{\"name\":" : "\n{\"name\":");
        pk_json_quote(w->out, text, bytes);
        pk_strbuf_add_char(w->out, '}');
    }
    pk_strbuf_add_str(w->out, "]}");
}

/* ---- one profile ---- */

static void add_stack(writer *w, uint32_t node, bool first) {
    size_t n = pk_stack_tree_path(&w->profile->tree, node, w->path);
    pk_strbuf_add_str(w->out, first ? "\n[" : ",\n[");
    for (size_t i = 0; i < n; i++)
        pk_strbuf_addf(w->out, i > 0 ? ",%u" : "%u", w->frames[w->path[i]] - 1);
    pk_strbuf_add_char(w->out, ']');
}

/* Stacks one behind the other: as many as `n`, each with where it ends and how heavy it is. */
typedef void item(const writer *w, size_t i, uint32_t *node, uint64_t *weight);

static void add_samples(writer *w, const char *name, size_t begin, size_t end, item *get) {
    uint32_t node;
    uint64_t weight, total = 0;
    for (size_t i = begin; i < end; i++) {
        get(w, i, &node, &weight);
        total += weight;
    }
    pk_strbuf_add_str(w->out, "{\"type\":\"sampled\",\"name\":");
    pk_json_quote(w->out, name, strlen(name));
    pk_strbuf_addf(w->out, ",\"unit\":\"%s\",\"startValue\":0,\"endValue\":%llu,\"samples\":[",
                   w->profile->weight_is_time ? "nanoseconds" : "none", (unsigned long long)total);
    for (size_t i = begin, n = 0; i < end; i++) {
        get(w, i, &node, &weight);
        if (weight > 0) add_stack(w, node, n++ == 0);
    }
    pk_strbuf_add_str(w->out, "],\n\"weights\":[");
    for (size_t i = begin, n = 0; i < end; i++) {
        get(w, i, &node, &weight);
        if (weight > 0) pk_strbuf_addf(w->out, n++ ? ",%llu" : "%llu", (unsigned long long)weight);
    }
    pk_strbuf_add_str(w->out, "]}");
}

static void get_node(const writer *w, size_t i, uint32_t *node, uint64_t *weight) {
    *node = (uint32_t)i;
    *weight = pk_node(&w->profile->tree, *node)->self[0];
}

static void get_sample(const writer *w, size_t i, uint32_t *node, uint64_t *weight) {
    const pk_profile_sample *s = pk_thread_sample(&w->by_thread, w->profile, i);
    *node = s->node;
    *weight = s->weight;
}

static void add_thread(writer *w, size_t thread) {
    const pk_profile_thread *t = &PK_AT(&w->profile->threads, pk_profile_thread, thread);
    pk_strbuf name;
    pk_strbuf_init(&name, NAME_BYTES_MAX);
    if (t->name != PK_NAME_NONE)
        pk_strbuf_addf(&name, "%s ", pk_names_text(w->profile->names, t->name, NULL));
    pk_strbuf_addf(&name, "%u/%u", t->pid, t->tid);
    const size_t *begin = w->by_thread.begin;
    add_samples(w, name.data, begin[thread], begin[thread + 1], get_sample);
    pk_strbuf_fini(&name);
}

static void add_document(writer *w, const char *name) {
    const char *shown = name ? name : w->profile->command ? w->profile->command : "profile";
    pk_strbuf_add_str(w->out,
                      "{\"$schema\":\"https://www.speedscope.app/file-format-schema.json\",\n"
                      "\"exporter\":\"perfkit@" PK_VERSION "\",\"name\":");
    pk_json_quote(w->out, shown, strlen(shown));
    pk_strbuf_add_str(w->out, ",\"activeProfileIndex\":0,\n");
    add_frames(w);
    pk_strbuf_add_str(w->out, ",\n\"profiles\":[\n");
    size_t threads = w->profile->samples.count > 0 ? w->profile->threads.count : 0;
    for (size_t i = 0; i < threads; i++) {
        if (i > 0) pk_strbuf_add_str(w->out, ",\n");
        add_thread(w, i);
    }
    if (threads == 0) add_samples(w, shown, 0, w->profile->tree.nodes.count, get_node);
    pk_strbuf_add_str(w->out, "]}\n");
}

bool pk_speedscope(const pk_profile *profile, const char *name, pk_strbuf *out, pk_err *err) {
    size_t n_names = pk_names_count(profile->tree.names);
    writer w = {.profile = profile,
                .out = out,
                .frames = calloc(n_names ? n_names : 1, sizeof *w.frames),
                .path = calloc(PK_STACK_DEPTH_MAX, sizeof *w.path)};
    bool ok = w.frames && w.path && pk_thread_samples_init(&w.by_thread, profile, err);
    if (ok) {
        add_document(&w, name);
        ok = pk_strbuf_ok(out);
    }
    free(w.frames);
    free(w.path);
    pk_thread_samples_fini(&w.by_thread);
    if (!ok) pk_fail(err, PK_E_LIMIT, NULL, "not enough memory for a file for speedscope");
    return ok;
}
