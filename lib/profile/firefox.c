#include "profile/firefox.h"

#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/units.h"
#include "base/version.h"
#include "profile/thread_samples.h"
#include "report/json.h"

/* The tables of the format as of this version (its docs-developer/CHANGELOG-formats.md): stacks,
 * frames and functions are shared by all threads. Later versions of the profiler upgrade it. */
#define FORMAT_VERSION 60
#define GECKO_VERSION 24 /* of the other format; not looked at in this one */
#define STRINGS_MAX (1u << 20)
#define RESOURCE_LIBRARY 1

enum { CATEGORY_OTHER, CATEGORY_USER, CATEGORY_KERNEL, CATEGORY_JIT };
static const char *const categories[][2] = {
    [CATEGORY_OTHER] = {"Other", "grey"},
    [CATEGORY_USER] = {"User", "yellow"},
    [CATEGORY_KERNEL] = {"Kernel", "orange"},
    [CATEGORY_JIT] = {"JIT", "green"},
};

typedef struct writer {
    const pk_profile *profile;
    pk_strbuf *out;
    pk_thread_samples by_thread;
    uint32_t *stack; /* by node: its number in the stack table */
    uint32_t *func;  /* by name: its number in the table of functions + 1; 0: not used */
    pk_array names;  /* uint32_t: the name of each function */
    uint32_t n_stacks;
} writer;

/* ---- columns ---- */

typedef void cell(const writer *w, size_t i);

/* "key":[cell,cell,...], */
static void add_column(const writer *w, const char *key, size_t n, cell *add) {
    pk_strbuf_addf(w->out, "\"%s\":[", key);
    for (size_t i = 0; i < n; i++) {
        if (i > 0) pk_strbuf_add_char(w->out, ',');
        add(w, i);
    }
    pk_strbuf_add_str(w->out, "],");
}

static void add_constant(const writer *w, const char *key, size_t n, const char *value) {
    pk_strbuf_addf(w->out, "\"%s\":[", key);
    for (size_t i = 0; i < n; i++) pk_strbuf_addf(w->out, i > 0 ? ",%s" : "%s", value);
    pk_strbuf_add_str(w->out, "],");
}

static void end_table(const writer *w, size_t n, const char *behind) {
    pk_strbuf_addf(w->out, "\"length\":%zu}%s", n, behind);
}

static void add_quoted(const writer *w, const char *text) {
    pk_json_quote(w->out, text, strlen(text));
}

static void add_member(const writer *w, const char *key, const char *text) {
    pk_strbuf_addf(w->out, "\"%s\":", key);
    add_quoted(w, text);
    pk_strbuf_add_char(w->out, ',');
}

/* Milliseconds, to the nanosecond. */
static void add_ms(const writer *w, uint64_t ns) {
    pk_strbuf_addf(w->out, "%llu.%06llu", (unsigned long long)(ns / PK_NS_PER_MS),
                   (unsigned long long)(ns % PK_NS_PER_MS));
}

/* ---- what all threads share ---- */

/* Numbers for the nodes that are frames, and for their names. */
static bool number(writer *w) {
    const pk_stack_tree *tree = &w->profile->tree;
    for (uint32_t i = 1; i < tree->nodes.count; i++) {
        uint32_t name = pk_node(tree, i)->name;
        if (name == PK_NAME_NONE) continue;
        w->stack[i] = w->n_stacks++;
        if (w->func[name]) continue;
        uint32_t *added = pk_array_push(&w->names);
        if (!added) return false;
        *added = name;
        w->func[name] = (uint32_t)w->names.count;
    }
    return true;
}

static void add_stack_table(const writer *w) {
    const pk_stack_tree *tree = &w->profile->tree;
    pk_strbuf_add_str(w->out, "\"stackTable\":{\"prefix\":[");
    for (uint32_t i = 1, n = 0; i < tree->nodes.count; i++) {
        const pk_stack_node *node = pk_node(tree, i);
        if (node->name == PK_NAME_NONE) continue;
        if (n++ > 0) pk_strbuf_add_char(w->out, ',');
        if (node->parent == PK_NODE_ROOT) pk_strbuf_add_str(w->out, "null");
        else pk_strbuf_addf(w->out, "%u", w->stack[node->parent]);
    }
    pk_strbuf_add_str(w->out, "],\"frame\":[");
    for (uint32_t i = 1, n = 0; i < tree->nodes.count; i++) {
        const pk_stack_node *node = pk_node(tree, i);
        if (node->name == PK_NAME_NONE) continue;
        pk_strbuf_addf(w->out, n++ > 0 ? ",%u" : "%u", w->func[node->name] - 1);
    }
    pk_strbuf_add_str(w->out, "],");
    end_table(w, w->n_stacks, ",\n");
}

