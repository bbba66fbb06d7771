/* Which file a path of a recording stands for, and what is in it. */
#include "tests/unit/symbol_objects.h"

#include <elf.h>
#include <sched.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "base/file.h"
#include "profile/modules.h"

static pk_modules *new_modules(const pk_debug_folders *folders) {
    pk_modules *modules = pk_modules_new(folders);
    assert_non_null(modules);
    return modules;
}

static uint32_t number(pk_modules *modules, pk_module_id id) {
    uint32_t n = pk_modules_number(modules, &id);
    assert_true(n < pk_modules_count(modules));
    return n;
}

/* ---- numbers ---- */

static void a_file_has_one_number(void **state) {
    (void)state;
    static const uint8_t one[] = {1, 2, 3}, other[] = {1, 2, 4};
    pk_modules *modules = new_modules(NULL);
    uint32_t a = number(modules, (pk_module_id){.path = "/a/lib.so"});
    assert_int_equal(a, 0);
    assert_int_equal(number(modules, (pk_module_id){.path = "/b/lib.so"}), 1);
    assert_int_equal(number(modules, (pk_module_id){.path = "/a/lib.so", .pid = 1}), a);
    assert_int_equal(number(modules, (pk_module_id){"/a/lib.so", one, 3, 0, false}), 2);
    assert_int_equal(number(modules, (pk_module_id){"/a/lib.so", other, 3, 0, false}), 3);
    assert_int_equal(number(modules, (pk_module_id){"/a/lib.so", one, 2, 0, false}), 4);
    assert_int_equal(number(modules, (pk_module_id){"/a/lib.so", one, 3, 0, false}), 2);
    assert_int_equal(number(modules, (pk_module_id){.path = "/a/lib.so", .kernel = true}), 5);
    assert_string_equal(pk_module_path(modules, a), "/a/lib.so");
    assert_string_equal(pk_module_name(modules, a), "lib.so");
    char path[32];
    for (int i = 0; i < 2000; i++) {
        snprintf(path, sizeof path, "/x/%d", i);
        assert_int_equal(number(modules, (pk_module_id){.path = path}), 6 + i);
    }
    for (int i = 0; i < 2000; i++) {
        snprintf(path, sizeof path, "/x/%d", i);
        assert_int_equal(number(modules, (pk_module_id){.path = path}), 6 + i);
    }
    assert_string_equal(pk_module_name(modules, 6 + 1234), "1234");
    assert_int_equal(pk_modules_count(modules), 2006);
    pk_modules_free(modules);
}

static const char *name_of(const char *path) {
    static char name[64];
    pk_modules *modules = new_modules(NULL);
    snprintf(name, sizeof name, "%s",
             pk_module_name(modules, number(modules, (pk_module_id){.path = path})));
    pk_modules_free(modules);
    return name;
}

static void names_are_the_last_part(void **state) {
    (void)state;
    assert_string_equal(name_of("/usr/bin/ls"), "ls");
    assert_string_equal(name_of("[vdso]"), "[vdso]");
    assert_string_equal(name_of("//anon"), "anon");
    assert_string_equal(name_of("/"), "/");
    assert_string_equal(name_of(""), "");
    assert_string_equal(name_of("/tmp/x (deleted)"), "x (deleted)");
}

/* ---- states ---- */

static pk_module_state state_of(pk_module_id id, const pk_debug_folders *folders) {
    pk_modules *modules = new_modules(folders);
    uint32_t n = number(modules, id);
    pk_module_state state = pk_module_open(modules, n);
    assert_int_equal(pk_module_open(modules, n), state);
    assert_true((pk_module_image(modules, n) != NULL) == (state == PK_MODULE_READY));
    assert_true((pk_module_symbols(modules, n) != NULL) == (state == PK_MODULE_READY));
    assert_true((pk_module_inlines(modules, n) != NULL) == (state == PK_MODULE_READY));
    assert_true((pk_module_cfi_of(modules, n) != NULL) == (state == PK_MODULE_READY));
    pk_modules_free(modules);
    return state;
}
#define STATE(...) state_of((pk_module_id){__VA_ARGS__}, NULL)

