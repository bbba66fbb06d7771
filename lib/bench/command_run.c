/* The order of things: which command runs when, how often, and what happens when one fails.
 *
 * There is one engine. A set of cases goes through set-ups, warm-ups and rounds, each round running
 * every case once; then come the figures and the clean-ups. In grouped order each case is a set of
 * its own, else all are one set. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/command_exec.h"
#include "bench/command_parts.h"
#include "bench/render.h"
#include "timing/clock.h"

#define ARENA_BYTES ((size_t)4 << 30)
/* With --target-ci alone a command whose times are too far apart is given up after so long. */
#define TARGET_TIME_S 60.0
enum { FIRST_LOOK = 10 }; /* runs of each, before the width of an interval is looked at */
/* The launcher goes from run to run by itself for so long, before progress is told again. */
#define RUN_ON_S 0.05

typedef struct case_state {
    pk_aside setup, prepare, conclude, cleanup;
    bool begun; /* its clean-up is due */
    size_t capacity;
    double wall_s; /* of those that count */
    size_t counted;
    double median_low_s, median_high_s; /* as last looked at; NaN: not yet */
} case_state;

typedef struct course {
    const pk_command_options *options;
    const pk_command_hooks *hooks;
    pk_interrupt *intr;
    pk_command_report *report;
    pk_command_failure *failure;
    pk_executor executor;
    pk_random random;
    case_state *states; /* of all cases */
    double cost_s;      /* of all runs of this set so far */
    size_t *order;      /* of the set in this round, relative to its first */
    uint64_t deadline_ns;
} course;

/* A part of the cases, and how far its rounds are. */
typedef struct set {
    size_t first, n;
    uint64_t rounds, planned, next_look, started_ns, deadline_ns;
    bool precise; /* --target-ci is met by all */
} set;

/* ---- messages ---- */

/* "the first timed run", for what an iteration's name says. */
static void name_run(char *out, size_t bytes, bool warmup, uint64_t number) {
    if (number == 0) snprintf(out, bytes, "the first %s run", warmup ? "warm-up" : "timed");
    else
        snprintf(out, bytes, "%s run %llu", warmup ? "warm-up" : "timed",
                 (unsigned long long)number + 1);
}

static char *name_end(char *out, size_t bytes, int code, int signal) {
    if (signal != 0) return pk_bench_signal_text(out, bytes, signal);
    snprintf(out, bytes, "ended with code %d", code);
    return out;
}

/* What failed, for people and with what it had to say. */
static void describe(course *c, pk_command_failure *failure, int code, int signal,
                     const char *what) {
    failure->code = code;
    failure->signal = signal;
    snprintf(failure->what, sizeof failure->what, "%s", what);
    pk_executor_errors(&c->executor, failure);
}

static pk_went aside_failed(course *c, const pk_command_case *of, const char *kind,
                            const pk_exit *exit, pk_err *err) {
    char end[128], what[256];
    snprintf(what, sizeof what, "the %s command %s", kind,
             name_end(end, sizeof end, exit->code, exit->signal));
    describe(c, c->failure, exit->code, exit->signal, what);
    pk_fail(err, PK_E_INPUT, of->name, "%s", what);
    pk_fix(err, "add `|| true` to it if that does not matter");
    return PK_WENT_WRONG;
}

static pk_went run_failed(course *c, const pk_command_case *of, const char *what, pk_err *err) {
    pk_fail(err, PK_E_INPUT, of->name, "%s", what);
    pk_fix(err, "-i (--ignore-failure) goes on regardless; --show-output shows what it prints");
    describe(c, c->failure, c->failure->code, c->failure->signal, what);
    return PK_WENT_WRONG;
}

/* ---- one run with what is around it ---- */

static pk_went aside(course *c, const pk_command_case *of, const pk_aside *what, const char *kind,
                     double *cost_s, pk_err *err) {
    double seconds;
    pk_exit exit;
    pk_went went = pk_executor_aside(&c->executor, of, what, c->intr, &seconds, &exit, err);
    if (went == PK_WENT_ON && exit.code != 0) went = aside_failed(c, of, kind, &exit, err);
    if (went == PK_WENT_ON) *cost_s += seconds;
    return went;
}

