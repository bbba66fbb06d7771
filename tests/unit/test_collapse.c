/* From records to stacks and their names. */
#include "tests/unit/collapse_records.h"

#include <asm/perf_regs.h>

#include "base/file.h"

static pk_kallsyms *kernel(void) {
    static const char text[] = "ffffffff81000000 T _text\n"
                               "ffffffff81001000 T do_sleep\n"
                               "ffffffff81002000 T entry\n"
                               "ffffffff81003000 T last\n";
    pk_err err;
    pk_kallsyms *kallsyms = pk_kallsyms_parse(text, sizeof text - 1, &err);
    assert_non_null(kallsyms);
    return kallsyms;
}

#define KERNEL 0xffffffff81000000u

/* In the kernel, without a user's part. */
static void kernel_sample(collapse_fixture *f, uint64_t address) {
    size_t begin = f->records.length;
    uint16_t misc = PERF_RECORD_MISC_KERNEL;
    perf_sample(&f->records, 70, 2, 1, CHAIN(PK_CHAIN_KERNEL, address));
    memcpy(f->records.data + begin + 4, &misc, sizeof misc);
}

/* ---- callchains ---- */

static void callers_are_before_what_they_return_to(void **state) {
    collapse_fixture *f = *state;
    collapse_burner(f);
    /* 0x2000 and 0x3000 are where b and c begin: the calls end a and b. */
    perf_sample(&f->records, 70, 2, 5, CHAIN(PK_CHAIN_USER, 0x2000, 0x3000, 0x3000, 0x4010));
    collapse_gives(f, "burner;[d];[b];[b];[b] 5\n");
    assert_int_equal(f->profile.n_samples, 1);
}

static void each_part_begins_exactly(void **state) {
    collapse_fixture *f = *state;
    f->options.kallsyms = kernel();
    collapse_burner(f);
    perf_sample(
        &f->records, 70, 2, 5,
        CHAIN(PK_CHAIN_KERNEL, KERNEL + 0x1000, KERNEL + 0x3000, PK_CHAIN_USER, 0x1000, 0x2000));
    collapse_gives(f, "burner;[a];[a];entry;do_sleep 5\n");
}

static void other_parts_are_passed_over(void **state) {
    collapse_fixture *f = *state;
    f->options.kallsyms = kernel();
    collapse_burner(f);
    /* hypervisor, guest, and markers that are not known */
    perf_sample(&f->records, 70, 2, 5,
                CHAIN((uint64_t)-32, 0x1000, (uint64_t)-2048, 0x1000, PK_CHAIN_USER, 0x2000,
                      (uint64_t)-640, 0x3000));
    collapse_gives(f, "burner;[b] 5\n");
}

/* The sample's own address counts once, and only where the chain says nothing of its mode. */
static void the_own_address_is_not_doubled(void **state) {
    collapse_fixture *f = *state;
    f->options.kallsyms = kernel();
    collapse_burner(f);
    perf_sample(&f->records, 70, 2, 1, CHAIN(0x1000)); /* ip 0x1000, no marker: user */
    perf_sample(&f->records, 70, 3, 2, CHAIN(PK_CHAIN_KERNEL, 0x2000)); /* ip 0x2000 of user */
    collapse_feed(f);
    f->attrs[0].sample_type &= ~(uint64_t)PERF_SAMPLE_CALLCHAIN;
    size_t at = perf_record_begin(&f->records, PERF_RECORD_SAMPLE, PERF_RECORD_MISC_KERNEL);
    put(&f->records, KERNEL + 0x2000, 8);
    put(&f->records, 70, 4);
    put(&f->records, 71, 4);
    put(&f->records, 4, 8);
    put(&f->records, 4, 8);
    perf_record_end(&f->records, at);
    /* An address below the kernel's first function has no name. */
    collapse_gives(f, "burner;[[kernel.kallsyms]];[b] 2\nburner;[a] 1\nburner;entry 4\n");
}