static void what_is_no_file_is_never_opened(void **state) {
    (void)state;
    static const char *const paths[] = {"[heap]",
                                        "[stack]",
                                        "//anon",
                                        "/memfd:x",
                                        "",
                                        "/memfd:x (deleted)",
                                        "anon_inode:[io]",
                                        "[uprobes]",
                                        "/dev/zero (deleted)",
                                        "/SYSV00000000 (deleted)",
                                        "[vsyscall]"};
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++)
        assert_int_equal(STATE(.path = paths[i], .pid = (uint32_t)getpid()), PK_MODULE_NOT_A_FILE);
    assert_int_equal(STATE(.path = "[kernel.kallsyms]_text", .kernel = true), PK_MODULE_KERNEL);
    assert_int_equal(STATE(.path = "/lib/modules/x.ko", .kernel = true), PK_MODULE_KERNEL);
    assert_int_equal(STATE(.path = "/no/such/file"), PK_MODULE_MISSING);
}

static void other_files_are_no_modules(void **state) {
    (void)state;
    char folder[CHECK_PATH_MAX], path[CHECK_PATH_MAX];
    check_folder_begin(folder);
    check_write_file(check_path(path, folder, "text"), "\177ELF, it says");
    assert_int_equal(STATE(.path = path), PK_MODULE_NOT_ELF);
    assert_int_equal(mkfifo(check_path(path, folder, "fifo"), 0600), 0);
    assert_int_equal(STATE(.path = path), PK_MODULE_NOT_ELF);
    assert_int_equal(STATE(.path = folder), PK_MODULE_NOT_ELF);
    check_folder_end(folder);
}

static void what_is_in_a_file(void **state) {
    (void)state;
    char path[CHECK_PATH_MAX];
    loaded l = load_object("places.so");
    pk_modules *modules = new_modules(NULL);
    uint32_t n = number(modules, (pk_module_id){.path = symbol_object(path, "places.so")});
    assert_int_equal(pk_module_open(modules, n), PK_MODULE_READY);
    const pk_symbols *symbols = pk_module_symbols(modules, n);
    assert_non_null(symbols);
    uint32_t found = pk_symbols_find(symbols, loaded_vaddr(&l, "shown"));
    assert_string_equal(pk_symbols_at(symbols, found)->name, "shown");
    assert_ptr_equal(pk_module_symbols(modules, n), symbols);
    assert_true(pk_inlines_known(pk_module_inlines(modules, n)));
    assert_ptr_equal(pk_module_inlines(modules, n), pk_module_inlines(modules, n));
    pk_modules_free(modules);
    dlclose(l.handle);
}

/* ---- build-ids ---- */

/* What the objects of tests/programs/symbols are linked with. */
static const uint8_t build_id[20] = {0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef, 0x01, 0x23,
                                     0x45, 0x67, 0x89, 0xab, 0xcd, 0xef, 0x01, 0x23, 0x45, 0x67};

static void another_build_is_never_used(void **state) {
    (void)state;
    char path[CHECK_PATH_MAX];
    symbol_object(path, "stripped.so");
    assert_int_equal(STATE(path, build_id, 20, 0, false), PK_MODULE_READY);
    uint8_t longer[24] = {0};
    memcpy(longer, build_id, 20);
    assert_int_equal(STATE(path, longer, 24, 0, false), PK_MODULE_READY); /* filled up by perf */
    longer[23] = 1;
    assert_int_equal(STATE(path, longer, 24, 0, false), PK_MODULE_CHANGED);
    assert_int_equal(STATE(path, build_id, 19, 0, false), PK_MODULE_CHANGED);
    uint8_t other[20];
    memcpy(other, build_id, 20);
    other[19] ^= 1;
    assert_int_equal(STATE(path, other, 20, 0, false), PK_MODULE_CHANGED);
    /* one without a build-id cannot be what had one */
    assert_int_equal(STATE(symbol_object(path, "places.so"), build_id, 20, 0, false),
                     PK_MODULE_CHANGED);
}

static void copy_file(const char *from, const char *to) {
    pk_strbuf bytes;
    pk_err err;
    pk_strbuf_init(&bytes, 64u << 20);
    assert_ok(pk_file_read(from, 64u << 20, &bytes, &err), &err);
    assert_ok(pk_file_replace(to, bytes.data, bytes.length, &err), &err);
    assert_int_equal(chmod(to, 0755), 0);
    pk_strbuf_fini(&bytes);
}