static bool ends_in(const char *text, size_t bytes, const char *end) {
    size_t n = strlen(end);
    return bytes >= n && memcmp(text + bytes - n, end, n) == 0;
}

/* As the name shows it; it does only for what was marked, or has no symbol. */
static int category_of(const char *name, size_t bytes) {
    static const char kernel[] = "[kernel";
    if (ends_in(name, bytes, "_[k]") || strncmp(name, kernel, sizeof kernel - 1) == 0)
        return CATEGORY_KERNEL;
    if (ends_in(name, bytes, "_[j]")) return CATEGORY_JIT;
    return name[0] == '[' ? CATEGORY_OTHER : CATEGORY_USER;
}

static void category_cell(const writer *w, size_t i) {
    size_t bytes;
    const char *name = pk_names_text(w->profile->tree.names, PK_AT(&w->names, uint32_t, i), &bytes);
    pk_strbuf_addf(w->out, "%d", category_of(name, bytes));
}

static void index_cell(const writer *w, size_t i) {
    pk_strbuf_addf(w->out, "%zu", i);
}

/* A frame per function, since addresses are not kept: their numbers are equal. */
static void add_frames_and_functions(const writer *w) {
    size_t n = w->names.count;
    pk_strbuf_add_str(w->out, "\"frameTable\":{");
    add_constant(w, "address", n, "-1");
    add_constant(w, "inlineDepth", n, "0");
    add_column(w, "category", n, category_cell);
    add_constant(w, "subcategory", n, "0");
    add_column(w, "func", n, index_cell);
    add_constant(w, "nativeSymbol", n, "null");
    add_constant(w, "innerWindowID", n, "0");
    add_constant(w, "line", n, "null");
    add_constant(w, "column", n, "null");
    end_table(w, n, ",\n");
    pk_strbuf_add_str(w->out, "\"funcTable\":{");
    add_column(w, "name", n, index_cell);
    add_constant(w, "isJS", n, "false");
    add_constant(w, "relevantForJS", n, "false");
    add_constant(w, "resource", n, "-1");
    add_constant(w, "source", n, "null");
    add_constant(w, "lineNumber", n, "null");
    add_constant(w, "columnNumber", n, "null");
    end_table(w, n, ",\n");
}

static void string_cell(const writer *w, size_t i) {
    size_t bytes;
    const char *name = pk_names_text(w->profile->tree.names, PK_AT(&w->names, uint32_t, i), &bytes);
    pk_json_quote(w->out, name, bytes);
}

static void add_shared(const writer *w) {
    pk_strbuf_add_str(w->out, "\"shared\":{\n");
    add_stack_table(w);
    add_frames_and_functions(w);
    pk_strbuf_add_str(
        w->out, "\"resourceTable\":{\"lib\":[],\"name\":[],\"host\":[],\"type\":[],\"length\":0},\n"
                "\"nativeSymbols\":{\"libIndex\":[],\"address\":[],\"name\":[],\"functionSize\":[],"
                "\"length\":0},\n"
                "\"sources\":{\"uuid\":[],\"filename\":[],\"length\":0},\n");
    add_column(w, "stringArray", w->names.count, string_cell);
    w->out->data[--w->out->length] = '\0'; /* its comma: it is the last one */
    pk_strbuf_add_str(w->out, "},\n");
}

/* ---- the recording ---- */

static uint64_t first_time(const pk_profile *profile) {
    return profile->samples.count > 0 ? PK_AT(&profile->samples, pk_profile_sample, 0).time_ns : 0;
}

