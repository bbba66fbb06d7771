/* From addresses to frames, of our own objects at places that they tell themselves, of this very
 * machine's vdso, and of texts of /proc/kallsyms and perf-PID.map that are made here. */
#include "tests/unit/symbol_objects.h"

#include <sys/auxv.h>
#include <sys/stat.h>

#include "profile/demangle.h"
#include "profile/symbolise.h"

#define PID 4711u
#define BASE UINT64_C(0x7f0000000000)
#define LENGTH UINT64_C(0x10000000)
#define KERNEL UINT64_C(0xffffffff81000000)

static const char kernel_text[] = "ffffffff81000000 T _text\n"
                                  "ffffffff81001000 t do_work\n"
                                  "ffffffff81002000 T last_of_it\n"
                                  "ffffffffc0000000 t mod_work\t[nf_mod]\n";

typedef struct fixture {
    pk_symbolise_options options;
    pk_names *names;
    pk_spaces *spaces;
    pk_modules *modules;
    pk_kallsyms *kallsyms;
    pk_symboliser *symboliser;
} fixture;

static void begin(fixture *f, const char *kernel) {
    pk_err err = {0};
    f->names = pk_names_new(1 << 20);
    f->spaces = pk_spaces_new();
    f->modules = pk_modules_new(NULL);
    f->kallsyms = kernel ? pk_kallsyms_parse(kernel, strlen(kernel), &err) : NULL;
    assert_true(f->names && f->spaces && f->modules);
    assert_true(!kernel || f->kallsyms);
    f->symboliser = pk_symboliser_new(&f->options, f->names, f->spaces, f->modules, f->kallsyms);
    assert_non_null(f->symboliser);
}

static void end(fixture *f) {
    pk_symboliser_free(f->symboliser);
    pk_kallsyms_free(f->kallsyms);
    pk_modules_free(f->modules);
    pk_spaces_free(f->spaces);
    pk_names_free(f->names);
}

/* The file is mapped as a whole at an address. Returns its number. */
static uint32_t map_file(fixture *f, uint32_t pid, uint64_t begin_at, const char *path) {
    pk_err err = {0};
    pk_module_id id = {.path = path, .pid = pid, .kernel = pid == PK_PID_KERNEL};
    uint32_t number = pk_modules_number(f->modules, &id);
    assert_true(number != UINT32_MAX);
    pk_map map = {.begin = begin_at, .end = begin_at + LENGTH, .file = number};
    assert_ok(pk_spaces_map(f->spaces, pid, &map, &err), &err);
    return number;
}

static const pk_frame *at(fixture *f, uint32_t pid, uint64_t address, size_t *n) {
    const pk_frame *frames = pk_symbolise(f->symboliser, pid, address, false, n);
    assert_non_null(frames);
    assert_true(*n > 0);
    return frames;
}

/* Names joined by ';', the function first. */
static void expect(fixture *f, uint32_t pid, uint64_t address, const char *expected) {
    size_t n;
    const pk_frame *frames = at(f, pid, address, &n);
    pk_strbuf text;
    pk_strbuf_init(&text, 1 << 16);
    for (size_t i = 0; i < n; i++)
        pk_strbuf_addf(&text, "%s%s", i ? ";" : "", pk_names_text(f->names, frames[i].name, NULL));
    assert_string_equal(text.data, expected);
    pk_strbuf_fini(&text);
    size_t again;
    assert_ptr_equal(at(f, pid, address, &again), frames); /* remembered */
    assert_int_equal(again, n);
}

/* ---- files ---- */

