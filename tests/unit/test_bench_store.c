/* The store: folders and files as Criterion has them, whole after kill -9, artefacts, history. */
#include "tests/unit/bench_result.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"
#include "bench/render.h"
#include "bench/store.h"
#include "stats/random.h"
#include "timing/clock.h"

typedef struct fixture {
    char folder[CHECK_PATH_MAX];
    pk_store *store;
    pk_bench_report report;
    pk_arena *arena;
    pk_err err;
} fixture;

static int begin(void **state) {
    fixture *f = calloc(1, sizeof *f);
    check_folder_begin(f->folder);
    f->report = bench_report_begin();
    f->arena = pk_arena_new(64 << 20);
    f->store = pk_store_open(f->folder, true, true, &f->err);
    assert_non_null(f->store);
    *state = f;
    return 0;
}

static int end(void **state) {
    fixture *f = *state;
    pk_store_close(f->store);
    pk_arena_free(f->arena);
    bench_report_end(&f->report);
    check_folder_end(f->folder);
    free(f);
    return 0;
}

static void save(fixture *f, const pk_bench_result *r, const char *name) {
    assert_ok(pk_store_save(f->store, r, &f->report, name, &f->err), &f->err);
}

static pk_baseline *load(fixture *f, const char *directory, const char *name) {
    f->err = (pk_err){0};
    return pk_store_load(f->store, directory, name, f->arena, &f->err);
}

static void assert_file(fixture *f, const char *name, const char *expected) {
    char path[CHECK_PATH_MAX], text[4096];
    assert_string_equal(check_read_file(text, sizeof text, check_path(path, f->folder, name)),
                        expected);
}

static bool exists(fixture *f, const char *name) {
    char path[CHECK_PATH_MAX];
    return access(check_path(path, f->folder, name), F_OK) == 0;
}

/* ---- files ---- */

static void files_are_Criterions_to_the_byte(void **state) {
    fixture *f = *state;
    pk_bench_result *r = bench_add_n(&f->report, "sort", "quick", "4096", 2048, 16, BENCH_WORKERS);
    r->throughput = (pk_bench_throughput){.given = true, .bytes = true, .per_iteration = 4096};
    for (size_t i = 0; i < r->n_workers; i++) r->workers[i].side[PK_SIDE_NEW].iterations = 1000;
    r->n_workers = 2; /* 2032 and 2048 ns */
    save(f, r, "base");
    assert_file(f, "sort/quick/4096/new/benchmark.json",
                "{\"group_id\":\"sort\",\"function_id\":\"quick\",\"value_str\":\"4096\","
                "\"throughput\":{\"Bytes\":4096},\"full_id\":\"sort/quick/4096\","
                "\"directory_name\":\"sort/quick/4096\",\"title\":\"sort/quick/4096\"}");
    assert_file(f, "sort/quick/4096/base/sample.json",
                "{\"sampling_mode\":\"Flat\",\"iters\":[1000.0,1000.0],"
                "\"times\":[2032000.0,2048000.0]}");
    assert_file(f, "sort/quick/4096/base/tukey.json", "[1956.0,1992.0,2088.0,2124.0]");
    char path[CHECK_PATH_MAX], text[4096];
    check_read_file(text, sizeof text,
                    check_path(path, f->folder, "sort/quick/4096/base/estimates.json"));
    const char *at = text;
    static const char *const order[] = {
        "{\"mean\":{\"confidence_interval\":{\"confidence_level\":0.95,\"lower_bound\":",
        "\"upper_bound\":",
        "\"point_estimate\":2048.0,\"standard_error\":",
        "\"median\":{",
        "\"median_abs_dev\":{",
        "\"slope\":null,\"std_dev\":{"};
    for (size_t i = 0; i < sizeof order / sizeof order[0]; i++) {
        at = strstr(at, order[i]);
        assert_non_null(at);
    }
    assert_null(strchr(text, '\n'));
    assert_false(exists(f, "sort/quick/4096/change"));
}

