/* perfkit time: what the plan says is done. Results are printed as they come; files are written
 * after each command, in rounds at the end. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/interrupt.h"
#include "base/units.h"
#include "bench/command_store.h"
#include "cmd/commands.h"
#include "cmd/terminal.h"
#include "cmd/time_cli.h"
#include "report/progress.h"
#include "timing/clock.h"

#define EXIT_FAILED 1
#define EXIT_WRONG 2
#define EXIT_INTERRUPTED 130
#define TEXT_BYTES_MAX (16u << 20)
#define BASELINE_BYTES_MAX (1u << 30)
#define REDRAW_NS (100 * PK_NS_PER_MS) /* writing to a terminal disturbs the next run */

typedef struct session {
    const pk_invocation *invocation;
    const time_cli *cli;
    const time_plan *plan;
    pk_command_report report;
    pk_store *store;                     /* where results are kept; NULL: nowhere */
    const pk_command_baseline *baseline; /* to compare with; NULL: none */
    pk_progress progress;
    pk_command_phase phase; /* of what was drawn last */
    uint64_t drawn_ns;
} session;

/* ---- text ---- */

/* Prints what a renderer made, and frees it. */
static void print_text(FILE *out, pk_strbuf *text) {
    fwrite(text->data, 1, text->length, out);
    fflush(out); /* a command may write to the same terminal next */
    pk_strbuf_fini(text);
}

static void on_started(void *context, size_t index, const pk_command_case *of) {
    session *s = context;
    pk_strbuf text;
    pk_progress_close(&s->progress);
    if (s->plan->silent) return;
    pk_strbuf_init(&text, TEXT_BYTES_MAX);
    pk_command_render_start(of, index, &s->plan->style, &text);
    print_text(stdout, &text);
}

static void on_progress(void *context, const pk_command_progress *progress) {
    session *s = context;
    char line[512];
    uint64_t now_ns = pk_now_ns();
    bool soon = progress->phase == s->phase && now_ns - s->drawn_ns < REDRAW_NS;
    if (soon) return;
    pk_command_render_progress(line, sizeof line, progress);
    pk_progress_show(&s->progress, line);
    s->phase = progress->phase;
    s->drawn_ns = now_ns;
}

static void print_warnings(const session *s, const pk_command_report *report, size_t index) {
    pk_strbuf text;
    pk_strbuf_init(&text, TEXT_BYTES_MAX);
    pk_command_render_warnings(report, index, &s->plan->command, &s->plan->style, &text);
    print_text(stderr, &text);
}

/* On a terminal the warnings stand with the command that they are about. */
static void print_result(const session *s, const pk_command_report *report, size_t index) {
    pk_strbuf text, end;
    pk_strbuf_init(&text, TEXT_BYTES_MAX);
    pk_strbuf_init(&end, TEXT_BYTES_MAX);
    if (!s->plan->silent) {
        pk_command_render_result(report, index, &s->plan->style, &text);
        pk_command_render_end(&s->plan->style, &end);
    }
    print_text(stdout, &text);
    print_warnings(s, report, index);
    print_text(stdout, &end);
}

static bool compare_with_baseline(const session *s, size_t index, pk_err *err) {
    const pk_command_result *result = &s->report.results[index];
    if (!s->baseline) return true;
    if (!pk_command_baseline_compare(s->baseline, &s->plan->command, &s->report, index, err))
        return false;
    if (!result->stored[0].compared && !result->stored[1].compared)
        fprintf(stderr, "%s: %s has no runs of %s to compare with\n", s->invocation->name,
                s->cli->baseline, result->of->shown);
    return true;
}

static bool on_finished(void *context, const pk_command_report *report, size_t index, pk_err *err) {
    session *s = context;
    pk_progress_close(&s->progress);
    s->drawn_ns = 0;
    if (!compare_with_baseline(s, index, err)) return false;
    print_result(s, report, index);
    /* In rounds all results come at once: they are written when the run is over. */
    return report->rounds || time_exports_write(s->cli, s->plan, report, err);
}

static void print_summary(const session *s) {
    pk_strbuf text, note;
    pk_strbuf_init(&text, TEXT_BYTES_MAX);
    pk_strbuf_init(&note, TEXT_BYTES_MAX);
    pk_command_render_summary(&s->report, &s->plan->style, &text, &note);
    if (s->plan->silent) pk_strbuf_fini(&text);
    else print_text(stdout, &text);
    print_text(stderr, &note);
}

/* ---- the gate ---- */

