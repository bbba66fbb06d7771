/* Criterion's own files: field order, number types and units as Criterion.rs 0.5 writes them, each
 * one line without a line break. Read are also what 0.2 wrote: keys that begin with a capital, and
 * a sample as two bare lists. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "bench/store_internal.h"
#include "report/json_read.h"
#include "stats/student.h"

#define TREE_BYTES_MAX (256u << 20)
enum { TITLE_BYTES_MAX = 100 }; /* Criterion's */

/* ---- writing ---- */

static bool write_and_free(FILE *out, pk_json *root, const pk_json *what, pk_err *err) {
    bool ok = pk_json_write_compact(out, what, err);
    pk_json_free(root);
    return ok;
}

static void add_throughput(pk_json *root, const pk_bench_throughput *throughput) {
    if (!throughput->given) {
        pk_json_null(root, "throughput");
        return;
    }
    pk_json *o = pk_json_object(root, "throughput");
    pk_json_uint(o, throughput->bytes ? "Bytes" : "Elements", throughput->per_iteration);
}

/* The id, cut between characters, and dots where something is missing. */
static void title_of(const char *id, char title[TITLE_BYTES_MAX + 4]) {
    size_t length = strlen(id), kept = length;
    if (length > TITLE_BYTES_MAX)
        for (kept = TITLE_BYTES_MAX; kept > 0 && ((unsigned char)id[kept] & 0xc0) == 0x80;) kept--;
    memcpy(title, id, kept);
    memcpy(title + kept, kept < length ? "..." : "", kept < length ? 4 : 1);
}

bool pk_criterion_write_benchmark(FILE *out, const pk_bench_result *result, const char *directory,
                                  pk_err *err) {
    char title[TITLE_BYTES_MAX + 4];
    title_of(result->id, title);
    pk_json *root = pk_json_new();
    pk_json_text(root, "group_id", result->group);
    pk_json_text(root, "function_id", result->function);
    pk_json_text(root, "value_str", result->value);
    add_throughput(root, &result->throughput);
    pk_json_text(root, "full_id", result->id);
    pk_json_text(root, "directory_name", directory);
    pk_json_text(root, "title", title);
    return write_and_free(out, root, root, err);
}

/* Each worker is one sample: its iterations, and the time they take at its trimmed mean. */
bool pk_criterion_write_sample(FILE *out, const pk_bench_result *result, const char *directory,
                               pk_err *err) {
    (void)directory;
    pk_json *root = pk_json_new();
    pk_json_text(root, "sampling_mode", "Flat");
    pk_json *iterations = pk_json_array(root, "iters");
    pk_json *times = pk_json_array(root, "times");
    for (size_t i = 0; i < result->n_workers; i++) {
        const pk_bench_side *side = pk_bench_sample(&result->workers[i]);
        if (!side) continue;
        pk_json_float(iterations, NULL, (double)side->iterations);
        pk_json_float(times, NULL, (double)side->iterations * side->trimmed_ns);
    }
    return write_and_free(out, root, root, err);
}

static void add_estimate(pk_json *root, const char *key, const pk_estimate *estimate,
                         double level) {
    pk_json *o = pk_json_object(root, key);
    pk_json *interval = pk_json_object(o, "confidence_interval");
    pk_json_float(interval, "confidence_level", level);
    pk_json_float(interval, "lower_bound", estimate->low);
    pk_json_float(interval, "upper_bound", estimate->high);
    pk_json_float(o, "point_estimate", estimate->point);
    pk_json_float(o, "standard_error", estimate->standard_error);
}

bool pk_criterion_write_estimates(FILE *out, const pk_bench_result *result, const char *directory,
                                  pk_err *err) {
    (void)directory;
    const pk_criterion_estimates *c = &result->criterion;
    pk_json *root = pk_json_new();
    add_estimate(root, "mean", &c->mean, result->confidence_level);
    add_estimate(root, "median", &c->median, result->confidence_level);
    add_estimate(root, "median_abs_dev", &c->median_abs_dev, result->confidence_level);
    if (c->has_slope) add_estimate(root, "slope", &c->slope, result->confidence_level);
    else pk_json_null(root, "slope");
    add_estimate(root, "std_dev", &c->std_dev, result->confidence_level);
    return write_and_free(out, root, root, err);
}