static bool is_ignored(const pk_command_options *o, const pk_command_run *run, bool refused) {
    if (!o->ignore_failure) return false;
    if (o->n_ignore_codes == 0 || refused) return true;
    int code = run->signal != 0 ? 128 + run->signal : run->code;
    for (size_t i = 0; i < o->n_ignore_codes; i++)
        if (o->ignore_codes[i] == code) return true;
    return false;
}

/* After a failed run: goes on when it was too slow, which is an answer, or when it is ignored. */
static pk_went judge_failed(course *c, size_t index, const pk_command_run *run, bool refused,
                            bool warmup, uint64_t number, pk_err *err) {
    const pk_command_case *of = &c->report->cases[index];
    pk_command_result *result = &c->report->results[index];
    char name[64], end[128], what[256];
    name_run(name, sizeof name, warmup, number);
    if (run->timed_out) snprintf(what, sizeof what, "%s was ended by --timeout", name);
    else if (refused) snprintf(what, sizeof what, "%s was refused by --check", name);
    else
        snprintf(what, sizeof what, "%s was %s", name,
                 name_end(end, sizeof end, run->code, run->signal));
    if (!run->timed_out && !refused && run->signal == 0)
        snprintf(what, sizeof what, "%s %s", name, end);
    bool goes_on = run->timed_out || is_ignored(c->options, run, refused);
    if (goes_on && warmup) return PK_WENT_ON;
    if (!result->first_failure) {
        result->first_failure = PK_NEW(c->report->arena, 1, pk_command_failure);
        if (!result->first_failure) {
            pk_command_no_room(err);
            return PK_WENT_WRONG;
        }
        describe(c, result->first_failure, run->code, run->signal, what);
    }
    if (goes_on) return PK_WENT_ON;
    c->failure->code = run->code;
    c->failure->signal = run->signal;
    return run_failed(c, of, what, err);
}

static pk_command_run *next_run(course *c, size_t index, pk_err *err) {
    pk_command_result *result = &c->report->results[index];
    case_state *state = &c->states[index];
    if (result->n_runs == state->capacity) {
        enum { LEAST = 16 };
        size_t capacity = state->capacity > 0 ? 2 * state->capacity : LEAST;
        pk_command_run *runs = PK_NEW(c->report->arena, capacity, pk_command_run);
        if (!runs) {
            pk_command_no_room(err);
            return NULL;
        }
        if (result->n_runs > 0) memcpy(runs, result->runs, result->n_runs * sizeof *runs);
        result->runs = runs;
        state->capacity = capacity;
    }
    return &result->runs[result->n_runs];
}

static void count_run(course *c, size_t index, const pk_command_run *run, double around_s) {
    pk_command_result *result = &c->report->results[index];
    case_state *state = &c->states[index];
    result->n_runs++;
    result->n_failed += run->failed;
    result->n_timed_out += run->timed_out;
    double launch_s = c->options->launch_included || isnan(run->launch_s) ? 0.0 : run->launch_s;
    c->cost_s += run->wall_s + run->shell_s + launch_s + around_s;
    if (run->failed && !c->options->failed_in_statistics) return;
    state->wall_s += run->wall_s;
    state->counted++;
}

