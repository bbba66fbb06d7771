/* perfkit flame: what the plan says is done. */
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/file.h"
#include "base/interrupt.h"
#include "base/process.h"
#include "base/units.h"
#include "cmd/commands.h"
#include "cmd/flame_cli.h"
#include "flame/saved_file.h"
#include "profile/difference.h"
#include "profile/folded.h"
#include "report/progress.h"
#include "timing/clock.h"

#define EXIT_FAILED 1
#define EXIT_WRONG 2
#define EXIT_INTERRUPTED 130
#define SIGNAL_BASE 128
#define TEXT_BYTES_MAX ((size_t)4 << 30)
#define NAMES_BYTES_MAX ((size_t)1 << 30)
#define REDRAW_NS (100 * PK_NS_PER_MS)
#define GRACE_NS (5 * PK_NS_PER_S)

/* ---- progress ---- */

typedef struct reading {
    const pk_interrupt *interrupt;
    const char *what;
    pk_progress line;
    uint64_t drawn_ns;
    bool stopped;
} reading;

static bool on_read(void *context, double share) {
    reading *r = context;
    char text[320];
    uint64_t now_ns = pk_now_ns();
    if (pk_interrupt_signal(r->interrupt)) {
        r->stopped = true;
        return false;
    }
    if (!r->line.out || now_ns - r->drawn_ns < REDRAW_NS) return true;
    if (share > 0) snprintf(text, sizeof text, "reading %.200s: %.0f %%", r->what, 100 * share);
    else snprintf(text, sizeof text, "reading %.200s", r->what);
    pk_progress_show(&r->line, text);
    r->drawn_ns = now_ns;
    return true;
}

/* ---- what is profiled ---- */

static bool sum(pk_profile *profile, pk_err *err) {
    pk_stack_tree_sum(&profile->tree);
    return profile->tree.in_order || pk_stack_tree_sort(&profile->tree, err);
}

/* One profile from one file of any kind. */
static bool read_file(const flame_session *s, const char *path, reading *r, pk_flame_result *result,
                      pk_err *err) {
    pk_flame_options options = s->plan->flame;
    options.progress = on_read;
    options.progress_context = r;
    r->what = strcmp(path, "-") == 0 ? "standard input" : path;
    return pk_flame_run_file(path, &options, r->interrupt, result, err);
}

static bool compare(flame_session *s, pk_err *err) {
    const pk_difference_options options = {.normalise = s->cli->normalise,
                                           .strip_hex = s->cli->strip_hex};
    s->names = pk_names_new(NAMES_BYTES_MAX);
    if (!s->names) {
        pk_fail(err, PK_E_LIMIT, NULL, "out of memory");
        return false;
    }
    s->compared = pk_difference(&s->before.profile.tree, &s->result.profile.tree, &options,
                                s->names, &s->difference, err);
    if (!s->compared) return false;
    pk_stack_tree_sum(&s->difference);
    return pk_stack_tree_sort(&s->difference, err);
}

/* What is about to run, for --verbose. */
static void say_begin(void *context, const char *const *perf_argv) {
    const flame_session *s = context;
    fprintf(stderr, "recorder: %s (%s)\n", s->result.recorder, s->result.recorder_reason);
    if (!perf_argv) return;
    fputs("runs:", stderr);
    for (const char *const *word = perf_argv; *word; word++) fprintf(stderr, " %s", *word);
    fputc('\n', stderr);
}

static bool gather(flame_session *s, reading *r, pk_err *err) {
    const pk_flame_options *o = &s->plan->flame;
    if (s->plan->after)
        return read_file(s, s->plan->before, r, &s->before, err) &&
               read_file(s, s->plan->after, r, &s->result, err);
    if (o->inputs.count == 1) return read_file(s, o->inputs.items[0], r, &s->result, err);
    pk_flame_options options = *o;
    options.progress = on_read;
    options.progress_context = r;
    options.record.begins = s->cli->verbose ? say_begin : NULL;
    options.record.begins_context = s;
    r->what = o->perf_data ? o->perf_data : "stacks";
    return pk_flame_run(&options, r->interrupt, &s->result, err);
}