/* perf's cache, and links as distributions have them beside their debug files. */
static void files_are_found_by_build_id(void **state) {
    (void)state;
    char folder[CHECK_PATH_MAX], path[CHECK_PATH_MAX], object[CHECK_PATH_MAX];
    pk_err err;
    check_folder_begin(folder);
    symbol_object(object, "stripped.so");
    static const char hex[] = "23456789abcdef0123456789abcdef01234567";
    char name[128];
    snprintf(name, sizeof name, "cache/.build-id/01/%s", hex);
    assert_ok(pk_folder_make(check_path(path, folder, name), &err), &err);
    snprintf(name, sizeof name, "cache/.build-id/01/%s/elf", hex);
    copy_file(object, check_path(path, folder, name));
    char cache[CHECK_PATH_MAX], root[CHECK_PATH_MAX];
    pk_debug_folders folders = {.perf_cache = check_path(cache, folder, "cache")};
    pk_module_id id = {"/no/such/file", build_id, 20, 0, false};
    assert_int_equal(state_of(id, &folders), PK_MODULE_READY);
    assert_int_equal(state_of(id, NULL), PK_MODULE_MISSING);
    id.path = symbol_object(path, "places.so"); /* replaced since, but kept */
    assert_int_equal(state_of(id, &folders), PK_MODULE_READY);

    assert_ok(pk_folder_make(check_path(path, folder, "root/.build-id/01"), &err), &err);
    snprintf(name, sizeof name, "root/.build-id/01/%s", hex);
    assert_int_equal(symlink(object, check_path(path, folder, name)), 0);
    const char *const roots[] = {"/no/such/folder", check_path(root, folder, "root"), NULL};
    folders = (pk_debug_folders){.roots = roots};
    id.path = "/no/such/file";
    assert_int_equal(state_of(id, &folders), PK_MODULE_READY);
    uint8_t other[20] = {0x01, 0x23};
    id.build_id = other;
    assert_int_equal(state_of(id, &folders), PK_MODULE_MISSING);
    check_folder_end(folder);
}

static void the_vdso_is_our_own(void **state) {
    (void)state;
    if (!getauxval(AT_SYSINFO_EHDR)) {
        print_message("skipped: this kernel gives none\n");
        skip();
    }
    pk_modules *modules = new_modules(NULL);
    uint32_t n = number(modules, (pk_module_id){.path = "[vdso]", .pid = (uint32_t)getpid()});
    assert_int_equal(pk_module_open(modules, n), PK_MODULE_READY);
    const pk_symbols *symbols = pk_module_symbols(modules, n);
    bool clock = false;
    for (uint32_t i = 0; i < pk_symbols_count(symbols); i++)
        clock |= strstr(pk_symbols_at(symbols, i)->name, "clock_gettime") != NULL;
    assert_true(clock);
    assert_true(pk_module_cfi_of(modules, n)->section.n_bytes > 0);
    size_t bytes = 0;
    const uint8_t *id = pk_elf_image_build_id(pk_module_image(modules, n), &bytes);
    if (id) {
        assert_int_equal(STATE("[vdso]", id, bytes, 0, false), PK_MODULE_READY);
        assert_int_equal(STATE("[vdso]", build_id, 20, 0, false), PK_MODULE_CHANGED);
    }
    pk_modules_free(modules);
}

/* ---- files of other processes ---- */

/* A child that lives until its standard input ends. */
typedef struct child {
    pid_t pid;
    int hold;
} child;

/* Runs `prepare` in the child, then argv if there is one; waits until that is done. */
static child start(bool (*prepare)(const char *), const char *argument, char *const argv[]) {
    int in[2], ready[2];
    char byte = 0;
    assert_int_equal(pipe2(in, O_CLOEXEC), 0);
    assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
    child c = {.pid = fork(), .hold = in[1]};
    assert_true(c.pid >= 0);
    if (c.pid == 0) {
        dup2(in[0], 0);
        if (prepare && !prepare(argument)) _exit(1);
        close(in[1]);
        if (argv) execv(argv[0], argv); /* closes `ready` */
        else if (write(ready[1], "r", 1) == 1) (void)!read(0, &byte, 1);
        _exit(0);
    }
    close(in[0]);
    close(ready[1]);
    ssize_t n = read(ready[0], &byte, 1);
    close(ready[0]);
    if (!argv && n != 1) c.hold = (close(c.hold), -1); /* `prepare` could not */
    return c;
}

static void stop(child *c) {
    int status;
    if (c->hold >= 0) close(c->hold);
    assert_int_equal(waitpid(c->pid, &status, 0), c->pid);
}

