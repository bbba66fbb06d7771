#include "bench/driver.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/embed.h"
#include "base/process.h"
#include "base/units.h"
#include "bench/memory.h"
#include "bench/worker_measure.h"

PK_EMBED(pk_python_driver, "lib/bench/drivers/python.py");
PK_EMBED(pk_node_driver, "lib/bench/drivers/node.js");

#define ITERATION_NS_LEAST 0.03 /* nobody computes anything in a tenth of a cycle */

/* ---- which ---- */

typedef struct language {
    const char *suffix, *program, *option, *text; /* of the driver */
    size_t interpreter;                           /* of it in the options, an offset */
} language;

static const language languages[] = {
    {".py", "python3", "-c", pk_embed_data(pk_python_driver), offsetof(pk_bench_options, python)},
    {".js", "node", "-e", pk_embed_data(pk_node_driver), offsetof(pk_bench_options, node)},
};

static const language *language_of(const char *name) {
    const char *dot = strrchr(name, '.');
    for (size_t i = 0; dot && dot > name && i < sizeof languages / sizeof languages[0]; i++)
        if (strcmp(dot, languages[i].suffix) == 0) return &languages[i];
    return NULL;
}

bool pk_driver_takes(const char *name) {
    return language_of(name) != NULL;
}

static bool fail_missing(const language *l, const char *name, pk_err *err) {
    pk_fail(err, PK_E_UNSUPPORTED, name, "%s is not on PATH", l->program);
    pk_fix(err, "install it, or put it on PATH");
    return false;
}

static bool fill(pk_driver *driver, const language *l, const char *interpreter, const char *name,
                 pk_arena *arena) {
    const char *slash = strrchr(name, '/'), *base = slash ? slash + 1 : name;
    driver->words = PK_NEW(arena, 4, const char *);
    driver->folder = !slash          ? "."
                     : slash == name ? "/"
                                     : pk_arena_strndup(arena, name, (size_t)(slash - name));
    driver->group = pk_arena_strndup(arena, base, strlen(base) - strlen(l->suffix));
    if (!driver->words || !driver->folder || !driver->group) return false;
    driver->words[0] = interpreter;
    driver->words[1] = l->option;
    driver->words[2] = l->text;
    driver->words[3] = NULL;
    return true;
}

pk_driver *pk_driver_of_file(const char *name, const pk_bench_options *options, pk_arena *arena,
                             pk_err *err) {
    const language *l = language_of(name);
    const char *interpreter;
    memcpy(&interpreter, (const char *)options + l->interpreter, sizeof interpreter);
    if (!interpreter) {
        fail_missing(l, name, err);
        return NULL;
    }
    pk_driver *driver = PK_NEW(arena, 1, pk_driver);
    if (driver && fill(driver, l, interpreter, name, arena)) return driver;
    pk_bench_no_memory(err);
    return NULL;
}

static pk_driver *copy_words(char *const words[], pk_arena *arena) {
    size_t n = 0;
    while (words[n]) n++;
    pk_driver *driver = PK_NEW(arena, 1, pk_driver);
    if (!driver) return NULL;
    driver->words = PK_NEW(arena, n + 1, const char *);
    if (!driver->words) return NULL;
    for (size_t i = 0; i < n; i++)
        if (!(driver->words[i] = pk_arena_strdup(arena, words[i]))) return NULL;
    driver->words[n] = NULL;
    const char *slash = strrchr(driver->words[0], '/');
    driver->group = slash ? slash + 1 : driver->words[0];
    return driver;
}

pk_driver *pk_driver_of_command(const char *command, pk_arena *arena, pk_err *err) {
    char **words = pk_words_split(command, err);
    if (!words) return NULL;
    pk_driver *driver = NULL;
    if (!words[0] || !words[0][0]) {
        pk_fail(err, PK_E_USAGE, "--driver", "there is no command in it");
        pk_fix(err, "give a program that speaks the driver protocol, and its arguments");
    } else if (!(driver = copy_words(words, arena))) {
        pk_bench_no_memory(err);
    }
    free(words);
    return driver;
}

/* ---- job ---- */

static int side_of(const pk_worker_job *job) {
    return job->objects[PK_SIDE_NEW] ? PK_SIDE_NEW : PK_SIDE_OLD;
}