/* prepare, command, conclude. A warm-up is not kept. */
static pk_went run_case(course *c, size_t index, bool warmup, uint64_t round, uint64_t place,
                        pk_err *err) {
    const pk_command_case *of = &c->report->cases[index];
    const case_state *state = &c->states[index];
    char iteration[32];
    double around_s = 0.0;
    bool refused;
    pk_command_run warm = {.failed = false}, *run = warmup ? &warm : next_run(c, index, err);
    if (!run) return PK_WENT_WRONG;
    snprintf(iteration, sizeof iteration, "%s%llu", warmup ? "warmup-" : "",
             (unsigned long long)round);
    pk_went went = aside(c, of, &state->prepare, "prepare", &around_s, err);
    if (went == PK_WENT_ON) went = pk_executor_run(&c->executor, of, iteration, run, &refused, err);
    if (went == PK_WENT_ON && run->failed)
        went = judge_failed(c, index, run, refused, warmup, round, err);
    if (went == PK_WENT_ON) went = aside(c, of, &state->conclude, "conclude", &around_s, err);
    if (went != PK_WENT_ON || warmup) return went;
    run->round = round;
    run->place = place;
    count_run(c, index, run, around_s);
    return went;
}

/* ---- progress ---- */

static double mean_of(const case_state *state) {
    return state->counted > 0 ? state->wall_s / (double)state->counted : NAN;
}

static void tell(const course *c, const set *s, pk_command_phase phase, size_t index,
                 uint64_t done) {
    if (!c->hooks || !c->hooks->progress) return;
    const case_state *state = &c->states[index];
    double elapsed_s = (double)(pk_now_ns() - s->started_ns) * 1e-9;
    bool rounds = phase == PK_PHASE_RUNS && s->rounds > 0;
    double left = rounds && s->planned > s->rounds ? (double)(s->planned - s->rounds) : 0.0;
    pk_command_progress progress = {
        .phase = phase,
        .index = index,
        .name = c->report->cases[index].shown,
        .done = done,
        .planned = phase == PK_PHASE_WARMUP ? c->options->warmup * s->n : s->planned * s->n,
        .estimate_s = mean_of(state),
        .median_low_s = state->median_low_s,
        .median_high_s = state->median_high_s,
        .elapsed_s = elapsed_s,
        .expected_s = rounds ? elapsed_s + left * c->cost_s / (double)s->rounds : NAN};
    if (phase == PK_PHASE_SHELL) {
        progress.planned = PK_SHELL_CALIBRATIONS;
        progress.name = NULL;
    }
    c->hooks->progress(c->hooks->context, &progress);
}

static void tell_shell(void *context, unsigned done) {
    const course *c = context;
    const set none = {.started_ns = pk_now_ns()};
    tell(c, &none, PK_PHASE_SHELL, 0, done);
}

/* ---- how many rounds ---- */

/* The figures of one result, for its interval; what they need beside is thrown away. */
static bool look_at(const course *c, size_t index, pk_command_result *view, pk_err *err) {
    pk_command_report one = *c->report;
    *view = c->report->results[index];
    one.cases = view->of;
    one.results = view;
    one.n_cases = one.n_results = 1;
    one.reference = 0;
    one.arena = pk_arena_new(ARENA_BYTES);
    bool ok = one.arena ? pk_command_analyse(c->options, &one, err) : pk_command_no_room(err);
    pk_arena_free(one.arena);
    return ok;
}

/* Is the interval of a set that is under way of use: shown to somebody? */
static bool is_shown(const course *c, const set *s) {
    return c->hooks && c->hooks->progress && s->n == 1;
}

/* Are the intervals of all narrow enough? At growing distances, so that it costs little. */
static bool look(course *c, set *s, pk_err *err) {
    bool asked = c->options->target_ci > 0.0, shown = is_shown(c, s);
    if (s->rounds < s->next_look || (!asked && !shown)) return true;
    s->next_look = s->rounds + s->rounds / 4 + 1;
    s->precise = asked;
    for (size_t i = s->first; i < s->first + s->n && (shown || s->precise); i++) {
        pk_command_result view;
        if (!look_at(c, i, &view, err)) return false;
        c->states[i].median_low_s = view.wall.median.low;
        c->states[i].median_high_s = view.wall.median.high;
        if (!pk_command_width_reached(&view, c->options->metric, c->options->target_ci))
            s->precise = false;
    }
    return true;
}

/* What one run of each costs on average, s, from all so far: no single run decides. In grouped
 * order the first one does, as with hyperfine. */
