/* Times what bench does after measuring, so that it can be set beside Criterion's.
 *
 *   bench_analysis [-n BENCHMARKS] [-r RESAMPLES] [-s SEED] [-t THREADS] [-o DIR]
 *                  [NEW.json [BASE.json]]
 *
 * NEW.json and BASE.json are Criterion's sample.json; without them samples of 100 values are made
 * from the seed, the new one 2 % slower. Each of the BENCHMARKS (100) is analysed as bench does
 * (estimates of both sides by bootstrap, change, modes, outliers; 100,000 resamples), and its page
 * written: DIR/NUMBER.html, or into memory. Before that the mean of the new sample is resampled by
 * itself, with THREADS threads (1). One line on standard output, times of this process's CPU:
 *
 *   benchmarks 100 resamples 100000 mean_ms 8.1 analysis_ms 150.2 page_ms 9.9
 *
 * mean_ms: one bootstrap of the mean; analysis_ms, page_ms: of one benchmark, on average. Exit 2
 * when something cannot be read, written or computed. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"
#include "base/units.h"
#include "bench/analyse.h"
#include "bench/pages.h"
#include "report/json_read.h"
#include "stats/bootstrap.h"
#include "stats/random.h"

enum { MADE_VALUES = 100, FILE_MAX_BYTES = 64 << 20, ARENA_BYTES = 256 << 20 };

typedef struct settings {
    uint64_t benchmarks, resamples, seed;
    unsigned threads;
    const char *directory; /* NULL: into memory */
    const char *file[PK_SIDES];
} settings;

typedef struct sample {
    size_t n;
    double *ns; /* per iteration */
} sample;