pk_driver_job pk_driver_job_of(const pk_worker_job *job) {
    int side = side_of(job);
    const char *file = job->objects[side];
    return (pk_driver_job){
        .protocol = PK_DRIVER_PROTOCOL,
        .task = job->task,
        .file = file && file[0] ? file : NULL,
        .folder = job->driver->folder,
        .group = job->group ? job->group : job->driver->group,
        .function = job->function,
        .index = job->index[side],
        .param = job->param,
        .worker_ns = job->worker_ns,
        .warm_ns = job->warm_ns,
        .unit_ns = job->unit_ns,
    };
}

/* ---- reply ---- */

static bool fail_lie(pk_err *err, uint64_t said_ns, uint64_t took_ns) {
    char said[PK_FORMAT_MAX], took[PK_FORMAT_MAX];
    pk_fail(err, PK_E_INPUT, NULL, "its units took %s, says the driver, which ran for %s",
            pk_format_duration(said, sizeof said, (double)said_ns),
            pk_format_duration(took, sizeof took, (double)took_ns));
    pk_fix(err, "give what CLOCK_MONOTONIC says, in nanoseconds");
    return false;
}

/* Sums of the units; false: they took longer than the driver was there. */
static bool add_up(const pk_driver_reply *said, uint64_t took_ns, pk_bench_worker *worker,
                   pk_err *err) {
    for (size_t i = 0; i < said->n_units; i++) {
        const pk_unit *unit = &said->units[i];
        if (__builtin_add_overflow(worker->duration_ns, unit->wall_ns, &worker->duration_ns) ||
            worker->duration_ns > took_ns)
            return fail_lie(err, worker->duration_ns, took_ns);
        if (__builtin_add_overflow(worker->wait_ns, unit->wait_ns, &worker->wait_ns))
            return fail_lie(err, UINT64_MAX, took_ns);
    }
    uint64_t all;
    if (!__builtin_mul_overflow(said->iterations, (uint64_t)said->n_units, &all)) return true;
    pk_fail(err, PK_E_INPUT, NULL, "so many iterations cannot be counted");
    pk_fix(err, "give the iterations of one unit");
    return false;
}

static bool choose_metric(const pk_worker_job *job, const pk_driver_reply *said,
                          pk_bench_worker *worker, pk_err *err) {
    if (job->metric == PK_METRIC_CPU && said->unit_numbers < 2) {
        pk_fail(err, PK_E_UNSUPPORTED, NULL, "the driver gives no CPU time");
        pk_fix(err, "use --metric wall, or let it give a second number per unit");
        return false;
    }
    /* Whether it slept is not known, so without the wait there is but the wall clock. */
    worker->metric = pk_measure_metric(job->metric, said->unit_numbers >= 3, true);
    return true;
}

static bool measure(const pk_worker_job *job, const pk_driver_reply *said, uint64_t took_ns,
                    pk_bench_worker *worker, pk_err *err) {
    pk_bench_side *side = &worker->side[side_of(job)];
    if (said->n_units == 0) {
        pk_fail(err, PK_E_INPUT, NULL, "it holds no measurement");
        pk_fix(err, "give iterations and at least one unit");
        return false;
    }
    if (!add_up(said, took_ns, worker, err) || !choose_metric(job, said, worker, err)) return false;
    double *scratch = malloc(said->n_units * sizeof *scratch);
    if (!scratch) return pk_bench_no_memory(err);
    pk_measure_side(said->units, said->n_units, said->iterations, worker->metric, scratch, side);
    free(scratch);
    if (said->unit_numbers < 2) side->cpu_ns = NAN;
    if (side->trimmed_ns >= ITERATION_NS_LEAST) return true;
    pk_fail(err, PK_E_INPUT, NULL, "an iteration takes no time: %g ns", side->trimmed_ns);
    pk_fix(err, "let each iteration do its work; count iterations as they are run");
    return false;
}

bool pk_driver_answer(const pk_worker_job *job, const pk_driver_reply *said, uint64_t took_ns,
                      pk_worker_reply *reply, pk_err *err) {
    pk_worker_reply made = {.kind = said->kind,
                            .why = said->why,
                            .throughput = said->throughput,
                            .offers = said->offers,
                            .n_offers = said->n_offers,
                            .program = said->program,
                            .worker = {.layout = -1,
                                       .old_first = job->old_first,
                                       .reference_ns = NAN,
                                       .latency_ns = NAN,
                                       .throughput_ns = NAN,
                                       .loop_ns = said->loop_ns}};
    if (said->kind == PK_REPLY_DONE && job->task == PK_TASK_MEASURE &&
        !measure(job, said, took_ns, &made.worker, err))
        return false;
    *reply = made;
    return true;
}
