/* perfkit flame: from the options on the line to what is to be done. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/process.h"
#include "base/units.h"
#include "cmd/flame_cli.h"
#include "cmd/output.h"
#include "cmd/target.h"
#include "flame/saved_file.h"

#define TOP_USUAL 5
#define COMPRESSION_MAX 22

typedef struct planner {
    const pk_invocation *invocation;
    const flame_cli *cli;
    pk_arena *arena;
} planner;

static bool is_given(const planner *p, const char *name) {
    return pk_parsed_given(&pk_cmd_flame, p->invocation->parsed, name);
}

static bool fail_memory(pk_err *err) {
    pk_fail(err, PK_E_LIMIT, NULL, "no memory for a command line this long");
    return false;
}

/* ---- what is profiled ---- */

static bool has_command(const planner *p) {
    return p->cli->words.count + p->cli->argv.count > 0;
}

static bool is_recorded(const planner *p) {
    return has_command(p) || p->cli->pids.count || p->cli->all_cpus;
}

/* Somebody sends text to us: neither a terminal nor nothing. */
static bool is_stdin_given(void) {
    struct stat st;
    if (fstat(STDIN_FILENO, &st) != 0) return false;
    return S_ISFIFO(st.st_mode) || S_ISREG(st.st_mode) || S_ISSOCK(st.st_mode);
}

/* A command beside a source that leaves nothing to run. */
static bool check_command(const planner *p, pk_err *err) {
    static const char *const others[] = {"pid", "perfdata", "folded", "diff"};
    for (size_t i = 0; has_command(p) && i < sizeof others / sizeof *others; i++) {
        if (!is_given(p, others[i])) continue;
        pk_fail(err, PK_E_USAGE, NULL, "a command cannot be given with --%s", others[i]);
        pk_fix(err, "leave one of them out");
        return false;
    }
    /* flamegraph's grammar knows a command behind "--" only. */
    if (!p->invocation->as_peer || p->cli->words.count == 0) return true;
    pk_fail(err, PK_E_USAGE, NULL, "unexpected argument '%s'", p->cli->words.items[0]);
    pk_fix(err, "put -- before the command");
    return false;
}

/* A file with a profile in the place of the command. */
static bool check_program(const planner *p, pk_err *err) {
    const char *word = p->cli->words.count == 1 ? p->cli->words.items[0] : NULL;
    pk_saved_kind kind =
        word && access(word, X_OK) != 0 ? pk_saved_file_kind(word) : PK_SAVED_UNKNOWN;
    if (kind == PK_SAVED_UNKNOWN) return true;
    pk_fail(err, PK_E_USAGE, word, "is a profile, and no program");
    pk_fix(err, "to draw it: %s %s %.100s", p->invocation->name,
           kind == PK_SAVED_PERF_DATA ? "--perfdata" : "--folded", word);
    return false;
}

/* Options of the recorder, where nothing is recorded. */
static bool check_recording(const planner *p, pk_err *err) {
    static const char *const options[] = {
        "recorder", "freq",   "period",       "call-graph", "duration",
        "delay",    "detach", "grace",        "keep",       "compression-level",
        "cmd",      "root",   "ignore-status"};
    if (is_recorded(p) || p->invocation->as_peer) return true;
    for (size_t i = 0; i < sizeof options / sizeof *options; i++) {
        if (!is_given(p, options[i])) continue;
        pk_fail(err, PK_E_USAGE, NULL, "--%s is for recording, and nothing is recorded",
                options[i]);
        pk_fix(err, "leave it out, or give a command or --pid");
        return false;
    }
    return true;
}

static bool check_perf(const planner *p, pk_err *err) {
    static const char *const options[] = {"keep", "compression-level", "cmd", "root"};
    if (p->cli->recorder != PK_RECORDER_OWN) return true;
    for (size_t i = 0; i < sizeof options / sizeof *options; i++) {
        if (!is_given(p, options[i])) continue;
        pk_fail(err, PK_E_USAGE, NULL, "--%s needs perf", options[i]);
        pk_fix(err, "use --recorder perf");
        return false;
    }
    return true;
}

