/* Files for speedscope, Firefox's profiler and pprof: read again, they have the same stacks. */
#include "profile_sample.h"

#include "base/compress.h"
#include "profile/firefox.h"
#include "profile/pprof.h"
#include "profile/speedscope.h"
#include "report/json_read.h"

typedef struct document {
    pk_arena *arena;
    pk_err err;
    pk_json_reader reader;
    const pk_json_value *root;
} document;

static void parse(document *d, const pk_strbuf *text) {
    *d = (document){.arena = pk_arena_new(16 << 20)};
    d->reader = (pk_json_reader){.where = "file", .arena = d->arena, .err = &d->err};
    d->root = pk_json_read(&d->reader, text->data, text->length);
    assert_ok(d->root != NULL, &d->err);
}

static const pk_json_value *at(const pk_json_value *array, uint64_t index) {
    const pk_json_value *v = array ? array->first : NULL;
    while (v && index-- > 0) v = v->next;
    assert_non_null(v);
    return v;
}

static const pk_json_value *member(document *d, const pk_json_value *of, const char *key) {
    const pk_json_value *v = pk_json_member(&d->reader, of, key);
    if (!v) fail_msg("no %s", key);
    return v;
}

static uint64_t number(document *d, const pk_json_value *v) {
    double value = pk_json_double_of(&d->reader, v);
    assert_ok(!d->reader.failed, &d->err);
    return (uint64_t)value;
}

/* ---- speedscope ---- */

/* "a;b 5,c 7," */
static char *speedscope_stacks(document *d, uint64_t profile) {
    const pk_json_value *frames = member(d, member(d, d->root, "shared"), "frames");
    const pk_json_value *p = at(member(d, d->root, "profiles"), profile);
    const pk_json_value *samples = member(d, p, "samples"), *weights = member(d, p, "weights");
    pk_strbuf out;
    pk_strbuf_init(&out, 1 << 20);
    uint64_t total = 0;
    assert_int_equal(samples->count, weights->count);
    for (size_t i = 0; i < samples->count; i++) {
        const pk_json_value *stack = at(samples, i);
        for (const pk_json_value *f = stack->first; f; f = f->next)
            pk_strbuf_addf(&out, "%s%s", f == stack->first ? "" : ";",
                           pk_json_get_text(&d->reader, at(frames, number(d, f)), "name"));
        uint64_t weight = number(d, at(weights, i));
        pk_strbuf_addf(&out, " %llu,", (unsigned long long)weight);
        total += weight;
    }
    assert_string_equal(pk_json_get_text(&d->reader, p, "type"), "sampled");
    assert_int_equal(pk_json_get_uint(&d->reader, p, "startValue"), 0);
    assert_int_equal(pk_json_get_uint(&d->reader, p, "endValue"), total);
    return pk_strbuf_detach(&out, NULL);
}

static void assert_speedscope(document *d, uint64_t profile, const char *name, const char *unit,
                              const char *stacks) {
    const pk_json_value *p = at(member(d, d->root, "profiles"), profile);
    assert_string_equal(pk_json_get_text(&d->reader, p, "name"), name);
    assert_string_equal(pk_json_get_text(&d->reader, p, "unit"), unit);
    char *text = speedscope_stacks(d, profile);
    assert_string_equal(text, stacks);
    free(text);
}

static void write_speedscope(const pk_profile *p, const char *name, document *d) {
    pk_strbuf out;
    pk_err err = {0};
    pk_strbuf_init(&out, 1 << 20);
    assert_ok(pk_speedscope(p, name, &out, &err), &err);
    parse(d, &out);
    assert_string_equal(pk_json_get_text(&d->reader, d->root, "$schema"),
                        "https://www.speedscope.app/file-format-schema.json");
    pk_strbuf_fini(&out);
}

static void speedscope_has_a_profile_per_thread(void **state) {
    (void)state;
    pk_profile p = profile_recorded();
    document d;
    write_speedscope(&p, NULL, &d);
    assert_string_equal(pk_json_get_text(&d.reader, d.root, "name"), "./burner 3");
    assert_int_equal(member(&d, d.root, "profiles")->count, 2);
    assert_int_equal(member(&d, member(&d, d.root, "shared"), "frames")->count, 6);
    assert_speedscope(&d, 0, "burner 40/40", "nanoseconds",
                      "burner;main;hot 1000000,burner;main;hot 1000000,"
                      "burner;main;cold;[kernel] 1000000,");
    assert_speedscope(&d, 1, "worker \"1\" 40/41", "nanoseconds", "burner;run;hot 1000000,");
    pk_arena_free(d.arena);
    pk_profile_fini(&p);
}