static void plan_rounds(const course *c, set *s) {
    if (c->options->order == PK_ORDER_GROUPED && s->rounds > 1) return;
    double mean_s = c->cost_s / ((double)s->rounds * (double)s->n);
    if (s->rounds > 1) mean_s *= 1.0 - 1e-12; /* what a sum rounds off must not cost a run */
    s->planned = pk_command_count(c->options, mean_s);
}

static bool enough(const course *c, const set *s) {
    const pk_command_options *o = c->options;
    uint64_t now_ns = pk_now_ns();
    if (s->rounds == 0) return false;
    if (now_ns >= s->deadline_ns) return true;
    if (s->rounds < s->planned) return false;
    if (o->target_ci <= 0.0 || o->runs > 0 || s->precise) return true;
    if (o->max_runs > 0 && s->rounds >= o->max_runs) return true;
    double spent_s = (double)(now_ns - s->started_ns) * 1e-9;
    return c->deadline_ns == UINT64_MAX && spent_s >= TARGET_TIME_S * (double)s->n;
}

/* ---- the order in a round ---- */

/* Every second round is the one before backwards: who goes first is balanced, and so is a drift
 * that is linear over the two; the first of each pair is drawn. */
static void arrange(course *c, const set *s) {
    bool mirrored = c->options->order == PK_ORDER_INTERLEAVED && s->rounds % 2 == 1;
    if (!mirrored) {
        pk_random_shuffle(&c->random, s->n, c->order);
        return;
    }
    for (size_t i = 0; i < s->n / 2; i++) {
        size_t other = c->order[i];
        c->order[i] = c->order[s->n - 1 - i];
        c->order[s->n - 1 - i] = other;
    }
}

/* ---- a set ---- */

static pk_went set_up(course *c, const set *s, pk_err *err) {
    pk_went went = PK_WENT_ON;
    double ignored = 0.0;
    for (size_t i = s->first; i < s->first + s->n && went == PK_WENT_ON; i++) {
        if (c->states[i].setup.line) tell(c, s, PK_PHASE_SETUP, i, i - s->first);
        c->states[i].begun = true; /* half done is to be cleaned up as well */
        went = aside(c, &c->report->cases[i], &c->states[i].setup, "setup", &ignored, err);
    }
    return went;
}

static pk_went warm_up(course *c, const set *s, pk_err *err) {
    pk_went went = PK_WENT_ON;
    for (uint64_t round = 0; round < c->options->warmup && went == PK_WENT_ON; round++)
        for (size_t i = 0; i < s->n && went == PK_WENT_ON; i++) {
            tell(c, s, PK_PHASE_WARMUP, s->first + i, round * s->n + i);
            went = run_case(c, s->first + i, true, round, i, err);
            if (pk_interrupt_signal(c->intr)) went = PK_WENT_STOPPED;
        }
    return went;
}

static pk_went run_round(course *c, set *s, pk_err *err) {
    arrange(c, s);
    for (size_t i = 0; i < s->n; i++) {
        size_t index = s->first + c->order[i];
        tell(c, s, s->rounds == 0 ? PK_PHASE_FIRST : PK_PHASE_RUNS, index, s->rounds * s->n + i);
        if (pk_interrupt_signal(c->intr)) return PK_WENT_STOPPED;
        pk_went went = run_case(c, index, false, s->rounds, i, err);
        if (went != PK_WENT_ON) return went;
    }
    s->rounds++;
    return PK_WENT_ON;
}

/* How many rounds the launcher can do by itself, from what those before took: none is begun that
 * would be one too many, and there is time to look in between. */
