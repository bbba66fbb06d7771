/* Drivers: what they are told, what is made of what they say, and the two that come along, run on
 * files with known answers. */
#include "tests/unit/worker_process.h"

#include <math.h>
#include <unistd.h>

#include "base/units.h"
#include "bench/driver.h"
#include "bench/object.h"
#include "bench/spawn.h"

#define MS PK_NS_PER_MS
#define PATIENCE_NS (60 * PK_NS_PER_S)

typedef struct fixture {
    pk_arena *arena;
    pk_program worker;
    pk_bench_options options;
    pk_spawn_place place;
    pk_object_opener opener;
    pk_err err;
    char folder[CHECK_PATH_MAX];
} fixture;

static bool has(const char *program) {
    char *const argv[] = {(char *)(uintptr_t)program, "--version", NULL};
    pk_spawn_options how = PK_SPAWN_DEFAULT;
    pk_process process;
    pk_exit exit = {.code = -1};
    pk_err err;
    int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
    how.stdout_fd = how.stderr_fd = null;
    if (pk_process_spawn(argv, &how, &process, &err)) {
        pk_process_wait(&process, PATIENCE_NS, &exit);
        pk_process_stop(&process, false, 0, &exit);
    }
    close(null);
    return exit.code == 0;
}

static int begin(void **state) {
    fixture *f = calloc(1, sizeof *f);
    f->arena = pk_arena_new(64u << 20);
    assert_ok(pk_program_worker(&f->worker, &f->err), &f->err);
    f->options = (pk_bench_options){.python = has("python3") ? "python3" : NULL,
                                    .node = has("node") ? "node" : NULL};
    f->place = (pk_spawn_place){.program = f->worker.path,
                                .timeout_ns = PATIENCE_NS,
                                .deadline_ns = UINT64_MAX,
                                .arena = f->arena};
    f->opener = (pk_object_opener){.place = &f->place, .options = &f->options};
    check_folder_begin(f->folder);
    *state = f;
    return 0;
}

static int end(void **state) {
    fixture *f = *state;
    pk_program_close(&f->worker);
    pk_arena_free(f->arena);
    check_folder_end(f->folder);
    free(f);
    return 0;
}

/* ---- what they are told ---- */

static void a_job_is_told_with_its_one_side(void **state) {
    fixture *f = *state;
    pk_driver driver = {.folder = "/a b", .group = "mod"};
    pk_worker_job job = {.task = PK_TASK_MEASURE,
                         .objects = {[PK_SIDE_OLD] = "/store/abc"},
                         .index = {[PK_SIDE_NEW] = 7, [PK_SIDE_OLD] = 3},
                         .param = "a\nb\\",
                         .worker_ns = 30 * MS,
                         .warm_ns = 5 * MS,
                         .unit_ns = 100000,
                         .driver = &driver,
                         .group = "fib",
                         .function = "sum"};
    pk_driver_job told = pk_driver_job_of(&job), again;
    pk_strbuf text;
    pk_strbuf_init(&text, PK_WORKER_TEXT_MAX);
    pk_driver_job_print(&told, &text);
    assert_string_equal(text.data, "protocol 1\ntask measure\nfile /store/abc\nfolder /a b\n"
                                   "group fib\nfunction sum\nindex 3\nparam a\\nb\\\\\n"
                                   "worker-ns 30000000\nwarm-ns 5000000\nunit-ns 100000\nend\n");
    assert_ok(pk_driver_job_parse(text.data, text.length, f->arena, &again, &f->err), &f->err);
    assert_string_equal(again.param, "a\nb\\");
    assert_int_equal(again.index, 3);
    pk_strbuf_fini(&text);

    job = (pk_worker_job){.task = PK_TASK_LIST, .objects = {""}, .driver = &driver};
    told = pk_driver_job_of(&job);
    assert_null(told.file); /* it brings its own */
    assert_string_equal(told.group, "mod");
}

static void a_command_is_words_without_a_shell(void **state) {
    fixture *f = *state;
    pk_driver *d = pk_driver_of_command("env 'a b' $HOME;x", f->arena, &f->err);
    assert_non_null(d);
    assert_string_equal(d->words[0], "env");
    assert_string_equal(d->words[1], "a b");
    assert_string_equal(d->words[2], "$HOME;x");
    assert_null(d->words[3]);
    assert_null(pk_driver_of_command("", f->arena, &f->err));
    assert_int_equal(f->err.kind, PK_E_USAGE);
    assert_null(pk_driver_of_command("'open", f->arena, &f->err));
}