bool pk_criterion_write_tukey(FILE *out, const pk_bench_result *result, const char *directory,
                              pk_err *err) {
    (void)directory;
    pk_json *root = pk_json_new();
    pk_json *list = pk_json_array(root, "tukey");
    pk_json_float(list, NULL, result->fences.low_severe);
    pk_json_float(list, NULL, result->fences.low_mild);
    pk_json_float(list, NULL, result->fences.high_mild);
    pk_json_float(list, NULL, result->fences.high_severe);
    return write_and_free(out, root, list, err);
}

bool pk_criterion_write_change(FILE *out, const pk_bench_result *result, const char *directory,
                               pk_err *err) {
    (void)directory;
    const pk_bench_change *c = &result->change;
    /* Of the median only the interval is known; its half width is so many standard errors. */
    double errors = pk_student_quantile((1 + result->confidence_level) / 2, 1e9);
    pk_estimate median = {.point = c->median_point,
                          .low = c->median_low,
                          .high = c->median_high,
                          .standard_error = (c->median_high - c->median_low) / 2 / errors};
    pk_json *root = pk_json_new();
    add_estimate(root, "mean", &c->ratio, result->confidence_level);
    add_estimate(root, "median", isfinite(median.point) ? &median : &c->ratio,
                 result->confidence_level);
    return write_and_free(out, root, root, err);
}

/* ---- reading ---- */

typedef struct document {
    pk_json_reader reader;
    const pk_json_value *root; /* NULL: failed */
} document;

static document open_document(const char *text, size_t bytes, const char *where, pk_err *err) {
    document d = {.reader = {.where = where, .err = err, .arena = pk_arena_new(TREE_BYTES_MAX)}};
    if (d.reader.arena) d.root = pk_json_read(&d.reader, text, bytes);
    else pk_json_no_room(&d.reader);
    return d;
}

static bool close_document(document *d) {
    pk_arena_free(d->reader.arena);
    return !d->reader.failed;
}

/* A text, cut to fit: ids are compared no further. */
static void get_cut(pk_json_reader *r, const pk_json_value *o, const char *key, char *out,
                    size_t bytes) {
    const char *text = pk_json_get_text(r, o, key);
    snprintf(out, bytes, "%s", text ? text : "");
}

static void get_throughput(pk_json_reader *r, const pk_json_value *root, pk_bench_throughput *t) {
    static const struct {
        const char *key;
        bool bytes;
    } kinds[] = {{"Bytes", true}, {"BytesDecimal", true}, {"Elements", false}};
    const pk_json_value *o = pk_json_get_object(r, root, "throughput");
    const pk_json_value *both = pk_json_get_object(r, o, "ElementsAndBytes");
    *t = (pk_bench_throughput){0};
    if (both) {
        *t = (pk_bench_throughput){true, false, pk_json_get_uint(r, both, "elements")};
        return;
    }
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0] && !t->given; i++)
        if (pk_json_member(r, o, kinds[i].key))
            *t = (pk_bench_throughput){true, kinds[i].bytes, pk_json_get_uint(r, o, kinds[i].key)};
}

bool pk_criterion_read_benchmark(const char *text, size_t bytes, const char *where, pk_arena *arena,
                                 pk_baseline *b, pk_err *err) {
    (void)arena;
    document d = open_document(text, bytes, where, err);
    pk_json_reader *r = &d.reader;
    pk_json_require(r, d.root, "group_id");
    get_cut(r, d.root, "group_id", b->group, sizeof b->group);
    get_cut(r, d.root, "function_id", b->function, sizeof b->function);
    get_cut(r, d.root, "value_str", b->value, sizeof b->value);
    get_cut(r, d.root, "full_id", b->id, sizeof b->id);
    if (!b->id[0])
        snprintf(b->id, sizeof b->id, "%s%s%s%s%s", b->group, b->function[0] ? "/" : "",
                 b->function, b->value[0] ? "/" : "", b->value);
    get_throughput(r, d.root, &b->throughput);
    return close_document(&d);
}

/* Both lists, equally long, of finite numbers that make sense. */
static void check_sample(pk_json_reader *r, const pk_json_value *root, size_t n, size_t n_times,
                         const double iterations[], const double times[]) {
    if (r->failed) return;
    if (n == 0 || n != n_times) {
        pk_json_complain(r, root, "%zu iteration counts and %zu times: no sample", n, n_times);
        return;
    }
    for (size_t i = 0; i < n; i++)
        if (!(iterations[i] > 0) || !(times[i] >= 0))
            pk_json_complain(r, root, "sample %zu has no iterations, or a negative time", i);
}