static void add_meta(const writer *w) {
    const pk_profile *p = w->profile;
    double interval = p->frequency_hz > 0                  ? 1000 / p->frequency_hz
                      : p->weight_is_time && p->period > 0 ? (double)p->period / PK_NS_PER_MS
                                                           : 1;
    char number[PK_FORMAT_MAX];
    pk_strbuf_add_str(w->out, "{\"meta\":{");
    pk_strbuf_addf(w->out, "\"interval\":%s,\"startTime\":0,",
                   pk_format_double(number, sizeof number, interval));
    add_member(w, "product", p->command ? p->command : "profile");
    add_member(w, "importedFrom", "perfkit " PK_VERSION);
    if (p->kernel) add_member(w, "oscpu", p->kernel);
    pk_strbuf_add_str(w->out, "\"categories\":[");
    for (size_t i = 0; i < sizeof categories / sizeof categories[0]; i++)
        pk_strbuf_addf(w->out, "%s{\"name\":\"%s\",\"color\":\"%s\",\"subcategories\":[\"Other\"]}",
                       i > 0 ? "," : "", categories[i][0], categories[i][1]);
    pk_strbuf_addf(w->out,
                   "],\"processType\":0,\"stackwalk\":1,\"debug\":false,\"version\":%d,"
                   "\"preprocessedProfileVersion\":%d,\"symbolicated\":true,"
                   "\"symbolicationNotSupported\":true,\"usesOnlyOneStackType\":true,"
                   "\"sourceCodeIsNotOnSearchfox\":true,\"markerSchema\":[],"
                   "\"sampleUnits\":{\"time\":\"ms\",\"eventDelay\":\"ms\","
                   "\"threadCPUDelta\":\"ns\"}},\n",
                   GECKO_VERSION, FORMAT_VERSION);
}

static void add_libs(const writer *w) {
    pk_strbuf_add_str(w->out, "\"libs\":[");
    for (size_t i = 0; i < w->profile->modules.count; i++) {
        const char *path = PK_AT(&w->profile->modules, pk_profile_module, i).path;
        const char *slash = strrchr(path, '/');
        const char *name = slash ? slash + 1 : path;
        pk_strbuf_add_str(w->out, i > 0 ? ",\n{" : "\n{");
        add_member(w, "name", name);
        add_member(w, "debugName", name);
        add_member(w, "path", path);
        add_member(w, "debugPath", path);
        pk_strbuf_add_str(w->out, "\"breakpadId\":\"\",\"codeId\":null,\"arch\":null}");
    }
    pk_strbuf_add_str(w->out, "],\n");
}

/* ---- threads ---- */

static void add_node(const writer *w, uint32_t node) {
    const pk_stack_tree *tree = &w->profile->tree;
    while (node != PK_NODE_ROOT && pk_node(tree, node)->name == PK_NAME_NONE)
        node = pk_node(tree, node)->parent; /* a gap */
    if (node == PK_NODE_ROOT) pk_strbuf_add_str(w->out, "null");
    else pk_strbuf_addf(w->out, "%u", w->stack[node]);
}

static void add_weight(const writer *w, uint64_t weight) {
    if (w->profile->weight_is_time) add_ms(w, weight);
    else pk_strbuf_addf(w->out, "%llu", (unsigned long long)weight);
}

static void open_thread(const writer *w, const char *name, uint32_t pid, uint32_t tid,
                        uint64_t begin_ns, uint64_t end_ns) {
    pk_strbuf_add_char(w->out, '{');
    add_member(w, "name", name);
    add_member(w, "processName", w->profile->command ? w->profile->command : name);
    pk_strbuf_addf(w->out,
                   "\"processType\":\"default\",\"isMainThread\":%s,\"pid\":\"%u\",\"tid\":%u,"
                   "\"processStartupTime\":0,\"processShutdownTime\":null,\"registerTime\":",
                   pid == tid ? "true" : "false", pid, tid);
    add_ms(w, begin_ns);
    pk_strbuf_add_str(w->out, ",\"unregisterTime\":");
    add_ms(w, end_ns);
    pk_strbuf_add_str(w->out, ",\"pausedRanges\":[],\"markers\":{\"data\":[],\"name\":[],"
                              "\"startTime\":[],\"endTime\":[],\"phase\":[],\"category\":[],"
                              "\"length\":0},\n");
    pk_strbuf_addf(w->out, "\"samples\":{\"weightType\":\"%s\",",
                   w->profile->weight_is_time ? "tracing-ms" : "samples");
}