static void change_is_there_only_when_it_was_compared(void **state) {
    fixture *f = *state;
    pk_bench_result *r = bench_add_regressed(&f->report);
    save(f, r, NULL);
    assert_true(exists(f, "fib/recursive/20/change/estimates.json"));
    assert_false(exists(f, "fib/recursive/20/base"));
    r->change = (pk_bench_change){.source = PK_CHANGE_NONE};
    save(f, r, NULL);
    assert_false(exists(f, "fib/recursive/20/change"));
}

static void folders_are_named_as_Criterion_names_them(void **state) {
    (void)state;
    char out[512], long_name[80];
    memset(long_name, 'x', sizeof long_name);
    long_name[79] = '\0';
    assert_true(pk_store_directory("a?b\"c/d\\e*f<g>h:i|j^k", NULL, NULL, out, sizeof out));
    assert_string_equal(out, "a_b_c_d_e_f_g_h_i_j_k");
    assert_true(pk_store_directory("g", long_name, "v", out, sizeof out));
    assert_int_equal(strlen(out), 1 + 1 + 64 + 1 + 1);
    memcpy(long_name + 63, "\xc3\xa4", 2); /* a character over the edge is left out whole */
    assert_true(pk_store_directory(long_name, NULL, NULL, out, sizeof out));
    assert_int_equal(strlen(out), 63);
    assert_true(pk_store_directory("new", "report", "base", out, sizeof out));
    assert_string_equal(out, "new_/report_/base_");
    assert_true(pk_store_directory("..", NULL, NULL, out, sizeof out));
    assert_string_equal(out, ".._");
    assert_false(pk_store_directory("group", "function", "value", out, 10));
}

static void ids_that_look_alike_have_folders_of_their_own(void **state) {
    fixture *f = *state;
    save(f, bench_add(&f->report, "a:b", NULL, NULL, 10, 1), "base");
    save(f, bench_add(&f->report, "a*b", NULL, NULL, 20, 1), "base");
    pk_baseline *first = load(f, "a_b", "base"), *second = load(f, "a_b_2", "base");
    assert_string_equal(first->id, "a:b");
    assert_string_equal(second->id, "a*b");
    save(f, bench_add(&f->report, "a*b", NULL, NULL, 30, 1), "base");
    assert_near(load(f, "a_b_2", "base")->estimates.mean.point, 30, 1e-12);
    assert_false(exists(f, "a_b_3"));
}

static void what_is_saved_is_loaded(void **state) {
    fixture *f = *state;
    save(f, bench_add_regressed(&f->report), "main");
    pk_baseline *b = load(f, "fib/recursive/20", "main");
    assert_non_null(b);
    assert_string_equal(b->id, "fib/recursive/20");
    assert_int_equal(b->n, BENCH_WORKERS);
    assert_near(b->times_ns[0] / b->iterations[0], 13020 - 40, 1e-12);
    assert_near(b->estimates.mean.point, 13020, 1e-12);
    assert_non_null(b->result);
    assert_int_equal(b->result->n_workers, BENCH_WORKERS);
    assert_true(b->result->change.source == PK_CHANGE_LIVE);
    assert_null(load(f, "fib/recursive/20", "other"));
    assert_int_equal(f->err.kind, PK_OK);
    assert_null(load(f, "no/such", "main"));
    assert_int_equal(f->err.kind, PK_OK);
}

static void put(fixture *f, const char *folder, const char *name, const char *text) {
    char path[CHECK_PATH_MAX], file[CHECK_PATH_MAX];
    check_path(path, f->folder, folder);
    for (char *p = path + strlen(f->folder) + 1; *p; p++) {
        if (*p != '/') continue;
        *p = '\0';
        mkdir(path, 0777);
        *p = '/';
    }
    mkdir(path, 0777);
    check_write_file(check_path(file, path, name), text);
}