/* The processor's own call stack, in place of a user's part that frame pointers cut short. */
static void remembered_calls_are_taken(void **state) {
    collapse_fixture *f = *state;
    f->options.kallsyms = kernel();
    f->attrs[0].sample_type |= PERF_SAMPLE_BRANCH_STACK;
    static const uint64_t types[] = {PERF_SAMPLE_BRANCH_CALL_STACK | PERF_SAMPLE_BRANCH_HW_INDEX,
                                     PERF_SAMPLE_BRANCH_ANY};
    static const char *const folded[] = {"burner;[a];[b];[c];entry 1\n",
                                         "burner;[d];[c];entry 1\n"};
    for (size_t i = 0; i < 2; i++) {
        collapse_again(f);
        f->attrs[0].branch_sample_type = types[i];
        collapse_burner(f);
        static const uint64_t chain[] = {PK_CHAIN_KERNEL, KERNEL + 0x2000, PK_CHAIN_USER, 0x3010,
                                         0x4010};
        size_t at = perf_record_begin(&f->records, PERF_RECORD_SAMPLE, PERF_RECORD_MISC_KERNEL);
        put(&f->records, KERNEL + 0x2000, 8);
        put(&f->records, 70, 4);
        put(&f->records, 71, 4);
        put(&f->records, 2, 8);
        put(&f->records, 1, 8);
        put(&f->records, 5, 8);
        pk_strbuf_add(&f->records, chain, sizeof chain);
        static const uint64_t branches[] = {0x2000, 0x3000, 0, 0x1ff0, 0x2000, 0, 0, 0, 0};
        put(&f->records, 3, 8);
        if (i == 0) put(&f->records, UINT64_MAX, 8);
        pk_strbuf_add(&f->records, branches, sizeof branches);
        perf_record_end(&f->records, at);
        collapse_gives(f, folded[i]);
    }
}

static void nothing_at_all_is_unknown(void **state) {
    collapse_fixture *f = *state;
    perf_sample(&f->records, 70, 2, 5, CHAIN(PK_CHAIN_USER, 0x7000));
    size_t at = perf_record_begin(&f->records, PERF_RECORD_SAMPLE, PERF_RECORD_MISC_GUEST_USER);
    put(&f->records, 0x1000, 8);
    put(&f->records, 70, 4);
    put(&f->records, 71, 4);
    put(&f->records, 4, 8);
    put(&f->records, 4, 8);
    put(&f->records, 0, 8);
    perf_record_end(&f->records, at);
    collapse_gives(f, ":71;[unknown] 9\n");
    assert_int_equal(f->profile.modules.count, 1);
    const pk_profile_module *m = f->profile.modules.items;
    assert_string_equal(m->path, "[unknown]");
    assert_int_equal(m->frames, 1);
    assert_int_equal(m->unknown, 1);
}

/* ---- labels ---- */