static double *keep_doubles(pk_json_reader *r, pk_arena *arena, size_t n, const double values[]) {
    double *copy = r->failed ? NULL : PK_NEW(arena, n, double);
    if (copy) memcpy(copy, values, n * sizeof values[0]);
    else pk_json_no_room(r);
    return copy;
}

/* 0.2: [[iterations...], [times...]], sampled linearly; and now {"sampling_mode", ...}. */
static const pk_json_value *sample_of(pk_json_reader *r, const pk_json_value *root, size_t i) {
    static const char *const keys[] = {"iters", "times"};
    if (!root || root->kind != PK_JSON_ARRAY) {
        pk_json_require(r, root, keys[i]);
        return pk_json_get_array(r, root, keys[i]);
    }
    const pk_json_value *list = root->first;
    if (i == 1 && list) list = list->next;
    if (root->count == 2 && list && list->kind == PK_JSON_ARRAY) return list;
    pk_json_complain(r, root, "it is no sample");
    return NULL;
}

bool pk_criterion_read_sample(const char *text, size_t bytes, const char *where, pk_arena *arena,
                              pk_baseline *b, pk_err *err) {
    document d = open_document(text, bytes, where, err);
    pk_json_reader *r = &d.reader;
    double *lists[2];
    size_t n[2];
    for (size_t i = 0; i < 2; i++) n[i] = pk_json_doubles_of(r, sample_of(r, d.root, i), &lists[i]);
    check_sample(r, d.root, n[0], n[1], lists[0], lists[1]);
    bool is_object = d.root && d.root->kind == PK_JSON_OBJECT;
    const char *mode = is_object ? pk_json_get_text(r, d.root, "sampling_mode") : "Linear";
    double *iterations = keep_doubles(r, arena, n[0], lists[0]);
    double *times = keep_doubles(r, arena, n[1], lists[1]);
    if (!r->failed) {
        b->linear = mode && strcmp(mode, "Linear") == 0;
        b->n = n[0];
        b->iterations = iterations;
        b->times_ns = times;
    }
    return close_document(&d);
}

/* `old`: the key of Criterion 0.2. */
static pk_estimate get_estimate(pk_json_reader *r, const pk_json_value *root, const char *key,
                                const char *old, bool *there) {
    const pk_json_value *o = pk_json_get_object(r, root, key);
    if (!o) o = pk_json_get_object(r, root, old);
    if (there) *there = o != NULL;
    else if (!o) pk_json_require(r, root, key);
    const pk_json_value *interval = pk_json_get_object(r, o, "confidence_interval");
    return (pk_estimate){.point = pk_json_get_double(r, o, "point_estimate"),
                         .low = pk_json_get_double(r, interval, "lower_bound"),
                         .high = pk_json_get_double(r, interval, "upper_bound"),
                         .standard_error = pk_json_get_double(r, o, "standard_error")};
}

bool pk_criterion_read_estimates(const char *text, size_t bytes, const char *where, pk_arena *arena,
                                 pk_baseline *b, pk_err *err) {
    (void)arena;
    document d = open_document(text, bytes, where, err);
    pk_json_reader *r = &d.reader;
    pk_criterion_estimates e = {0};
    e.mean = get_estimate(r, d.root, "mean", "Mean", NULL);
    e.median = get_estimate(r, d.root, "median", "Median", NULL);
    e.median_abs_dev = get_estimate(r, d.root, "median_abs_dev", "MedianAbsDev", NULL);
    e.std_dev = get_estimate(r, d.root, "std_dev", "StdDev", NULL);
    e.slope = get_estimate(r, d.root, "slope", "Slope", &e.has_slope);
    if (!r->failed) {
        b->estimates = e;
        b->has_estimates = true;
    }
    return close_document(&d);
}

bool pk_criterion_read_tukey(const char *text, size_t bytes, const char *where, pk_arena *arena,
                             pk_baseline *b, pk_err *err) {
    (void)arena;
    document d = open_document(text, bytes, where, err);
    pk_json_reader *r = &d.reader;
    double *fences;
    size_t n = pk_json_doubles_of(r, d.root, &fences);
    if (!r->failed && n != 4) pk_json_complain(r, d.root, "it holds %zu fences, not 4", n);
    if (!r->failed) b->fences = (pk_fences){fences[0], fences[1], fences[2], fences[3]};
    return close_document(&d);
}