static void speedscope_has_merged_stacks_where_times_are_unknown(void **state) {
    (void)state;
    pk_profile p = profile_of("main;say \"hi\"\\ 2\nmain;b 3\nmain 7\nmain;\xff 1\n");
    document d;
    write_speedscope(&p, "x.folded", &d);
    assert_int_equal(member(&d, d.root, "profiles")->count, 1);
    assert_speedscope(&d, 0, "x.folded", "none",
                      "main 7,main;say \"hi\"\\ 2,main;b 3,main;\xef\xbf\xbd 1,");
    pk_arena_free(d.arena);
    pk_profile_fini(&p);
    p = profile_of("");
    write_speedscope(&p, NULL, &d);
    assert_speedscope(&d, 0, "profile", "none", "");
    pk_arena_free(d.arena);
    pk_profile_fini(&p);
}

/* ---- Firefox ---- */

static bool is_null(const pk_json_value *v) {
    return v->kind == PK_JSON_NULL;
}

static void add_firefox_stack(document *d, const pk_json_value *shared, const pk_json_value *stack,
                              pk_strbuf *out) {
    const pk_json_value *stacks = member(d, shared, "stackTable");
    const pk_json_value *frames = member(d, shared, "frameTable");
    const pk_json_value *functions = member(d, shared, "funcTable");
    if (is_null(stack)) return;
    uint64_t i = number(d, stack);
    const pk_json_value *prefix = at(member(d, stacks, "prefix"), i);
    if (!is_null(prefix)) assert_true(number(d, prefix) < i); /* parents come first */
    add_firefox_stack(d, shared, prefix, out);
    uint64_t frame = number(d, at(member(d, stacks, "frame"), i));
    uint64_t function = number(d, at(member(d, frames, "func"), frame));
    uint64_t name = number(d, at(member(d, functions, "name"), function));
    pk_strbuf_addf(out, "%s%s", is_null(prefix) ? "" : ";",
                   pk_json_text_of(&d->reader, at(member(d, shared, "stringArray"), name)));
}

/* "a;b @time weight," times and weights in µs. */
static void assert_firefox(document *d, uint64_t thread, const char *name, const char *expected) {
    const pk_json_value *shared = member(d, d->root, "shared");
    const pk_json_value *t = at(member(d, d->root, "threads"), thread);
    const pk_json_value *samples = member(d, t, "samples");
    const pk_json_value *stacks = member(d, samples, "stack"), *times = member(d, samples, "time");
    const pk_json_value *weights = member(d, samples, "weight");
    pk_strbuf out;
    pk_strbuf_init(&out, 1 << 20);
    assert_string_equal(pk_json_get_text(&d->reader, t, "name"), name);
    assert_int_equal(pk_json_get_uint(&d->reader, samples, "length"), stacks->count);
    assert_int_equal(times->count, stacks->count);
    assert_int_equal(weights->count, stacks->count);
    for (size_t i = 0; i < stacks->count; i++) {
        add_firefox_stack(d, shared, at(stacks, i), &out);
        pk_strbuf_addf(&out, " @%.0f %.0f,", 1000 * pk_json_double_of(&d->reader, at(times, i)),
                       1000 * pk_json_double_of(&d->reader, at(weights, i)));
    }
    assert_string_equal(out.data, expected);
    pk_strbuf_fini(&out);
}

/* All columns of a table are as long as it says. */
static void assert_table(document *d, const pk_json_value *parent, const char *key) {
    const pk_json_value *table = member(d, parent, key);
    uint64_t length = pk_json_get_uint(&d->reader, table, "length");
    for (const pk_json_value *column = table->first; column; column = column->next)
        if (column->kind == PK_JSON_ARRAY) assert_int_equal(column->count, length);
}

static void write_firefox(const pk_profile *p, document *d) {
    static const char *const tables[] = {"stackTable",    "frameTable",    "funcTable",
                                         "resourceTable", "nativeSymbols", "sources"};
    pk_strbuf out;
    pk_err err = {0};
    pk_strbuf_init(&out, 1 << 20);
    assert_ok(pk_firefox(p, &out, &err), &err);
    parse(d, &out);
    for (size_t i = 0; i < sizeof tables / sizeof tables[0]; i++)
        assert_table(d, member(d, d->root, "shared"), tables[i]);
    pk_strbuf_fini(&out);
}

static uint64_t category(document *d, const char *function) {
    const pk_json_value *shared = member(d, d->root, "shared");
    const pk_json_value *strings = member(d, shared, "stringArray");
    const pk_json_value *categories = member(d, member(d, shared, "frameTable"), "category");
    for (const pk_json_value *s = strings->first; s; s = s->next)
        if (strcmp(pk_json_text_of(&d->reader, s), function) == 0)
            return number(d, at(categories, s->index));
    fail_msg("no %s", function);
    return 0;
}

