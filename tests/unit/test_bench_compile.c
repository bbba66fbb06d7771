/* Sources become objects, objects become layouts: run by the real compiler. */
#include "tests/unit/worker_process.h"

#include <dlfcn.h>
#include <limits.h>

#include "bench/elf_sections.h"
#include "bench/layout.h"

#define COMPILE_NS 60000000000ull

static const char source_text[] =
    "#include \"perfkit.h\"\n"
    "#define F(name, more) __attribute__((noinline)) int name(int x); \\\n"
    "    int name(int x) { return x * 3 + more; }\n"
    "F(one, 1) F(two, 2) F(three, 3) F(four, 4) F(five, 5) F(six, 6)\n"
    "#ifndef ADDED\n#define ADDED 0\n#endif\n"
    "static void body(perfkit_run *run) {\n"
    "    for (uint64_t i = 0; i < run->iterations; i++) {\n"
    "        int x = ADDED; perfkit_hide(x);\n"
    "        perfkit_keep(one(x) + two(x) + three(x) + four(x) + five(x) + six(x));\n"
    "    }\n"
    "}\n"
    "/* The places of the six functions, for the test. */\n"
    "__attribute__((visibility(\"default\"))) extern int (*const places[])(int);\n"
    "int (*const places[])(int) = {one, two, three, four, five, six};\n"
    "PERFKIT_BENCHMARKS({.group = \"g\", .function = \"f\", .body = body});\n";
enum { PLACES = 6 };

typedef struct fixture {
    char folder[CHECK_PATH_MAX], source[CHECK_PATH_MAX], object[CHECK_PATH_MAX],
        shared[CHECK_PATH_MAX];
    pk_compile_options options;
    pk_strbuf messages;
    pk_arena *arena;
    pk_err err;
} fixture;

/* Is there such a program? It is asked for its version. */
static bool has_program(const char *name) {
    char *const argv[] = {(char *)name, "--version", NULL};
    int quiet = open("/dev/null", O_WRONLY | O_CLOEXEC);
    const pk_spawn_options options = {.stdin_fd = -1, .stdout_fd = quiet, .stderr_fd = quiet};
    pk_process process;
    pk_exit how = {.code = -1};
    pk_err ignored;
    bool started = pk_process_spawn(argv, &options, &process, &ignored);
    if (started) pk_process_wait(&process, COMPILE_NS, &how);
    close(quiet);
    return started && how.code == 0;
}

static int begin(void **state) {
    fixture *f = calloc(1, sizeof *f);
    check_folder_begin(f->folder);
    check_write_file(check_path(f->source, f->folder, "source.c"), source_text);
    check_path(f->object, f->folder, "object.o");
    check_path(f->shared, f->folder, "object.so");
    f->options = (pk_compile_options){.source = f->source, .timeout_ns = COMPILE_NS};
    f->arena = pk_arena_new(1 << 20);
    pk_strbuf_init(&f->messages, 65536);
    *state = f;
    return 0;
}

static int end(void **state) {
    fixture *f = *state;
    check_folder_end(f->folder);
    pk_strbuf_fini(&f->messages);
    pk_arena_free(f->arena);
    free(f);
    return 0;
}

static bool compile(fixture *f) {
    memset(&f->err, 0, sizeof f->err);
    return pk_compile_object(&f->options, f->object, &f->messages, &f->err) &&
           pk_compile_link(&f->options, f->object, f->shared, &f->messages, &f->err);
}

/* ---- compiling ---- */

static void sources_are_known_by_name(void **state) {
    (void)state;
    static const char *const yes[] = {"a.c", "x/y.cc", "z.cpp", "q.cxx", "a.so.c"};
    static const char *const no[] = {"a.so", "c", ".c", "a.C", "a.c.so", "a.py", "", "fib/c"};
    for (size_t i = 0; i < sizeof yes / sizeof yes[0]; i++) assert_true(pk_compile_takes(yes[i]));
    for (size_t i = 0; i < sizeof no / sizeof no[0]; i++) assert_false(pk_compile_takes(no[i]));
}

