#include "bench/command_exec.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/process.h"
#include "base/units.h"
#include "bench/command_parts.h"
#include "stats/quantile.h"
#include "stats/robust.h"
#include "stats/summary.h"

static double seconds_of(uint64_t ns) {
    return (double)ns * 1e-9;
}

static double time_of(const struct timeval *t) {
    return (double)t->tv_sec + (double)t->tv_usec * 1e-6;
}

static double at_least_zero(double s) {
    return s > 0.0 ? s : 0.0;
}

/* ---- streams ---- */

typedef struct streams {
    int fds[3];
    int mine[4]; /* n_mine of them are to be closed afterwards */
    size_t n_mine;
    int drain_fd;
} streams;

static void close_streams(streams *s) {
    while (s->n_mine > 0) close(s->mine[--s->n_mine]);
}

static int keep(streams *s, int fd) {
    if (fd >= 0) s->mine[s->n_mine++] = fd;
    return fd;
}

static bool cannot_open(const char *path, const char *what, const char *fix, pk_err *err) {
    pk_fail(err, PK_E_SYS, path, "%s", what);
    pk_fix(err, "%s", fix);
    return false;
}

/* Memory that was written to, from its start and with a position of its own. */
static int reopen(int fd) {
    char path[32];
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    return open(path, O_RDONLY | O_CLOEXEC);
}

/* Appending, so that what follows a truncation starts at 0 whoever wrote before. */
static int make_memory(void) {
    int fd = memfd_create("perfkit-stream", MFD_CLOEXEC);
    if (fd >= 0) (void)fcntl(fd, F_SETFL, O_APPEND);
    return fd;
}

static bool open_input(const pk_executor *e, bool timed, streams *s, pk_err *err) {
    s->fds[0] = e->null_fd;
    if (e->options->input) s->fds[0] = keep(s, open(e->options->input, O_RDONLY | O_CLOEXEC));
    else if (timed && e->input_command) s->fds[0] = keep(s, reopen(e->input_fd));
    return s->fds[0] >= 0 ||
           cannot_open(e->options->input ? e->options->input : "--input-cmd",
                       "cannot read the input", "give a file that can be read", err);
}

static bool open_pipe(streams *s, pk_err *err) {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0)
        return cannot_open(NULL, "cannot make a pipe for a command's output",
                           "raise the limit on open files (ulimit -n)", err);
    s->drain_fd = keep(s, ends[0]);
    s->fds[1] = keep(s, ends[1]);
    return true;
}

/* Standard error is kept in memory, not in a pipe that somebody would have to empty meanwhile. */
static bool open_output(const pk_executor *e, const pk_command_case *of, bool timed, streams *s,
                        pk_err *err) {
    bool kept = timed && e->check;
    s->fds[2] = e->errors_fd;
    switch (of->output) {
    case PK_OUTPUT_INHERIT:
        s->fds[1] = STDOUT_FILENO;
        s->fds[2] = STDERR_FILENO;
        return true;
    case PK_OUTPUT_FILE:
        s->fds[1] = keep(s, open(of->output_path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666));
        return s->fds[1] >= 0 || cannot_open(of->output_path, "cannot write the output",
                                             "give a file that can be written", err);
    case PK_OUTPUT_PIPE:
        if (!kept) return open_pipe(s, err);
        break;
    case PK_OUTPUT_NULL:
        break;
    }
    s->fds[1] = kept ? e->output_fd : e->null_fd;
    return true;
}

static bool empty(int fd, pk_err *err) {
    return ftruncate(fd, 0) == 0 ||
           cannot_open(NULL, "cannot empty a command's stream", "free some memory", err);
}

static bool open_streams(const pk_executor *e, const pk_command_case *of, bool timed, streams *s,
                         pk_err *err) {
    *s = (streams){.drain_fd = -1};
    if (empty(e->errors_fd, err) && empty(e->output_fd, err) && open_input(e, timed, s, err) &&
        open_output(e, of, timed, s, err))
        return true;
    close_streams(s);
    return false;
}

