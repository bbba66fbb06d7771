#include "bench/protocol.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/array.h"
#include "base/units.h"

/* ---- the records, field by field ---- */

typedef enum field_kind {
    FIELD_U64, /* up to 2^63 - 1 */
    FIELD_U32,
    FIELD_I64,
    FIELD_BOOL,
    FIELD_DOUBLE, /* finite and not negative, or NaN */
    FIELD_TEXT,
    FIELD_NAME, /* one of `names`; an enum in the record */
} field_kind;

typedef struct field {
    const char *key;
    field_kind kind;
    size_t offset;
    const char *const *names; /* ended by NULL */
} field;

typedef struct record {
    const char *opens; /* the line that begins it; NULL: what stands first */
    const field *fields;
    size_t n_fields; /* at most 64 */
} record;

#define RECORD(name, fields) \
    { (name), (fields), sizeof(fields) / sizeof(fields)[0] }

static const char *const task_names[] = {"measure", "list", "once", "for", NULL};
static const char *const kind_names[] = {"done", "refused", "too-slow", NULL};
static const char *const metric_names[] = {"oncpu", "wall", "cpu", NULL};
_Static_assert(sizeof task_names / sizeof task_names[0] == PK_WORKER_TASKS + 1, "a task, a name");
_Static_assert(sizeof metric_names / sizeof metric_names[0] == PK_METRICS + 1, "a metric, a name");

#define JOB(member) offsetof(pk_worker_job, member)
static const field job_fields[] = {
    {"task", FIELD_NAME, JOB(task), task_names},
    {"object.new", FIELD_TEXT, JOB(objects[PK_SIDE_NEW]), NULL},
    {"object.old", FIELD_TEXT, JOB(objects[PK_SIDE_OLD]), NULL},
    {"index.new", FIELD_U32, JOB(index[PK_SIDE_NEW]), NULL},
    {"index.old", FIELD_U32, JOB(index[PK_SIDE_OLD]), NULL},
    {"param", FIELD_TEXT, JOB(param), NULL},
    {"old-first", FIELD_BOOL, JOB(old_first), NULL},
    {"metric", FIELD_NAME, JOB(metric), metric_names},
    {"worker-ns", FIELD_U64, JOB(worker_ns), NULL},
    {"warm-ns", FIELD_U64, JOB(warm_ns), NULL},
    {"unit-ns", FIELD_U64, JOB(unit_ns), NULL},
    {"parts", FIELD_BOOL, JOB(parts), NULL},
};
static const record job_record = RECORD(NULL, job_fields);

#define REPLY(member) offsetof(pk_worker_reply, member)
static const field reply_fields[] = {
    {"reply", FIELD_NAME, REPLY(kind), kind_names},
    {"why", FIELD_TEXT, REPLY(why), NULL},
    {"throughput", FIELD_BOOL, REPLY(throughput.given), NULL},
    {"throughput.bytes", FIELD_BOOL, REPLY(throughput.bytes), NULL},
    {"throughput.per-iteration", FIELD_U64, REPLY(throughput.per_iteration), NULL},
    {"method", FIELD_TEXT, REPLY(method), NULL},
    {"counters", FIELD_TEXT, REPLY(counters), NULL},
};
static const record reply_record = RECORD(NULL, reply_fields);