static void say_gate(const session *s, const pk_command_gate_result *g) {
    const char *verdict = g->failed ? "failed" : "passed";
    if (g->compared == 0) {
        fprintf(stderr, "gate %s: there was nothing to compare with\n", verdict);
        return;
    }
    fprintf(stderr, "gate %s: %zu of %zu compared with %s are slower for sure", verdict,
            g->failures, g->compared, s->cli->baseline ? s->cli->baseline : "the reference");
    if (g->first) fprintf(stderr, "; the first: %s", g->first->of->shown);
    fputc('\n', stderr);
}

static bool judge(const session *s, bool *failed, pk_err *err) {
    pk_command_gate_result g;
    *failed = false;
    if (!s->cli->fail_on && !(s->plan->gate.slower >= 0)) return true;
    if (!pk_command_gate_judge(&s->plan->gate, s->plan->command.confidence_level, &s->report, &g,
                               err))
        return false;
    say_gate(s, &g);
    *failed = g.failed;
    return true;
}

/* ---- the run ---- */

/* Partial results are no baseline. */
static bool keep(const session *s, pk_err *err) {
    if (!s->store || s->report.interrupted) return true;
    if (!pk_command_store_save(s->store, &s->plan->command, &s->report, s->cli->save, err))
        return false;
    fprintf(stderr, "saved as %s in %s\n", s->cli->save, s->plan->home);
    return true;
}

static int finish(const session *s, pk_err *err) {
    bool gate_failed = false;
    if (s->report.n_results > 0) {
        print_summary(s);
        if (!time_exports_write(s->cli, s->plan, &s->report, err) ||
            !time_exports_end(s->cli, s->plan, &s->report, err))
            return EXIT_WRONG;
    }
    fflush(stdout); /* before what stderr says of it */
    if (!keep(s, err)) return EXIT_WRONG;
    if (s->report.interrupted) {
        fprintf(stderr, "%s: interrupted, the results are partial\n", s->invocation->name);
        return EXIT_INTERRUPTED;
    }
    if (!judge(s, &gate_failed, err)) return EXIT_WRONG;
    return gate_failed ? EXIT_FAILED : 0;
}

/* The line that main would print, and what the command itself had to say; a failing command is no
 * wrong command line, so the code is another one. */
static int say_failure(const session *s, const pk_command_failure *failure, pk_err *err) {
    char line[PK_ERR_LINE_MAX];
    pk_err_format(err, line, sizeof line);
    fprintf(stderr, "%s: %s\n", s->invocation->as_peer ? "Error" : s->invocation->name, line);
    if (failure->cut) fputs("  | ...\n", stderr);
    pk_terminal_tail(stderr, failure->output);
    *err = (pk_err){0};
    return EXIT_FAILED;
}

static int run(session *s, pk_interrupt *intr, pk_err *err) {
    s->progress = pk_progress_open(stderr, s->plan->progress && isatty(STDERR_FILENO) == 1);
    const pk_command_hooks hooks = {.context = s,
                                    .started = on_started,
                                    .progress = s->progress.out ? on_progress : NULL,
                                    .finished = on_finished};
    pk_command_failure failure = {0};
    bool ok = pk_command_run_all(&s->plan->command, &hooks, intr, &s->report, &failure, err);
    pk_progress_close(&s->progress);
    int code = EXIT_WRONG;
    if (ok) code = finish(s, err);
    else if (failure.what[0]) code = say_failure(s, &failure, err);
    /* The line's grammar was right: with hyperfine's exit codes the rest is another kind. */
    else if (s->invocation->as_peer && err->kind == PK_E_USAGE) err->kind = PK_E_INPUT;
    pk_command_report_fini(&s->report);
    return code;
}

/* What is to be read and written is looked at before anything runs. */
static bool begin(session *s, pk_arena *arena, pk_err *err) {
    const time_cli *cli = s->cli;
    if (cli->baseline && !(s->baseline = pk_command_baseline_load(s->plan->home, cli->baseline,
                                                                  &s->plan->command, arena, err)))
        return false;
    if (cli->save && !(s->store = pk_store_open(s->plan->home, true, true, err))) return false;
    return time_exports_begin(cli, err);
}

int time_go(const pk_invocation *invocation, const time_cli *cli, const time_plan *plan,
            pk_err *err) {
    session s = {.invocation = invocation, .cli = cli, .plan = plan};
    int code = EXIT_WRONG;
    pk_interrupt *intr = NULL;
    pk_arena *arena = pk_arena_new(BASELINE_BYTES_MAX);
    if (!arena) pk_fail(err, PK_E_LIMIT, NULL, "out of memory");
    else if (begin(&s, arena, err) && (intr = pk_interrupt_begin(err))) code = run(&s, intr, err);
    pk_interrupt_end(intr);
    pk_store_close(s.store);
    pk_arena_free(arena);
    return code;
}
