/* perfkit alloc: what the plan says is done. */
#include <inttypes.h>
#include <string.h>

#include "alloc/only.h"
#include "alloc/suppress.h"
#include "base/file.h"
#include "base/units.h"
#include "cmd/alloc_cli.h"

#define EXIT_FAILED 1
#define EXIT_WRONG 2
#define SIGNAL_BASE 128
#define SUPPRESSIONS_BYTES_MAX ((size_t)16 << 20)

/* ---- words ---- */

static bool is_quiet(const alloc_session *s) {
    return s->cli->quiet || s->plan->tuning.quiet;
}

/* As dtrace says that its program holds. */
static void say_probes(const alloc_session *s) {
    if (!s->plan->dtrace.description || is_quiet(s)) return;
    fprintf(stderr, "%s: description '%s' matched 1 probe\n", s->invocation->name,
            s->plan->dtrace.description);
}

static void say_how(const alloc_session *s) {
    const pk_alloc_result *r = &s->result;
    const pk_alloc_process *total = &r->total;
    if (!s->cli->verbose) return;
    fprintf(stderr, "backend: %s (%s)\n", r->backend ? r->backend : "-",
            r->backend_reason ? r->backend_reason : "-");
    uint64_t stacks = total->stacks_remembered + total->stacks_unwound;
    if (stacks > 0)
        fprintf(stderr, "stacks: %" PRIu64 " remembered (%.1f %%), %" PRIu64 " unwound\n",
                total->stacks_remembered, 100 * (double)total->stacks_remembered / (double)stacks,
                total->stacks_unwound);
    if (s->cli->check)
        fprintf(stderr, "checked: %" PRIu64 " remembered stacks were not right\n",
                total->differences);
}

/* Sizes are kept of all functions together. */
static void say_others(const alloc_session *s, uint64_t others) {
    if (others == 0 || s->plan->dtrace.aggregation != PK_ALLOC_QUANTIZE || s->cli->quiet) return;
    fprintf(stderr,
            "%s: the sizes are those of all functions that allocate, %" PRIu64
            " calls of others than %s among them\n",
            s->invocation->name, others, s->plan->dtrace.function);
}

/* ---- the end ---- */

/* The command's own end, as a shell would say it. */
static int command_status(const alloc_session *s) {
    const pk_alloc_result *r = &s->result;
    if (!r->command_ran || r->command_stopped || s->cli->ignore_status || s->invocation->as_peer)
        return 0;
    int status = r->exit.signal ? SIGNAL_BASE + r->exit.signal : r->exit.code;
    if (status && !s->cli->quiet)
        fprintf(stderr, "%s: the command %s %d\n", s->invocation->name,
                r->exit.signal ? "was ended by signal" : "failed with status",
                r->exit.signal ? r->exit.signal : r->exit.code);
    return status;
}

static void say_leaks(const alloc_session *s, const pk_alloc_leaks *leaks) {
    char bytes[PK_FORMAT_MAX], most[PK_FORMAT_MAX];
    if (s->cli->quiet) return;
    fprintf(stderr, "%s: %s in %" PRIu64 " %s left, more than %s", s->invocation->name,
            pk_format_bytes(bytes, sizeof bytes, (double)leaks->bytes), leaks->calls,
            leaks->calls == 1 ? "block is" : "blocks are",
            pk_format_bytes(most, sizeof most, (double)s->cli->fail_on_leak_bytes));
    if (leaks->suppressed_calls > 0)
        fprintf(stderr, " (and %s that the suppressions know)",
                pk_format_bytes(bytes, sizeof bytes, (double)leaks->suppressed_bytes));
    fputs("; --sort leaked shows whose\n", stderr);
}

/* --fail-on-leak: 0, EXIT_FAILED, or EXIT_WRONG with *err. */
static int judge(const alloc_session *s, const pk_alloc_suppressions *suppressions, pk_err *err) {
    if (!pk_parsed_given(&pk_cmd_alloc, s->invocation->parsed, "fail-on-leak")) return 0;
    const pk_alloc_leaks leaks =
        pk_alloc_judge_leaks(&s->result, suppressions, s->cli->fail_on_leak_bytes);
    if (!leaks.known) {
        pk_fail(err, PK_E_UNSUPPORTED, "--fail-on-leak", "%s does not follow what is freed",
                s->result.backend ? s->result.backend : "this way of counting");
        pk_fix(err, "use --backend inject for a running process");
        return EXIT_WRONG;
    }
    if (!leaks.failed) return 0;
    say_leaks(s, &leaks);
    return EXIT_FAILED;
}

/* NULL in *all where none were given. */
static bool read_suppressions(const char *path, pk_alloc_suppressions **all, pk_err *err) {
    pk_strbuf text;
    *all = NULL;
    if (!path) return true;
    pk_strbuf_init(&text, SUPPRESSIONS_BYTES_MAX);
    if (pk_file_read(path, SUPPRESSIONS_BYTES_MAX, &text, err))
        *all = pk_alloc_suppressions_read(path, text.data, text.length, err);
    pk_strbuf_fini(&text);
    return *all != NULL;
}

/* Not for dtrace's words, which have their own. */
static void say_attached(void *context) {
    const alloc_session *s = context;
    if (is_quiet(s) || s->plan->dtrace.description) return;
    fprintf(stderr, "%s: counting; Ctrl-C ends it and shows what there is\n", s->invocation->name);
}

static bool gather(alloc_session *s, pk_err *err) {
    pk_alloc_options options = s->plan->alloc;
    options.attached = say_attached;
    options.context = s;
    if (s->plan->recover) return pk_alloc_recover(&options, &s->result, err);
    pk_interrupt *interrupt = pk_interrupt_begin(err);
    bool ok = interrupt && pk_alloc_run(&options, interrupt, &s->result, err);
    pk_interrupt_end(interrupt); /* a Ctrl-C while the result is made ends all at once */
    return ok;
}

static int run(alloc_session *s, const pk_alloc_suppressions *suppressions, pk_err *err) {
    uint64_t others = 0;
    say_probes(s);
    if (!gather(s, err)) return EXIT_WRONG;
    say_how(s);
    int status = command_status(s);
    if (s->plan->only != PK_CALLS) others = pk_alloc_only(&s->result, s->plan->only);
    say_others(s, others);
    if (!pk_alloc_tree_ready(&s->result, err) || !alloc_write(s, err)) return EXIT_WRONG;
    int verdict = judge(s, suppressions, err);
    return status ? status : verdict;
}

int alloc_go(const pk_invocation *invocation, const alloc_cli *cli, const alloc_plan *plan,
             pk_err *err) {
    alloc_session s = {.invocation = invocation, .cli = cli, .plan = plan};
    pk_alloc_suppressions *suppressions;
    if (!read_suppressions(cli->suppressions, &suppressions, err)) return EXIT_WRONG;
    int code = run(&s, suppressions, err);
    pk_alloc_fini(&s.result);
    pk_alloc_suppressions_free(suppressions);
    return code;
}
