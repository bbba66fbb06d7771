/* perfkit bench: what the plan says is done. Measured results are printed as they come, then
 * stored; what goes to a file or is one document is written when all is over. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/interrupt.h"
#include "base/units.h"
#include "bench/pages.h"
#include "bench/reload.h"
#include "bench/render.h"
#include "bench/store.h"
#include "cmd/bench_cli.h"
#include "cmd/commands.h"
#include "cmd/output.h"
#include "cmd/terminal.h"
#include "report/progress.h"

#define EXIT_FAILED 1
#define EXIT_WRONG 2
#define EXIT_INTERRUPTED 130
#define ARENA_BYTES (64u << 20)

typedef struct session {
    const char *name; /* how we were called */
    const bench_cli *cli;
    const bench_plan *plan;
    pk_interrupt *intr;
    pk_progress progress;
    bool said;  /* what is going on, once */
    FILE *out;  /* results: standard output, or memory */
    FILE *text; /* those for people */
    char *data; /* the memory, when out is closed */
    size_t bytes;
    bool colour;
    const char *group; /* of the block printed last; NULL: none */
    size_t failed;     /* benchmarks */
} session;

/* ---- where the output goes ---- */

static bool fail_memory(pk_err *err) {
    pk_fail(err, PK_E_SYS, NULL, "no memory for the results");
    return false;
}

static bool is_document(const session *s) {
    return s->plan->messages || s->plan->format == BENCH_JSON ||
           s->plan->format == BENCH_GBENCH_JSON || s->plan->format == BENCH_GBENCH_CSV;
}

static bool begin_output(session *s, pk_err *err) {
    bool file = s->cli->output && strcmp(s->cli->output, "-") != 0;
    s->out = file || is_document(s) ? open_memstream(&s->data, &s->bytes) : stdout;
    if (!s->out) return fail_memory(err);
    s->text = s->plan->messages ? stderr : s->out;
    pk_colour_when when = (pk_colour_when)s->cli->color;
    bool later = file && when == PK_COLOUR_AUTO && s->text == s->out; /* read elsewhere */
    s->colour = !later && pk_terminal_colour(s->text == stderr ? stderr : stdout, when);
    return true;
}

/* Memory becomes a file or standard output, all or nothing. */
static bool end_output(session *s, bool write, pk_err *err) {
    if (s->out == stdout || !s->out) return true;
    bool ok = fclose(s->out) == 0;
    s->out = NULL;
    if (!ok) fail_memory(err);
    else if (write && s->cli->output && strcmp(s->cli->output, "-") != 0)
        ok = output_write(s->cli->output, s->data, s->bytes, err);
    else if (write) fwrite(s->data, 1, s->bytes, stdout); /* main checks stdout at the end */
    free(s->data);
    s->data = NULL;
    return ok;
}

static bool is_quiet(const session *s) {
    return s->cli->quiet || s->plan->format == BENCH_QUIET;
}

/* ---- while it runs ---- */

static void say_start(session *s, const pk_bench_progress *progress) {
    char time[PK_FORMAT_MAX];
    s->said = true;
    if (is_quiet(s)) return;
    fprintf(stderr, "Benchmarking %zu benchmark%s, about %s", progress->total,
            progress->total == 1 ? "" : "s",
            pk_format_duration(time, sizeof time, progress->expected_s * 1e9));
    if (s->plan->bench.compare != PK_COMPARE_NONE)
        fprintf(stderr, ", compared with %s%s", s->plan->bench.compare_with,
                s->plan->bench.compare == PK_COMPARE_BASELINE_LENIENT ? " where there is one" : "");
    fputc('\n', stderr);
}

static void on_progress(void *context, const pk_bench_progress *progress) {
    session *s = context;
    char line[256];
    if (!s->said) say_start(s, progress);
    if (!s->progress.out) return;
    pk_bench_render_progress(line, sizeof line, progress);
    pk_progress_show(&s->progress, line);
}

static void on_note(void *context, const char *line) {
    session *s = context;
    pk_progress_close(&s->progress);
    if (!is_quiet(s)) fprintf(stderr, "%s: %s\n", s->name, line);
}

/* Even when quiet: that a source does not compile is the result then. */
static void on_compiler(void *context, const char *text) {
    session *s = context;
    pk_progress_close(&s->progress);
    fputs(text, stderr);
    if (text[0] && text[strlen(text) - 1] != '\n') fputc('\n', stderr);
}

static pk_bench_detail detail_of(const session *s) {
    if (is_quiet(s)) return PK_DETAIL_QUIET;
    return s->cli->verbose || s->plan->format == BENCH_VERBOSE ? PK_DETAIL_VERBOSE
                                                               : PK_DETAIL_NORMAL;
}

/* Criterion leaves an empty line behind each group. */
static void end_group(session *s, const char *group) {
    bool other = s->group && (!group || strcmp(group, s->group) != 0);
    if (other && !is_quiet(s) && s->plan->format != BENCH_BENCHER) fputc('\n', s->text);
    s->group = group;
}