static double cpu_ms(void) {
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static int fail(const pk_err *err) {
    char line[PK_ERR_LINE_MAX];
    pk_err_format(err, line, sizeof line);
    fprintf(stderr, "bench_analysis: %s\n", line);
    return 2;
}

/* ---- samples ---- */

static bool make_sample(sample *s, uint64_t seed, double ns, pk_arena *arena) {
    pk_random random;
    pk_random_seed(&random, seed);
    s->n = MADE_VALUES;
    s->ns = PK_NEW(arena, s->n, double);
    for (size_t i = 0; s->ns && i < s->n; i++)
        s->ns[i] = ns * (1 + 0.01 * pk_random_normal(&random));
    return s->ns != NULL;
}

static bool read_sample(sample *s, const char *path, pk_arena *arena, pk_err *err) {
    pk_strbuf text;
    pk_strbuf_init(&text, FILE_MAX_BYTES);
    bool ok = pk_file_read(path, FILE_MAX_BYTES, &text, err);
    if (ok) {
        pk_json_reader reader = {.where = path, .arena = arena, .err = err};
        const pk_json_value *root = pk_json_read(&reader, text.data, text.length);
        double *iterations = NULL;
        s->n = pk_json_doubles_of(&reader, pk_json_get_array(&reader, root, "times"), &s->ns);
        size_t n =
            pk_json_doubles_of(&reader, pk_json_get_array(&reader, root, "iters"), &iterations);
        ok = !reader.failed;
        if (ok && (n != s->n || n < 2)) {
            pk_fail(err, PK_E_INPUT, path, "%zu times and %zu iteration counts", s->n, n);
            ok = false;
        }
        for (size_t i = 0; ok && i < n; i++) s->ns[i] /= iterations[i];
    }
    pk_strbuf_fini(&text);
    return ok;
}

static bool get_samples(const settings *set, sample side[PK_SIDES], pk_arena *arena, pk_err *err) {
    for (size_t k = 0; k < PK_SIDES; k++) {
        const char *path = set->file[k] ? set->file[k] : set->file[0];
        bool ok = path ? read_sample(&side[k], path, arena, err)
                       : make_sample(&side[k], set->seed + k, k == PK_SIDE_NEW ? 102 : 100, arena);
        if (!ok) return false;
    }
    return true;
}

/* ---- what is timed ---- */

static pk_bench_side side_of(const sample *s, size_t i) {
    double ns = s->ns[i % s->n];
    return (pk_bench_side){.trimmed_ns = ns,
                           .mean_ns = ns,
                           .min_ns = ns,
                           .q1_ns = ns,
                           .median_ns = ns,
                           .q3_ns = ns,
                           .wall_ns = ns,
                           .cpu_ns = ns,
                           .units = 1,
                           .iterations = 1};
}

/* A benchmark with one worker for each value of the new sample. */
static bool fill(pk_bench_result *r, const sample side[PK_SIDES], pk_arena *arena) {
    *r = (pk_bench_result){
        .group = "group",
        .function = "function",
        .id = "group/function",
        .object = "made",
        .artefact = "",
        .n_workers = side[PK_SIDE_NEW].n,
        .workers = PK_NEW(arena, side[PK_SIDE_NEW].n, pk_bench_worker),
        .confidence_level = 0.95,
        .noise_threshold = 0.01,
        .significance_level = 0.05,
        .equivalence = 0.02,
        .change = {.source = PK_CHANGE_LIVE, .baseline = "base"},
    };
    for (size_t i = 0; r->workers && i < r->n_workers; i++)
        r->workers[i] = (pk_bench_worker){
            .side = {side_of(&side[PK_SIDE_NEW], i), side_of(&side[PK_SIDE_OLD], i)},
            .old_first = i % 2,
            .layout = -1,
            .reference_ns = 1,
            .latency_ns = NAN,
            .throughput_ns = NAN,
            .loop_ns = NAN,
            .duration_ns = 30000000,
        };
    return r->workers != NULL;
}

static bool write_page(const settings *set, uint64_t number, const pk_bench_result *r,
                       pk_err *err) {
    char path[4096], *memory = NULL;
    size_t bytes = 0;
    snprintf(path, sizeof path, "%s/%llu.html", set->directory ? set->directory : "",
             (unsigned long long)number);
    FILE *out = set->directory ? fopen(path, "w") : open_memstream(&memory, &bytes);
    if (!out) {
        pk_fail(err, PK_E_SYS, path, "cannot open it");
        return false;
    }
    pk_bench_page_entry entry = {.result = r, .directory = "group/function", .fresh = true};
    bool ok = pk_bench_page_benchmark(out, &entry, NULL, 0, NULL, err);
    if (fclose(out) != 0 && ok) {
        pk_fail(err, PK_E_SYS, path, "cannot write it");
        ok = false;
    }
    free(memory);
    return ok;
}

static bool run(const settings *set, pk_arena *arena, pk_err *err) {
    sample side[PK_SIDES];
    if (!get_samples(set, side, arena, err)) return false;

    pk_bootstrap_options bootstrap = {set->resamples, 0.95, set->seed, set->threads};
    pk_bootstrap_interval mean;
    double began = cpu_ms();
    if (!pk_bootstrap_mean(&bootstrap, side[0].n, side[0].ns, &mean, NULL, err)) return false;
    double mean_ms = cpu_ms() - began, analysis_ms = 0, page_ms = 0;

    pk_bench_options options = {.nresamples = set->resamples, .seed = set->seed};
    for (uint64_t i = 0; i < set->benchmarks; i++) {
        pk_bench_result result;
        if (!fill(&result, side, arena)) {
            pk_fail(err, PK_E_LIMIT, NULL, "no memory for %zu workers", side[0].n);
            return false;
        }
        double start = cpu_ms();
        if (!pk_bench_analyse(&result, &options, arena, err)) return false;
        double middle = cpu_ms();
        if (!write_page(set, i, &result, err)) return false;
        analysis_ms += middle - start;
        page_ms += cpu_ms() - middle;
    }
    double n = (double)set->benchmarks;
    printf("benchmarks %llu resamples %llu mean_ms %.2f analysis_ms %.2f page_ms %.2f\n",
           (unsigned long long)set->benchmarks, (unsigned long long)set->resamples, mean_ms,
           analysis_ms / n, page_ms / n);
    return true;
}

int main(int argc, char **argv) {
    settings set = {.benchmarks = 100, .resamples = 100000, .threads = 1};
    pk_err err = {0};
    int letter;
    uint64_t threads = 1;
    while ((letter = getopt(argc, argv, "n:r:s:t:o:")) != -1) {
        bool ok = letter == 'n'   ? pk_parse_count(optarg, &set.benchmarks, &err)
                  : letter == 'r' ? pk_parse_count(optarg, &set.resamples, &err)
                  : letter == 's' ? pk_parse_count(optarg, &set.seed, &err)
                  : letter == 't' ? pk_parse_count(optarg, &threads, &err)
                                  : letter == 'o';
        if (letter == 'o') set.directory = optarg;
        if (!ok) return letter == '?' ? 2 : fail(&err);
    }
    set.threads = threads < 64 ? (unsigned)threads : 64;
    for (int k = 0; k < PK_SIDES && optind + k < argc; k++) set.file[k] = argv[optind + k];

    pk_arena *arena = pk_arena_new(ARENA_BYTES);
    bool ok = arena && run(&set, arena, &err);
    pk_arena_free(arena);
    if (!ok) return fail(&err);
    return fflush(stdout) == 0 ? 0 : 2;
}