static void add_thread(const writer *w, size_t thread) {
    const pk_profile *p = w->profile;
    const pk_profile_thread *t = &PK_AT(&p->threads, pk_profile_thread, thread);
    size_t begin = w->by_thread.begin[thread], end = w->by_thread.begin[thread + 1];
    uint64_t zero = first_time(p);
    const char *name = t->name == PK_NAME_NONE ? "thread" : pk_names_text(p->names, t->name, NULL);
    open_thread(w, name, t->pid, t->tid, t->first_ns - zero, t->last_ns - zero);
    pk_strbuf_add_str(w->out, "\"stack\":[");
    for (size_t i = begin; i < end; i++) {
        if (i > begin) pk_strbuf_add_char(w->out, ',');
        add_node(w, pk_thread_sample(&w->by_thread, p, i)->node);
    }
    pk_strbuf_add_str(w->out, "],\"time\":[");
    for (size_t i = begin; i < end; i++) {
        if (i > begin) pk_strbuf_add_char(w->out, ',');
        add_ms(w, pk_thread_sample(&w->by_thread, p, i)->time_ns - zero);
    }
    pk_strbuf_add_str(w->out, "],\"weight\":[");
    for (size_t i = begin; i < end; i++) {
        if (i > begin) pk_strbuf_add_char(w->out, ',');
        add_weight(w, pk_thread_sample(&w->by_thread, p, i)->weight);
    }
    pk_strbuf_add_str(w->out, "],");
    end_table(w, end - begin, "}");
}

/* One column of the stacks that have a weight. */
static size_t add_merged_column(const writer *w, const char *key,
                                void (*add)(const writer *, uint32_t node, uint64_t before)) {
    const pk_stack_tree *tree = &w->profile->tree;
    uint64_t before = 0;
    size_t n = 0;
    pk_strbuf_addf(w->out, "\"%s\":[", key);
    for (uint32_t i = 0; i < tree->nodes.count; i++) {
        uint64_t self = pk_node(tree, i)->self[0];
        if (self == 0) continue;
        if (n++ > 0) pk_strbuf_add_char(w->out, ',');
        add(w, i, before);
        before += w->profile->weight_is_time ? self : PK_NS_PER_MS;
    }
    pk_strbuf_add_str(w->out, "],");
    return n;
}

static void add_stack_at(const writer *w, uint32_t node, uint64_t before) {
    (void)before;
    add_node(w, node);
}

static void add_time_at(const writer *w, uint32_t node, uint64_t before) {
    (void)node;
    add_ms(w, before);
}

static void add_weight_at(const writer *w, uint32_t node, uint64_t before) {
    (void)before;
    add_weight(w, pk_node(&w->profile->tree, node)->self[0]);
}

/* Times are where the stacks before end: there is no other order. */
static void add_merged(const writer *w) {
    open_thread(w, "all stacks", 0, 0, 0, w->profile->duration_ns);
    size_t n = add_merged_column(w, "stack", add_stack_at);
    add_merged_column(w, "time", add_time_at);
    add_merged_column(w, "weight", add_weight_at);
    end_table(w, n, "}");
}

static void add_document(writer *w) {
    add_meta(w);
    add_libs(w);
    add_shared(w);
    pk_strbuf_add_str(w->out, "\"threads\":[\n");
    size_t threads = w->profile->samples.count > 0 ? w->profile->threads.count : 0;
    for (size_t i = 0; i < threads; i++) {
        if (i > 0) pk_strbuf_add_str(w->out, ",\n");
        add_thread(w, i);
    }
    if (threads == 0) add_merged(w);
    pk_strbuf_add_str(w->out, "]}\n");
}

bool pk_firefox(const pk_profile *profile, pk_strbuf *out, pk_err *err) {
    uint32_t n_names = pk_names_count(profile->tree.names);
    writer w = {.profile = profile,
                .out = out,
                .names = PK_ARRAY(uint32_t, UINT32_MAX),
                .stack = calloc(profile->tree.nodes.count, sizeof *w.stack),
                .func = calloc(n_names ? n_names : 1, sizeof *w.func)};
    bool ok = w.stack && w.func && number(&w) && pk_thread_samples_init(&w.by_thread, profile, err);
    if (ok) {
        add_document(&w);
        ok = pk_strbuf_ok(out);
    }
    free(w.stack);
    free(w.func);
    pk_array_fini(&w.names);
    pk_thread_samples_fini(&w.by_thread);
    if (!ok) pk_fail(err, PK_E_LIMIT, NULL, "not enough memory for a file for Firefox's profiler");
    return ok;
}
