/* perfkit alloc: from the options on the line to what is to be done. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "alloc/only.h"
#include "cmd/alloc_cli.h"
#include "cmd/target.h"

#define DTRACE_FRAMES 20
#define PIDS_TOO_MANY "give fewer of them"

typedef struct planner {
    const pk_invocation *invocation;
    const alloc_cli *cli;
    pk_arena *arena;
} planner;

static bool is_given(const planner *p, const char *name) {
    return pk_parsed_given(&pk_cmd_alloc, p->invocation->parsed, name);
}

static bool has_command(const planner *p) {
    return p->cli->words.count + p->cli->argv.count > 0 || p->cli->dtrace_command;
}

/* ---- what is counted ---- */

static bool set_dtrace(const planner *p, alloc_plan *plan, pk_err *err) {
    const alloc_cli *cli = p->cli;
    for (size_t i = 0; i < cli->dtrace_options.count; i++)
        if (!pk_dtrace_tune(cli->dtrace_options.items[i], &plan->tuning, err)) return false;
    if (cli->program) return pk_dtrace_parse(cli->program, p->arena, &plan->dtrace, err);
    if (!p->invocation->as_peer) return true;
    pk_fail(err, PK_E_USAGE, NULL, "there is no program");
    pk_fix(err, "use -n 'pid$target::malloc:entry { @[ustack()] = count(); }'");
    return false;
}

/* The allocator's functions are counted together, and what was not asked for is left out
 * afterwards; others by probes. */
static bool set_function(const planner *p, alloc_plan *plan, pk_err *err) {
    const pk_dtrace_program *d = &plan->dtrace;
    plan->alloc.function = p->cli->function;
    plan->only = PK_CALLS;
    if (!d->function) return true;
    bool libc = !d->module[0] || strncmp(d->module, "libc.", 5) == 0 || !strcmp(d->module, "libc");
    if (libc) plan->only = pk_alloc_function_named(d->function);
    if (plan->only != PK_CALLS) return true;
    plan->alloc.function =
        pk_arena_printf(p->arena, "%s%s%s", d->module, d->module[0] ? ":" : "", d->function);
    if (plan->alloc.function && d->aggregation == PK_ALLOC_COUNT) return true;
    if (plan->alloc.function) {
        pk_fail(err, PK_E_USAGE, "-n", "the first argument of %s is not a number of bytes",
                d->function);
        pk_fix(err, "use @[ustack()] = count()");
    } else {
        pk_fail(err, PK_E_LIMIT, NULL, "no memory for a command line this long");
    }
    return false;
}

static bool set_pids(const planner *p, alloc_plan *plan, pk_err *err) {
    pk_alloc_options *o = &plan->alloc;
    if (!target_pids(&p->cli->pids, PIDS_TOO_MANY, p->arena, &o->pids, &o->n_pids, err))
        return false;
    if (plan->dtrace.pid == 0) return true;
    if (o->n_pids || has_command(p)) {
        pk_fail(err, PK_E_USAGE, "-n", "its program names a process already");
        pk_fix(err, "write pid$target there");
        return false;
    }
    o->pids = &plan->dtrace.pid;
    o->n_pids = 1;
    return true;
}

static bool set_command(const planner *p, alloc_plan *plan, pk_err *err) {
    const alloc_cli *cli = p->cli;
    char **argv = NULL;
    if (!target_command(&cli->words, &cli->argv, p->arena, &argv, err)) return false;
    if (argv && cli->dtrace_command) {
        pk_fail(err, PK_E_USAGE, "-c", "there is a command already: %s", argv[0]);
        pk_fix(err, "leave one of them out");
        return false;
    }
    if (cli->dtrace_command) {
        const char *const *words = target_split(NULL, cli->dtrace_command, p->arena, err);
        if (!words) return false;
        pk_text_list list = {.items = (const char **)words};
        while (words[list.count]) list.count++;
        if (!target_command(&list, &(pk_text_list){0}, p->arena, &argv, err)) return false;
    }
    plan->alloc.argv = argv;
    return true;
}