/* ---- --post-process ---- */

/* A file in memory with the stacks, from its beginning. */
static int stacks_fd(const pk_stack_tree *tree, pk_err *err) {
    pk_strbuf text;
    pk_strbuf_init(&text, TEXT_BYTES_MAX);
    int fd = -1;
    bool ok = pk_folded_write(tree, &text, err);
    if (ok && ((fd = memfd_create("stacks", MFD_CLOEXEC)) < 0 ||
               !pk_fd_write_all(fd, text.data, text.length) || lseek(fd, 0, SEEK_SET) < 0)) {
        pk_fail(err, PK_E_SYS, "--post-process", "cannot hand over the stacks");
        if (fd >= 0) close(fd);
        fd = -1;
    }
    pk_strbuf_fini(&text);
    return fd;
}

/* What the command makes of the stacks. */
static bool filter(char *const argv[], int stacks, pk_strbuf *out, pk_err *err) {
    int ends[2];
    pk_process process;
    pk_exit status;
    pk_spawn_options options = PK_SPAWN_DEFAULT;
    if (pipe2(ends, O_CLOEXEC) < 0) {
        pk_fail(err, PK_E_SYS, "--post-process", "cannot make a pipe");
        return false;
    }
    options.stdin_fd = stacks;
    options.stdout_fd = ends[1];
    bool ok = pk_process_spawn(argv, &options, &process, err);
    close(ends[1]);
    if (ok) {
        ok = pk_fd_read_all(ends[0], argv[0], TEXT_BYTES_MAX, out, err);
        if (ok) pk_process_wait(&process, UINT64_MAX, &status);
        else pk_process_stop(&process, false, GRACE_NS, &status);
        if (ok && (status.signal || status.code)) {
            pk_fail(err, PK_E_INPUT, argv[0], "it failed with %s %d",
                    status.signal ? "signal" : "status",
                    status.signal ? status.signal : status.code);
            pk_fix(err, "check what --post-process runs");
            ok = false;
        }
    }
    close(ends[0]);
    return ok;
}

/* Puts the stacks that text holds in the place of the profile's. */
static bool replace_stacks(pk_profile *profile, const pk_strbuf *text, pk_err *err) {
    pk_stack_tree tree;
    pk_folded_read counts = {0};
    if (!pk_stack_tree_init(&tree, profile->names, 1, profile->tree.in_order, err)) return false;
    if (!pk_folded_add(&tree, text->data, text->length, &counts, err)) {
        pk_stack_tree_fini(&tree);
        return false;
    }
    pk_stack_tree_fini(&profile->tree);
    profile->tree = tree;
    return sum(profile, err);
}

static bool post_process(flame_session *s, pk_err *err) {
    pk_strbuf text;
    if (!s->plan->post_process) return true;
    int stacks = stacks_fd(&s->result.profile.tree, err);
    if (stacks < 0) return false;
    pk_strbuf_init(&text, TEXT_BYTES_MAX);
    bool ok = filter(s->plan->post_process, stacks, &text, err) &&
              replace_stacks(&s->result.profile, &text, err);
    pk_strbuf_fini(&text);
    close(stacks);
    return ok;
}

/* ---- words ---- */

void flame_say_notes(const pk_invocation *invocation, const pk_flame_result *result) {
    for (size_t i = 0; i < result->notes.count; i++) {
        const pk_flame_note *note = &PK_AT(&result->notes, pk_flame_note, i);
        fprintf(stderr, "%s: %s%s%s\n", invocation->name, note->text, note->fix ? "; " : "",
                note->fix ? note->fix : "");
    }
}