static void what_Criterion_wrote_is_loaded(void **state) {
    fixture *f = *state;
    put(f, "g/f/base", "benchmark.json",
        "{\"group_id\":\"g\",\"function_id\":\"f\",\"value_str\":null,\"throughput\":"
        "{\"Elements\":10},\"full_id\":\"g/f\",\"directory_name\":\"g/f\",\"title\":\"g/f\"}");
    put(f, "g/f/base", "sample.json",
        "{\"sampling_mode\":\"Linear\",\"iters\":[10.0,20.0,30.0],\"times\":[100.0,200.0,330.0]}");
    pk_baseline *b = load(f, "g/f", "base");
    assert_non_null(b);
    assert_true(b->linear);
    assert_int_equal(b->n, 3);
    assert_near(b->times_ns[2], 330, 0);
    assert_true(b->throughput.given && !b->throughput.bytes);
    assert_int_equal(b->throughput.per_iteration, 10);
    assert_null(b->result);
    assert_false(b->has_estimates);
    put(f, "g/f/base", "sample.json",
        "{\"sampling_mode\":\"Linear\",\"iters\":[10.0],\"times\":[]}");
    assert_null(load(f, "g/f", "base"));
    assert_int_equal(f->err.kind, PK_E_INPUT);
    assert_non_null(strstr(f->err.where, "sample.json"));
}

static void what_Criterion_0_2_wrote_is_loaded(void **state) {
    fixture *f = *state;
#define E                                                                      \
    "{\"confidence_interval\":{\"confidence_level\":0.95,\"lower_bound\":9.0," \
    "\"upper_bound\":11.0},\"point_estimate\":10.0,\"standard_error\":0.5}"
    put(f, "g/f/base", "benchmark.json",
        "{\"group_id\":\"g\",\"function_id\":\"f\",\"value_str\":null,\"throughput\":null,"
        "\"full_id\":\"g/f\",\"directory_name\":\"g/f\"}");
    put(f, "g/f/base", "sample.json", "[[10.0,20.0],[100.0,200.0]]");
    put(f, "g/f/base", "estimates.json",
        "{\"Mean\":" E ",\"Median\":" E ",\"MedianAbsDev\":" E ",\"Slope\":" E ",\"StdDev\":" E
        "}");
#undef E
    pk_baseline *b = load(f, "g/f", "base");
    assert_non_null(b);
    assert_true(b->linear && b->n == 2 && b->has_estimates && b->estimates.has_slope);
    assert_near(b->estimates.slope.high, 11, 0);
    assert_near(b->times_ns[1], 200, 0);
}

static void the_list_has_each_id_once_with_its_baselines(void **state) {
    fixture *f = *state;
    pk_store_entry *entries;
    size_t n;
    save(f, bench_add(&f->report, "b", "y", NULL, 10, 1), "base");
    save(f, bench_add(&f->report, "b", "x", "1", 10, 1), "main");
    save(f, bench_add(&f->report, "a", NULL, NULL, 10, 1), "main");
    assert_ok(pk_store_list(f->store, NULL, f->arena, &entries, &n, &f->err), &f->err);
    assert_int_equal(n, 3);
    assert_string_equal(entries[0].id, "a");
    assert_string_equal(entries[1].id, "b/x/1");
    assert_string_equal(entries[2].id, "b/y");
    assert_int_equal(entries[2].n_names, 2);
    assert_string_equal(entries[2].names[0], "base");
    assert_string_equal(entries[2].names[1], "new");
    assert_ok(pk_store_list(f->store, "main", f->arena, &entries, &n, &f->err), &f->err);
    assert_int_equal(n, 2);
}

/* ---- artefacts, history, lock ---- */