static void a_source_becomes_a_benchmark(void **state) {
    fixture *f = *state;
    assert_ok(compile(f), &f->err);
    assert_string_equal(f->messages.data, "");
    assert_int_equal(check_count_files(f->folder), 3); /* the folder for perfkit.h is gone */
    pk_program worker;
    assert_ok(pk_program_worker(&worker, &f->err), &f->err);
    pk_worker_job job = {.task = PK_TASK_ONCE, .objects = {f->shared}};
    worker_end end;
    worker_run(&worker, &job, COMPILE_NS, &end);
    assert_true(end.replied && end.reply.kind == PK_REPLY_DONE);
    worker_end_free(&end);
    pk_program_close(&worker);
}

static void an_error_is_shown_as_the_compiler_says_it(void **state) {
    fixture *f = *state;
    check_write_file(f->source, "int main(void) { return no_such_thing; }\n");
    assert_fails(compile(f), &f->err, PK_E_INPUT);
    assert_string_equal(f->err.where, f->source);
    assert_string_equal(f->err.what, "compiling failed");
    assert_non_null(strstr(f->messages.data, "no_such_thing"));
    assert_int_equal(check_count_files(f->folder), 1);
}

static void symbols_say_what_an_object_is(void **state) {
    fixture *f = *state;
    pk_strbuf content;
    bool defined, cplusplus;
    assert_ok(compile(f), &f->err);
    pk_strbuf_init(&content, 1 << 20);
    assert_ok(pk_file_read(f->object, 1 << 20, &content, &f->err), &f->err);
    assert_ok(pk_elf_symbols(content.data, content.length, "one", &defined, &cplusplus, &f->err),
              &f->err);
    assert_true(defined && !cplusplus);
    assert_ok(pk_elf_symbols(content.data, content.length, "seven", &defined, &cplusplus, &f->err),
              &f->err);
    assert_false(defined);
    assert_fails(pk_elf_symbols("no", 2, "one", &defined, &cplusplus, &f->err), &f->err,
                 PK_E_INPUT);
    pk_strbuf_clear(&content);
    check_write_file(f->source, "extern int _Z3twoi(int x); int one(int x);\n"
                                "int one(int x) { return _Z3twoi(x); }\n");
    assert_ok(pk_compile_object(&f->options, f->object, &f->messages, &f->err), &f->err);
    assert_ok(pk_file_read(f->object, 1 << 20, &content, &f->err), &f->err);
    assert_ok(
        pk_elf_symbols(content.data, content.length, "_Z3twoi", &defined, &cplusplus, &f->err),
        &f->err);
    assert_true(!defined && cplusplus); /* used, and not defined */
    pk_strbuf_fini(&content);
}

static void objects_are_joined(void **state) {
    fixture *f = *state;
    char second[CHECK_PATH_MAX], both[CHECK_PATH_MAX];
    check_path(second, f->folder, "second.o");
    check_path(both, f->folder, "both.o");
    f->options.cflags = "-O2 -Dseven=three"; /* the linker's error, not the compiler's */
    check_write_file(f->source, "int three(int x); int f(int x);\n"
                                "int f(int x) { return seven(x) + 1; }\n");
    assert_ok(pk_compile_object(&f->options, second, &f->messages, &f->err), &f->err);
    assert_fails(pk_compile_link(&f->options, second, f->shared, &f->messages, &f->err), &f->err,
                 PK_E_INPUT);
    assert_non_null(strstr(f->messages.data, "three"));
    check_write_file(f->source, source_text);
    f->options.cflags = NULL;
    assert_ok(pk_compile_object(&f->options, f->object, &f->messages, &f->err), &f->err);
    const char *const objects[] = {f->object, second, NULL};
    assert_ok(pk_compile_merge(&f->options, objects, both, &f->messages, &f->err), &f->err);
    assert_ok(pk_compile_link(&f->options, both, f->shared, &f->messages, &f->err), &f->err);
    pk_strbuf content;
    pk_array names = PK_ARRAY(const char *, 100);
    pk_strbuf_init(&content, 1 << 20);
    assert_ok(pk_file_read(both, 1 << 20, &content, &f->err), &f->err);
    assert_ok(pk_elf_code_sections(content.data, content.length, &names, &f->err), &f->err);
    assert_int_equal(names.count, 6 + 2); /* the functions of both are still apart */
    pk_array_fini(&names);
    pk_strbuf_fini(&content);
}

static void a_warning_is_no_error(void **state) {
    fixture *f = *state;
    char text[sizeof source_text + 64];
    snprintf(text, sizeof text, "#warning beware of me\n%s", source_text);
    check_write_file(f->source, text);
    assert_ok(compile(f), &f->err);
    assert_non_null(strstr(f->messages.data, "beware of me"));
}