/* A difference has no order of time, and is of two profiles. */
static bool check_difference(const planner *p, const flame_plan *plan, pk_err *err) {
    static const char *const options[] = {"flamechart", "by-thread", "post-process"};
    bool drawn =
        plan->format == FLAME_SVG || plan->format == FLAME_FOLDED || plan->format == FLAME_JSON;
    if (!plan->after) return true;
    for (size_t i = 0; i < sizeof options / sizeof *options; i++) {
        if (!is_given(p, options[i])) continue;
        pk_fail(err, PK_E_USAGE, NULL, "--%s is not for a difference", options[i]);
        pk_fix(err, "leave it out");
        return false;
    }
    if (drawn) return true;
    pk_fail(err, PK_E_USAGE, NULL, "a difference cannot be written in this format");
    pk_fix(err, "use svg, folded or json");
    return false;
}

static bool set_inputs(const planner *p, flame_plan *plan, pk_err *err) {
    const flame_cli *cli = p->cli;
    plan->flame.perf_data = cli->perf_data;
    plan->flame.inputs = cli->folded;
    if (cli->diff.count == 2) {
        plan->before = cli->diff.items[0];
        plan->after = cli->diff.items[1];
    }
    if (is_recorded(p) || cli->perf_data || cli->folded.count || plan->after) return true;
    if (p->invocation->as_peer || !is_stdin_given()) {
        pk_fail(err, PK_E_USAGE, NULL, "there is nothing to profile");
        pk_fix(err, "try: %s -- ./program", p->invocation->name);
        return false;
    }
    const char **items = PK_NEW(p->arena, 1, const char *);
    if (!items) return fail_memory(err);
    items[0] = "-";
    plan->flame.inputs = (pk_text_list){.items = items, .count = 1};
    return true;
}

/* ---- how it is recorded ---- */

static bool set_call_graph(const planner *p, pk_record_options *record, pk_err *err) {
    static const char *const names[] = {"dwarf", "fp", "lbr", "none"};
    const char *text = p->cli->call_graph, *comma = strchr(text, ',');
    size_t length = comma ? (size_t)(comma - text) : strlen(text), i;
    uint64_t bytes = PK_STACK_COPY_MAX;
    for (i = 0; i < sizeof names / sizeof *names; i++)
        if (strlen(names[i]) == length && strncmp(names[i], text, length) == 0) break;
    record->call_graph = (pk_call_graph)i;
    bool known = i < sizeof names / sizeof *names;
    if (!known || (comma && i != PK_CALL_GRAPH_DWARF) ||
        (comma && !pk_parse_bytes(comma + 1, &bytes, err)) || bytes < 8) {
        pk_fail(err, PK_E_USAGE, "--call-graph", "%s is no way to find callers", text);
        pk_fix(err, "use dwarf, dwarf,BYTES, fp, lbr or none");
        return false;
    }
    if (bytes > PK_STACK_COPY_MAX) {
        pk_fail(err, PK_E_USAGE, "--call-graph", "the kernel copies at most %u bytes of a stack",
                PK_STACK_COPY_MAX);
        pk_fix(err, "use dwarf for all of them");
        return false;
    }
    record->stack_bytes = (uint32_t)(bytes & ~(uint64_t)7);
    return true;
}

/* With words of its own perf writes where they say. */
static bool set_perf_words(const planner *p, pk_record_options *record, pk_err *err) {
    if (!p->cli->perf_words) return true;
    record->perf_words = target_split(NULL, p->cli->perf_words, p->arena, err);
    if (!record->perf_words) return false;
    for (const char *const *word = record->perf_words; *word; word++)
        if (strcmp(*word, "-o") == 0 && word[1]) record->keep = word[1];
    return true;
}

static bool set_compression(const planner *p, pk_record_options *record, pk_err *err) {
    int64_t level;
    if (!p->cli->compression) return true;
    if (!pk_parse_int(p->cli->compression, 1, COMPRESSION_MAX, &level, err)) {
        pk_fail(err, PK_E_USAGE, "--compression-level", "%s is no level from 1 to %d",
                p->cli->compression, COMPRESSION_MAX);
        pk_fix(err, "use --compression-level=1");
        return false;
    }
    record->compression = (int)level;
    return true;
}

