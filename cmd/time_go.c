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
#define BASELINE_BYTES_MAX ((size_t)1 << 30)
#define REDRAW_NS (100 * PK_NS_PER_MS) /* writing to a terminal disturbs the next run */

typedef struct session {
    const pk_invocation *invocation;
    const time_cli *cli;
    const time_plan *plan;
    pk_arena *arena;                     /* of the baseline */
    const pk_command_baseline *baseline; /* NULL: none is asked for */
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
    if (!s->progress.out || soon) return;
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

static bool on_finished(void *context, const pk_command_report *report, size_t index, pk_err *err) {
    session *s = context;
    pk_progress_close(&s->progress);
    s->drawn_ns = 0;
    if (s->baseline &&
        !pk_command_baseline_compare(s->baseline, &s->plan->command, report, index, err))
        return false;
    print_result(s, report, index);
    /* In rounds all results come at once: they are written when the run is over. */
    return report->rounds || time_exports_write(s->cli, s->plan, report, err);
}

static void print_summary(const session *s, const pk_command_report *report) {
    pk_strbuf text, note;
    pk_strbuf_init(&text, TEXT_BYTES_MAX);
    pk_strbuf_init(&note, TEXT_BYTES_MAX);
    pk_command_render_summary(report, &s->plan->style, &text, &note);
    if (s->plan->silent) pk_strbuf_fini(&text);
    else print_text(stdout, &text);
    print_text(stderr, &note);
}

/* ---- the gate ---- */

static void say_gate(const session *s, const pk_command_report *report,
                     const pk_command_gate_result *g) {
    const char *verdict = g->failed ? "failed" : "passed";
    const char *against = s->cli->baseline ? s->cli->baseline : "the reference";
    if (g->compared == 0) {
        fprintf(stderr, "gate %s: there was nothing to compare with\n", verdict);
        return;
    }
    fprintf(stderr, "gate %s: %zu of %zu compared with %s are slower for sure", verdict,
            g->failures, g->compared, against);
    if (g->first) fprintf(stderr, "; the first: %s", g->first->of->shown);
    fputc('\n', stderr);
    (void)report;
}

static bool judge(const session *s, const pk_command_report *report, bool *failed, pk_err *err) {
    pk_command_gate_result g;
    bool asked = s->cli->fail_on || s->plan->gate.slower >= 0;
    *failed = false;
    if (!asked) return true;
    if (!pk_command_gate_judge(&s->plan->gate, s->plan->command.confidence_level, report, &g, err))
        return false;
    say_gate(s, report, &g);
    *failed = g.failed;
    return true;
}

/* ---- the store ---- */

static bool load_baseline(session *s, pk_err *err) {
    const char *source = s->cli->baseline;
    if (!source) return true;
    s->baseline = pk_command_baseline_load(s->plan->home, source, &s->plan->command, s->arena, err);
    return s->baseline != NULL;
}

static bool save_baseline(const session *s, const pk_command_report *report, pk_err *err) {
    const char *name = s->cli->save;
    if (!name) return true;
    pk_store *store = pk_store_open(s->plan->home, true, true, err);
    if (!store) return false;
    bool ok = pk_command_store_save(store, &s->plan->command, report, name, err);
    pk_store_close(store);
    if (ok) fprintf(stderr, "saved as %s in %s\n", name, s->plan->home);
    return ok;
}

/* ---- the run ---- */

static int finish(session *s, const pk_command_report *report, pk_err *err) {
    bool gate_failed = false;
    if (report->n_results > 0) {
        print_summary(s, report);
        if (!time_exports_write(s->cli, s->plan, report, err) ||
            !time_exports_end(s->cli, s->plan, report, err))
            return EXIT_WRONG;
    }
    fflush(stdout); /* before what stderr says of it */
    if (report->interrupted) {
        fprintf(stderr, "%s: interrupted, the results are partial\n", s->invocation->name);
        return EXIT_INTERRUPTED;
    }
    if (!save_baseline(s, report, err)) return EXIT_WRONG;
    if (!judge(s, report, &gate_failed, err)) return EXIT_WRONG;
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
    const pk_command_hooks hooks = {
        .context = s, .started = on_started, .progress = on_progress, .finished = on_finished};
    pk_command_report report = {0};
    pk_command_failure failure = {0};
    s->progress = pk_progress_open(stderr, s->plan->progress && isatty(STDERR_FILENO) == 1);
    bool ok = pk_command_run_all(&s->plan->command, &hooks, intr, &report, &failure, err);
    pk_progress_close(&s->progress);
    int code = EXIT_WRONG;
    if (ok) code = finish(s, &report, err);
    else if (failure.what[0]) code = say_failure(s, &failure, err);
    /* The line's grammar was right: with hyperfine's exit codes the rest is another kind. */
    else if (s->invocation->as_peer && err->kind == PK_E_USAGE) err->kind = PK_E_INPUT;
    pk_command_report_fini(&report);
    return code;
}

int time_go(const pk_invocation *invocation, const time_cli *cli, const time_plan *plan,
            pk_err *err) {
    session s = {.invocation = invocation, .cli = cli, .plan = plan};
    int code = EXIT_WRONG;
    s.arena = pk_arena_new(BASELINE_BYTES_MAX);
    if (!s.arena) {
        pk_fail(err, PK_E_LIMIT, NULL, "out of memory");
        return code;
    }
    pk_interrupt *intr = NULL;
    if (load_baseline(&s, err) && time_exports_begin(cli, err)) intr = pk_interrupt_begin(err);
    if (intr) {
        code = run(&s, intr, err);
        pk_interrupt_end(intr);
    }
    pk_arena_free(s.arena);
    return code;
}