/* /bin/cat as a copy that is deleted while it runs. */
static void a_deleted_program_is_read_from_its_process(void **state) {
    (void)state;
    char folder[CHECK_PATH_MAX], path[CHECK_PATH_MAX], deleted[CHECK_PATH_MAX + 16];
    check_folder_begin(folder);
    copy_file("/bin/cat", check_path(path, folder, "cat"));
    char *argv[] = {path, NULL};
    child c = start(NULL, NULL, argv);
    char exe[64];
    snprintf(exe, sizeof exe, "/proc/%d/exe", c.pid);
    assert_int_equal(unlink(path), 0);
    ssize_t n = readlink(exe, deleted, sizeof deleted - 1);
    assert_true(n > 0);
    deleted[n] = '\0';
    assert_non_null(strstr(deleted, "/cat (deleted)"));
    pk_modules *modules = new_modules(NULL);
    uint32_t module = number(modules, (pk_module_id){.path = deleted, .pid = (uint32_t)c.pid});
    uint32_t nobodys = number(modules, (pk_module_id){.path = "/x (deleted)"});
    stop(&c);
    assert_int_equal(pk_module_open(modules, module), PK_MODULE_READY);
    assert_true(pk_module_cfi_of(modules, module)->section.n_bytes > 0);
    assert_int_equal(pk_module_open(modules, nobodys), PK_MODULE_MISSING);
    pk_modules_free(modules);
    /* Another file has its name by now. */
    copy_file("/bin/ls", path);
    assert_int_equal(STATE(.path = deleted), PK_MODULE_CHANGED);
    check_folder_end(folder);
}

/* Maps a library, which is deleted then. */
static bool map_and_delete(const char *path) {
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    return fd >= 0 && mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, 0) != MAP_FAILED &&
           close(fd) == 0 && unlink(path) == 0;
}

static void so_is_a_deleted_library(void **state) {
    (void)state;
    char folder[CHECK_PATH_MAX], path[CHECK_PATH_MAX], object[CHECK_PATH_MAX];
    char deleted[CHECK_PATH_MAX + 16];
    if (access("/proc/self/map_files", X_OK) != 0 || geteuid() != 0) {
        print_message("skipped: only root may read what others have mapped\n");
        skip();
    }
    check_folder_begin(folder);
    copy_file(symbol_object(object, "stripped.so"), check_path(path, folder, "gone.so"));
    child c = start(map_and_delete, path, NULL);
    assert_true(c.hold >= 0);
    snprintf(deleted, sizeof deleted, "%s (deleted)", path);
    pk_modules *modules = new_modules(NULL);
    pk_module_id id = {deleted, build_id, 20, (uint32_t)c.pid, false};
    uint32_t module = number(modules, id);
    id.path = "/other.so (deleted)";
    uint32_t other = number(modules, id);
    stop(&c);
    assert_int_equal(pk_module_open(modules, module), PK_MODULE_READY);
    assert_int_equal(pk_module_open(modules, other), PK_MODULE_MISSING);
    pk_modules_free(modules);
    check_folder_end(folder);
}

static bool change_root(const char *folder) {
    return chroot(folder) == 0 && chdir("/") == 0;
}

/* FOLDER/there is what others see as FOLDER/here. */
static bool mount_here(const char *folder) {
    char here[CHECK_PATH_MAX], there[CHECK_PATH_MAX];
    return unshare(CLONE_NEWNS) == 0 && mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
           mount(check_path(here, folder, "here"), check_path(there, folder, "there"), NULL,
                 MS_BIND, NULL) == 0;
}

/* theirs_path is where the child sees the file that lies at `place`. */
static void check_root(bool (*prepare)(const char *), const char *folder, const char *theirs_path,
                       const char *place) {
    char object[CHECK_PATH_MAX];
    copy_file(symbol_object(object, "stripped.so"), place);
    child c = start(prepare, folder, NULL);
    if (c.hold < 0) {
        stop(&c);
        check_folder_end(folder);
        print_message("skipped: only root may do this to a process\n");
        skip();
    }
    pk_modules *modules = new_modules(NULL);
    pk_module_id id = {.path = theirs_path, .pid = (uint32_t)c.pid};
    uint32_t theirs = number(modules, id);
    uint32_t ours = number(modules, (pk_module_id){.path = theirs_path, .pid = (uint32_t)getpid()});
    assert_true(ours != theirs);
    assert_int_equal(number(modules, id), theirs);
    stop(&c);
    /* It was opened while the process was alive. */
    assert_int_equal(unlink(place), 0);
    assert_int_equal(pk_module_open(modules, theirs), PK_MODULE_READY);
    assert_int_equal(pk_module_open(modules, ours), PK_MODULE_MISSING);
    assert_true(pk_symbols_count(pk_module_symbols(modules, theirs)) > 0);
    pk_modules_free(modules);
}

static void the_root_of_a_process_is_looked_in(void **state) {
    (void)state;
    char folder[CHECK_PATH_MAX], place[CHECK_PATH_MAX];
    check_folder_begin(folder);
    check_root(change_root, folder, "/in-root.so", check_path(place, folder, "in-root.so"));
    check_folder_end(folder);
}