static void files_are_known_by_their_names(void **state) {
    fixture *f = *state;
    assert_true(pk_driver_takes("a.py") && pk_driver_takes("b/c.js"));
    assert_false(pk_driver_takes("a.c") || pk_driver_takes("py") || pk_driver_takes(".py"));
    const pk_bench_options none = {0}, both = {.python = "P", .node = "N"};
    assert_null(pk_driver_of_file("a.py", &none, f->arena, &f->err));
    assert_int_equal(f->err.kind, PK_E_UNSUPPORTED);
    assert_true(strstr(f->err.what, "python3") && f->err.fix[0]);
    const pk_driver *d = pk_driver_of_file("x/y/mod.js", &both, f->arena, &f->err);
    assert_string_equal(d->words[0], "N");
    assert_string_equal(d->words[1], "-e");
    assert_string_equal(d->folder, "x/y");
    assert_string_equal(d->group, "mod");
    d = pk_driver_of_file("/mod.py", &both, f->arena, &f->err);
    assert_string_equal(d->folder, "/");
    d = pk_driver_of_file("mod.py", &both, f->arena, &f->err);
    assert_string_equal(d->words[0], "P");
    assert_string_equal(d->folder, ".");
}

/* ---- what is made of what they say ---- */

static const pk_driver a_driver = {.group = "x"};

/* Parses a reply and answers the job with it; false with f->err. */
static bool answer(fixture *f, pk_bench_metric metric, const char *text, uint64_t took_ns,
                   pk_worker_reply *reply) {
    const pk_worker_job job = {.task = PK_TASK_MEASURE,
                               .objects = {[PK_SIDE_NEW] = "x.py"},
                               .metric = metric,
                               .driver = &a_driver};
    pk_driver_reply said;
    return pk_driver_reply_parse(text, strlen(text), f->arena, &said, &f->err) &&
           pk_driver_answer(&job, &said, took_ns, reply, &f->err);
}

static const char five_units[] = "reply done\nloop 4.5\niterations 10\n"
                                 "unit 1000 900 0\nunit 1100 910 100\nunit 1300 905 250\n"
                                 "unit 1020 915 0\nunit 9000 920 7900\nend\n";

/* Per iteration; 20 % trimmed of five: the mean of the middle three. On the CPU (wall less wait):
 * 1000 1000 1050 1020 1100 -> (1000 + 1020 + 1050) / 3; wall: (1020 + 1100 + 1300) / 3; CPU:
 * (905 + 910 + 915) / 3. */
static void units_become_figures(void **state) {
    fixture *f = *state;
    pk_worker_reply r;
    assert_ok(answer(f, PK_METRIC_ONCPU, five_units, MS, &r), &f->err);
    const pk_bench_side *s = &r.worker.side[PK_SIDE_NEW];
    assert_int_equal(r.worker.metric, PK_METRIC_ONCPU);
    assert_near(s->trimmed_ns, 307.0 / 3, 1e-9);
    assert_near(s->wall_ns, 114.0, 1e-9);
    assert_near(s->cpu_ns, 91.0, 1e-9);
    assert_near(s->mean_ns, 103.4, 1e-9);
    assert_near(s->median_ns, 102.0, 1e-9);
    assert_int_equal(s->units, 5);
    assert_int_equal(s->iterations, 50);
    assert_near(r.worker.loop_ns, 4.5, 1e-12);
    assert_int_equal(r.worker.duration_ns, 13420);
    assert_int_equal(r.worker.wait_ns, 8250);
    assert_int_equal(r.worker.layout, -1);
    assert_true(isnan(r.worker.reference_ns) && isnan(r.worker.latency_ns));
    assert_int_equal(r.worker.side[PK_SIDE_OLD].units, 0);
    assert_ok(answer(f, PK_METRIC_CPU, five_units, MS, &r), &f->err);
    assert_near(s->trimmed_ns, 91.0, 1e-9);
    assert_ok(answer(f, PK_METRIC_WALL, five_units, MS, &r), &f->err);
    assert_near(s->trimmed_ns, 114.0, 1e-9);
}