static void an_artefact_is_kept_once_under_its_hash(void **state) {
    fixture *f = *state;
    char hash[65], again[65], path[CHECK_PATH_MAX], folder[CHECK_PATH_MAX], text[16];
    assert_ok(pk_store_put_artefact(f->store, "abc", 3, hash, &f->err), &f->err);
    /* FIPS 180-2, appendix B.1 */
    assert_string_equal(hash, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    assert_ok(pk_store_put_artefact(f->store, "abc", 3, again, &f->err), &f->err);
    assert_string_equal(again, hash);
    assert_int_equal(check_count_files(check_path(folder, f->folder, ".perfkit/artefacts")), 1);
    assert_true(pk_store_artefact(f->store, hash, path, sizeof path));
    assert_string_equal(check_read_file(text, sizeof text, path), "abc");
    hash[0] = 'c';
    assert_false(pk_store_artefact(f->store, hash, path, sizeof path));
    assert_false(pk_store_artefact(f->store, "../../etc/passwd", path, sizeof path));
}

/* ---- clearing up ---- */

static bool is_there(const fixture *f, const char *name) {
    char path[CHECK_PATH_MAX];
    return access(check_path(path, f->folder, name), F_OK) == 0;
}

static void put_code(fixture *f, const char *text, char hash[65], char name[128]) {
    assert_ok(pk_store_put_artefact(f->store, text, strlen(text), hash, &f->err), &f->err);
    snprintf(name, 128, ".perfkit/artefacts/%s.so", hash);
}

/* Layouts called 64 times `digit`, of that code, last used so many seconds ago. */
static void put_layouts(const fixture *f, char digit, const char *of, long age_s, char name[128]) {
    char path[CHECK_PATH_MAX], file[CHECK_PATH_MAX], link[CHECK_PATH_MAX];
    pk_err err;
    struct timespec when[2] = {{.tv_sec = time(NULL) - age_s}, {.tv_sec = time(NULL) - age_s}};
    snprintf(name, 128, ".perfkit/layouts/%064d", 0);
    memset(strrchr(name, '/') + 1, digit, 64);
    assert_ok(pk_folder_make(check_path(path, f->folder, name), &err), &err);
    assert_int_equal(symlink(of, check_path(link, path, "of")), 0);
    check_write_file(check_path(file, path, "0.so"), "code");
    assert_int_equal(utimensat(AT_FDCWD, path, when, 0), 0);
}

static void only_what_is_referred_to_is_kept(void **state) {
    enum { MINUTE = 60, DAYS = 2 * 24 * 3600 };
    fixture *f = *state;
    pk_bench_result *r = bench_add(&f->report, "g", "f", NULL, 100, 1);
    char measured[65], baseline[65], old[65], nobodys[65];
    char at[4][128], layouts[4][128];
    put_code(f, "measured", measured, at[0]);
    put_code(f, "baseline", baseline, at[1]);
    put_code(f, "old", old, at[2]);
    put_code(f, "nobody's", nobodys, at[3]);
    put_layouts(f, 'a', measured, DAYS, layouts[0]);
    put_layouts(f, 'b', nobodys, DAYS, layouts[1]);
    put_layouts(f, 'c', nobodys, MINUTE, layouts[2]); /* a run that stores nothing may be at it */
    put_layouts(f, 'd', "../../../g", DAYS, layouts[3]);
    r->artefact = baseline;
    save(f, r, "main");
    r->artefact = measured;
    bench_compare(&f->report, r, PK_CHANGE_LIVE, PK_NO_CHANGE, 0.001, 0.002);
    r->change.old_artefact = old;
    save(f, r, NULL);
    pk_store_prune(f->store);
    assert_true(is_there(f, at[0]) && is_there(f, at[1]) && is_there(f, at[2]));
    assert_false(is_there(f, at[3]));
    assert_true(is_there(f, layouts[0]) && is_there(f, layouts[2]));
    assert_false(is_there(f, layouts[1]) || is_there(f, layouts[3]));
    assert_non_null(load(f, "g/f", "main"));
    /* without its record and its session nobody refers to it */
    char path[CHECK_PATH_MAX];
    assert_int_equal(unlink(check_path(path, f->folder, "g/f/sessions.jsonl")), 0);
    pk_store_prune(f->store);
    assert_true(is_there(f, at[0]) && is_there(f, at[1]));
    assert_int_equal(unlink(check_path(path, f->folder, "g/f/main/perfkit.json")), 0);
    pk_store_prune(f->store);
    assert_true(is_there(f, at[0]));
    assert_false(is_there(f, at[1]));
}

static void what_cannot_be_read_keeps_all(void **state) {
    fixture *f = *state;
    char hash[65], name[128], path[CHECK_PATH_MAX];
    put_code(f, "nobody's", hash, name);
    save(f, bench_add(&f->report, "g", "f", NULL, 100, 1), NULL);
    assert_int_equal(symlink("nowhere", check_path(path, f->folder, "g/f/perfkit.json")), 0);
    pk_store_prune(f->store);
    assert_true(is_there(f, name));
    assert_int_equal(unlink(path), 0);
    pk_store_prune(f->store);
    assert_false(is_there(f, name));
}

static void a_store_that_was_not_used_goes(void **state) {
    fixture *f = *state;
    char inner[CHECK_PATH_MAX], home[CHECK_PATH_MAX], hash[65];
    check_path(inner, f->folder, "target");
    check_path(home, inner, "criterion//");
    for (int i = 0; i < 2; i++) {
        pk_store *store = pk_store_open(home, true, true, &f->err);
        assert_non_null(store);
        if (i == 1) assert_ok(pk_store_put_artefact(store, "abc", 3, hash, &f->err), &f->err);
        pk_store_abandon(store);
        assert_int_equal(access(inner, F_OK), i == 1 ? 0 : -1);
        assert_int_equal(access(home, F_OK), i == 1 ? 0 : -1);
    }
    pk_store *store = pk_store_open(home, true, true, &f->err); /* it was there before */
    assert_non_null(store);
    pk_store_abandon(store);
    assert_int_equal(access(home, F_OK), 0);
    assert_int_equal(access(f->folder, F_OK), 0);
}

static void history_survives_a_torn_line(void **state) {
    fixture *f = *state;
    pk_bench_result *r = bench_add(&f->report, "g", "f", NULL, 100, 1);
    pk_bench_session *sessions;
    size_t n;
    char path[CHECK_PATH_MAX];
    f->report.history_id = "first";
    save(f, r, "base");
    check_path(path, f->folder, "g/f/sessions.jsonl");
    int fd = open(path, O_WRONLY | O_APPEND | O_CLOEXEC);
    assert_int_equal(write(fd, "{\"perfkit\":\"0.1", 15), 15); /* killed here */
    close(fd);
    f->report.history_id = "second"; /* within the same second: both are kept */
    save(f, r, "base");
    assert_ok(pk_store_sessions(f->store, "g/f", NULL, f->arena, &sessions, &n, &f->err), &f->err);
    assert_int_equal(n, 2);
    assert_string_equal(sessions[0].history_id, "first");
    assert_string_equal(sessions[1].history_id, "second");
    assert_near(sessions[1].typical_ns, 100, 1e-12);
    assert_near(sessions[1].location[0], log(100), 0.01);
    assert_ok(pk_store_sessions(f->store, "g/f", r->artefact, f->arena, &sessions, &n, &f->err),
              &f->err);
    assert_int_equal(n, 2);
    assert_ok(pk_store_sessions(f->store, "g/f", "00", f->arena, &sessions, &n, &f->err), &f->err);
    assert_int_equal(n, 0);
}

static void a_second_writer_is_told_who_the_first_is(void **state) {
    fixture *f = *state;
    char pid[32];
    snprintf(pid, sizeof pid, "pid %ld", (long)getpid());
    assert_null(pk_store_open(f->folder, true, true, &f->err));
    assert_non_null(strstr(f->err.what, pid));
    pk_store *reader = pk_store_open(f->folder, false, false, &f->err);
    assert_non_null(reader);
    pk_store_close(reader);
    char missing[CHECK_PATH_MAX];
    assert_null(pk_store_open(check_path(missing, f->folder, "none"), false, false, &f->err));
}

static void names_of_other_folders_are_no_baselines(void **state) {
    fixture *f = *state;
    pk_bench_result *r = bench_add(&f->report, "g", "f", NULL, 100, 1);
    static const char *const bad[] = {"", "change", "report", "profile", "a/b", "../x", ".x"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_false(pk_store_save(f->store, r, &f->report, bad[i], &f->err));
    /* g/f is a benchmark, so g has no baseline f; a folder of another's baselines is not replaced
     */
    save(f, r, "base");
    pk_bench_result *shorter = bench_add(&f->report, "g", NULL, NULL, 100, 1);
    assert_false(pk_store_save(f->store, shorter, &f->report, "f", &f->err));
    assert_non_null(strstr(f->err.what, "another benchmark"));
    assert_non_null(load(f, "g/f", "base"));
}

/* ---- faults ---- */

static void a_full_disk_leaves_the_old_baseline(void **state) {
    fixture *f = *state;
    save(f, bench_add(&f->report, "g", "f", NULL, 100, 1), "base");
    pk_bench_result *r = bench_add(&f->report, "g", "f", NULL, 200, 1);
    struct rlimit old, little = {.rlim_cur = 700};
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
    little.rlim_max = old.rlim_max;
    struct sigaction before, ignore = {.sa_handler = SIG_IGN};
    assert_int_equal(sigaction(SIGXFSZ, &ignore, &before), 0);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &little), 0);
    bool saved = pk_store_save(f->store, r, &f->report, "base", &f->err);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
    assert_int_equal(sigaction(SIGXFSZ, &before, NULL), 0);
    assert_false(saved);
    assert_int_equal(f->err.sys_errno, EFBIG);
    assert_near(load(f, "g/f", "base")->estimates.mean.point, 100, 1e-12);
    char temp[CHECK_PATH_MAX];
    assert_int_equal(check_count_files(check_path(temp, f->folder, ".perfkit/tmp")), 0);
}

