/* perfkit time: from the options on the line to what is to be done. */
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/units.h"
#include "bench/command_store.h"
#include "cmd/bench_cli.h"
#include "cmd/terminal.h"
#include "cmd/time_cli.h"
#include "report/progress.h"
#include "timing/clock.h"

#define COLUMNS_USUAL 80

typedef struct planner {
    const pk_invocation *invocation;
    const time_cli *cli;
    pk_arena *arena;
} planner;

static bool is_given(const planner *p, const char *name) {
    return pk_parsed_given(&pk_cmd_time, p->invocation->parsed, name);
}

static bool fail_memory(pk_err *err) {
    pk_fail(err, PK_E_LIMIT, NULL, "no memory for a command line this long");
    return false;
}

bool time_check_baseline(const char *text, pk_err *err) {
    return pk_command_baseline_is_file(text) || bench_check_baseline(text, err);
}

/* ---- the line as a whole ---- */

/* hyperfine takes most options once; for perfkit the last one counts, as everywhere. */
static bool check_repeated(const planner *p, pk_err *err) {
    const pk_opt *again = pk_parsed_again(&pk_cmd_time, p->invocation->parsed);
    if (!p->invocation->as_peer || !again || strcmp(again->name, "shell") == 0) return true;
    pk_fail(err, PK_E_USAGE, NULL, "--%s is given more than once", again->name);
    pk_fix(err, "give it once");
    return false;
}

static bool check_gate(const planner *p, const pk_command_options *o, pk_err *err) {
    const char *gate = is_given(p, "fail-if-slower") ? "--fail-if-slower" : "--fail-on";
    if (!p->cli->fail_on && !is_given(p, "fail-if-slower")) return true;
    if (p->cli->baseline) return true;
    if (!o->reference) {
        pk_fail(err, PK_E_USAGE, gate, "there is nothing to compare with");
        pk_fix(err, "add --reference COMMAND or --baseline NAME");
    } else if (o->order == PK_ORDER_GROUPED) {
        pk_fail(err, PK_E_USAGE, gate, "a comparison of grouped runs is not to be trusted");
        pk_fix(err, "add --order interleaved");
    } else {
        return true;
    }
    return false;
}

static bool check_json(const time_cli *cli, pk_err *err) {
    for (size_t i = 0; cli->json && i < PK_EXPORTS; i++) {
        if (!cli->exports[i] || strcmp(cli->exports[i], "-") != 0) continue;
        pk_fail(err, PK_E_USAGE, NULL, "--json and an export to - both want standard output");
        pk_fix(err, "give the export a file");
        return false;
    }
    return true;
}

/* The table's bounds are inclusive; these are not. */
static bool check_shares(const planner *p, pk_err *err) {
    const struct {
        const char *name;
        double value, below;
    } shares[] = {
        {"target-ci", p->cli->target_ci, 1},
        {"confidence-level", p->cli->confidence_level, 1},
        {"noise-threshold", p->cli->noise_threshold, 2},
        {"equivalence", p->cli->equivalence, 2},
    };
    for (size_t i = 0; i < sizeof shares / sizeof *shares; i++) {
        if (!is_given(p, shares[i].name)) continue;
        if (shares[i].value > 0 && shares[i].value < shares[i].below) continue;
        pk_fail(err, PK_E_USAGE, NULL, "--%s: %g is not between 0 and 1", shares[i].name,
                shares[i].value);
        pk_fix(err, "use a share such as 0.05 or 5%%, neither 0 nor 1");
        return false;
    }
    return true;
}

/* ---- commands and parameters ---- */

/* Each word is a command line; the words after "--" are one command, or with hyperfine's grammar
 * again one line each. */
static bool set_commands(const planner *p, pk_command_options *o, pk_err *err) {
    const pk_text_list *lines = &p->cli->commands, *rest = &p->cli->argv;
    bool apart = p->invocation->as_peer;
    size_t n = lines->count + (apart ? rest->count : rest->count > 0);
    pk_command_line *commands = PK_NEW(p->arena, n, pk_command_line);
    const char **argv = PK_NEW(p->arena, rest->count + 1, const char *);
    if (n == 0) {
        pk_fail(err, PK_E_USAGE, NULL, "no command is given");
        pk_fix(err, "try: %s 'sleep 0.1'", p->invocation->name);
        return false;
    }
    if (!commands || !argv) return fail_memory(err);
    for (size_t i = 0; i < n; i++) {
        if (i < lines->count) commands[i].text = lines->items[i];
        else if (apart) commands[i].text = rest->items[i - lines->count];
        else commands[i] = (pk_command_line){.argv = argv, .argc = rest->count};
    }
    if (rest->count) memcpy(argv, rest->items, rest->count * sizeof *argv);
    o->commands = commands;
    o->n_commands = n;
    return true;
}