static void functions_and_what_was_inlined(void **state) {
    (void)state;
    fixture f = {0};
    char path[CHECK_PATH_MAX];
    begin(&f, NULL);
    loaded l = load_object("places.so");
    uint32_t module = map_file(&f, PID, BASE, symbol_object(path, "places.so"));
    expect(&f, PID, BASE + loaded_offset(&l, "at_outer"), "outer");
    expect(&f, PID, BASE + loaded_offset(&l, "at_middle"), "outer;middle");
    expect(&f, PID, BASE + loaded_offset(&l, "at_inner"), "outer;middle;inner");
    size_t n;
    const pk_frame *frames = at(&f, PID, BASE + loaded_offset(&l, "at_inner"), &n);
    for (size_t i = 0; i < n; i++) {
        assert_int_equal(frames[i].module, module);
        assert_int_equal(frames[i].inlined, i > 0);
        assert_false(frames[i].unknown || frames[i].kernel || frames[i].skip_callers);
    }
    /* Not a place of the file; no function there; not mapped. */
    expect(&f, PID, BASE + LENGTH - 1, "[places.so]");
    assert_true(at(&f, PID, BASE + LENGTH - 1, &n)->unknown);
    expect(&f, PID, BASE, "[places.so]");
    expect(&f, PID, BASE - 1, "[unknown]");
    frames = at(&f, PID, BASE - 1, &n);
    assert_true(frames->unknown && frames->module == UINT32_MAX);
    expect(&f, PID + 1, BASE, "[unknown]");
    dlclose(l.handle);
    end(&f);
}

/* The address 0x654000 of the file lies elsewhere in it, and the map begins anywhere. */
static void a_file_whose_numbering_differs(void **state) {
    (void)state;
    fixture f = {0};
    char path[CHECK_PATH_MAX];
    begin(&f, NULL);
    loaded l = load_object("apart.so");
    pk_err err = {0};
    pk_module_id id = {.path = symbol_object(path, "apart.so")};
    uint64_t offset = loaded_offset(&l, "at_inner");
    assert_true(offset != loaded_vaddr(&l, "at_inner"));
    pk_map map = {.begin = BASE,
                  .end = BASE + 0x10000,
                  .offset = offset & ~UINT64_C(0xfff),
                  .file = pk_modules_number(f.modules, &id)};
    assert_ok(pk_spaces_map(f.spaces, PID, &map, &err), &err);
    expect(&f, PID, BASE + (offset & 0xfff), "outer;middle;inner");
    dlclose(l.handle);
    end(&f);
}

static void names_of_cplusplus(void **state) {
    (void)state;
    char path[CHECK_PATH_MAX];
    if (access(symbol_object(path, "nested.so"), R_OK) != 0 || !pk_can_demangle()) skip();
    fixture f = {0};
    begin(&f, NULL);
    loaded l = load_object("nested.so");
    map_file(&f, PID, BASE, symbol_object(path, "nested.so"));
    size_t n;
    const pk_frame *frames = at(&f, PID, BASE + loaded_offset(&l, "at_open"), &n);
    assert_int_equal(n, 2);
    assert_string_equal(pk_names_text(f.names, frames[1].name, NULL), "house::room::open<int>");
    dlclose(l.handle);
    end(&f);
}

static void options_for_files(void **state) {
    (void)state;
    char path[CHECK_PATH_MAX];
    const char *stop[] = {"outer"};
    loaded l = load_object("places.so");
    fixture f = {.options = {.no_inline = true, .addresses = true, .skip_after = {stop, 1}}};
    begin(&f, NULL);
    map_file(&f, PID, BASE, symbol_object(path, "places.so"));
    expect(&f, PID, BASE + loaded_offset(&l, "at_inner"), "outer");
    size_t n;
    assert_true(at(&f, PID, BASE + loaded_offset(&l, "at_inner"), &n)->skip_callers);
    assert_false(at(&f, PID, BASE + loaded_offset(&l, "by_hand"), &n)->skip_callers);
    /* As perf shows them: the place in the file where there is one. */
    expect(&f, PID, BASE + 2, "[places.so <2>]");
    expect(&f, PID, 0x1234, "[unknown <1234>]");
    dlclose(l.handle);
    end(&f);
}

static void files_that_are_not_there(void **state) {
    (void)state;
    fixture f = {0};
    begin(&f, NULL);
    map_file(&f, PID, BASE, "/nowhere/at all/lib;x.so (deleted)");
    expect(&f, PID, BASE + 0x1000, "[lib:x.so (deleted)]");
    map_file(&f, PID, BASE + LENGTH, "/dev/null");
    expect(&f, PID, BASE + LENGTH, "[null]");
    end(&f);
}