/* Exactly one of: a command, processes, what was left behind. */
static bool check_target(const planner *p, const alloc_plan *plan, pk_err *err) {
    bool command = plan->alloc.argv != NULL, pids = plan->alloc.n_pids > 0;
    if (command + pids + plan->recover == 1) return true;
    if (command || pids) {
        pk_fail(err, PK_E_USAGE, NULL, "a command cannot be given with --%s",
                plan->recover ? "recover" : "pid");
        pk_fix(err, "leave one of them out");
    } else {
        pk_fail(err, PK_E_USAGE, NULL, "there is nothing to count in");
        pk_fix(err,
               p->invocation->as_peer ? "give a process with -p or a command with -c"
                                      : "try: %s -- ./program",
               p->invocation->name);
    }
    return false;
}

/* ---- how ---- */

static bool check_backend(const planner *p, const alloc_plan *plan, pk_err *err) {
    const char *why = NULL, *fix = NULL;
    int backend = p->cli->backend;
    if (plan->alloc.n_pids && backend == PK_BACKEND_PRELOAD) {
        why = "a running process cannot be started with a library";
        fix = "use bpf or inject";
    } else if (plan->alloc.argv && backend == PK_BACKEND_INJECT) {
        why = "a command is started with the library";
        fix = "use preload, or give a running process with --pid";
    }
    if (!why) return true;
    pk_fail(err, PK_E_USAGE, "--backend", "%s", why);
    pk_fix(err, "%s", fix);
    return false;
}

/* Where counters are kept: a folder of the user's, else one in memory. */
static bool set_folders(const planner *p, pk_alloc_options *o, pk_err *err) {
    const char *own = getenv("XDG_RUNTIME_DIR");
    const char **items = PK_NEW(p->arena, 3, const char *);
    size_t n = 0;
    if (!items) {
        pk_fail(err, PK_E_LIMIT, NULL, "out of memory");
        return false;
    }
    if (own && own[0] == '/') items[n++] = own;
    items[n++] = "/dev/shm";
    items[n++] = "/tmp";
    o->runtime_folders = (pk_text_list){.items = items, .count = n};
    return true;
}

static bool set_counting(const planner *p, alloc_plan *plan, pk_err *err) {
    const alloc_cli *cli = p->cli;
    const char *preload = getenv("LD_PRELOAD");
    pk_alloc_options *o = &plan->alloc;
    plan->recover = is_given(p, "recover");
    *o = (pk_alloc_options){
        .backend = (pk_alloc_backend)cli->backend,
        .counts_only = cli->counts_only,
        .no_follow = cli->no_follow,
        .check = cli->check,
        .mappings = cli->mappings,
        .sample_bytes = cli->sample_bytes,
        .duration_ns = cli->duration_ns,
        .grace_ns = cli->grace_ns,
        .folder = plan->recover && cli->recover[0] ? cli->recover : NULL,
        .preload = preload && preload[0] ? preload : NULL,
        .no_inline = cli->no_inline,
        .raw_names = cli->raw_names,
    };
    return set_folders(p, o, err) && set_function(p, plan, err) && set_pids(p, plan, err) &&
           set_command(p, plan, err) && check_target(p, plan, err) && check_backend(p, plan, err);
}

/* ---- outputs ---- */

typedef struct ending {
    const char *suffix;
    alloc_format format;
} ending;

static const ending endings[] = {
    {".svg", ALLOC_SVG},          {".folded", ALLOC_FOLDED},
    {".collapsed", ALLOC_FOLDED}, {".pb.gz", ALLOC_PPROF},
    {".pprof", ALLOC_PPROF},      {".massif", ALLOC_MASSIF},
    {".heap", ALLOC_HEAPPROFILE}, {".heapprofile", ALLOC_HEAPPROFILE},
    {".json", ALLOC_JSON},        {".csv", ALLOC_CSV},
};