static uint64_t rounds_at_once(const course *c, const set *s) {
    uint64_t most = PK_LAUNCHER_RUNS_MAX / s->n, now_ns = pk_now_ns();
    if (s->rounds == 0 || s->rounds >= s->planned || now_ns >= s->deadline_ns) return 1;
    for (size_t i = s->first; i < s->first + s->n; i++) {
        const case_state *state = &c->states[i];
        if (state->prepare.line || state->conclude.line ||
            !pk_executor_runs_on(&c->executor, &c->report->cases[i]))
            return 1;
    }
    double cost_s = c->cost_s / (double)s->rounds;
    double left_s = (double)(s->deadline_ns - now_ns) * 1e-9;
    double fit = (left_s < RUN_ON_S ? left_s : RUN_ON_S) / cost_s;
    if (fit < (double)most) most = (uint64_t)fit;
    if (most > s->planned - s->rounds) most = s->planned - s->rounds;
    bool looks = c->options->target_ci > 0.0 || is_shown(c, s);
    if (looks && s->next_look > s->rounds && most > s->next_look - s->rounds)
        most = s->next_look - s->rounds;
    return most;
}

/* What came of the requests[0..n), of which each round has s->n. */
static pk_went take_runs(course *c, set *s, const size_t indices[], const pk_command_run runs[],
                         size_t first, size_t n, pk_err *err) {
    for (size_t i = first; i < first + n; i++) {
        pk_command_run *run = next_run(c, indices[i], err);
        if (!run) return PK_WENT_WRONG;
        *run = runs[i - first];
        run->round = s->rounds;
        run->place = i % s->n;
        pk_went went = PK_WENT_ON;
        if (run->failed) went = judge_failed(c, indices[i], run, false, false, s->rounds, err);
        if (went != PK_WENT_ON) return went;
        count_run(c, indices[i], run, 0.0);
        if (run->place == s->n - 1) s->rounds++;
    }
    return PK_WENT_ON;
}

/* So many rounds, without us between their runs. */
static pk_went run_on(course *c, set *s, uint64_t rounds, pk_err *err) {
    pk_run_request requests[PK_LAUNCHER_RUNS_MAX];
    pk_command_run runs[PK_LAUNCHER_RUNS_MAX];
    size_t indices[PK_LAUNCHER_RUNS_MAX] = {0}, n = 0;
    uint64_t begun = s->rounds;
    for (uint64_t round = begun; round < begun + rounds; round++) {
        s->rounds = round; /* which the order depends on */
        arrange(c, s);
        for (size_t i = 0; i < s->n; i++, n++) {
            indices[n] = s->first + c->order[i];
            requests[n].of = &c->report->cases[indices[n]];
            snprintf(requests[n].iteration, sizeof requests[n].iteration, "%llu",
                     (unsigned long long)round);
        }
    }
    s->rounds = begun;
    tell(c, s, PK_PHASE_RUNS, indices[0], s->rounds * s->n);
    for (size_t i = 0, done; i < n; i += done) {
        if (pk_interrupt_signal(c->intr)) return PK_WENT_STOPPED;
        pk_went went = pk_executor_run_all(&c->executor, requests + i, n - i, runs, &done, err);
        pk_went taken = take_runs(c, s, indices, runs, i, done, err);
        if (went != PK_WENT_ON || taken != PK_WENT_ON) return taken != PK_WENT_ON ? taken : went;
    }
    return PK_WENT_ON;
}

static pk_went run_rounds(course *c, set *s, pk_err *err) {
    while (!enough(c, s)) {
        uint64_t rounds = rounds_at_once(c, s);
        pk_went went = rounds > 1 ? run_on(c, s, rounds, err) : run_round(c, s, err);
        if (went != PK_WENT_ON) return went;
        plan_rounds(c, s);
        if (!look(c, s, err)) return PK_WENT_WRONG;
    }
    return PK_WENT_ON;
}

/* Results of the set to whoever waits for them. */
static bool deliver(course *c, const set *s, pk_err *err) {
    pk_command_report *report = c->report;
    if (!pk_command_analyse(c->options, report, err)) return false;
    for (size_t i = s->first; i < s->first + s->n && c->hooks; i++) {
        if (report->results[i].n_runs == 0) continue;
        if (s->n > 1 && c->hooks->started)
            c->hooks->started(c->hooks->context, i, &report->cases[i]);
        if (c->hooks->finished && !c->hooks->finished(c->hooks->context, report, i, err))
            return false;
    }
    return true;
}