#define WORKER(member) offsetof(pk_bench_worker, member)
#define COUNTER(name, side, k) \
    { name ".counter" #k, FIELD_DOUBLE, WORKER(side.counters[k]), NULL }
_Static_assert(PK_BENCH_COUNTERS_MAX == 8, "a counter, a line");
#define SIDE(name, side)                                                                        \
    {name ".trimmed", FIELD_DOUBLE, WORKER(side.trimmed_ns), NULL},                             \
        {name ".mean", FIELD_DOUBLE, WORKER(side.mean_ns), NULL},                               \
        {name ".min", FIELD_DOUBLE, WORKER(side.min_ns), NULL},                                 \
        {name ".q1", FIELD_DOUBLE, WORKER(side.q1_ns), NULL},                                   \
        {name ".median", FIELD_DOUBLE, WORKER(side.median_ns), NULL},                           \
        {name ".q3", FIELD_DOUBLE, WORKER(side.q3_ns), NULL},                                   \
        {name ".wall", FIELD_DOUBLE, WORKER(side.wall_ns), NULL},                               \
        {name ".cpu", FIELD_DOUBLE, WORKER(side.cpu_ns), NULL},                                 \
        {name ".units", FIELD_U64, WORKER(side.units), NULL},                                   \
        {name ".iterations", FIELD_U64, WORKER(side.iterations), NULL}, COUNTER(name, side, 0), \
        COUNTER(name, side, 1), COUNTER(name, side, 2), COUNTER(name, side, 3),                 \
        COUNTER(name, side, 4), COUNTER(name, side, 5), COUNTER(name, side, 6),                 \
        COUNTER(name, side, 7)
static const field worker_fields[] = {
    SIDE("new", side[PK_SIDE_NEW]),
    SIDE("old", side[PK_SIDE_OLD]),
    {"old-first", FIELD_BOOL, WORKER(old_first), NULL},
    {"reference", FIELD_DOUBLE, WORKER(reference_ns), NULL},
    {"latency", FIELD_DOUBLE, WORKER(latency_ns), NULL},
    {"throughput", FIELD_DOUBLE, WORKER(throughput_ns), NULL},
    {"loop", FIELD_DOUBLE, WORKER(loop_ns), NULL},
    {"metric", FIELD_NAME, WORKER(metric), metric_names},
    {"duration", FIELD_U64, WORKER(duration_ns), NULL},
    {"wait", FIELD_U64, WORKER(wait_ns), NULL},
    {"switches.voluntary", FIELD_U64, WORKER(switches_voluntary), NULL},
    {"switches.involuntary", FIELD_U64, WORKER(switches_involuntary), NULL},
    {"faults.minor", FIELD_U64, WORKER(faults_minor), NULL},
    {"faults.major", FIELD_U64, WORKER(faults_major), NULL},
};
static const record worker_record = RECORD("worker", worker_fields);

#define OFFER(member) offsetof(pk_worker_offer, member)
static const field offer_fields[] = {
    {"group", FIELD_TEXT, OFFER(group), NULL},
    {"function", FIELD_TEXT, OFFER(function), NULL},
    {"params", FIELD_TEXT, OFFER(params), NULL},
    {"bounds", FIELD_BOOL, OFFER(has_bounds), NULL},
    {"bounds.min", FIELD_I64, OFFER(param_min), NULL},
    {"bounds.max", FIELD_I64, OFFER(param_max), NULL},
    {"bounds.reason", FIELD_TEXT, OFFER(bounds_reason), NULL},
    {"has-latency", FIELD_BOOL, OFFER(has_latency), NULL},
    {"has-throughput", FIELD_BOOL, OFFER(has_throughput), NULL},
    {"throughput", FIELD_BOOL, OFFER(throughput.given), NULL},
    {"throughput.bytes", FIELD_BOOL, OFFER(throughput.bytes), NULL},
    {"throughput.per-iteration", FIELD_U64, OFFER(throughput.per_iteration), NULL},
    {"sample-size", FIELD_U64, OFFER(sample_size), NULL},
    {"measurement-s", FIELD_DOUBLE, OFFER(measurement_time_s), NULL},
    {"warm-up-s", FIELD_DOUBLE, OFFER(warm_up_time_s), NULL},
    {"noise-threshold", FIELD_DOUBLE, OFFER(noise_threshold), NULL},
    {"confidence-level", FIELD_DOUBLE, OFFER(confidence_level), NULL},
};
static const record offer_record = RECORD("offer", offer_fields);

#define DRIVER_JOB(member) offsetof(pk_driver_job, member)
static const field driver_job_fields[] = {
    {"protocol", FIELD_U32, DRIVER_JOB(protocol), NULL},
    {"task", FIELD_NAME, DRIVER_JOB(task), task_names},
    {"file", FIELD_TEXT, DRIVER_JOB(file), NULL},
    {"folder", FIELD_TEXT, DRIVER_JOB(folder), NULL},
    {"group", FIELD_TEXT, DRIVER_JOB(group), NULL},
    {"function", FIELD_TEXT, DRIVER_JOB(function), NULL},
    {"index", FIELD_U32, DRIVER_JOB(index), NULL},
    {"param", FIELD_TEXT, DRIVER_JOB(param), NULL},
    {"worker-ns", FIELD_U64, DRIVER_JOB(worker_ns), NULL},
    {"warm-ns", FIELD_U64, DRIVER_JOB(warm_ns), NULL},
    {"unit-ns", FIELD_U64, DRIVER_JOB(unit_ns), NULL},
};
static const record driver_job_record = RECORD(NULL, driver_job_fields);

#define DRIVER_REPLY(member) offsetof(pk_driver_reply, member)
static const field driver_reply_fields[] = {
    {"reply", FIELD_NAME, DRIVER_REPLY(kind), kind_names},
    {"why", FIELD_TEXT, DRIVER_REPLY(why), NULL},
    {"program", FIELD_TEXT, DRIVER_REPLY(program), NULL},
    {"throughput", FIELD_BOOL, DRIVER_REPLY(throughput.given), NULL},
    {"throughput.bytes", FIELD_BOOL, DRIVER_REPLY(throughput.bytes), NULL},
    {"throughput.per-iteration", FIELD_U64, DRIVER_REPLY(throughput.per_iteration), NULL},
    {"loop", FIELD_DOUBLE, DRIVER_REPLY(loop_ns), NULL},
    {"iterations", FIELD_U64, DRIVER_REPLY(iterations), NULL},
};
static const record driver_reply_record = RECORD(NULL, driver_reply_fields);

/* ---- printing ---- */

static void print_text(const char *text, pk_strbuf *out) {
    for (; *text; text++) {
        if (*text == '\n') pk_strbuf_add_str(out, "\\n");
        else if (*text == '\\') pk_strbuf_add_str(out, "\\\\");
        else pk_strbuf_add_char(out, *text);
    }
}

static void print_value(const field *f, const void *at, pk_strbuf *out) {
    char number[PK_FORMAT_MAX];
    switch (f->kind) {
    case FIELD_U64:
        pk_strbuf_addf(out, "%" PRIu64, *(const uint64_t *)at);
        break;
    case FIELD_U32:
        pk_strbuf_addf(out, "%" PRIu32, *(const uint32_t *)at);
        break;
    case FIELD_I64:
        pk_strbuf_addf(out, "%" PRId64, *(const int64_t *)at);
        break;
    case FIELD_BOOL:
        pk_strbuf_addf(out, "%d", *(const bool *)at);
        break;
    case FIELD_DOUBLE:
        if (isnan(*(const double *)at)) pk_strbuf_add_str(out, "nan");
        else pk_strbuf_add_str(out, pk_format_double(number, sizeof number, *(const double *)at));
        break;
    case FIELD_TEXT:
        print_text(*(const char *const *)at, out);
        break;
    case FIELD_NAME:
        pk_strbuf_add_str(out, f->names[*(const unsigned *)at]);
        break;
    }
}

static void print_record(const record *r, const void *data, pk_strbuf *out) {
    if (r->opens) pk_strbuf_addf(out, "%s\n", r->opens);
    for (size_t i = 0; i < r->n_fields; i++) {
        const field *f = &r->fields[i];
        const void *at = (const char *)data + f->offset;
        if (f->kind == FIELD_TEXT && !*(const char *const *)at) continue;
        pk_strbuf_addf(out, "%s ", f->key);
        print_value(f, at, out);
        pk_strbuf_add_char(out, '\n');
    }
}

void pk_worker_job_print(const pk_worker_job *job, pk_strbuf *out) {
    print_record(&job_record, job, out);
    pk_strbuf_add_str(out, "end\n");
}

void pk_worker_reply_print(const pk_worker_reply *reply, pk_strbuf *out) {
    print_record(&reply_record, reply, out);
    if (reply->worker.side[PK_SIDE_NEW].units || reply->worker.side[PK_SIDE_OLD].units)
        print_record(&worker_record, &reply->worker, out);
    for (size_t i = 0; i < reply->n_offers; i++)
        print_record(&offer_record, &reply->offers[i], out);
    pk_strbuf_add_str(out, "end\n");
}

void pk_driver_job_print(const pk_driver_job *job, pk_strbuf *out) {
    print_record(&driver_job_record, job, out);
    pk_strbuf_add_str(out, "end\n");
}

/* ---- parsing ---- */

typedef struct reader {
    const char *rest, *end;
    size_t line;
    pk_arena *arena;
    pk_err *err;
    /* where values go now */
    const record *record;
    void *data;
    uint64_t seen;
    bool lenient;
} reader;

static bool complain(reader *r, const char *what, const char *text) {
    char where[32];
    snprintf(where, sizeof where, "line %zu", r->line);
    pk_fail(r->err, PK_E_INPUT, where, "%s: \"%.60s\"", what, text);
    return false;
}

static void open_record(reader *r, const record *into, void *data) {
    r->record = into;
    r->data = data;
    r->seen = 0;
}

/* The next line as a text of its own; NULL at the end, at a line without its line break, with a
 * NUL in it, or without memory. */
static char *next_line(reader *r) {
    r->line++;
    size_t left = (size_t)(r->end - r->rest);
    const char *stop = left ? memchr(r->rest, '\n', left) : NULL;
    if (!stop) {
        complain(r, "the text ends early", "");
        return NULL;
    }
    size_t length = (size_t)(stop - r->rest);
    char *line = pk_arena_strndup(r->arena, r->rest, length);
    if (!line) complain(r, "no memory for it", "");
    else if (strlen(line) != length) complain(r, "a NUL byte", line);
    else {
        r->rest = stop + 1;
        return line;
    }
    return NULL;
}

/* Takes the backslashes out, in place. */
static bool unescape(char *text) {
    char *out = text;
    for (const char *p = text; *p; p++) {
        if (*p != '\\') *out++ = *p;
        else if (p[1] == 'n') *out++ = '\n', p++;
        else if (p[1] == '\\') *out++ = '\\', p++;
        else return false;
    }
    *out = '\0';
    return true;
}

static bool parse_name(const char *const *names, const char *text, void *at) {
    for (unsigned i = 0; names[i]; i++) {
        if (strcmp(names[i], text) != 0) continue;
        memcpy(at, &i, sizeof i);
        return true;
    }
    return false;
}

static bool parse_double(const char *text, double *out) {
    pk_err ignored;
    if (strcmp(text, "nan") != 0) return pk_parse_double(text, out, &ignored);
    *out = NAN;
    return true;
}

static bool parse_whole(field_kind kind, const char *text, void *at) {
    static const int64_t min[] = {[FIELD_I64] = INT64_MIN, [FIELD_BOOL] = 0};
    static const int64_t max[] = {[FIELD_U64] = INT64_MAX,
                                  [FIELD_U32] = UINT32_MAX,
                                  [FIELD_I64] = INT64_MAX,
                                  [FIELD_BOOL] = 1};
    int64_t value;
    pk_err ignored;
    if (!pk_parse_int(text, min[kind], max[kind], &value, &ignored)) return false;
    switch (kind) {
    case FIELD_U32:
        *(uint32_t *)at = (uint32_t)value;
        break;
    case FIELD_BOOL:
        *(bool *)at = value != 0;
        break;
    default:
        memcpy(at, &value, sizeof value);
        break;
    }
    return true;
}

static bool parse_value(const field *f, char *text, void *at) {
    switch (f->kind) {
    case FIELD_DOUBLE:
        return parse_double(text, at);
    case FIELD_NAME:
        return parse_name(f->names, text, at);
    case FIELD_TEXT:
        *(const char **)at = text;
        return unescape(text);
    default:
        return parse_whole(f->kind, text, at);
    }
}

static bool parse_field(reader *r, char *line) {
    char *blank = strchr(line, ' ');
    if (!blank) return complain(r, "no such line", line);
    *blank = '\0';
    for (size_t i = 0; i < r->record->n_fields; i++) {
        const field *f = &r->record->fields[i];
        if (strcmp(f->key, line) != 0) continue;
        if (r->seen >> i & 1) return complain(r, "said twice", line);
        r->seen |= 1ull << i;
        return parse_value(f, blank + 1, (char *)r->data + f->offset) ||
               complain(r, "no such value", blank + 1);
    }
    return complain(r, "unknown", line);
}

static bool all_numbers_seen(const record *of, uint64_t seen) {
    for (size_t i = 0; i < of->n_fields; i++)
        if (of->fields[i].kind != FIELD_TEXT && !(seen >> i & 1)) return false;
    return true;
}

/* A record is whole when all of it but texts was there; of a driver's, everything may be left out
 * that has a meaning then. */
static bool close_record(reader *r) {
    return r->lenient || all_numbers_seen(r->record, r->seen) ||
           complain(r, "too little before this line", "");
}

/* Lines of one record until its end. */
static bool parse_lines(const record *of, void *data, const char *text, size_t bytes,
                        pk_arena *arena, pk_err *err) {
    reader r = {.rest = text, .end = text + bytes, .arena = arena, .err = err};
    open_record(&r, of, data);
    for (;;) {
        char *line = next_line(&r);
        if (!line) return false;
        if (strcmp(line, "end") == 0) break;
        if (!parse_field(&r, line)) return false;
    }
    if (!close_record(&r)) return false;
    return r.rest == r.end || complain(&r, "text behind the end", "");
}

bool pk_worker_job_parse(const char *text, size_t bytes, pk_arena *arena, pk_worker_job *job,
                         pk_err *err) {
    pk_worker_job read = {0};
    if (!parse_lines(&job_record, &read, text, bytes, arena, err)) return false;
    *job = read;
    return true;
}

/* Lines of a reply until its end; offers are collected. */
static bool parse_reply_lines(reader *r, pk_worker_reply *reply, pk_array *offers) {
    bool has_worker = false;
    for (;;) {
        char *line = next_line(r);
        if (!line) return false;
        bool ends = strcmp(line, "end") == 0, offer = strcmp(line, "offer") == 0,
             worker = strcmp(line, "worker") == 0 && !has_worker && !offers->count;
        if (!ends && !offer && !worker) {
            if (!parse_field(r, line)) return false;
            continue;
        }
        if (!close_record(r)) return false;
        if (ends) return r->rest == r->end || complain(r, "text behind the end", "");
        void *data = worker ? &reply->worker : pk_array_push(offers);
        if (!data) return complain(r, "too many of", line);
        has_worker |= worker;
        open_record(r, worker ? &worker_record : &offer_record, data);
    }
}

static bool makes_sense(pk_reply_kind kind, const char *why, const pk_worker_offer *offers,
                        size_t n_offers) {
    bool done = kind == PK_REPLY_DONE;
    if (done ? why != NULL : !why || !*why) return false;
    for (size_t i = 0; i < n_offers; i++)
        if (!offers[i].group) return false;
    return true;
}

/* Copies what was collected into the arena; NULL for nothing, or (false) without memory. */
static bool keep_items(reader *r, const pk_array *from, void *out, size_t *n) {
    void *copy = NULL;
    if (from->count) {
        copy = pk_arena_alloc(r->arena, from->count, from->item_bytes);
        if (!copy) return complain(r, "no memory for it", "");
        memcpy(copy, from->items, from->count * from->item_bytes);
    }
    memcpy(out, &copy, sizeof copy);
    *n = from->count;
    return true;
}

bool pk_worker_reply_parse(const char *text, size_t bytes, pk_arena *arena, pk_worker_reply *reply,
                           pk_err *err) {
    pk_worker_reply read = {.worker.layout = -1};
    pk_array offers = PK_ARRAY(pk_worker_offer, PK_WORKER_OFFERS_MAX);
    reader r = {.rest = text, .end = text + bytes, .arena = arena, .err = err};
    open_record(&r, &reply_record, &read);
    bool ok = parse_reply_lines(&r, &read, &offers);
    if (ok) ok = keep_items(&r, &offers, &read.offers, &read.n_offers);
    pk_array_fini(&offers);
    if (ok && !makes_sense(read.kind, read.why, read.offers, read.n_offers))
        ok = complain(&r, "a reply that contradicts itself", "");
    if (ok) *reply = read;
    return ok;
}

/* ---- drivers ---- */

/* "unit WALL", "unit WALL CPU" or "unit WALL CPU WAIT"; returns how many numbers, 0 if they are no
 * times or of no length. */
static unsigned parse_unit(char *text, pk_unit *unit) {
    uint64_t *const into[] = {&unit->wall_ns, &unit->cpu_ns, &unit->wait_ns};
    unsigned n = 0;
    for (char *next = text; next; n++) {
        char *number = next;
        if (n == sizeof into / sizeof into[0]) return 0;
        next = strchr(number, ' ');
        if (next) *next++ = '\0';
        if (!parse_whole(FIELD_U64, number, into[n])) return 0;
    }
    return unit->wall_ns > 0 ? n : 0;
}

static bool add_unit(reader *r, char *text, pk_driver_reply *reply, pk_array *units) {
    pk_unit unit = {0};
    char said[64];
    snprintf(said, sizeof said, "%s", text);
    unsigned numbers = parse_unit(text, &unit);
    if (numbers == 0) return complain(r, "a unit of no time, or of what is no time", said);
    if (units->count && numbers != reply->unit_numbers)
        return complain(r, "a unit with more or fewer numbers than the first", said);
    reply->unit_numbers = numbers;
    pk_unit *slot = pk_array_push(units);
    if (!slot) return complain(r, "too many of", "unit");
    *slot = unit;
    return true;
}

static bool parse_driver_lines(reader *r, pk_driver_reply *reply, pk_array *offers,
                               pk_array *units) {
    static const char unit[] = "unit ";
    for (;;) {
        char *line = next_line(r);
        if (!line) return false;
        if (strcmp(line, "end") == 0)
            return r->rest == r->end || complain(r, "text behind the end", "");
        if (strcmp(line, "offer") == 0) {
            void *data = units->count ? NULL : pk_array_push(offers);
            if (!data) return complain(r, "too many of", line);
            open_record(r, &offer_record, data);
        } else if (strncmp(line, unit, sizeof unit - 1) == 0 && !offers->count) {
            if (!add_unit(r, line + sizeof unit - 1, reply, units)) return false;
        } else if (!parse_field(r, line)) {
            return false;
        }
    }
}

bool pk_driver_job_parse(const char *text, size_t bytes, pk_arena *arena, pk_driver_job *job,
                         pk_err *err) {
    pk_driver_job read = {0};
    if (!parse_lines(&driver_job_record, &read, text, bytes, arena, err)) return false;
    *job = read;
    return true;
}

bool pk_driver_reply_parse(const char *text, size_t bytes, pk_arena *arena, pk_driver_reply *reply,
                           pk_err *err) {
    pk_driver_reply read = {.loop_ns = NAN};
    pk_array offers = PK_ARRAY(pk_worker_offer, PK_WORKER_OFFERS_MAX);
    pk_array units = PK_ARRAY(pk_unit, PK_DRIVER_UNITS_MAX);
    reader r = {.rest = text, .end = text + bytes, .arena = arena, .err = err, .lenient = true};
    open_record(&r, &driver_reply_record, &read);
    bool ok = parse_driver_lines(&r, &read, &offers, &units) &&
              keep_items(&r, &offers, &read.offers, &read.n_offers) &&
              keep_items(&r, &units, &read.units, &read.n_units);
    pk_array_fini(&offers);
    pk_array_fini(&units);
    if (ok && !makes_sense(read.kind, read.why, read.offers, read.n_offers))
        ok = complain(&r, "a reply that contradicts itself", "");
    if (ok && (read.iterations > 0) != (read.n_units > 0))
        ok = complain(&r, "units without iterations, or iterations without units", "");
    if (ok) *reply = read;
    return ok;
}