static void on_finished(void *context, const pk_bench_result *result) {
    session *s = context;
    bench_format format = s->plan->format;
    s->failed += result->failed;
    if (format == BENCH_JSON || format == BENCH_GBENCH_JSON || format == BENCH_GBENCH_CSV) return;
    pk_progress_close(&s->progress);
    end_group(s, result->group);
    if (format == BENCH_BENCHER) pk_bench_render_bencher(s->text, result);
    else pk_bench_render_block(s->text, result, detail_of(s), format == BENCH_CRITERION, s->colour);
    fflush(s->text);
}

/* ---- when it is over ---- */

static bool write_messages(FILE *out, const session *s, const pk_bench_report *report,
                           pk_err *err) {
    char directory[512], path[1024];
    if (s->cli->message_format == MESSAGE_OPENMETRICS)
        return pk_bench_render_openmetrics(out, report, err);
    for (size_t i = 0; i < report->n_results; i++) {
        const pk_bench_result *r = &report->results[i];
        if (!pk_store_directory(r->group, r->function, r->value, directory, sizeof directory))
            directory[0] = '\0';
        snprintf(path, sizeof path, "%s/%s/report", s->plan->bench.home, directory);
        if (!pk_bench_render_message(out, r, report, path, err)) return false;
        bool last =
            i + 1 == report->n_results || strcmp(r->group, report->results[i + 1].group) != 0;
        if (!pk_store_directory(r->group, NULL, NULL, directory, sizeof directory))
            directory[0] = '\0';
        snprintf(path, sizeof path, "%s/%s/report", s->plan->bench.home, directory);
        if (last && !pk_bench_render_group_message(out, report, r->group, path, err)) return false;
    }
    return true;
}

static bool write_rest(session *s, const pk_bench_report *report, pk_err *err) {
    bench_format format = s->plan->format;
    end_group(s, NULL);
    if (format == BENCH_JSON) return pk_bench_render_json(s->out, report, err);
    if (format == BENCH_GBENCH_JSON) return pk_bench_render_gbench_json(s->out, report, err);
    if (format == BENCH_GBENCH_CSV) return pk_bench_render_gbench_csv(s->out, report, err);
    bool ours = format == BENCH_PERFKIT || format == BENCH_VERBOSE;
    if (ours && !is_quiet(s)) pk_bench_render_summary(s->text, report, s->colour);
    return !s->plan->messages || write_messages(s->out, s, report, err);
}

/* With the code it measured, so that a later run can measure it again. */
static bool save_result(const session *s, pk_store *store, const pk_bench_report *report,
                        const pk_bench_result *r, pk_err *err) {
    char hash[65];
    return (!r->artefact_data ||
            pk_store_put_artefact(store, r->artefact_data, r->artefact_bytes, hash, err)) &&
           pk_store_save(store, r, report, s->plan->save, err);
}

/* Partial results are no baseline, and failed ones have no figures. */
static bool save_results(const session *s, pk_store *store, const pk_bench_report *report,
                         size_t *saved, pk_err *err) {
    *saved = 0;
    for (size_t i = 0; i < report->n_results; i++) {
        const pk_bench_result *r = &report->results[i];
        if (r->failed || r->partial) continue;
        if (!save_result(s, store, report, r, err)) return false;
        ++*saved;
    }
    return true;
}

static bool keep(const session *s, pk_store *store, const pk_bench_report *report, pk_err *err) {
    size_t saved = report->n_results;
    if (!store) return true;
    if (!s->cli->load && !save_results(s, store, report, &saved, err)) return false;
    if (saved && s->plan->save && !is_quiet(s))
        fprintf(stderr, "saved as %s in %s\n", s->plan->save, s->plan->bench.home);
    if (!s->cli->load && saved) pk_store_prune(store);
    if (!saved || !s->plan->pages) return true;
    if (!pk_bench_write_pages(store, report, err)) return false;
    if (!is_quiet(s)) fprintf(stderr, "report: %s/report/index.html\n", s->plan->bench.home);
    return true;
}

/* ---- the gate ---- */

static void say_gate(const session *s, const pk_bench_report *report,
                     const pk_bench_gate_result *g) {
    const char *verdict = g->failed ? "failed" : "passed";
    double threshold = report->n_results ? 100 * report->results[0].noise_threshold : 0;
    if (s->plan->gate == PK_GATE_NOT_UNCHANGED) {
        fprintf(stderr, "gate %s: %zu of %zu benchmarks unchanged", verdict, g->unchanged,
                report->n_results);
    } else if (g->compared == 0) {
        fprintf(stderr, "gate %s: there was nothing to compare with", verdict);
    } else {
        fprintf(stderr,
                "gate %s: %zu of %zu compared are slower by more than %g %% for sure "
                "(Holm's correction, %g %% over all)",
                verdict, g->failures, g->compared, threshold, 100 * g->level);
        if (g->regressed > g->failures)
            fprintf(stderr, "; %zu more printed as regressed, not so sure",
                    g->regressed - g->failures);
    }
    if (g->first) fprintf(stderr, "; the first: %s", g->first->id);
    fputc('\n', stderr);
}

