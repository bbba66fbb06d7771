#include "profile/pprof.h"

#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/compress.h"
#include "report/escape.h"

/* Numbers of the fields in profile.proto. */
enum {
    PROFILE_SAMPLE_TYPE = 1,
    PROFILE_SAMPLE = 2,
    PROFILE_MAPPING = 3,
    PROFILE_LOCATION = 4,
    PROFILE_FUNCTION = 5,
    PROFILE_STRING = 6,
    PROFILE_DROP_FRAMES = 7,
    PROFILE_DURATION_NS = 10,
    PROFILE_PERIOD_TYPE = 11,
    PROFILE_PERIOD = 12,
    PROFILE_COMMENT = 13,
    PROFILE_DEFAULT_TYPE = 14,
    TYPE_TYPE = 1,
    TYPE_UNIT = 2,
    SAMPLE_LOCATIONS = 1,
    SAMPLE_VALUES = 2,
    MAPPING_ID = 1,
    MAPPING_FILE = 5,
    MAPPING_HAS_FUNCTIONS = 7,
    MAPPING_HAS_INLINED = 10,
    LOCATION_ID = 1,
    LOCATION_LINE = 4,
    LINE_FUNCTION = 1,
    FUNCTION_ID = 1,
    FUNCTION_NAME = 2,
    FUNCTION_SYSTEM_NAME = 3,
};

#define STRINGS_MAX (1u << 20) /* other than names of functions */

typedef struct writer {
    const pk_profile *profile;
    const pk_pprof_types *types;
    pk_strbuf out, message, part; /* the file, and what is nested in it by one level and by two */
    pk_array strings;             /* const char *, behind "" and the names */
    uint32_t n_names;
    bool *used; /* by name */
    uint32_t *path;
    bool failed;
} writer;

/* ---- protocol buffers (protobuf.dev/programming-guides/encoding) ---- */

enum { WIRE_VARINT = 0, WIRE_BYTES = 2 };

static void add_varint(pk_strbuf *out, uint64_t value) {
    for (; value >= 0x80; value >>= 7) pk_strbuf_add_char(out, (char)(value | 0x80));
    pk_strbuf_add_char(out, (char)value);
}

static void add_number(pk_strbuf *out, unsigned field, uint64_t value) {
    if (value == 0) return; /* as absent */
    add_varint(out, field << 3 | WIRE_VARINT);
    add_varint(out, value);
}

static void add_bytes(pk_strbuf *out, unsigned field, const pk_strbuf *bytes) {
    add_varint(out, field << 3 | WIRE_BYTES);
    add_varint(out, bytes->length);
    pk_strbuf_add(out, bytes->data, bytes->length);
    out->failed = out->failed || !pk_strbuf_ok(bytes);
}

/* ---- strings: 0 is "", then the names, then what was asked for ---- */

static uint64_t string_of_name(uint32_t name) {
    return (uint64_t)name + 1;
}

static uint64_t string_of(writer *w, const char *text) {
    for (size_t i = 0; i < w->strings.count; i++)
        if (strcmp(PK_AT(&w->strings, const char *, i), text) == 0) return w->n_names + 1 + i;
    const char **added = pk_array_push(&w->strings);
    if (!added) {
        w->failed = true;
        return 0;
    }
    *added = text;
    return w->n_names + w->strings.count;
}

static void add_string(writer *w, const char *text, size_t bytes) {
    pk_strbuf_clear(&w->message);
    pk_escape_utf8(&w->message, text, bytes);
    add_bytes(&w->out, PROFILE_STRING, &w->message);
}

static void add_strings(writer *w) {
    add_string(w, "", 0);
    for (uint32_t i = 0; i < w->n_names; i++) {
        size_t bytes;
        const char *text = pk_names_text(w->profile->tree.names, i, &bytes);
        add_string(w, text, w->used[i] ? bytes : 0);
    }
    for (size_t i = 0; i < w->strings.count; i++) {
        const char *text = PK_AT(&w->strings, const char *, i);
        add_string(w, text, strlen(text));
    }
}

/* ---- what the values are ---- */