static void labels_say_who(void **state) {
    collapse_fixture *f = *state;
    static const struct {
        pk_stack_label label;
        const char *folded;
    } cases[] = {
        {PK_LABEL_COMM, ":71;[a] 1\nweb_server_1;[a] 2\n"},
        {PK_LABEL_PID, ":71-70;[a] 1\nweb_server_1-70;[a] 2\n"},
        {PK_LABEL_TID, ":71-70/71;[a] 1\nweb_server_1-70/71;[a] 2\n"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        collapse_again(f);
        f->options.label = cases[i].label;
        perf_mmap2(&f->records, 70, 1, 0x1000, 0x1000, 0, "/gone/a");
        perf_sample(&f->records, 70, 2, 1, CHAIN(0x1000));
        size_t at = perf_record_begin(&f->records, PERF_RECORD_COMM, 0);
        put(&f->records, 70, 4);
        put(&f->records, 71, 4);
        put_text(&f->records, "web server 1");
        perf_trailer(&f->records, 70, 3);
        perf_record_end(&f->records, at);
        perf_sample(&f->records, 70, 4, 2, CHAIN(0x1000));
        collapse_gives(f, cases[i].folded);
    }
}

/* A thread that is gone has the number -1, which is not the kernel, and 0 is the idle one. */
static void the_dead_and_the_idle_have_names(void **state) {
    collapse_fixture *f = *state;
    perf_sample(&f->records, UINT32_MAX, 2, 1, CHAIN(KERNEL));
    perf_sample(&f->records, UINT32_MAX - 1, 3, 2, CHAIN(KERNEL));
    collapse_gives(f, ":-1;[unknown] 2\nswapper;[unknown] 1\n");
}

/* ---- processes ---- */

static void processes_follow_fork_and_exec(void **state) {
    collapse_fixture *f = *state;
    collapse_burner(f);
    perf_fork(&f->records, PERF_RECORD_FORK, 80, 80, 70, 2);
    perf_fork(&f->records, PERF_RECORD_FORK, 80, 81, 80, 2);
    perf_sample(&f->records, 80, 3, 1, CHAIN(0x1000));
    perf_comm(&f->records, 80, 4, "other", true);
    perf_mmap2(&f->records, 80, 5, 0x1000, 0x1000, 0, "/gone/z");
    perf_comm(&f->records, 80, 6, "another", false);
    perf_sample(&f->records, 80, 7, 2, CHAIN(0x1000));
    perf_sample(&f->records, 80, 8, 4, CHAIN(0x2000));
    perf_sample(&f->records, 70, 9, 8, CHAIN(0x2000));
    /* Thread 81 kept the name of the process that made it. */
    collapse_gives(f, "burner;[a] 1\nburner;[b] 8\nburner;[unknown] 4\nburner;[z] 2\n");
}

static void only_code_is_mapped(void **state) {
    collapse_fixture *f = *state;
    collapse_burner(f);
    collapse_feed(f);
    perf_mmap2(&f->records, 70, 2, 0x1000, 0x1000, 0, "/gone/data");
    size_t prot = f->records.length - 16 /* trailer */ - 16 /* name */ - 8;
    f->records.data[prot] = 3; /* read and write */
    perf_sample(&f->records, 70, 3, 1, CHAIN(0x1000));
    collapse_gives(f, "burner;[a] 1\n");
}

/* ---- the kernel ---- */

static void kernel_map(collapse_fixture *f, uint64_t text) {
    size_t at = perf_record_begin(&f->records, PERF_RECORD_MMAP, PERF_RECORD_MISC_KERNEL);
    put(&f->records, UINT32_MAX, 4);
    put(&f->records, 0, 4);
    put(&f->records, text, 8);
    put(&f->records, 0x100000, 8);
    put(&f->records, text, 8);
    put_text(&f->records, "[kernel.kallsyms]_text");
    perf_trailer(&f->records, 0, 0);
    perf_record_end(&f->records, at);
}

static void a_moved_kernel_is_found(void **state) {
    collapse_fixture *f = *state;
    f->options.kallsyms = kernel();
    kernel_map(f, KERNEL + 0x200000);
    perf_comm(&f->records, 70, 1, "burner", true);
    kernel_sample(f, KERNEL + 0x201000);
    collapse_gives(f, "burner;do_sleep 1\n");
    const pk_profile_module *m = f->profile.modules.items;
    assert_string_equal(m->path, "[kernel.kallsyms]");
    assert_true(m->symbols);
    assert_int_equal(m->unknown, 0);
}

static void another_kernel_is_not_named(void **state) {
    collapse_fixture *f = *state;
    f->options.kallsyms = kernel();
    kernel_map(f, KERNEL + 0x200010);
    perf_comm(&f->records, 70, 1, "burner", true);
    kernel_sample(f, KERNEL + 0x201000);
    collapse_gives(f, "burner;[kernel] 1\n");
    assert_false(PK_AT(&f->profile.modules, pk_profile_module, 0).symbols);
    assert_int_equal(PK_AT(&f->profile.modules, pk_profile_module, 0).unknown, 1);
}

/* What perf kept of the kernel with this build-id comes first. */
static void a_kept_kernel_is_taken(void **state) {
    collapse_fixture *f = *state;
    char folder[CHECK_PATH_MAX], path[CHECK_PATH_MAX + 64];
    static const char symbols[] = "ffffffff81000000 T _text\nffffffff81001000 T kept\n";
    pk_perf_build_id id = {.pid = -1, .id_bytes = 4, .file = "[kernel.kallsyms]"};
    memcpy(id.id, "\xab\xcd\xef\x01", 4);
    f->info.build_ids = &id;
    f->info.n_build_ids = 1;
    check_folder_begin(folder);
    snprintf(path, sizeof path, "%s/.build-id/ab/cdef01", folder);
    assert_ok(pk_folder_make(path, &f->err), &f->err);
    snprintf(path, sizeof path, "%s/.build-id/ab/cdef01/kallsyms", folder);
    assert_ok(pk_file_replace(path, symbols, sizeof symbols - 1, &f->err), &f->err);
    pk_debug_folders folders = {.perf_cache = folder};
    f->options.folders = &folders;
    kernel_map(f, KERNEL);
    perf_comm(&f->records, 70, 1, "burner", true);
    kernel_sample(f, KERNEL + 0x1000);
    collapse_gives(f, "burner;kept 1\n");
    check_folder_end(folder);
}

/* Not the functions of the kernel that runs now, if that is known to be another. */
static void the_running_kernel_is_compared(void **state) {
    collapse_fixture *f = *state;
    pk_perf_build_id id = {.pid = -1, .id_bytes = 20, .file = "[kernel.kallsyms]"};
    char folder[CHECK_PATH_MAX], path[CHECK_PATH_MAX];
    static const char symbols[] = "ffffffff81000000 T _text\nffffffff81001000 T running\n";
    check_folder_begin(folder);
    check_path(path, folder, "kallsyms");
    assert_ok(pk_file_replace(path, symbols, sizeof symbols - 1, &f->err), &f->err);
    f->options.kallsyms_path = path;
    for (size_t n = 0; n < 2; n++) {
        collapse_again(f);
        f->info.build_ids = &id;
        f->info.n_build_ids = n;
        kernel_map(f, KERNEL);
        perf_comm(&f->records, 70, 1, "burner", true);
        kernel_sample(f, KERNEL + 0x1000);
        bool has_notes = access("/sys/kernel/notes", R_OK) == 0;
        collapse_gives(f, n && has_notes ? "burner;[kernel] 1\n" : "burner;running 1\n");
    }
    check_folder_end(folder);
}

static void bpf_programs_are_code_of_the_kernel(void **state) {
    collapse_fixture *f = *state;
    f->options.kallsyms = kernel();
    perf_comm(&f->records, 70, 1, "burner", true);
    size_t at = perf_record_begin(&f->records, PERF_RECORD_KSYMBOL, 0);
    put(&f->records, 0xffffffffc0001000, 8);
    put(&f->records, 0x100, 4);
    put(&f->records, 1, 4);
    put_text(&f->records, "bpf_prog_1234");
    perf_trailer(&f->records, 0, 1);
    perf_record_end(&f->records, at);
    kernel_sample(f, 0xffffffffc0001010);
    collapse_gives(f, "burner;[bpf_prog_1234] 1\n");
}

/* ---- names ---- */

static void callers_of_these_are_left_out(void **state) {
    collapse_fixture *f = *state;
    const char *names[] = {"do_sleep"};
    f->options.symbolise.skip_after = (pk_text_list){names, 1};
    f->options.kallsyms = kernel();
    collapse_burner(f);
    perf_sample(&f->records, 70, 2, 1,
                CHAIN(PK_CHAIN_KERNEL, KERNEL + 0x3010, KERNEL + 0x1010, KERNEL + 0x2010,
                      PK_CHAIN_USER, 0x1000));
    perf_sample(&f->records, 70, 3, 2, CHAIN(PK_CHAIN_USER, 0x1000));
    collapse_gives(f, "burner;[a] 2\ndo_sleep;last 1\n");
}

/* ---- modules ---- */

static void modules_are_told_with_the_most_frames_first(void **state) {
    collapse_fixture *f = *state;
    pk_perf_build_id id = {.pid = 70, .id_bytes = 20, .file = "/proc/self/exe"};
    f->info.build_ids = &id;
    f->info.n_build_ids = 1;
    collapse_burner(f);
    perf_mmap2(&f->records, 70, 1, 0x100000, 0x100000, 0, "/proc/self/exe");
    perf_sample(&f->records, 70, 2, 1, CHAIN(PK_CHAIN_USER, 0x2000, 0x2010, 0x1010, 0x100010));
    collapse_gives(f, "burner;[exe];[a];[b];[b] 1\n");
    static const struct {
        const char *path;
        uint64_t frames;
        bool missing, changed;
    } expected[] = {{"/gone/b", 2, true, false},
                    {"/gone/a", 1, true, false},
                    {"/proc/self/exe", 1, false, true}};
    assert_int_equal(f->profile.modules.count, 3);
    for (size_t i = 0; i < 3; i++) {
        const pk_profile_module *m = &PK_AT(&f->profile.modules, pk_profile_module, i);
        assert_string_equal(m->path, expected[i].path);
        assert_int_equal(m->frames, expected[i].frames);
        assert_int_equal(m->unknown, expected[i].frames);
        assert_int_equal(m->missing, expected[i].missing);
        assert_int_equal(m->changed, expected[i].changed);
        assert_false(m->symbols || m->debug_information || m->call_frame_information);
    }
}

/* ---- copied stacks ---- */

#if defined __x86_64__
enum { STACK = 0x7000000 };

typedef struct copy {
    uint64_t ip, fp, abi;
    uint64_t words[8];
    size_t bytes, stored;
} copy;

/* With registers and a stack, and a callchain of `n` kernel addresses. */
static void copied(collapse_fixture *f, uint64_t time, uint64_t period, const copy *of, size_t n,
                   const uint64_t chain[]) {
    pk_strbuf *to = &f->records;
    f->attrs[0].sample_type |= PERF_SAMPLE_REGS_USER | PERF_SAMPLE_STACK_USER;
    f->attrs[0].stack_user = 64;
    f->attrs[0].registers_user =
        1u << PERF_REG_X86_BP | 1u << PERF_REG_X86_SP | 1u << PERF_REG_X86_IP;
    size_t at = perf_record_begin(to, PERF_RECORD_SAMPLE,
                                  n ? PERF_RECORD_MISC_KERNEL : PERF_RECORD_MISC_USER);
    put(to, n ? chain[1] : of->ip, 8);
    put(to, 70, 4);
    put(to, 71, 4);
    put(to, time, 8);
    put(to, period, 8);
    put(to, n, 8);
    for (size_t i = 0; i < n; i++) put(to, chain[i], 8);
    put(to, of->abi, 8);
    if (of->abi) {
        put(to, of->fp, 8);
        put(to, STACK, 8);
        put(to, of->ip, 8);
    }
    put(to, of->stored, 8);
    pk_strbuf_add(to, of->words, of->stored);
    if (of->stored) put(to, of->bytes, 8);
    perf_record_end(to, at);
}

/* a called b called c: frame records at STACK + 16 and STACK + 40; the stack goes on above. */
static const copy whole = {.ip = 0x3010,
                           .fp = STACK + 16,
                           .abi = 2,
                           .words = {0, 0, STACK + 40, 0x2010, 0, 0, 0x1010},
                           .bytes = 56,
                           .stored = 64};

static void copied_stacks_are_followed(void **state) {
    collapse_fixture *f = *state;
    f->options.kallsyms = kernel();
    collapse_burner(f);
    collapse_feed(f);
    copied(f, 2, 1, &whole, 0, NULL);
    copied(f, 3, 2, &whole, CHAIN(PK_CHAIN_KERNEL, KERNEL + 0x1000, KERNEL + 0x2010));
    copy short_copy = whole;
    short_copy.bytes = short_copy.stored = 32;
    copied(f, 4, 4, &short_copy, 0, NULL);
    copy broken = whole;
    broken.words[2] = STACK - 8;
    copied(f, 5, 8, &broken, 0, NULL);
    copy none = whole; /* execve has given it back */
    none.bytes = 0;
    copied(f, 6, 16, &none, CHAIN(PK_CHAIN_KERNEL, KERNEL + 0x1000));
    collapse_gives(f, "burner;[a];[b];[c] 1\n"
                      "burner;[a];[b];[c];entry;do_sleep 2\n"
                      "burner;[c] 8\n"
                      "burner;[c];do_sleep 16\n"
                      "burner;[truncated];[b];[c] 4\n");
    assert_true(f->profile.stacks_copied);
    assert_int_equal(f->profile.whole, 2);
    assert_int_equal(f->profile.truncated, 1);
    assert_int_equal(f->profile.unfinished, 2);
    for (size_t i = 0; i < f->profile.modules.count; i++) {
        const pk_profile_module *m = &PK_AT(&f->profile.modules, pk_profile_module, i);
        assert_int_equal(m->lost, strcmp(m->path, "/gone/c") == 0);
    }
}

/* The kernel copies no stack of its own threads, none of a program that is just being replaced, and
 * one of a 32-bit program that has other registers. */
static void without_a_usable_copy_the_rest_counts(void **state) {
    collapse_fixture *f = *state;
    f->options.kallsyms = kernel();
    collapse_burner(f);
    collapse_feed(f);
    copy none = {0};
    copied(f, 2, 1, &none, CHAIN(PK_CHAIN_KERNEL, KERNEL + 0x1000));
    copy other = whole;
    other.abi = 1;
    copied(f, 3, 2, &other, 0, NULL);
    copy empty = whole;
    empty.stored = 0;
    copied(f, 4, 4, &empty, 0, NULL);
    collapse_gives(f, "burner;[c] 6\nburner;do_sleep 1\n");
    assert_int_equal(f->profile.whole, 1);
    assert_int_equal(f->profile.unfinished, 2);
}
#endif

int main(void) {
#define COLLAPSE_TEST(f) cmocka_unit_test_setup_teardown(f, collapse_setup, collapse_teardown)
    const struct CMUnitTest tests[] = {
        COLLAPSE_TEST(callers_are_before_what_they_return_to),
        COLLAPSE_TEST(each_part_begins_exactly),
        COLLAPSE_TEST(other_parts_are_passed_over),
        COLLAPSE_TEST(the_own_address_is_not_doubled),
        COLLAPSE_TEST(remembered_calls_are_taken),
        COLLAPSE_TEST(nothing_at_all_is_unknown),
        COLLAPSE_TEST(labels_say_who),
        COLLAPSE_TEST(the_dead_and_the_idle_have_names),
        COLLAPSE_TEST(processes_follow_fork_and_exec),
        COLLAPSE_TEST(only_code_is_mapped),
        COLLAPSE_TEST(a_moved_kernel_is_found),
        COLLAPSE_TEST(another_kernel_is_not_named),
        COLLAPSE_TEST(a_kept_kernel_is_taken),
        COLLAPSE_TEST(the_running_kernel_is_compared),
        COLLAPSE_TEST(bpf_programs_are_code_of_the_kernel),
        COLLAPSE_TEST(callers_of_these_are_left_out),
        COLLAPSE_TEST(modules_are_told_with_the_most_frames_first),
#if defined __x86_64__
        COLLAPSE_TEST(copied_stacks_are_followed),
        COLLAPSE_TEST(without_a_usable_copy_the_rest_counts),
#endif
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