/* Under sudo what is kept is for who called it. */
static void set_owner(pk_record_options *record) {
    pk_file_owner owner;
    record->give_away = output_owner(&owner);
    if (!record->give_away) return;
    record->owner = owner.user;
    record->group = owner.group;
}

static bool set_recording(const planner *p, flame_plan *plan, pk_err *err) {
    const flame_cli *cli = p->cli;
    pk_record_options *record = &plan->flame.record;
    const char *perf = getenv("PERF");
    static const pk_recorder_choice choices[] = {PK_RECORDER_AUTO, PK_RECORDER_PERF,
                                                 PK_RECORDER_OWN};
    plan->flame.recorder = choices[cli->recorder];
    *record = (pk_record_options){
        .all_cpus = cli->all_cpus,
        .event = cli->event,
        .frequency_hz = cli->period ? 0 : cli->frequency_hz,
        .period = cli->period,
        .duration_ns = cli->duration_ns,
        .delay_ns = cli->delay_ns,
        .off_cpu = cli->off_cpu,
        .detach = cli->detach,
        .grace_ns = cli->grace_ns,
        .perf = perf && perf[0] ? perf : "perf",
        .keep = cli->keep,
    };
    set_owner(record);
    if (cli->root && !(record->root = target_split("sudo", cli->root, p->arena, err))) return false;
    char **argv = NULL;
    if (!target_command(&cli->words, &cli->argv, p->arena, &argv, err)) return false;
    record->argv = argv;
    return target_pids(&cli->pids, "profile the whole machine with -a", p->arena, &record->pids,
                       &record->n_pids, err) &&
           set_call_graph(p, record, err) && set_perf_words(p, record, err) &&
           set_compression(p, record, err);
}

/* ---- stacks ---- */

/* "5s-10s", "5s-", "-10s" */
static bool set_time_range(const planner *p, pk_collapse_options *collapse, pk_err *err) {
    const char *text = p->cli->time_range, *dash = text ? strchr(text, '-') : NULL;
    char from[PK_FORMAT_MAX];
    if (!text) return true;
    bool ok = dash && (size_t)(dash - text) < sizeof from && strcmp(text, "-") != 0;
    if (ok) {
        snprintf(from, sizeof from, "%.*s", (int)(dash - text), text);
        ok = (!from[0] || pk_parse_duration(from, &collapse->begin_ns, err)) &&
             (!dash[1] || pk_parse_duration(dash + 1, &collapse->end_ns, err)) &&
             (!dash[1] || collapse->begin_ns < collapse->end_ns);
    }
    if (ok) return true;
    pk_fail(err, PK_E_USAGE, "--time-range", "%s is no part of a recording", text);
    pk_fix(err, "use one such as 5s-10s, 5s- or -10s");
    return false;
}

static bool set_collapse(const planner *p, pk_collapse_options *collapse, pk_err *err) {
    const flame_cli *cli = p->cli;
    bool in_order = cli->picture.flamechart || cli->by_thread;
    *collapse = (pk_collapse_options){
        .symbolise = {.no_inline = cli->no_inline,
                      .raw = cli->raw_names,
                      .addresses = cli->addresses,
                      .annotate_kernel = cli->annotate & 1,
                      .annotate_jit = cli->annotate & 2,
                      .skip_after = cli->skip_after},
        .label = cli->by_thread ? PK_LABEL_TID : (pk_stack_label)cli->label,
        .event = cli->event,
        .count_samples = cli->count == 1,
        .in_order = cli->picture.flamechart,
        .by_thread = in_order && cli->by_thread,
        .off_cpu = cli->off_cpu,
        .threads = cli->threads,
    };
    return set_time_range(p, collapse, err);
}

/* ---- outputs ---- */

typedef struct ending {
    const char *suffix;
    flame_format format;
} ending;