/* ---- starting ---- */

enum { OFFSET_MAX = 4096 };
static const char offset_name[] = "HYPERFINE_RANDOMIZED_ENVIRONMENT_OFFSET=";

/* What a pk_launch points to. */
struct pk_launch_texts {
    char path[PATH_MAX], offset[sizeof offset_name + OFFSET_MAX], theirs[64], ours[64];
    const char *variables[3];
};

/* A random length of the environment moves the stack, and with it addresses that would otherwise be
 * the same in every run (Mytkowicz et al. 2009); the names are hyperfine's and ours. */
static bool make_launch(pk_executor *e, const char *const *argv, const char *iteration,
                        const streams *s, struct pk_launch_texts *t, pk_launch *launch,
                        pk_err *err) {
    size_t length = (size_t)pk_random_below(&e->random, OFFSET_MAX), start = sizeof offset_name - 1;
    memcpy(t->offset, offset_name, start);
    memset(t->offset + start, 'X', length);
    t->offset[start + length] = '\0';
    if (iteration) {
        snprintf(t->theirs, sizeof t->theirs, "HYPERFINE_ITERATION=%s", iteration);
        snprintf(t->ours, sizeof t->ours, "PERFKIT_ITERATION=%s", iteration);
    }
    t->variables[0] = t->offset;
    t->variables[1] = t->theirs;
    t->variables[2] = t->ours;
    *launch = (pk_launch){.path = t->path,
                          .argv = argv,
                          .variables = t->variables,
                          .n_variables = iteration ? 3 : 1,
                          .fds = {s->fds[0], s->fds[1], s->fds[2]},
                          .drain_fd = s->drain_fd,
                          .cpus = e->limit_cpus ? &e->cpus : NULL,
                          .own_group = e->own_group};
    return pk_process_find(argv[0], t->path, sizeof t->path, err);
}

/* From a terminal Ctrl-C ends the command and tells us at once: no failure of it. */
static pk_went went_of(const pk_launch *launch, const pk_launched *launched, pk_err *err) {
    if (launched->exec_errno) {
        pk_process_fail(err, launch->argv[0], launched->exec_errno);
        return PK_WENT_WRONG;
    }
    bool stopped = launched->stopped || (launch->intr && pk_interrupt_signal(launch->intr));
    return stopped ? PK_WENT_STOPPED : PK_WENT_ON;
}

static pk_went launch(pk_executor *e, const char *const *argv, const char *iteration,
                      uint64_t timeout_ns, pk_interrupt *intr, const streams *s,
                      pk_launched *launched, pk_err *err) {
    pk_launch how;
    if (!make_launch(e, argv, iteration, s, &e->texts[0], &how, err)) return PK_WENT_WRONG;
    how.timeout_ns = timeout_ns;
    how.intr = intr;
    if (!pk_launcher_run(e->launcher, &how, launched, err)) return PK_WENT_WRONG;
    return went_of(&how, launched, err);
}

/* ---- debug mode ---- */

/* "sleep X" -> X. */
static bool pretended(const char *line, double *seconds) {
    static const char name[] = "sleep ";
    pk_err ignored;
    return line && strncmp(line, name, sizeof name - 1) == 0 &&
           pk_parse_double(line + sizeof name - 1, seconds, &ignored);
}

static pk_went pretend(const char *line, double *seconds, pk_err *err) {
    if (pretended(line, seconds)) return PK_WENT_ON;
    pk_fail(err, PK_E_USAGE, line, "in debug mode a command is a sleep and its seconds");
    pk_fix(err, "write for example 'sleep 0.2'");
    return PK_WENT_WRONG;
}

/* ---- commands around the runs ---- */