static void without_waits_it_is_the_wall_clock(void **state) {
    fixture *f = *state;
    pk_worker_reply r;
    const char *two = "reply done\niterations 2\nunit 100 80\nunit 100 80\nend\n";
    const char *one = "reply done\niterations 2\nunit 100\nend\n";
    assert_ok(answer(f, PK_METRIC_ONCPU, two, MS, &r), &f->err);
    assert_int_equal(r.worker.metric, PK_METRIC_WALL);
    assert_near(r.worker.side[PK_SIDE_NEW].trimmed_ns, 50, 1e-12);
    assert_near(r.worker.side[PK_SIDE_NEW].cpu_ns, 40, 1e-12);
    assert_ok(answer(f, PK_METRIC_CPU, two, MS, &r), &f->err);
    assert_near(r.worker.side[PK_SIDE_NEW].trimmed_ns, 40, 1e-12);
    assert_ok(answer(f, PK_METRIC_ONCPU, one, MS, &r), &f->err);
    assert_true(isnan(r.worker.side[PK_SIDE_NEW].cpu_ns));
    assert_false(answer(f, PK_METRIC_CPU, one, MS, &r));
    assert_non_null(strstr(f->err.what, "no CPU time"));
}

static void lies_and_nonsense_are_errors(void **state) {
    static const struct {
        const char *text, *what;
    } cases[] = {
        {"reply done\nend\n", "no measurement"},
        {"reply done\niterations 10\nend\n", "iterations without units"},
        {"reply done\nunit 10\nend\n", "units without iterations"},
        {"reply done\niterations 10\nunit 0\nend\n", "unit of no time"},
        {"reply done\niterations 10\nunit -1\nend\n", "unit of no time"},
        {"reply done\niterations 10\nunit nan\nend\n", "unit of no time"},
        {"reply done\niterations 10\nunit 1.5\nend\n", "unit of no time"},
        {"reply done\niterations 10\nunit \nend\n", "unit of no time"},
        {"reply done\niterations 10\nunit 1 2 3 4\nend\n", "unit of no time"},
        {"reply done\niterations 10\nunit 10 5\nunit 10\nend\n", "more or fewer numbers"},
        {"reply done\niterations 10\nunit 999\nunit 2\nend\n", "says the driver, which ran for"},
        {"reply done\niterations 10\nunit 9223372036854775807\nend\n", "says the driver"},
        {"reply done\niterations 9223372036854775807\nunit 9\nunit 9\nunit 9\nend\n", "counted"},
        {"reply done\niterations 1000000\nunit 100\nend\n", "takes no time"},
        {"reply done\niterations 10\nunit 100 100 200\nend\n", "takes no time"},
        {"reply done\niterations 10\nloop nonsense\nunit 100\nend\n", "no such value"},
        {"reply done\niterations 10\niterations 10\nunit 100\nend\n", "said twice"},
        {"reply done\niterations 10\ncolour red\nunit 100\nend\n", "unknown"},
        {"reply done\nwhy not\niterations 10\nunit 100\nend\n", "contradicts"},
        {"reply refused\nend\n", "contradicts"},
        {"reply done\noffer\nend\n", "contradicts"},
        {"reply done\niterations 10\nunit 100\nend\nmore\n", "behind the end"},
        {"reply done\niterations 10\nunit 100\n", "ends early"},
        {"", "ends early"},
    };
    fixture *f = *state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        pk_worker_reply r = {.n_offers = 77};
        if (answer(f, PK_METRIC_ONCPU, cases[i].text, 1000, &r))
            fail_msg("accepted: %s", cases[i].text);
        if (!strstr(f->err.what, cases[i].what))
            fail_msg("%s: %s, not %s", cases[i].text, f->err.what, cases[i].what);
        assert_int_equal(r.n_offers, 77);
    }
}

static void a_list_may_say_little(void **state) {
    fixture *f = *state;
    const char *text = "reply done\nprogram /x/py\noffer\ngroup a\noffer\ngroup b\nfunction f\n"
                       "params 1,2\nsample-size 12\nend\n";
    pk_driver_reply said;
    assert_ok(pk_driver_reply_parse(text, strlen(text), f->arena, &said, &f->err), &f->err);
    assert_int_equal(said.n_offers, 2);
    assert_string_equal(said.program, "/x/py");
    assert_null(said.offers[0].function);
    assert_string_equal(said.offers[1].params, "1,2");
    assert_int_equal(said.offers[1].sample_size, 12);
    assert_true(isnan(said.loop_ns));
    assert_int_equal(said.unit_numbers, 0);
}

/* ---- the two that come along ---- */

static const char *write_file(fixture *f, const char *name, const char *text) {
    const char *path = pk_arena_printf(f->arena, "%s/%s", f->folder, name);
    check_write_file(path, text);
    return path;
}