static bool judge(const session *s, const pk_bench_report *report, bool *failed, pk_err *err) {
    pk_bench_gate_result g;
    *failed = false;
    if (s->plan->gate == PK_GATE_NONE) return true;
    if (!pk_bench_gate_judge(s->plan->gate, report, &g, err)) return false;
    if (!is_quiet(s)) say_gate(s, report, &g);
    *failed = g.failed;
    return true;
}

/* ---- measuring ---- */

static bool measure(session *s, pk_bench_report *report, pk_err *err) {
    const pk_bench_hooks hooks = {.context = s,
                                  .progress = on_progress,
                                  .note = on_note,
                                  .finished = on_finished,
                                  .compiler = on_compiler};
    bool tty = isatty(STDERR_FILENO) == 1;
    if (!is_quiet(s) && !s->cli->verbose) s->progress = pk_progress_open(stderr, tty);
    bool ok = s->cli->load ? pk_bench_reload(&s->plan->bench, s->cli->load, &hooks, report, err)
                           : pk_bench_run(&s->plan->bench, &hooks, s->intr, report, err);
    pk_progress_close(&s->progress);
    if (!ok) return false;
    report->history_id = s->cli->history_id;
    report->history_description = s->cli->history_description;
    return true;
}

/* A run that failed leaves the old file: `wrote` is false. */
static int finish(session *s, pk_store *store, const pk_bench_report *report, pk_err *err) {
    bool gate_failed = false, wrote = write_rest(s, report, err);
    bool ok = end_output(s, wrote, err) && wrote;
    fflush(stdout); /* before what stderr says of it */
    if (!ok || !keep(s, store, report, err) || !judge(s, report, &gate_failed, err))
        return EXIT_WRONG;
    if (report->interrupted) return EXIT_INTERRUPTED;
    return s->failed || gate_failed ? EXIT_FAILED : 0;
}

/* The lock is taken before the first worker starts: two runs at a time disturb each other. */
static int go_measure(session *s, pk_err *err) {
    pk_bench_report report;
    pk_store *store = NULL;
    int code = EXIT_WRONG;
    bool create = !s->cli->load; /* what is not there cannot be loaded */
    bool has_run = false;
    if (s->plan->store && !(store = pk_store_open(s->plan->bench.home, create, true, err)))
        return code;
    if (begin_output(s, err)) {
        has_run = measure(s, &report, err);
        if (has_run) {
            code = finish(s, store, &report, err);
            pk_bench_report_fini(&report);
        } else {
            pk_err ignored;
            (void)!end_output(s, false, &ignored);
        }
    }
    if (has_run) pk_store_close(store);
    else pk_store_abandon(store);
    return code;
}

/* ---- the other things ---- */

static int go_list(const session *s, pk_err *err) {
    pk_arena *arena = pk_arena_new(ARENA_BYTES);
    pk_bench_id *ids;
    size_t n;
    int code = EXIT_WRONG;
    if (!arena) {
        fail_memory(err);
        return code;
    }
    if (pk_bench_list(&s->plan->bench, arena, &ids, &n, err)) {
        for (size_t i = 0; i < n; i++) {
            printf("%s: benchmark\n", ids[i].id);
            bool last = i + 1 == n || strcmp(ids[i].group, ids[i + 1].group) != 0;
            if (last && s->cli->list_format == LIST_PRETTY) putchar('\n');
        }
        code = 0;
    }
    pk_arena_free(arena);
    return code;
}

static void on_exercised(void *context, const char *id, const pk_bench_failure *failure) {
    session *s = context;
    char why[PK_BENCH_FAILURE_MAX];
    s->failed += failure != NULL;
    if (!is_quiet(s) || failure) printf("%s %s\n", s->cli->test ? "Testing" : "Profiled", id);
    if (failure) {
        printf("Failed: %s%s%s\n", pk_bench_failure_text(why, sizeof why, failure),
               failure->why[0] ? ": " : "", failure->why);
        pk_terminal_tail(stdout, failure->output);
    } else if (s->cli->test && !is_quiet(s)) {
        puts("Success");
    }
    fflush(stdout);
}

static int go_exercise(session *s, pk_err *err) {
    double seconds = s->cli->test ? 0 : (double)s->cli->profile_ns / 1e9;
    if (!pk_bench_exercise(&s->plan->bench, seconds, on_exercised, s, s->intr, err))
        return EXIT_WRONG;
    if (pk_interrupt_signal(s->intr)) return EXIT_INTERRUPTED;
    return s->failed ? EXIT_FAILED : 0;
}

int bench_go(const pk_invocation *invocation, const bench_cli *cli, const bench_plan *plan,
             pk_err *err) {
    session s = {.name = invocation->name, .cli = cli, .plan = plan};
    int code = 0;
    if (cli->ignored) return 0;
    if (cli->init) return bench_init(cli, err) ? 0 : EXIT_WRONG;
    if (cli->list) return go_list(&s, err);
    if (!(s.intr = pk_interrupt_begin(err))) return EXIT_WRONG;
    if (cli->test || cli->profile_ns) code = go_exercise(&s, err);
    else code = go_measure(&s, err);
    pk_interrupt_end(s.intr);
    return code;
}