static pk_went run_aside(pk_executor *e, const pk_aside *aside, const streams *s,
                         pk_interrupt *intr, double *seconds, pk_exit *exit, pk_err *err) {
    pk_launched launched;
    pk_went went = launch(e, aside->argv, NULL, 0, intr, s, &launched, err);
    if (went != PK_WENT_ON) return went;
    *seconds = seconds_of(launched.running_ns);
    *exit = (pk_exit){.code = launched.code, .signal = launched.signal};
    return PK_WENT_ON;
}

pk_went pk_executor_aside(pk_executor *e, const pk_command_case *of, const pk_aside *aside,
                          pk_interrupt *intr, double *seconds, pk_exit *exit, pk_err *err) {
    *exit = (pk_exit){0};
    *seconds = 0;
    if (!aside->line) return PK_WENT_ON;
    if (e->options->debug_mode) {
        pk_went went = pretend(aside->line, seconds, err);
        if (aside->through_shell && e->shell_s > 0.0) *seconds += e->shell_s;
        return went;
    }
    streams s;
    if (!open_streams(e, of, false, &s, err)) return PK_WENT_WRONG;
    pk_went went = run_aside(e, aside, &s, intr, seconds, exit, err);
    close_streams(&s);
    return went;
}

static bool ended_well(const pk_exit *exit) {
    return exit->code == 0;
}

/* The input of the next run, made anew. */
static pk_went make_input(pk_executor *e, pk_err *err) {
    const pk_aside maker = {.argv = e->input_command};
    const streams s = {.fds = {e->null_fd, e->input_fd, e->errors_fd}, .drain_fd = -1};
    double seconds;
    pk_exit exit;
    if (!empty(e->input_fd, err) || !empty(e->errors_fd, err)) return PK_WENT_WRONG;
    pk_went went = run_aside(e, &maker, &s, e->intr, &seconds, &exit, err);
    if (went == PK_WENT_ON && !ended_well(&exit)) {
        pk_fail(err, PK_E_INPUT, "--input-cmd", "%s did not end well (code %d, signal %d)",
                e->options->input_command, exit.code, exit.signal);
        pk_fix(err, "run it by itself to see why");
        return PK_WENT_WRONG;
    }
    return went;
}

/* --check's CMD reads what the run has written. */
static pk_went check_output(pk_executor *e, const pk_command_case *of, bool *refused, pk_err *err) {
    const pk_aside checker = {.argv = e->check};
    double seconds;
    pk_exit exit;
    int fd = of->output == PK_OUTPUT_FILE ? open(of->output_path, O_RDONLY | O_CLOEXEC)
                                          : reopen(e->output_fd);
    if (fd < 0) {
        cannot_open(of->output_path, "cannot read the output for --check", "check its permissions",
                    err);
        return PK_WENT_WRONG;
    }
    const streams s = {.fds = {fd, e->null_fd, e->errors_fd}, .drain_fd = -1};
    pk_went went = run_aside(e, &checker, &s, e->intr, &seconds, &exit, err);
    close(fd);
    *refused = went == PK_WENT_ON && !ended_well(&exit);
    return went;
}

/* ---- one run ---- */

void pk_executor_figures(const pk_executor *e, const pk_command_case *of,
                         const pk_launched *launched, pk_command_run *run) {
    const struct rusage *usage = &launched->usage;
    uint64_t rss_bytes = (uint64_t)usage->ru_maxrss * 1024;
    double shell_s = of->through_shell ? e->shell_s : 0.0;
    double shell_user_s = of->through_shell ? e->shell_user_s : 0.0;
    double shell_system_s = of->through_shell ? e->shell_system_s : 0.0;
    double wall_s = seconds_of(launched->running_ns);
    if (e->options->launch_included) wall_s += seconds_of(launched->launch_ns);
    *run =
        (pk_command_run){.wall_s = launched->timed_out ? wall_s : at_least_zero(wall_s - shell_s),
                         .user_s = at_least_zero(time_of(&usage->ru_utime) - shell_user_s),
                         .system_s = at_least_zero(time_of(&usage->ru_stime) - shell_system_s),
                         .launch_s = seconds_of(launched->launch_ns),
                         .shell_s = shell_s,
                         .rss_bytes = rss_bytes,
                         .rss_is_floor = rss_bytes <= e->floor_bytes,
                         .faults_minor = (uint64_t)usage->ru_minflt,
                         .faults_major = (uint64_t)usage->ru_majflt,
                         .switches_voluntary = (uint64_t)usage->ru_nvcsw,
                         .switches_involuntary = (uint64_t)usage->ru_nivcsw,
                         .blocks_in = (uint64_t)usage->ru_inblock,
                         .blocks_out = (uint64_t)usage->ru_oublock,
                         .counters = launched->counters,
                         .code = launched->code,
                         .signal = launched->signal,
                         .failed = launched->timed_out || launched->code != 0,
                         .timed_out = launched->timed_out};
}