static void say_how(const flame_session *s) {
    const pk_recording *r = &s->result.recording;
    char text[PK_FORMAT_MAX];
    if (!s->cli->verbose || !s->result.recorder) return;
    if (r->perf_says) fprintf(stderr, "perf says: %s\n", r->perf_says);
    fprintf(stderr, "event: %s, stacks of %" PRIu32 " bytes, recorder's own CPU time: %s\n",
            r->event ? r->event : "-", r->stack_bytes,
            pk_format_duration(text, sizeof text, 1e9 * r->recorder_cpu_s));
}

/* ---- the end ---- */

/* Does not wait: what opens it may stay as long as its window. */
static void open_output(const flame_session *s) {
    char program[] = "xdg-open";
    char *const argv[] = {program, strdup(s->plan->output), NULL};
    pk_process process;
    pk_err err = {0};
    char line[PK_ERR_LINE_MAX];
    int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
    pk_spawn_options options = PK_SPAWN_DEFAULT;
    options.stdout_fd = options.stderr_fd = null;
    options.own_group = true;
    if (!argv[1] || !pk_process_spawn(argv, &options, &process, &err)) {
        pk_err_format(&err, line, sizeof line);
        fprintf(stderr, "%s: cannot open the result: %s\n", s->invocation->name, line);
    }
    if (null >= 0) close(null);
    free(argv[1]);
}

/* The command's own end, as a shell would say it. */
static int command_status(const flame_session *s) {
    const pk_recording *r = &s->result.recording;
    if (!s->result.recorded || !r->command_ran || r->command_stopped || r->command_left) return 0;
    if (s->cli->ignore_status) return 0;
    int status = r->exit.signal ? SIGNAL_BASE + r->exit.signal : r->exit.code;
    if (status && !s->cli->quiet)
        fprintf(stderr, "%s: the command %s %d\n", s->invocation->name,
                r->exit.signal ? "was ended by signal" : "failed with status",
                r->exit.signal ? r->exit.signal : r->exit.code);
    return status && s->invocation->as_peer ? EXIT_FAILED : status;
}

static bool draw(flame_session *s, pk_err *err) {
    pk_profile *profile = &s->result.profile;
    if (s->plan->after && pk_reshape_any(&s->plan->reshape) &&
        !pk_reshape_profile(&s->before.profile, &s->plan->reshape, err))
        return false;
    if (pk_reshape_any(&s->plan->reshape) && !pk_reshape_profile(profile, &s->plan->reshape, err))
        return false;
    if (!sum(profile, err) || !post_process(s, err)) return false;
    if (s->plan->after && !compare(s, err)) return false;
    if (!flame_write(s, err) || !flame_summary(s, err)) return false;
    if (s->cli->open) open_output(s);
    return true;
}

static int run(flame_session *s, const pk_interrupt *interrupt, pk_err *err) {
    reading r = {.interrupt = interrupt,
                 .line = pk_progress_open(stderr, s->plan->progress && isatty(STDERR_FILENO) == 1)};
    bool ok = gather(s, &r, err);
    pk_progress_close(&r.line);
    if (!ok) return EXIT_WRONG;
    say_how(s);
    int status = command_status(s);
    bool nothing = s->result.profile.n_samples == 0;
    ok = nothing || draw(s, err);
    fflush(stdout); /* before what stderr says of it */
    if (s->plan->after) flame_say_notes(s->invocation, &s->before);
    flame_say_notes(s->invocation, &s->result);
    if (!ok) return EXIT_WRONG;
    if (status) return status;
    return r.stopped ? EXIT_INTERRUPTED : nothing ? EXIT_FAILED : 0;
}

int flame_go(const pk_invocation *invocation, const flame_cli *cli, const flame_plan *plan,
             pk_err *err) {
    flame_session s = {.invocation = invocation, .cli = cli, .plan = plan};
    int code = EXIT_WRONG;
    pk_interrupt *interrupt = pk_interrupt_begin(err);
    if (interrupt) code = run(&s, interrupt, err);
    pk_interrupt_end(interrupt);
    if (s.compared) pk_stack_tree_fini(&s.difference);
    pk_names_free(s.names);
    pk_flame_fini(&s.before);
    pk_flame_fini(&s.result);
    free(plan->post_process);
    return code;
}