/* All have the same frames, so one list serves; and each place is in memory once. */
static void many_addresses_of_a_function(void **state) {
    (void)state;
    fixture f = {0};
    begin(&f, NULL);
    map_file(&f, PID, BASE, "/nowhere/lib.so");
    size_t n;
    const pk_frame *first = at(&f, PID, BASE, &n);
    for (uint64_t i = 0; i < 50000; i++) assert_ptr_equal(at(&f, PID, BASE + i, &n), first);
    for (uint64_t i = 0; i < 50000; i++) assert_ptr_equal(at(&f, PID, BASE + i, &n), first);
    assert_int_equal(pk_names_count(f.names), 1);
    end(&f);
}

/* What a process maps changes; what was there before is not confused with it. */
static void the_same_address_of_another_file(void **state) {
    (void)state;
    fixture f = {0};
    begin(&f, NULL);
    map_file(&f, PID, BASE, "/nowhere/one");
    expect(&f, PID, BASE + 8, "[one]");
    map_file(&f, PID, BASE, "/nowhere/two");
    expect(&f, PID, BASE + 8, "[two]");
    map_file(&f, PID + 1, BASE, "/nowhere/one");
    expect(&f, PID + 1, BASE + 8, "[one]");
    end(&f);
}

static void names_of_java(void **state) {
    (void)state;
    char folder[] = "/tmp/perfkit-symbolise-XXXXXX", path[128];
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/perf-%u.map", folder, PID);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs("1000 100 La/B;::c\n1100 100 La/B;::c->Ld/E;::f\n10000 10000 La/B;::d\n", file);
    assert_int_equal(fclose(file), 0);
    fixture f = {.options = {.perf_maps = folder}};
    begin(&f, NULL);
    map_file(&f, PID, 0, "//anon");
    size_t n;
    expect(&f, PID, 0x1000, "La/B:::c");
    const pk_frame *java = pk_symbolise(f.symboliser, PID, 0x1000, true, &n);
    assert_string_equal(pk_names_text(f.names, java->name, NULL), "a/B:::c");
    expect(&f, PID, 0x1000, "La/B:::c"); /* both are remembered */
    expect(&f, PID, 0x1100, "La/B:::c;Ld/E:::f_[i]");
    for (uint64_t i = 0; i < 0x4000; i++) { /* so many that some share their place in the table */
        java = pk_symbolise(f.symboliser, PID, 0x10000 + i / 2, i % 2, &n);
        assert_string_equal(pk_names_text(f.names, java->name, NULL),
                            i % 2 ? "a/B:::d" : "La/B:::d");
    }
    assert_int_equal(unlink(path), 0);
    assert_int_equal(rmdir(folder), 0);
    end(&f);
}

/* ---- code made at run time, the vdso ---- */

static void code_of_a_compiler(void **state) {
    (void)state;
    char folder[] = "/tmp/perfkit-symbolise-XXXXXX", path[128];
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/perf-%u.map", folder, PID);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs("7f0000001000 80 LazyCompile:*spin /home/x y.js:1:2\n", file);
    assert_int_equal(fclose(file), 0);
    fixture f = {.options = {.perf_maps = folder, .annotate_jit = true}};
    begin(&f, NULL);
    uint32_t module = map_file(&f, PID, BASE, "//anon");
    map_file(&f, PID + 1, BASE, "//anon");
    map_file(&f, PID + 2, BASE, "[heap]");
    expect(&f, PID, BASE + 0x1000, "LazyCompile:*spin /home/x y.js:1:2_[j]");
    expect(&f, PID, BASE + 0x107f, "LazyCompile:*spin /home/x y.js:1:2_[j]");
    expect(&f, PID, BASE + 0x1080, "[perf-4711.map]_[j]");
    size_t n;
    assert_int_equal(at(&f, PID, BASE + 0x1000, &n)->module, module);
    assert_true(at(&f, PID, BASE + 0x1080, &n)->unknown);
    expect(&f, PID + 1, BASE + 0x1000, "[perf-4712.map]_[j]");
    expect(&f, PID + 2, BASE + 0x1000, "[[heap]]");
    assert_int_equal(unlink(path), 0);
    assert_int_equal(rmdir(folder), 0);
    end(&f);
}