static pk_went pretend_run(const pk_executor *e, const pk_command_case *of, pk_command_run *run,
                           pk_err *err) {
    *run = (pk_command_run){.launch_s = NAN, .shell_s = of->through_shell ? e->shell_s : 0.0};
    for (int i = 0; i < PK_COUNTERS; i++) run->counters.value[i] = NAN;
    return pretend(of->command, &run->wall_s, err);
}

pk_went pk_executor_run(pk_executor *e, const pk_command_case *of, const char *iteration,
                        pk_command_run *run, bool *refused, pk_err *err) {
    *refused = false;
    if (e->options->debug_mode) return pretend_run(e, of, run, err);
    pk_went went = e->input_command ? make_input(e, err) : PK_WENT_ON;
    streams s;
    if (went != PK_WENT_ON) return went;
    if (!open_streams(e, of, true, &s, err)) return PK_WENT_WRONG;
    pk_launched launched;
    went = launch(e, of->argv, iteration, e->options->timeout_ns, e->intr, &s, &launched, err);
    close_streams(&s);
    if (went != PK_WENT_ON) return went;
    pk_executor_figures(e, of, &launched, run);
    if (e->check && !run->failed) {
        went = check_output(e, of, refused, err);
        run->failed = *refused;
    }
    return went;
}

bool pk_executor_runs_on(const pk_executor *e, const pk_command_case *of) {
    const pk_command_options *o = e->options;
    return !o->debug_mode && !o->input && !e->input_command && !e->check &&
           of->output == PK_OUTPUT_NULL;
}

/* Nothing here is ours to close: the input is nothing, the output memory or nothing. */
pk_went pk_executor_run_all(pk_executor *e, const pk_run_request requests[], size_t n,
                            pk_command_run runs[], size_t *done, pk_err *err) {
    pk_launch launches[PK_LAUNCHER_RUNS_MAX];
    pk_launched launched[PK_LAUNCHER_RUNS_MAX];
    const streams s = {.fds = {e->null_fd, e->null_fd, e->errors_fd}, .drain_fd = -1};
    *done = 0;
    if (n > PK_LAUNCHER_RUNS_MAX) n = PK_LAUNCHER_RUNS_MAX;
    if (!empty(e->errors_fd, err)) return PK_WENT_WRONG;
    for (size_t i = 0; i < n; i++) {
        if (!make_launch(e, requests[i].of->argv, requests[i].iteration, &s, &e->texts[i],
                         &launches[i], err))
            return PK_WENT_WRONG;
        launches[i].timeout_ns = e->options->timeout_ns;
        launches[i].intr = e->intr;
    }
    size_t ran;
    if (!pk_launcher_run_all(e->launcher, launches, n, true, launched, &ran, err))
        return PK_WENT_WRONG;
    /* Only the last can have been cut short. */
    pk_went went = went_of(&launches[ran - 1], &launched[ran - 1], err);
    *done = went == PK_WENT_ON ? ran : ran - 1;
    for (size_t i = 0; i < *done; i++)
        pk_executor_figures(e, requests[i].of, &launched[i], &runs[i]);
    return went;
}