static pk_worker_outcome run_job(fixture *f, const pk_object *object, uint32_t index,
                                 pk_worker_task task) {
    const pk_worker_job job = {.task = task,
                               .objects = {[PK_SIDE_NEW] = object->path},
                               .index = {[PK_SIDE_NEW] = index},
                               .param = object->offers[index].params ? "3" : NULL,
                               .worker_ns = 20 * MS,
                               .warm_ns = 2 * MS,
                               .unit_ns = 100000,
                               .driver = object->driver,
                               .group = object->offers[index].group,
                               .function = object->offers[index].function};
    pk_worker_outcome outcome;
    assert_ok(pk_worker_spawn(&f->place, &job, 0, &outcome, &f->err), &f->err);
    return outcome;
}

/* Four functions, in both languages: a sleep of 1 ms, one with parameters and set-up, one that
 * fails, one whose output is kept apart. */
static void check_language(fixture *f, const char *name, const char *text) {
    pk_object object;
    assert_ok(pk_object_open_file(&f->opener, write_file(f, name, text), &object, &f->err),
              &f->err);
    assert_null(object.failure);
    assert_int_equal(object.n_offers, 4);
    assert_string_equal(object.offers[0].group, "known");
    assert_string_equal(object.offers[0].function, "sleep");
    assert_null(object.offers[0].params);
    assert_string_equal(object.offers[1].function, "scale");
    assert_string_equal(object.offers[1].params, "3,5");
    assert_true(object.offers[0].start_ns > 0);
    assert_true(object.driver->words[0][0] == '/'); /* as it called itself */

    pk_worker_outcome o = run_job(f, &object, 0, PK_TASK_MEASURE);
    assert_false(o.failed);
    const pk_bench_side *s = &o.reply.worker.side[PK_SIDE_NEW];
    assert_true(s->wall_ns >= 1e6 && s->min_ns > 5e5 && s->units >= 1);
    assert_true(o.reply.worker.loop_ns > 0 && o.reply.worker.loop_ns < 1e4);
    o = run_job(f, &object, 1, PK_TASK_MEASURE);
    assert_false(o.failed);
    assert_true(o.reply.worker.side[PK_SIDE_NEW].trimmed_ns > 0);
    assert_true(o.reply.throughput.given && o.reply.throughput.bytes);
    assert_int_equal(o.reply.throughput.per_iteration, 64);
    o = run_job(f, &object, 2, PK_TASK_MEASURE);
    assert_true(o.failed);
    assert_int_equal(o.failure.kind, PK_FAIL_REFUSED);
    assert_non_null(strstr(o.failure.why, "on purpose"));
    assert_non_null(strstr(o.failure.why, name));
    assert_non_null(strstr(o.failure.output, "on purpose"));
    o = run_job(f, &object, 3, PK_TASK_ONCE);
    assert_false(o.failed);
    o = run_job(f, &object, 3, PK_TASK_FOR);
    assert_false(o.failed);
    assert_true(o.duration_ns >= 20 * MS);
    pk_object_close(&object);
}

static void python_measures_its_functions(void **state) {
    fixture *f = *state;
    if (!f->options.python) skip();
    write_file(f, "known_helper.py", "SECONDS = 0.001\n");
    check_language(f, "known.py",
                   "import time, known_helper\n"
                   "def bench_sleep(): time.sleep(known_helper.SECONDS)\n"
                   "def bench_scale(pair):\n"
                   "    assert pair == (3, 6), pair\n"
                   "bench_scale.params = [3, 5]\n"
                   "bench_scale.setup = lambda n: (n, 2 * n)\n"
                   "bench_scale.bytes = 64\n"
                   "def bench_fails(): raise ValueError('on purpose')\n"
                   "def bench_talks(): print('hello')\n"
                   "def helper(): pass\n");
}

static void node_measures_its_functions(void **state) {
    fixture *f = *state;
    if (!f->options.node) skip();
    write_file(f, "known_helper.js", "exports.ms = 1;\n");
    check_language(f, "known.js",
                   "const { ms } = require('./known_helper');\n"
                   "const cell = new Int32Array(new SharedArrayBuffer(4));\n"
                   "exports.bench_sleep = () => Atomics.wait(cell, 0, 0, ms);\n"
                   "exports.bench_scale = (pair) => {\n"
                   "    if (pair[0] !== 3 || pair[1] !== 6) throw new Error('wrong argument');\n"
                   "};\n"
                   "exports.bench_scale.params = [3, 5];\n"
                   "exports.bench_scale.setup = (n) => [n, 2 * n];\n"
                   "exports.bench_scale.bytes = 64;\n"
                   "exports.bench_fails = () => { throw new Error('on purpose'); };\n"
                   "exports.bench_talks = () => console.log('hello');\n"
                   "exports.helper = () => 0;\n");
}