static void flags_reach_compiler_and_linker(void **state) {
    fixture *f = *state;
    f->options.cflags = "-O1 '-DADDED=no such thing'";
    assert_false(compile(f));
    assert_non_null(strstr(f->messages.data, "ADDED"));
    pk_strbuf_clear(&f->messages);
    f->options.cflags = "-lperfkit_no_such_library";
    assert_false(compile(f));
    assert_string_equal(f->err.what, "linking failed");
    f->options.cflags = "-O1 'open";
    assert_false(compile(f));
    assert_int_equal(f->err.kind, PK_E_USAGE);
}

static void a_compiler_that_is_not_there_is_said(void **state) {
    fixture *f = *state;
    f->options.compiler = "perfkit-no-such-compiler --quick";
    assert_false(compile(f));
    assert_string_equal(f->err.where, "perfkit-no-such-compiler");
    assert_non_null(strstr(f->err.fix, "install it"));
    f->options.compiler = " ";
    assert_fails(compile(f), &f->err, PK_E_USAGE);
}

static void a_compiler_that_hangs_is_ended(void **state) {
    fixture *f = *state;
    f->options.compiler = "sh -c 'echo still here; exec sleep 100'";
    f->options.timeout_ns = 300000000;
    assert_fails(compile(f), &f->err, PK_E_LIMIT);
    assert_string_equal(f->err.what, "compiling takes too long");
    assert_string_equal(f->messages.data, "still here\n");
}

static void long_messages_are_cut(void **state) {
    fixture *f = *state;
    pk_strbuf_fini(&f->messages);
    pk_strbuf_init(&f->messages, 100);
    f->options.compiler =
        "sh -c 'i=0; while [ $i -lt 100 ]; do echo 0123456789; i=$((i+1)); done; exit 1'";
    assert_fails(compile(f), &f->err, PK_E_INPUT);
    assert_true(pk_strbuf_ok(&f->messages));
    assert_int_equal(f->messages.length, 100);
}

static void Cplusplus_can_use_the_header(void **state) {
    fixture *f = *state;
    if (!has_program("c++")) skip();
    check_write_file(
        check_path(f->source, f->folder, "source.cc"),
        "#include \"perfkit.h\"\n"
        "#include <vector>\n"
        "namespace { void body(perfkit_run *run) {\n"
        "    for (uint64_t i = 0; i < run->iterations; i++) {\n"
        "        std::vector<int> v(3, 1); perfkit_keep(v.data()); perfkit_clobber();\n"
        "    }\n"
        "} }\n"
        "PERFKIT_BENCHMARKS({\"g\", \"f\", body});\n");
    f->options.cflags = "-O2 -std=c++11 -Wall -Werror";
    if (!compile(f)) fail_msg("%s", f->messages.data);
    pk_program worker;
    assert_ok(pk_program_worker(&worker, &f->err), &f->err);
    pk_worker_job job = {.task = PK_TASK_LIST, .objects = {f->shared}};
    worker_end end;
    worker_run(&worker, &job, COMPILE_NS, &end);
    assert_true(end.replied && end.reply.n_offers == 1);
    assert_string_equal(end.reply.offers[0].function, "f");
    worker_end_free(&end);
    pk_program_close(&worker);
}

/* ---- layouts ---- */

static bool lay_out(fixture *f, unsigned count, const char *const **paths) {
    memset(&f->err, 0, sizeof f->err);
    return pk_layouts(f->object, &f->options, count, f->folder, NULL, f->arena, paths, &f->messages,
                      &f->err);
}

typedef struct places {
    uintptr_t at[PLACES];
} places;

static void read_places(const char *path, places *p) {
    void *handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (!handle) fail_msg("%s", dlerror());
    void *const *found = dlsym(handle, "places");
    assert_non_null(found);
    for (size_t i = 0; i < PLACES; i++) p->at[i] = (uintptr_t)found[i];
    int (*one)(int);
    *(void **)&one = found[0];
    assert_int_equal(one(5), 5 * 3 + 1); /* it runs there */
    dlclose(handle);
}

/* The order of the functions as a number in base 6. */
static unsigned order_of(const places *p) {
    unsigned code = 0;
    for (size_t i = 0; i < PLACES; i++) {
        unsigned below = 0;
        for (size_t j = 0; j < PLACES; j++) below += p->at[j] < p->at[i];
        code = code * PLACES + below;
    }
    return code;
}