static void firefox_has_threads_over_time(void **state) {
    (void)state;
    pk_profile p = profile_recorded();
    document d;
    write_firefox(&p, &d);
    const pk_json_value *meta = member(&d, d.root, "meta");
    assert_int_equal(pk_json_get_uint(&d.reader, meta, "preprocessedProfileVersion"), 60);
    assert_near(pk_json_get_double(&d.reader, meta, "interval"), 1, 0);
    assert_string_equal(pk_json_get_text(&d.reader, meta, "product"), "./burner 3");
    const pk_json_value *categories = member(&d, meta, "categories");
    assert_string_equal(
        pk_json_get_text(&d.reader, at(categories, category(&d, "[kernel]")), "name"), "Kernel");
    assert_string_equal(pk_json_get_text(&d.reader, at(categories, category(&d, "hot")), "name"),
                        "User");
    assert_int_equal(member(&d, d.root, "libs")->count, 2);
    assert_string_equal(pk_json_get_text(&d.reader, at(member(&d, d.root, "libs"), 0), "name"),
                        "burner");
    assert_firefox(&d, 0, "burner",
                   "burner;main;hot @0 1000,burner;main;hot @1000 1000,"
                   "burner;main;cold;[kernel] @2000 1000,");
    assert_firefox(&d, 1, "worker \"1\"", "burner;run;hot @500 1000,");
    const pk_json_value *second = at(member(&d, d.root, "threads"), 1);
    assert_string_equal(pk_json_get_text(&d.reader, second, "pid"), "40");
    assert_int_equal(pk_json_get_uint(&d.reader, second, "tid"), 41);
    assert_string_equal(pk_json_get_text(&d.reader, member(&d, second, "samples"), "weightType"),
                        "tracing-ms");
    pk_arena_free(d.arena);
    pk_profile_fini(&p);
}

static void firefox_has_one_thread_where_times_are_unknown(void **state) {
    (void)state;
    pk_profile p = profile_of("main;a 2\nmain;b 3\n");
    document d;
    write_firefox(&p, &d);
    assert_firefox(&d, 0, "all stacks", "main;a @0 2000,main;b @1000 3000,");
    pk_arena_free(d.arena);
    p.weight_is_time = true; /* then each begins where the one before ends */
    for (uint32_t i = 1; i < p.tree.nodes.count; i++) pk_node(&p.tree, i)->self[0] *= 1000000;
    write_firefox(&p, &d);
    assert_firefox(&d, 0, "all stacks", "main;a @0 2000,main;b @2000 3000,");
    pk_arena_free(d.arena);
    pk_profile_fini(&p);
}

/* ---- pprof ---- */

typedef struct bytes {
    const unsigned char *at, *end;
} bytes;

static uint64_t varint(bytes *b) {
    uint64_t value = 0;
    for (unsigned shift = 0;; shift += 7) {
        assert_true(b->at < b->end && shift < 64);
        value |= (uint64_t)(*b->at & 0x7f) << shift;
        if (!(*b->at++ & 0x80)) return value;
    }
}

/* The next field: a number, or what is nested. False: the message ends. */
static bool field(bytes *b, unsigned *number_of, uint64_t *value, bytes *nested) {
    if (b->at == b->end) return false;
    uint64_t key = varint(b);
    *number_of = (unsigned)(key >> 3);
    *value = varint(b);
    if ((key & 7) == 0) return true;
    assert_int_equal(key & 7, 2);
    assert_true(*value <= (uint64_t)(b->end - b->at));
    *nested = (bytes){b->at, b->at + *value};
    b->at += *value;
    return true;
}

/* The n-th occurrence of a field in a message. */
static bool nth(bytes message, unsigned wanted, uint64_t n, uint64_t *value, bytes *nested) {
    unsigned which;
    while (field(&message, &which, value, nested))
        if (which == wanted && n-- == 0) return true;
    return false;
}

static uint64_t number_in(bytes message, unsigned wanted) {
    uint64_t value = 0;
    bytes nested;
    return nth(message, wanted, 0, &value, &nested) ? value : 0;
}

static void add_proto_string(bytes profile, uint64_t index, pk_strbuf *out) {
    uint64_t value;
    bytes text;
    assert_true(nth(profile, 6, index, &value, &text));
    pk_strbuf_add(out, text.at, (size_t)(text.end - text.at));
}

/* The location of this id, its one line, and the function of that. */
static void add_location(bytes profile, uint64_t id, pk_strbuf *out) {
    uint64_t value;
    bytes location, line, function;
    for (uint64_t i = 0; nth(profile, 4, i, &value, &location); i++) {
        if (number_in(location, 1) != id) continue;
        assert_true(nth(location, 4, 0, &value, &line));
        for (uint64_t k = 0; nth(profile, 5, k, &value, &function); k++)
            if (number_in(function, 1) == number_in(line, 1)) {
                add_proto_string(profile, number_in(function, 2), out);
                return;
            }
    }
    fail_msg("no location %llu", (unsigned long long)id);
}