/* massif's own files have their number at the end. */
static alloc_format format_of(const char *path) {
    const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
    size_t length = strlen(name);
    if (strncmp(name, "massif.out", 10) == 0) return ALLOC_MASSIF;
    for (size_t i = 0; i < sizeof endings / sizeof *endings; i++) {
        size_t suffix = strlen(endings[i].suffix);
        if (length > suffix && strcasecmp(name + length - suffix, endings[i].suffix) == 0)
            return endings[i].format;
    }
    return ALLOC_DTRACE;
}

static bool is_stdout(const char *path) {
    return path && strcmp(path, "-") == 0;
}

/* Is it known only where frees are followed? */
static bool needs_frees(int weight) {
    return weight != PK_WEIGHT_CALLS && weight != PK_WEIGHT_BYTES;
}

static bool check_weights(const planner *p, const alloc_plan *plan, pk_err *err) {
    if (!p->cli->counts_only) return true;
    if (!needs_frees(p->cli->sort) && !needs_frees((int)plan->weight)) return true;
    pk_fail(err, PK_E_USAGE, needs_frees(p->cli->sort) ? "--sort" : "--weight",
            "frees are not followed with --counts-only");
    pk_fix(err, "leave it out, or use calls or bytes");
    return false;
}

static bool check_outputs(const planner *p, const alloc_plan *plan, pk_err *err) {
    const char *what = NULL, *fix = "leave one of them out";
    size_t length = plan->output ? strlen(plan->output) : 0;
    int to_stdout = is_stdout(plan->output) + is_stdout(p->cli->report) + p->cli->json;
    if (to_stdout > 1) {
        what = "only one thing can be written to standard output";
    } else if (length > 5 && strcasecmp(plan->output + length - 5, ".html") == 0 &&
               !is_given(p, "format")) {
        what = "a page is not one of the formats of -o";
        fix = "use --report";
    } else if (is_given(p, "weight") && plan->format != ALLOC_SVG && plan->format != ALLOC_FOLDED) {
        what = "--weight is for svg and folded, which are not written";
        fix = "use --sort for the table, or give -o FILE.svg";
    } else if (p->cli->title && plan->format != ALLOC_SVG) {
        what = "--title is for svg, which is not written";
        fix = "give -o FILE.svg";
    } else if (is_given(p, "format") && !plan->output) {
        what = "--format says what -o writes, and there is none";
        fix = "give -o FILE, or -o - for standard output";
    }
    if (!what) return true;
    pk_fail(err, PK_E_USAGE, NULL, "%s", what);
    pk_fix(err, "%s", fix);
    return false;
}

static bool set_outputs(const planner *p, alloc_plan *plan, pk_err *err) {
    const alloc_cli *cli = p->cli;
    bool is_dtrace = p->invocation->as_peer;
    plan->output = cli->output ? cli->output : is_dtrace ? "-" : NULL;
    plan->format = is_given(p, "format")        ? (alloc_format)cli->format
                   : plan->output && !is_dtrace ? format_of(plan->output)
                                                : ALLOC_DTRACE;
    plan->weight = (pk_alloc_weight)(is_given(p, "weight") ? cli->weight : cli->sort);
    plan->silent =
        cli->quiet || is_dtrace || cli->json || is_stdout(plan->output) || is_stdout(cli->report);
    plan->dtrace_frames = is_given(p, "frames") ? cli->frames ? cli->frames : PK_IMAGE_FRAMES_MAX
                          : plan->dtrace.frames ? plan->dtrace.frames
                          : plan->tuning.frames ? plan->tuning.frames
                                                : DTRACE_FRAMES;
    return check_weights(p, plan, err) && check_outputs(p, plan, err);
}

bool alloc_plan_make(const pk_invocation *invocation, const alloc_cli *cli, alloc_plan *plan,
                     pk_err *err) {
    const planner p = {invocation, cli, invocation->parsed->arena};
    *plan = (alloc_plan){0};
    if (!set_dtrace(&p, plan, err) || !set_counting(&p, plan, err) || !set_outputs(&p, plan, err) ||
        !target_debug_folders(p.arena, &plan->folders, err))
        return false;
    plan->alloc.debug_folders = &plan->folders;
    return true;
}