static void so_are_the_mounts_of_a_process(void **state) {
    (void)state;
    char folder[CHECK_PATH_MAX], place[CHECK_PATH_MAX], seen[CHECK_PATH_MAX];
    pk_err err;
    check_folder_begin(folder);
    assert_ok(pk_folder_make(check_path(place, folder, "here"), &err), &err);
    assert_ok(pk_folder_make(check_path(place, folder, "there"), &err), &err);
    check_root(mount_here, folder, check_path(seen, folder, "there/x.so"),
               check_path(place, folder, "here/x.so"));
    check_folder_end(folder);
}

/* ---- call frame information ---- */

/* The file's bytes are those that are loaded, at the addresses that the file has for them. */
static void call_frame_information_is_that_of_the_loaded_file(void **state) {
    (void)state;
    char path[CHECK_PATH_MAX];
    loaded l = load_object("apart.so");
    pk_modules *modules = new_modules(NULL);
    uint32_t n = number(modules, (pk_module_id){.path = symbol_object(path, "apart.so")});
    const pk_module_cfi *cfi = pk_module_cfi_of(modules, n);
    assert_true(cfi && cfi->section.n_bytes > 0 && cfi->header_bytes > 0);
    assert_memory_equal(cfi->section.bytes,
                        (const void *)(uintptr_t)(l.base + cfi->section.address),
                        cfi->section.n_bytes);
    assert_memory_equal(cfi->header, (const void *)(uintptr_t)(l.base + cfi->header_address),
                        cfi->header_bytes);
    pk_cfi_fde fde;
    uint64_t outer = loaded_vaddr(&l, "outer");
    assert_true(pk_cfi_find(&cfi->section, cfi->header, cfi->header_bytes, cfi->header_address,
                            outer, &fde));
    assert_true(fde.begin == outer);
    pk_modules_free(modules);
    dlclose(l.handle);
}

/* Without section headers .eh_frame is found through its sorted table. */
static void section_headers_are_not_needed(void **state) {
    (void)state;
    char folder[CHECK_PATH_MAX], path[CHECK_PATH_MAX], object[CHECK_PATH_MAX];
    check_folder_begin(folder);
    copy_file(symbol_object(object, "apart.so"), check_path(path, folder, "bare.so"));
    Elf64_Ehdr header;
    int fd = open(path, O_RDWR | O_CLOEXEC);
    assert_int_equal(pread(fd, &header, sizeof header, 0), sizeof header);
    header.e_shoff = header.e_shnum = header.e_shstrndx = 0;
    assert_int_equal(pwrite(fd, &header, sizeof header, 0), sizeof header);
    pk_modules *modules = new_modules(NULL);
    const pk_module_cfi *with =
        pk_module_cfi_of(modules, number(modules, (pk_module_id){.path = object}));
    size_t bytes = with->section.n_bytes;
    uint64_t address = with->section.address;
    const pk_module_cfi *without =
        pk_module_cfi_of(modules, number(modules, (pk_module_id){.path = path}));
    assert_true(without->section.address == address);
    assert_true(without->section.n_bytes >= bytes);
    pk_modules_free(modules);

    /* of a 32-bit file nothing is taken */
    header.e_ident[EI_CLASS] = ELFCLASS32;
    assert_int_equal(pwrite(fd, &header, sizeof header, 0), sizeof header);
    close(fd);
    modules = new_modules(NULL);
    without = pk_module_cfi_of(modules, number(modules, (pk_module_id){.path = path}));
    assert_true(!without || without->section.n_bytes == 0);
    pk_modules_free(modules);
    check_folder_end(folder);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_file_has_one_number),
        cmocka_unit_test(names_are_the_last_part),
        cmocka_unit_test(what_is_no_file_is_never_opened),
        cmocka_unit_test(other_files_are_no_modules),
        cmocka_unit_test(what_is_in_a_file),
        cmocka_unit_test(another_build_is_never_used),
        cmocka_unit_test(files_are_found_by_build_id),
        cmocka_unit_test(the_vdso_is_our_own),
        cmocka_unit_test(a_deleted_program_is_read_from_its_process),
        cmocka_unit_test(so_is_a_deleted_library),
        cmocka_unit_test(the_root_of_a_process_is_looked_in),
        cmocka_unit_test(so_are_the_mounts_of_a_process),
        cmocka_unit_test(call_frame_information_is_that_of_the_loaded_file),
        cmocka_unit_test(section_headers_are_not_needed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