static bool set_parameters(const planner *p, pk_command_options *o, pk_err *err) {
    const pk_text_list *scan = &p->cli->scan, *lists = &p->cli->lists;
    if (scan->count == 3)
        o->scan = (pk_parameter_scan){scan->items[0], scan->items[1], scan->items[2], p->cli->step};
    pk_parameter_list *pairs = PK_NEW(p->arena, lists->count / 2, pk_parameter_list);
    if (!pairs) return fail_memory(err);
    for (size_t i = 0; i < lists->count / 2; i++)
        pairs[i] = (pk_parameter_list){lists->items[2 * i], lists->items[2 * i + 1]};
    o->lists = pairs;
    o->n_lists = lists->count / 2;
    return true;
}

/* ---- how they run ---- */

static bool set_shell(const planner *p, pk_command_options *o, pk_err *err) {
    const char *shell = p->cli->shell;
    if (shell && shell[strspn(shell, " \t\n")] == '\0') {
        pk_fail(err, PK_E_INPUT, "--shell", "names no shell");
        pk_fix(err, "use a shell such as bash, or none");
        return false;
    }
    if (p->cli->no_shell || (shell && strcmp(shell, "none") == 0)) o->shell_kind = PK_SHELL_NONE;
    else if (shell || p->invocation->as_peer) o->shell_kind = PK_SHELL_GIVEN;
    if (shell && strcmp(shell, "default") != 0) o->shell = shell;
    return true;
}

/* One code of "1, 3"; blanks around it do not count. */
static bool parse_code(const char *text, size_t length, int *code, pk_err *err) {
    char copy[32];
    int64_t value;
    while (length > 0 && strchr(" \t\n", *text)) text++, length--;
    while (length > 0 && strchr(" \t\n", text[length - 1])) length--;
    snprintf(copy, sizeof copy, "%.*s", length < sizeof copy ? (int)length : 0, text);
    if (!pk_parse_int(copy, INT32_MIN, INT32_MAX, &value, err)) {
        err->kind = PK_E_INPUT;
        snprintf(err->where, sizeof err->where, "--ignore-failure");
        pk_fix(err, "use exit codes such as 1,3, or all-non-zero");
        return false;
    }
    *code = (int)value;
    return true;
}

static bool set_ignored(const planner *p, pk_command_options *o, pk_err *err) {
    const char *text = p->cli->ignore;
    if (!text) return true;
    o->ignore_failure = true;
    if (strcmp(text, "all-non-zero") == 0) return true;
    size_t n = 1;
    for (const char *c = text; *c; c++) n += *c == ',';
    int *codes = PK_NEW(p->arena, n, int);
    if (!codes) return fail_memory(err);
    for (size_t i = 0; i < n; i++) {
        size_t length = strcspn(text, ",");
        if (!parse_code(text, length, &codes[i], err)) return false;
        text += length + (text[length] == ',');
    }
    o->ignore_codes = codes;
    o->n_ignore_codes = n;
    return true;
}

static bool set_input(const planner *p, pk_command_options *o, pk_err *err) {
    const char *path = p->cli->input;
    o->input_command = p->cli->input_command;
    if (strcmp(path, "null") == 0) return true;
    if (access(path, R_OK) < 0) {
        pk_fail(err, PK_E_SYS, path, "cannot read what --input names");
        pk_fix(err, "check the path");
        return false;
    }
    o->input = path;
    return true;
}

static bool set_outputs(const planner *p, pk_command_options *o, pk_err *err) {
    o->outputs = p->cli->outputs;
    if (!p->cli->show_output) return true;
    const char **inherit = PK_NEW(p->arena, 1, const char *);
    if (!inherit) return fail_memory(err);
    inherit[0] = "inherit";
    o->outputs = (pk_text_list){.items = inherit, .count = 1};
    return true;
}