/* Whatever happened; Ctrl-C does not keep it from tidying up (a second one ends us). */
static pk_went clean_up(course *c, const set *s, pk_went went, pk_err *err) {
    for (size_t i = s->first; i < s->first + s->n; i++) {
        const pk_command_case *of = &c->report->cases[i];
        double seconds;
        pk_exit exit;
        pk_err later = {.kind = PK_OK};
        if (!c->states[i].begun) continue;
        if (c->states[i].cleanup.line) tell(c, s, PK_PHASE_CLEANUP, i, i - s->first);
        pk_err *where = went == PK_WENT_WRONG ? &later : err; /* the first error is the one told */
        pk_went end = pk_executor_aside(&c->executor, of, &c->states[i].cleanup, NULL, &seconds,
                                        &exit, where);
        if (went == PK_WENT_WRONG) continue;
        if (end == PK_WENT_ON && exit.code != 0) end = aside_failed(c, of, "cleanup", &exit, err);
        if (end == PK_WENT_WRONG) went = end;
    }
    return went;
}

static size_t runs_of(const course *c, const set *s) {
    size_t runs = 0;
    for (size_t i = s->first; i < s->first + s->n; i++) runs += c->report->results[i].n_runs;
    return runs;
}

static pk_went run_set(course *c, set *s, pk_err *err) {
    pk_command_report *report = c->report;
    c->cost_s = 0.0;
    for (size_t i = 0; i < s->n; i++) c->order[i] = i;
    for (size_t i = s->first; i < s->first + s->n; i++) report->results[i].of = &report->cases[i];
    report->n_results = s->first + s->n;
    if (s->n == 1 && c->hooks && c->hooks->started)
        c->hooks->started(c->hooks->context, s->first, &report->cases[s->first]);
    pk_went went = set_up(c, s, err);
    if (went == PK_WENT_ON) went = warm_up(c, s, err);
    if (went == PK_WENT_ON) went = run_rounds(c, s, err);
    if (runs_of(c, s) == 0) report->n_results = s->first;
    if (went != PK_WENT_ON) report->partial = true;
    if (went == PK_WENT_STOPPED) report->interrupted = true;
    bool delivered = true;
    pk_err later; /* what could be measured is to be had; the first error is the one told */
    if (went == PK_WENT_WRONG) {
        if (!pk_command_analyse(c->options, report, &later)) report->n_results = s->first;
    } else if (report->n_results > s->first) {
        delivered = deliver(c, s, err);
    }
    return clean_up(c, s, delivered ? went : PK_WENT_WRONG, err);
}

/* ---- all ---- */

/* Of the time that is left, this set's share. */
static uint64_t set_deadline_ns(const course *c, const set *s) {
    if (c->deadline_ns == UINT64_MAX) return UINT64_MAX;
    uint64_t now_ns = pk_now_ns();
    uint64_t left_ns = c->deadline_ns > now_ns ? c->deadline_ns - now_ns : 0;
    return now_ns + left_ns / (c->report->n_cases - s->first) * s->n;
}

static pk_went run_sets(course *c, pk_err *err) {
    size_t n = c->report->n_cases;
    size_t step = c->options->order == PK_ORDER_GROUPED ? 1 : n;
    for (size_t first = 0; first < n; first += step) {
        set s = {.first = first, .n = step, .next_look = FIRST_LOOK, .started_ns = pk_now_ns()};
        s.deadline_ns = set_deadline_ns(c, &s);
        pk_went went = run_set(c, &s, err);
        if (went != PK_WENT_ON) return went;
        if (pk_interrupt_signal(c->intr)) {
            c->report->interrupted = true;
            c->report->partial = first + step < n;
            return PK_WENT_STOPPED;
        }
    }
    return PK_WENT_ON;
}