static void check_layouts(fixture *f) {
    enum { LAYOUTS = 8 };
    const char *const *paths = NULL;
    if (!compile(f) || !lay_out(f, LAYOUTS, &paths))
        fail_msg("%s: %s", f->err.what, f->messages.data);
    assert_string_equal(f->messages.data, "");
    unsigned orders[LAYOUTS], different = 0;
    bool moved = false;
    for (size_t i = 0; i < LAYOUTS; i++) {
        places p;
        read_places(paths[i], &p);
        orders[i] = order_of(&p);
        bool is_new = true;
        for (size_t j = 0; j < i; j++) is_new = is_new && orders[i] != orders[j];
        different += is_new;
        for (size_t j = 0; j < PLACES; j++) moved |= p.at[j] % 64 != p.at[0] % 64;
    }
    assert_true(different >= 6); /* of 720 orders, 8 drawn, the same every time this runs */
    assert_true(moved);
}

static void layouts_differ_in_order_and_place(void **state) {
    check_layouts(*state);
}

static void layouts_work_with_lld_too(void **state) {
    fixture *f = *state;
    if (!has_program("ld.lld") || !has_program("clang")) skip();
    f->options.compiler = "clang -fuse-ld=lld -Wno-unused-command-line-argument";
    check_layouts(f);
}

static void layouts_are_kept_and_found_again(void **state) {
    fixture *f = *state;
    const char *const *first, *const *again, *const *other;
    struct stat st[2];
    assert_ok(compile(f), &f->err);
    assert_ok(lay_out(f, 2, &first), &f->err);
    assert_non_null(strstr(first[0], "/.perfkit/layouts/"));
    assert_int_equal(stat(first[1], &st[0]), 0);
    assert_ok(lay_out(f, 3, &again), &f->err);
    assert_string_equal(first[1], again[1]);
    assert_int_equal(stat(again[1], &st[1]), 0);
    assert_true(st[0].st_ino == st[1].st_ino && st[0].st_mtim.tv_nsec == st[1].st_mtim.tv_nsec);
    char folder[PATH_MAX];
    snprintf(folder, sizeof folder, "%s", first[0]);
    *strrchr(folder, '/') = '\0';
    assert_int_equal(check_count_files(folder), 4); /* and `of`; no script, no half-made object */

    f->options.cflags = "-O2 -DADDED=1"; /* another content: another place, the same order */
    assert_ok(compile(f), &f->err);
    assert_ok(lay_out(f, 2, &other), &f->err);
    assert_string_not_equal(first[0], other[0]);
    for (size_t i = 0; i < 2; i++) {
        places a, b;
        read_places(first[i], &a);
        read_places(other[i], &b);
        assert_int_equal(order_of(&a), order_of(&b));
    }
}

static void what_cannot_be_laid_out_is_an_error(void **state) {
    fixture *f = *state;
    const char *const *paths = NULL;
    assert_fails(lay_out(f, 2, &paths), &f->err, PK_E_SYS); /* no object yet */
    assert_fails(lay_out(f, 0, &paths), &f->err, PK_E_USAGE);
    assert_fails(lay_out(f, PK_LAYOUTS_MAX + 1, &paths), &f->err, PK_E_USAGE);
    check_write_file(f->object, "no object, though long enough to be one: 0123456789 0123456789");
    assert_fails(lay_out(f, 2, &paths), &f->err, PK_E_INPUT);
    assert_null(paths);
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)
    const struct CMUnitTest tests[] = {
        TEST(sources_are_known_by_name),
        TEST(a_source_becomes_a_benchmark),
        TEST(an_error_is_shown_as_the_compiler_says_it),
        TEST(symbols_say_what_an_object_is),
        TEST(objects_are_joined),
        TEST(a_warning_is_no_error),
        TEST(flags_reach_compiler_and_linker),
        TEST(a_compiler_that_is_not_there_is_said),
        TEST(a_compiler_that_hangs_is_ended),
        TEST(long_messages_are_cut),
        TEST(Cplusplus_can_use_the_header),
        TEST(layouts_differ_in_order_and_place),
        TEST(layouts_work_with_lld_too),
        TEST(layouts_are_kept_and_found_again),
        TEST(what_cannot_be_laid_out_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