/* As on a file system that cannot exchange two names. */
static bool refuse_exchange;
int __real_renameat2(int from_fd, const char *from, int to_fd, const char *to, unsigned flags);
int __wrap_renameat2(int from_fd, const char *from, int to_fd, const char *to, unsigned flags);
int __wrap_renameat2(int from_fd, const char *from, int to_fd, const char *to, unsigned flags) {
    if (!refuse_exchange) return __real_renameat2(from_fd, from, to_fd, to, flags);
    errno = EINVAL;
    return -1;
}

enum { KILLS = 200, SAVES_MAX = 10000 };

/* In the child: saves again and again, each time other figures. Says when it begins. */
static void save_for_ever(fixture *f, unsigned from, int begun) {
    pk_err err;
    pk_store *store = pk_store_open(f->folder, false, true, &err);
    if (!store || write(begun, "", 1) != 1) _exit(2);
    for (unsigned k = from; k < from + SAVES_MAX; k++) {
        f->report.n_results = 0;
        pk_bench_result *r = bench_add(&f->report, "g", "f", NULL, 1000 + k, 1);
        if (!pk_store_save(store, r, &f->report, "base", &err)) _exit(3);
    }
    _exit(4);
}

/* Everything in the folder is of one save, and complete. Returns which. */
static double whole(fixture *f, const char *name) {
    pk_arena *arena = pk_arena_new(16 << 20);
    pk_err err = {0};
    pk_store *store = pk_store_open(f->folder, false, false, &err);
    assert_non_null(store);
    pk_baseline *b = pk_store_load(store, "g/f", name, arena, &err);
    assert_non_null(b);
    assert_non_null(b->result);
    assert_true(b->has_estimates);
    double ns = b->result->typical.point, sum = 0;
    for (size_t i = 0; i < b->n; i++) sum += b->times_ns[i] / b->iterations[i];
    assert_near(sum / (double)b->n, ns, 1e-9);
    assert_near(b->estimates.mean.point, ns, 1e-12);
    assert_near(b->fences.low_severe, ns - 5.75, 1e-12);
    pk_store_close(store);
    pk_arena_free(arena);
    return ns;
}