static void add_type(writer *w, unsigned field, const char *type, const char *unit) {
    pk_strbuf_clear(&w->message);
    add_number(&w->message, TYPE_TYPE, string_of(w, type));
    add_number(&w->message, TYPE_UNIT, string_of(w, unit));
    add_bytes(&w->out, field, &w->message);
}

static void add_types(writer *w) {
    const pk_pprof_types *t = w->types;
    for (size_t i = 0; i < t->n_values; i++)
        add_type(w, PROFILE_SAMPLE_TYPE, t->values[i].type, t->values[i].unit);
    if (w->profile->period > 0) {
        add_type(w, PROFILE_PERIOD_TYPE, t->period_type, t->period_unit);
        add_number(&w->out, PROFILE_PERIOD, w->profile->period);
    }
    add_number(&w->out, PROFILE_DEFAULT_TYPE, string_of(w, t->shown));
}

/* ---- functions, and a location for each: their addresses are not kept ---- */

static void add_function(writer *w, uint32_t name) {
    uint64_t id = (uint64_t)name + 1;
    pk_strbuf_clear(&w->message);
    add_number(&w->message, FUNCTION_ID, id);
    add_number(&w->message, FUNCTION_NAME, string_of_name(name));
    add_number(&w->message, FUNCTION_SYSTEM_NAME, string_of_name(name));
    add_bytes(&w->out, PROFILE_FUNCTION, &w->message);
    pk_strbuf_clear(&w->message);
    pk_strbuf_clear(&w->part);
    add_number(&w->message, LOCATION_ID, id);
    add_number(&w->part, LINE_FUNCTION, id);
    add_bytes(&w->message, LOCATION_LINE, &w->part);
    add_bytes(&w->out, PROFILE_LOCATION, &w->message);
}

static void add_mapping(writer *w, size_t i) {
    const pk_profile_module *m = &PK_AT(&w->profile->modules, pk_profile_module, i);
    pk_strbuf_clear(&w->message);
    add_number(&w->message, MAPPING_ID, i + 1);
    add_number(&w->message, MAPPING_FILE, string_of(w, m->path));
    add_number(&w->message, MAPPING_HAS_FUNCTIONS, m->symbols);
    add_number(&w->message, MAPPING_HAS_INLINED, m->debug_information);
    add_bytes(&w->out, PROFILE_MAPPING, &w->message);
}

/* What was mapped where is not kept; the files are listed for what is known of them, the program
 * first, since pprof calls the whole by that name. */
static void add_mappings(writer *w) {
    size_t n = w->profile->modules.count, first = 0;
    for (size_t i = n; w->types->first && i-- > 0;)
        if (strcmp(PK_AT(&w->profile->modules, pk_profile_module, i).path, w->types->first) == 0)
            first = i;
    if (n > 0) add_mapping(w, first);
    for (size_t i = 0; i < n; i++)
        if (i != first) add_mapping(w, i);
}

/* ---- samples ---- */

static uint64_t value_at(const writer *w, size_t i, uint32_t node) {
    const pk_pprof_value *value = &w->types->values[i];
    return value->by_node ? value->by_node[node]
                          : pk_node(&w->profile->tree, node)->self[value->weight];
}

static bool has_value(const writer *w, uint32_t node) {
    for (size_t i = 0; i < w->types->n_values; i++)
        if (value_at(w, i, node) > 0) return true;
    return false;
}

static void add_sample(writer *w, uint32_t node) {
    pk_strbuf_clear(&w->message);
    pk_strbuf_clear(&w->part);
    size_t n = pk_stack_tree_path(&w->profile->tree, node, w->path);
    while (n-- > 0) add_varint(&w->part, (uint64_t)w->path[n] + 1); /* the leaf comes first */
    add_bytes(&w->message, SAMPLE_LOCATIONS, &w->part);
    pk_strbuf_clear(&w->part);
    for (size_t i = 0; i < w->types->n_values; i++) add_varint(&w->part, value_at(w, i, node));
    add_bytes(&w->message, SAMPLE_VALUES, &w->part);
    add_bytes(&w->out, PROFILE_SAMPLE, &w->message);
}