/* "type/unit type/unit\nleaf<caller 1 2\n" */
static void add_pprof(bytes profile, pk_strbuf *out) {
    uint64_t value;
    bytes message, list;
    for (uint64_t i = 0; nth(profile, 1, i, &value, &message); i++) {
        if (i > 0) pk_strbuf_add_char(out, ' ');
        add_proto_string(profile, number_in(message, 1), out);
        pk_strbuf_add_char(out, '/');
        add_proto_string(profile, number_in(message, 2), out);
    }
    pk_strbuf_add_char(out, '\n');
    for (uint64_t i = 0; nth(profile, 2, i, &value, &message); i++) {
        assert_true(nth(message, 1, 0, &value, &list));
        for (bool first = true; list.at < list.end; first = false) {
            if (!first) pk_strbuf_add_char(out, '<');
            add_location(profile, varint(&list), out);
        }
        assert_true(nth(message, 2, 0, &value, &list));
        while (list.at < list.end) pk_strbuf_addf(out, " %llu", (unsigned long long)varint(&list));
        pk_strbuf_add_char(out, '\n');
    }
}

static pk_strbuf write_pprof(const pk_profile *p) {
    pk_strbuf packed, plain;
    pk_err err = {0};
    pk_strbuf_init(&packed, 1 << 20);
    pk_strbuf_init(&plain, 1 << 20);
    assert_ok(pk_pprof(p, &packed, &err), &err);
    assert_memory_equal(packed.data, "\x1f\x8b", 2);
    assert_true(pk_inflate(packed.data, packed.length, &plain));
    pk_strbuf_fini(&packed);
    return plain;
}

static bytes bytes_of(const pk_strbuf *text) {
    const unsigned char *data = (const unsigned char *)text->data;
    return (bytes){data, data + text->length};
}

static void assert_pprof(const pk_profile *p, const char *expected) {
    pk_strbuf plain = write_pprof(p), out;
    pk_strbuf_init(&out, 1 << 20);
    add_pprof(bytes_of(&plain), &out);
    assert_string_equal(out.data, expected);
    uint64_t value;
    bytes first;
    assert_true(nth(bytes_of(&plain), 6, 0, &value, &first));
    assert_int_equal(value, 0); /* the first string is "" */
    pk_strbuf_fini(&plain);
    pk_strbuf_fini(&out);
}

static void pprof_has_samples_and_times(void **state) {
    (void)state;
    pk_profile p = profile_recorded();
    assert_pprof(&p, "samples/count cpu/nanoseconds\n"
                     "hot<main<burner 2 2000000\n"
                     "hot<run<burner 1 1000000\n"
                     "[kernel]<cold<main<burner 1 1000000\n");
    p.off_cpu = true;
    p.period = 1000000;
    pk_strbuf plain = write_pprof(&p), text;
    bytes profile = bytes_of(&plain), message;
    uint64_t value;
    assert_int_equal(number_in(profile, 10), 2500000); /* the duration */
    assert_int_equal(number_in(profile, 12), 1000000); /* the period */
    pk_strbuf_init(&text, 1 << 10);
    assert_true(nth(profile, 11, 0, &value, &message));
    add_proto_string(profile, number_in(message, 1), &text);
    add_proto_string(profile, number_in(message, 2), &text);
    assert_true(nth(profile, 3, 1, &value, &message)); /* the second mapping */
    assert_int_equal(number_in(message, 1), 2);
    add_proto_string(profile, number_in(message, 5), &text);
    add_proto_string(profile, number_in(profile, 13), &text);
    assert_string_equal(text.data, "off-cpunanoseconds/lib/libgone.so./burner 3");
    pk_strbuf_fini(&text);
    pk_strbuf_fini(&plain);
    pk_profile_fini(&p);
}

static void pprof_counts_stacks_by_their_weight(void **state) {
    (void)state;
    pk_profile p = profile_of("main;a 99\nmain;b 301\nmain;c 100\n");
    assert_pprof(&p, "samples/count\na<main 99\nb<main 301\nc<main 100\n");
    p.event = p.unit = "cycles";
    p.n_samples = 5;
    assert_pprof(&p, "samples/count cycles/count\n"
                     "a<main 1 99\nb<main 3 301\nc<main 1 100\n");
    pk_profile_fini(&p);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(speedscope_has_a_profile_per_thread),
        cmocka_unit_test(speedscope_has_merged_stacks_where_times_are_unknown),
        cmocka_unit_test(firefox_has_threads_over_time),
        cmocka_unit_test(firefox_has_one_thread_where_times_are_unknown),
        cmocka_unit_test(pprof_has_samples_and_times),
        cmocka_unit_test(pprof_counts_stacks_by_their_weight),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