static void what_cannot_be_measured_is_refused(void **state) {
    static const struct {
        const char *name, *text, *why;
    } cases[] = {
        {"a.py", "def broken(:\n", "SyntaxError"},
        {"b.py", "import nothing_of_that_name\n", "nothing_of_that_name"},
        {"c.py", "async def bench_x(): pass\n", "coroutine"},
        {"d.py", "def bench_x(): yield 1\n", "generator"},
        {"e.py", "def bench_x(n): pass\nbench_x.params = ['a,b']\n", "params"},
        {"f.py", "import sys\nsys.exit(3)\n", "SystemExit"},
        {"a.js", "function {\n", "SyntaxError"},
        {"b.js", "require('nothing-of-that-name')\n", "nothing-of-that-name"},
        {"c.js", "exports.bench_x = async () => 1;\n", "asynchronous"},
        {"d.js", "exports.bench_x = () => 1;\nexports.bench_x.params = ['a,b'];\n", "params"},
    };
    fixture *f = *state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        bool js = strstr(cases[i].name, ".js") != NULL;
        if (js ? !f->options.node : !f->options.python) continue;
        pk_object object;
        const char *path = write_file(f, cases[i].name, cases[i].text);
        assert_ok(pk_object_open_file(&f->opener, path, &object, &f->err), &f->err);
        assert_non_null(object.failure);
        if (!strstr(object.failure->why, cases[i].why))
            fail_msg("%s: %s", cases[i].name, object.failure->why);
        pk_object_close(&object);
    }
}

/* The list that is known without Python is that of the file. */
static void the_shipped_functions_are_what_the_file_offers(void **state) {
    fixture *f = *state;
    pk_object shipped, file;
    if (!f->options.python) skip();
    assert_ok(pk_object_open_python_suite(&f->opener, &shipped, &f->err), &f->err);
    assert_ok(pk_object_open_file(&f->opener, "lib/bench/suite/fib.py", &file, &f->err), &f->err);
    assert_string_equal(shipped.hash, file.hash);
    assert_int_equal(shipped.n_offers, file.n_offers);
    for (size_t i = 0; i < file.n_offers; i++) {
        assert_string_equal(shipped.offers[i].group, file.offers[i].group);
        assert_string_equal(shipped.offers[i].function, file.offers[i].function);
    }
    assert_ok(pk_object_start_shipped(&f->opener, &shipped, &f->err), &f->err);
    assert_null(shipped.failure);
    double ns[2];
    for (uint32_t i = 0; i < 2; i++) {
        pk_worker_outcome o = run_job(f, &shipped, i, PK_TASK_MEASURE);
        assert_false(o.failed);
        ns[i] = o.reply.worker.side[PK_SIDE_NEW].trimmed_ns;
    }
    assert_true(ns[0] > 5e4 && ns[1] > 1 && ns[1] < 1e4 && ns[0] > 100 * ns[1]);
    pk_object_close(&shipped);
    pk_object_close(&file);
}

static void a_driver_that_cannot_start_says_so(void **state) {
    fixture *f = *state;
    pk_object object;
    assert_ok(pk_object_open_command(&f->opener, "/nothing/here --x", &object, &f->err), &f->err);
    assert_non_null(object.failure);
    assert_int_equal(object.failure->kind, PK_FAIL_EXIT);
    assert_int_equal(object.failure->number, 127);
    assert_non_null(strstr(object.failure->output, "/nothing/here"));
    pk_object_close(&object);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(a_job_is_told_with_its_one_side),
        TEST(a_command_is_words_without_a_shell),
        TEST(files_are_known_by_their_names),
        TEST(units_become_figures),
        TEST(without_waits_it_is_the_wall_clock),
        TEST(lies_and_nonsense_are_errors),
        TEST(a_list_may_say_little),
        TEST(python_measures_its_functions),
        TEST(node_measures_its_functions),
        TEST(what_cannot_be_measured_is_refused),
        TEST(the_shipped_functions_are_what_the_file_offers),
        TEST(a_driver_that_cannot_start_says_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