static void the_vdso(void **state) {
    (void)state;
    fixture f = {.options = {.annotate_kernel = true}};
    unsigned long base = getauxval(AT_SYSINFO_EHDR);
    if (base == 0) skip();
    begin(&f, NULL);
    map_file(&f, PID, BASE, "[vdso]");
    expect(&f, PID, BASE, "[[vdso]]_[k]");
    bool found = false;
    for (uint64_t offset = 0; offset < 0x2000 && !found; offset += 16) {
        size_t n;
        const pk_frame *frame = at(&f, PID, BASE + offset, &n);
        found = !frame->unknown &&
                strstr(pk_names_text(f.names, frame->name, NULL), "clock_gettime_[k]");
    }
    assert_true(found);
    end(&f);
}

/* ---- the kernel ---- */

static void functions_of_the_kernel(void **state) {
    (void)state;
    fixture f = {0};
    begin(&f, kernel_text);
    expect(&f, PK_PID_KERNEL, KERNEL + 0x1010, "do_work");
    expect(&f, PK_PID_KERNEL, UINT64_C(0xffffffffc0000010), "mod_work");
    expect(&f, PK_PID_KERNEL, UINT64_C(0xffffffffd0000000), "[[kernel.kallsyms]]");
    size_t n;
    const pk_frame *frame = at(&f, PK_PID_KERNEL, KERNEL + 0x1010, &n);
    assert_true(frame->kernel && !frame->unknown && frame->module == UINT32_MAX);
    uint32_t module = map_file(&f, PK_PID_KERNEL, KERNEL, "[kernel.kallsyms]_text");
    map_file(&f, PK_PID_KERNEL, UINT64_C(0xffffffffd0000000), "/lib/modules/6.1/nf_other.ko");
    assert_int_equal(at(&f, PK_PID_KERNEL, KERNEL + 0x1010, &n)->module, module);
    expect(&f, PK_PID_KERNEL, KERNEL + 0x8000000, "[[kernel.kallsyms]]");
    expect(&f, PK_PID_KERNEL, UINT64_C(0xffffffffd0000000), "[nf_other.ko]");
    /* The same address of a program is another one. */
    expect(&f, PID, KERNEL + 0x1010, "[unknown]");
    end(&f);
}

static void a_kernel_that_hides(void **state) {
    (void)state;
    static const char *const texts[] = {NULL, "0000000000000000 T _text\n"};
    for (int i = 0; i < 2; i++) {
        fixture f = {.options = {.annotate_kernel = true}};
        begin(&f, texts[i]);
        expect(&f, PK_PID_KERNEL, KERNEL + 0x1010, "[kernel]_[k]");
        size_t n;
        const pk_frame *frame = at(&f, PK_PID_KERNEL, KERNEL + 0x1010, &n);
        assert_true(frame->kernel && frame->unknown);
        end(&f);
    }
    fixture f = {.options = {.addresses = true}};
    begin(&f, NULL);
    expect(&f, PK_PID_KERNEL, KERNEL + 0x1010, "[kernel <ffffffff81001010>]");
    end(&f);
    pk_symboliser_free(NULL);
}

static void kernel_frames_are_marked(void **state) {
    (void)state;
    fixture f = {.options = {.annotate_kernel = true}};
    begin(&f, kernel_text);
    expect(&f, PK_PID_KERNEL, KERNEL + 0x1010, "do_work_[k]");
    expect(&f, PK_PID_KERNEL, UINT64_C(0xffffffffc0000010), "mod_work_[k]");
    expect(&f, PK_PID_KERNEL, UINT64_C(0xffffffffd0000000), "[[kernel.kallsyms]]_[k]");
    end(&f);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(functions_and_what_was_inlined),
        cmocka_unit_test(a_file_whose_numbering_differs),
        cmocka_unit_test(names_of_cplusplus),
        cmocka_unit_test(options_for_files),
        cmocka_unit_test(files_that_are_not_there),
        cmocka_unit_test(many_addresses_of_a_function),
        cmocka_unit_test(the_same_address_of_another_file),
        cmocka_unit_test(names_of_java),
        cmocka_unit_test(code_of_a_compiler),
        cmocka_unit_test(the_vdso),
        cmocka_unit_test(functions_of_the_kernel),
        cmocka_unit_test(a_kernel_that_hides),
        cmocka_unit_test(kernel_frames_are_marked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