static void add_profile(writer *w) {
    const pk_profile *p = w->profile;
    const pk_stack_tree *tree = &p->tree;
    for (uint32_t i = 1; i < tree->nodes.count; i++)
        if (pk_node(tree, i)->name != PK_NAME_NONE) w->used[pk_node(tree, i)->name] = true;
    add_types(w);
    for (uint32_t i = 0; i < tree->nodes.count; i++)
        if (has_value(w, i)) add_sample(w, i);
    add_mappings(w);
    for (uint32_t i = 0; i < w->n_names; i++)
        if (w->used[i]) add_function(w, i);
    add_number(&w->out, PROFILE_DURATION_NS, p->duration_ns);
    if (w->types->drop) add_number(&w->out, PROFILE_DROP_FRAMES, string_of(w, w->types->drop));
    if (p->command) add_number(&w->out, PROFILE_COMMENT, string_of(w, p->command));
    add_strings(w);
}

static bool no_memory(pk_err *err) {
    pk_fail(err, PK_E_LIMIT, NULL, "not enough memory for a file for pprof");
    return false;
}

bool pk_pprof_values(const pk_profile *profile, const pk_pprof_types *types, pk_strbuf *out,
                     pk_err *err) {
    writer w = {.profile = profile, .types = types, .strings = PK_ARRAY(const char *, STRINGS_MAX)};
    w.n_names = pk_names_count(profile->tree.names);
    w.used = calloc(w.n_names ? w.n_names : 1, sizeof *w.used);
    w.path = calloc(PK_STACK_DEPTH_MAX, sizeof *w.path);
    pk_strbuf_init(&w.out, out->max_bytes);
    pk_strbuf_init(&w.message, out->max_bytes);
    pk_strbuf_init(&w.part, out->max_bytes);
    bool ok = w.used && w.path;
    if (ok) {
        add_profile(&w);
        ok = !w.failed && pk_strbuf_ok(&w.out) && pk_gzip(w.out.data, w.out.length, out);
    }
    pk_strbuf_fini(&w.out);
    pk_strbuf_fini(&w.message);
    pk_strbuf_fini(&w.part);
    pk_array_fini(&w.strings);
    free(w.used);
    free(w.path);
    return ok ? true : no_memory(err);
}

/* ---- of samples in time ---- */

static const char *weight_type(const pk_profile *profile) {
    if (profile->off_cpu) return "off-cpu";
    if (profile->weight_is_time) return "cpu";
    return profile->event ? profile->event : "samples";
}

/* How many samples ended at each node: exactly, where they were kept; else as the weight has it
 * (the same where all have one period), rounded so that the sum is right. */
static void count_samples(const pk_profile *profile, uint64_t *counts) {
    const pk_stack_tree *tree = &profile->tree;
    for (size_t i = 0; i < profile->samples.count; i++)
        counts[PK_AT(&profile->samples, pk_profile_sample, i).node]++;
    if (profile->samples.count > 0) return;
    double total = 0, so_far = 0;
    for (uint32_t i = 0; i < tree->nodes.count; i++) total += (double)pk_node(tree, i)->self[0];
    uint64_t given = 0;
    for (uint32_t i = 0; i < tree->nodes.count; i++) {
        so_far += (double)pk_node(tree, i)->self[0];
        uint64_t due = (uint64_t)(so_far / total * (double)profile->n_samples + 0.5);
        counts[i] = due - given;
        given = due;
    }
}

static bool wants_counts(const pk_profile *profile) {
    bool weights_are_samples = !profile->event || strcmp(profile->unit, "samples") == 0;
    return profile->n_samples > 0 && !weights_are_samples;
}

bool pk_pprof(const pk_profile *profile, pk_strbuf *out, pk_err *err) {
    const char *type = weight_type(profile);
    const char *unit = profile->weight_is_time ? "nanoseconds" : "count";
    uint64_t *counts = NULL;
    if (wants_counts(profile)) {
        counts = calloc(profile->tree.nodes.count, sizeof *counts);
        if (!counts) return no_memory(err);
        count_samples(profile, counts);
    }
    const pk_pprof_value values[] = {{"samples", "count", 0, counts}, {type, unit, 0, NULL}};
    const pk_pprof_types types = {.values = counts ? values : values + 1,
                                  .n_values = counts ? 2 : 1,
                                  .shown = type,
                                  .period_type = type,
                                  .period_unit = unit};
    bool ok = pk_pprof_values(profile, &types, out, err);
    free(counts);
    return ok;
}