static void two_hundred_kills_leave_a_whole_baseline(void **state) {
    fixture *f = *state;
    pk_random random;
    pk_random_seed(&random, 20);
    save(f, bench_add(&f->report, "g", "f", NULL, 1000, 1), "base");
    pk_store_close(f->store);
    f->store = NULL;
    double last = 1000;
    unsigned moved = 0;
    uint64_t longest_ns = 12 * PK_NS_PER_MS; /* grows where a save takes longer */
    int begun[2];
    assert_int_equal(pipe2(begun, O_CLOEXEC), 0);
    for (unsigned i = 0; i < KILLS; i++) {
        char byte;
        pid_t pid = fork();
        assert_true(pid >= 0);
        if (pid == 0) save_for_ever(f, i * SAVES_MAX + 1, begun[1]);
        assert_int_equal(read(begun[0], &byte, 1), 1);
        pk_sleep_until_ns(pk_now_ns() + pk_random_below(&random, longest_ns));
        int status = 0;
        kill(pid, SIGKILL);
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
        double base = whole(f, "base"), fresh = whole(f, "new");
        assert_true(base >= last && fresh >= base); /* `new` is written first */
        moved += base > last;
        longest_ns = base > last ? longest_ns - longest_ns / 16 : longest_ns + longest_ns / 8;
        last = base;
    }
    close(begun[0]);
    close(begun[1]);
    assert_true(moved > KILLS / 10); /* it was caught at work, not before it began */
    f->store = pk_store_open(f->folder, false, true, &f->err);
    assert_non_null(f->store);
    char temp[CHECK_PATH_MAX];
    assert_int_equal(check_count_files(check_path(temp, f->folder, ".perfkit/tmp")), 0);
    pk_bench_session *sessions;
    size_t n;
    assert_ok(pk_store_sessions(f->store, "g/f", NULL, f->arena, &sessions, &n, &f->err), &f->err);
    assert_true(n > moved / 2); /* the last of each child may be lost, those before are not */
}

static void kills_without_an_exchange_leave_one_too(void **state) {
    refuse_exchange = true;
    two_hundred_kills_leave_a_whole_baseline(state);
    refuse_exchange = false;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(files_are_Criterions_to_the_byte),
        TEST(change_is_there_only_when_it_was_compared),
        cmocka_unit_test(folders_are_named_as_Criterion_names_them),
        TEST(ids_that_look_alike_have_folders_of_their_own),
        TEST(what_is_saved_is_loaded),
        TEST(what_Criterion_wrote_is_loaded),
        TEST(what_Criterion_0_2_wrote_is_loaded),
        TEST(the_list_has_each_id_once_with_its_baselines),
        TEST(an_artefact_is_kept_once_under_its_hash),
        TEST(only_what_is_referred_to_is_kept),
        TEST(what_cannot_be_read_keeps_all),
        TEST(a_store_that_was_not_used_goes),
        TEST(history_survives_a_torn_line),
        TEST(a_second_writer_is_told_who_the_first_is),
        TEST(names_of_other_folders_are_no_baselines),
        TEST(a_full_disk_leaves_the_old_baseline),
        TEST(two_hundred_kills_leave_a_whole_baseline),
        TEST(kills_without_an_exchange_leave_one_too),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