void pk_executor_errors(const pk_executor *e, pk_command_failure *failure) {
    enum { KEPT = sizeof failure->output - 1 };
    failure->output[0] = '\0';
    failure->cut = false;
    off_t bytes = e->errors_fd >= 0 ? lseek(e->errors_fd, 0, SEEK_END) : 0;
    if (bytes <= 0) return;
    off_t from = bytes > KEPT ? bytes - KEPT : 0;
    ssize_t n = pread(e->errors_fd, failure->output, KEPT, from);
    failure->output[n > 0 ? n : 0] = '\0';
    failure->cut = from > 0;
}

/* ---- calibration ---- */

/* hyperfine takes the mean off. The median is what a shell mostly takes: one slow start among fifty
 * does not move it. The split of user and system time comes in ticks, so only its mean means
 * something. */
static void take_calibration(pk_executor *e, double wall_s[PK_SHELL_CALIBRATIONS], double user_s,
                             double system_s) {
    pk_summary summary = pk_summarize(wall_s, PK_SHELL_CALIBRATIONS);
    pk_sort(wall_s, PK_SHELL_CALIBRATIONS);
    e->shell_sd_s = summary.stddev;
    e->shell_s = e->options->launch_included
                     ? summary.mean
                     : pk_quantile_sorted(wall_s, PK_SHELL_CALIBRATIONS, 0.5);
    e->shell_user_s = user_s / PK_SHELL_CALIBRATIONS;
    e->shell_system_s = system_s / PK_SHELL_CALIBRATIONS;
}

static pk_went bad_shell(const pk_executor *e, pk_err *err) {
    const char *shell = e->options->shell ? e->options->shell : "sh";
    pk_fail(err, PK_E_INPUT, shell, "it cannot be used as a shell: `%s -c \"\"` fails", shell);
    pk_fix(err, "give another with --shell, or none with -N");
    return PK_WENT_WRONG;
}

pk_went pk_executor_calibrate(pk_executor *e, void (*progress)(void *context, unsigned done),
                              void *context, pk_arena *arena, pk_err *err) {
    e->shell_s = e->shell_sd_s = e->shell_user_s = e->shell_system_s = 0.0;
    if (e->options->debug_mode) {
        if (!pretended(e->options->shell, &e->shell_s)) e->shell_s = 0.0;
        return PK_WENT_ON;
    }
    pk_command_options through = *e->options;
    if (through.shell_kind == PK_SHELL_AUTO) through.shell_kind = PK_SHELL_GIVEN;
    pk_command_case nothing = {.command = "", .output = PK_OUTPUT_NULL};
    if (!pk_command_argv(&through, "", arena, &nothing.argv, &nothing.through_shell, err))
        return PK_WENT_WRONG;
    double wall_s[PK_SHELL_CALIBRATIONS], user_s = 0.0, system_s = 0.0;
    for (unsigned i = 0; i < PK_SHELL_CALIBRATIONS; i++) {
        streams s;
        pk_launched launched;
        if (progress) progress(context, i);
        if (!open_streams(e, &nothing, false, &s, err)) return PK_WENT_WRONG;
        pk_went went = launch(e, nothing.argv, NULL, 0, e->intr, &s, &launched, err);
        close_streams(&s);
        if (went == PK_WENT_STOPPED) return went;
        if (went == PK_WENT_WRONG || launched.code != 0) return bad_shell(e, err);
        pk_command_run run;
        pk_executor_figures(e, &nothing, &launched, &run); /* with nothing to take off yet */
        wall_s[i] = run.wall_s;
        user_s += run.user_s;
        system_s += run.system_s;
    }
    take_calibration(e, wall_s, user_s, system_s);
    return PK_WENT_ON;
}

/* ---- opening ---- */

static bool bad_cpus(const char *list, pk_err *err) {
    pk_fail(err, PK_E_USAGE, "--cpu", "\"%s\" names no CPUs that we may use", list);
    pk_fix(err, "write for example 0-3,8; `taskset -cp $$` shows which ones there are");
    return false;
}