static pk_went calibrate(course *c, pk_err *err) {
    pk_command_report *report = c->report;
    for (size_t i = 0; i < report->n_cases; i++)
        if (report->cases[i].through_shell) report->shell_used = true;
    if (!report->shell_used) return PK_WENT_ON;
    pk_went went = pk_executor_calibrate(&c->executor, tell_shell, c, report->arena, err);
    if (went == PK_WENT_ON) {
        report->shell_s = c->executor.shell_s;
        report->shell_sd_s = c->executor.shell_sd_s;
    }
    return went;
}

static bool line_of(const course *c, const char *line, pk_aside *out, pk_err *err) {
    out->line = line;
    return !line || pk_command_argv(c->options, line, c->report->arena, &out->argv,
                                    &out->through_shell, err);
}

static bool prepare_states(course *c, pk_err *err) {
    pk_command_report *report = c->report;
    size_t n = report->n_cases;
    c->states = calloc(n, sizeof *c->states);
    c->order = calloc(n, sizeof *c->order);
    report->results = PK_NEW(report->arena, n, pk_command_result);
    if (!c->states || !c->order || !report->results) return pk_command_no_room(err);
    for (size_t i = 0; i < n; i++) {
        const pk_command_case *of = &report->cases[i];
        case_state *state = &c->states[i];
        state->median_low_s = state->median_high_s = NAN;
        if (!line_of(c, of->setup, &state->setup, err) ||
            !line_of(c, of->prepare, &state->prepare, err) ||
            !line_of(c, of->conclude, &state->conclude, err) ||
            !line_of(c, of->cleanup, &state->cleanup, err))
            return false;
        if (c->options->check && of->output == PK_OUTPUT_INHERIT) {
            pk_fail(err, PK_E_USAGE, "--check", "it cannot read what the terminal gets");
            pk_fix(err, "leave out --show-output (--output=inherit)");
            return false;
        }
    }
    return true;
}

static bool begin(course *c, pk_err *err) {
    const pk_command_options *o = c->options;
    pk_command_report *report = c->report;
    pk_command_case *cases = NULL;
    *report = (pk_command_report){.options = o,
                                  .shell_s = NAN,
                                  .shell_sd_s = NAN,
                                  .seed = o->seed,
                                  .started_unix_ns = pk_unix_ns()};
    *c->failure = (pk_command_failure){.code = 0};
    report->arena = pk_arena_new(ARENA_BYTES);
    if (!report->arena) return pk_command_no_room(err);
    if (!pk_command_cases(o, report->arena, &cases, &report->n_cases, err)) return false;
    report->cases = cases;
    report->rounds = o->order != PK_ORDER_GROUPED && report->n_cases > 1;
    pk_environment_read("", &report->environment);
    pk_random_seed(&c->random, o->seed);
    return prepare_states(c, err);
}

static uint64_t deadline_ns(const pk_command_options *o, uint64_t start_ns) {
    double ns = o->max_time_s * 1e9;
    return o->max_time_s > 0.0 && ns < 9e18 ? start_ns + (uint64_t)ns : UINT64_MAX;
}

bool pk_command_run_all(const pk_command_options *options, const pk_command_hooks *hooks,
                        pk_interrupt *intr, pk_command_report *report, pk_command_failure *failure,
                        pk_err *err) {
    course c = {
        .options = options, .hooks = hooks, .intr = intr, .report = report, .failure = failure};
    uint64_t start_ns = pk_now_ns();
    pk_went went = PK_WENT_WRONG;
    if (begin(&c, err)) {
        if (pk_executor_open(&c.executor, options, intr, report->arena, err))
            went = calibrate(&c, err);
        c.deadline_ns = deadline_ns(options, pk_now_ns());
        if (went == PK_WENT_ON) went = run_sets(&c, err);
        else if (went == PK_WENT_STOPPED) report->interrupted = report->partial = true;
        pk_executor_close(&c.executor);
    }
    free(c.states);
    free(c.order);
    report->duration_ns = pk_now_ns() - start_ns;
    return went != PK_WENT_WRONG;
}

void pk_command_report_fini(pk_command_report *report) {
    pk_arena_free(report->arena);
    *report = (pk_command_report){.arena = NULL};
}