static const ending endings[] = {
    {".svg", FLAME_SVG},
    {".folded", FLAME_FOLDED},
    {".collapsed", FLAME_FOLDED},
    {".txt", FLAME_FOLDED},
    {".speedscope.json", FLAME_SPEEDSCOPE},
    {".firefox.json", FLAME_FIREFOX},
    {".pb.gz", FLAME_PPROF},
    {".pprof", FLAME_PPROF},
    {".json", FLAME_JSON}, /* behind those that end in it */
};
static const char *const usual_files[FLAME_FORMATS] = {
    [FLAME_SVG] = "flamegraph.svg",
    [FLAME_FOLDED] = "flamegraph.folded",
    [FLAME_SPEEDSCOPE] = "flamegraph.speedscope.json",
    [FLAME_FIREFOX] = "flamegraph.firefox.json",
    [FLAME_PPROF] = "flamegraph.pb.gz",
    [FLAME_JSON] = "flamegraph.json",
};

static flame_format format_of(const char *path) {
    size_t length = strlen(path);
    for (size_t i = 0; i < sizeof endings / sizeof *endings; i++) {
        size_t suffix = strlen(endings[i].suffix);
        if (length > suffix && strcasecmp(path + length - suffix, endings[i].suffix) == 0)
            return endings[i].format;
    }
    return FLAME_SVG;
}

static bool set_post_process(const planner *p, flame_plan *plan, pk_err *err) {
    if (!p->cli->post_process) return true;
    plan->post_process = pk_words_split(p->cli->post_process, err);
    if (plan->post_process && plan->post_process[0]) return true;
    if (plan->post_process) {
        free(plan->post_process);
        pk_fail(err, PK_E_USAGE, NULL, "is empty");
        pk_fix(err, "give a command that reads and prints folded stacks");
    }
    snprintf(err->where, sizeof err->where, "--post-process");
    return false;
}

static bool set_output(const planner *p, flame_plan *plan, pk_err *err) {
    const flame_cli *cli = p->cli;
    if (is_given(p, "format")) plan->format = (flame_format)cli->format;
    else if (cli->output && !p->invocation->as_peer) plan->format = format_of(cli->output);
    plan->output = cli->output ? cli->output : usual_files[plan->format];
    bool to_stdout = strcmp(plan->output, "-") == 0;
    plan->top = is_given(p, "top") ? (size_t)cli->top : TOP_USUAL;
    plan->silent = cli->quiet || to_stdout;
    plan->progress = !cli->quiet;
    if (!cli->open || !to_stdout) return set_post_process(p, plan, err);
    pk_fail(err, PK_E_USAGE, "--open", "standard output cannot be opened");
    pk_fix(err, "leave out -o -");
    return false;
}

/* Which parts of a picture are ours to choose. */
static void set_picture(const planner *p, flame_plan *plan) {
    const flame_picture *picture = &p->cli->picture;
    bool ours = !p->invocation->as_peer;
    plan->own_title = ours && !picture->title;
    plan->own_subtitle = ours && !picture->subtitle;
    plan->own_unit = ours && !picture->count_name && picture->factor == 1;
    plan->lanes = ours && plan->format == FLAME_SVG && picture->flamechart && p->cli->by_thread &&
                  !plan->after && !plan->post_process;
    plan->reshape = (pk_reshape){.reverse = picture->reverse,
                                 .fold_recursion = p->cli->fold_recursion,
                                 .strip_suffixes = p->cli->strip_suffixes,
                                 .bases = picture->bases,
                                 .keep = p->cli->only,
                                 .drop = p->cli->without};
}

bool flame_plan_make(const pk_invocation *invocation, const flame_cli *cli, flame_plan *plan,
                     pk_err *err) {
    const planner p = {invocation, cli, invocation->parsed->arena};
    flame_plan made = {0};
    if (!check_command(&p, err) || !check_program(&p, err) || !check_recording(&p, err) ||
        !check_perf(&p, err) || !target_debug_folders(p.arena, &made.folders, err) ||
        !set_inputs(&p, &made, err) || !set_recording(&p, &made, err) ||
        !set_collapse(&p, &made.flame.collapse, err) ||
        !flame_style_make(&cli->picture, &made.style, err) || !set_output(&p, &made, err) ||
        !check_difference(&p, &made, err))
        return false;
    set_picture(&p, &made);
    made.flame.collapse.keep_samples =
        made.lanes || made.format == FLAME_SPEEDSCOPE || made.format == FLAME_FIREFOX;
    *plan = made;
    plan->flame.folders = &plan->folders;
    return true;
}