/* "3" or "0-3" in front of a comma or the end. NULL: neither. */
static const char *take_range(const char *p, int64_t *first, int64_t *last) {
    char text[32];
    pk_err ignored;
    size_t bytes = strcspn(p, ",");
    if (bytes == 0 || bytes >= sizeof text) return NULL;
    memcpy(text, p, bytes);
    text[bytes] = '\0';
    char *dash = strchr(text, '-');
    if (dash) *dash++ = '\0';
    if (!pk_parse_int(text, 0, CPU_SETSIZE - 1, first, &ignored)) return NULL;
    if (!pk_parse_int(dash ? dash : text, *first, CPU_SETSIZE - 1, last, &ignored)) return NULL;
    return p + bytes;
}

static bool read_cpus(const char *list, cpu_set_t *cpus, pk_err *err) {
    cpu_set_t allowed;
    CPU_ZERO(cpus);
    if (sched_getaffinity(0, sizeof allowed, &allowed) != 0) return bad_cpus(list, err);
    for (const char *p = list;; p++) {
        int64_t first, last;
        p = take_range(p, &first, &last);
        if (!p) return bad_cpus(list, err);
        for (; first <= last; first++) {
            if (!CPU_ISSET((size_t)first, &allowed)) return bad_cpus(list, err);
            CPU_SET((size_t)first, cpus);
        }
        if (!*p) return true;
    }
}

static bool has_terminal(void) {
    int fd = open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (fd >= 0) close(fd);
    return fd >= 0;
}

static bool open_files(pk_executor *e, pk_err *err) {
    e->null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
    e->errors_fd = make_memory();
    e->output_fd = make_memory();
    e->input_fd = make_memory();
    if (e->null_fd >= 0 && e->errors_fd >= 0 && e->output_fd >= 0 && e->input_fd >= 0) return true;
    return cannot_open(NULL, "cannot set up the streams of commands",
                       "raise the limit on open files (ulimit -n)", err);
}

static bool read_options(pk_executor *e, pk_arena *arena, pk_err *err) {
    const pk_command_options *o = e->options;
    bool shell;
    e->limit_cpus = o->cpus != NULL;
    if (o->cpus && !read_cpus(o->cpus, &e->cpus, err)) return false;
    if (o->check && !pk_command_argv(o, o->check, arena, &e->check, &shell, err)) return false;
    if (o->input_command &&
        !pk_command_argv(o, o->input_command, arena, &e->input_command, &shell, err))
        return false;
    return true;
}

bool pk_executor_open(pk_executor *e, const pk_command_options *options, pk_interrupt *intr,
                      pk_arena *arena, pk_err *err) {
    *e = (pk_executor){.options = options,
                       .intr = intr,
                       .null_fd = -1,
                       .errors_fd = -1,
                       .output_fd = -1,
                       .input_fd = -1,
                       .shell_s = NAN,
                       .shell_sd_s = NAN};
    pk_random_seed(&e->random, options->seed);
    /* A group of its own can be killed with all that it has started, but where there is a terminal
     * it would be in the background there: it could not ask for a password (sudo). */
    e->own_group = options->timeout_ns > 0 || !has_terminal();
    if (!read_options(e, arena, err) || !open_files(e, err)) return false;
    if (options->debug_mode) return true;
    e->texts = PK_NEW(arena, PK_LAUNCHER_RUNS_MAX, struct pk_launch_texts);
    if (!e->texts) return pk_command_no_room(err);
    e->launcher = pk_launcher_new(err);
    if (e->launcher) e->floor_bytes = pk_launcher_floor_bytes(e->launcher);
    return e->launcher != NULL;
}

void pk_executor_close(pk_executor *e) {
    const int fds[] = {e->null_fd, e->errors_fd, e->output_fd, e->input_fd};
    pk_launcher_free(e->launcher);
    for (size_t i = 0; i < sizeof fds / sizeof fds[0]; i++)
        if (fds[i] >= 0) close(fds[i]);
}