static bool set_counts(const planner *p, pk_command_options *o, pk_err *err) {
    const time_cli *cli = p->cli;
    o->warmup = cli->warmup;
    o->runs = cli->runs;
    o->min_runs = is_given(p, "min-runs") && cli->min_runs == 0 ? 1 : cli->min_runs;
    o->max_runs = cli->max_runs;
    o->min_time_s = (double)cli->min_time_ns / 1e9;
    o->max_time_s = (double)cli->max_time_ns / 1e9;
    o->target_ci = cli->target_ci;
    o->timeout_ns = cli->timeout_ns;
    if (o->max_runs == 0 || o->min_runs <= o->max_runs) return true;
    pk_fail(err, PK_E_INPUT, NULL, "--min-runs is more than --max-runs");
    pk_fix(err, "lower one or raise the other");
    return false;
}

static void set_rest(const planner *p, pk_command_options *o) {
    const time_cli *cli = p->cli;
    bool peer = p->invocation->as_peer;
    o->names = cli->names;
    o->reference = cli->reference;
    o->reference_name = cli->reference_name;
    o->setup = cli->setup;
    o->cleanup = cli->cleanup;
    o->prepares = cli->prepares;
    o->concludes = cli->concludes;
    o->check = cli->check;
    o->cpus = cli->cpus;
    o->order = is_given(p, "order") ? (pk_command_order)cli->order
               : peer               ? PK_ORDER_GROUPED
                                    : PK_ORDER_INTERLEAVED;
    o->failed_in_statistics = is_given(p, "failed") ? cli->failed == 1 : peer;
    o->seed = cli->seed ? cli->seed : pk_now_ns();
    o->metric = (pk_command_metric)cli->metric;
    o->launch_included = peer;
    o->debug_mode = cli->debug_mode;
    o->confidence_level = cli->confidence_level;
    o->noise_threshold = cli->noise_threshold;
    o->equivalence = cli->equivalence;
}

/* ---- text ---- */

static bool is_inherited(const pk_command_options *o) {
    for (size_t i = 0; i < o->outputs.count; i++)
        if (strcmp(o->outputs.items[i], "inherit") == 0) return true;
    return false;
}

static bool choose_colour(const time_cli *cli, bool inherited) {
    if (cli->color != PK_COLOUR_AUTO) return pk_terminal_colour(stdout, (pk_colour_when)cli->color);
    if (cli->look == LOOK_FULL || cli->look == LOOK_COLOR) return true;
    bool open = (cli->look == LOOK_AUTO && !inherited) || cli->look == LOOK_COMPACT;
    return open && pk_terminal_colour(stdout, PK_COLOUR_AUTO);
}

static void set_text(const planner *p, time_plan *plan) {
    const time_cli *cli = p->cli;
    bool inherited = is_inherited(&plan->command);
    plan->silent = cli->json || cli->look == LOOK_NONE;
    plan->progress = cli->look == LOOK_FULL || cli->look == LOOK_NOCOLOR ||
                     ((cli->look == LOOK_AUTO || cli->look == LOOK_COMPACT) && !inherited);
    plan->style = (pk_command_style){
        .colour = choose_colour(cli, inherited),
        .hyperfine = p->invocation->as_peer,
        .compact = cli->look == LOOK_COMPACT,
        .histogram = cli->histogram,
        .unit = is_given(p, "time-unit") ? (pk_time_unit)(cli->unit + 1) : PK_UNIT_AUTO,
        .sort = (pk_command_sort)cli->sort,
        .width = pk_terminal_columns(STDOUT_FILENO, COLUMNS_USUAL),
    };
}

bool time_plan_make(const pk_invocation *invocation, const time_cli *cli, time_plan *plan,
                    pk_err *err) {
    const planner p = {invocation, cli, invocation->parsed->arena};
    time_plan made = {
        .gate = {.stored = cli->baseline != NULL, .regressed = cli->fail_on == 1, .slower = NAN}};
    pk_command_options *o = &made.command;
    if (!check_repeated(&p, err) || !set_commands(&p, o, err) || !check_shares(&p, err) ||
        !check_json(cli, err))
        return false;
    set_rest(&p, o);
    if (!check_gate(&p, o, err) || !set_parameters(&p, o, err) || !set_shell(&p, o, err) ||
        !set_ignored(&p, o, err) || !set_input(&p, o, err) || !set_outputs(&p, o, err) ||
        !set_counts(&p, o, err))
        return false;
    if (is_given(&p, "fail-if-slower")) made.gate.slower = cli->fail_if_slower;
    set_text(&p, &made);
    made.home = cli->home && cli->home[0] ? cli->home : bench_home(p.arena);
    if (!made.home) return fail_memory(err);
    *plan = made;
    return true;
}
