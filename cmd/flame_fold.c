/* perfkit flame-fold: the text of perf script to folded stacks, as inferno-collapse-perf and
 * stackcollapse-perf.pl do it, and under their names. */
#include <string.h>

#include "cmd/commands.h"
#include "cmd/flame_cli.h"
#include "flame/flame.h"
#include "profile/folded.h"

#define EXIT_WRONG 2
#define TEXT_BYTES_MAX ((size_t)16 << 30)

typedef struct fold_cli {
    const char *path, *event;
    bool addresses, all, jit, kernel, pid, tid, quiet;
    int verbose;
    uint64_t threads;
    pk_text_list skip_after;
} fold_cli;

#define OPTION(member, type) PK_FIELD(fold_cli, member, type)

// clang-format off
static const pk_opt fold_opts[] = {
    {0, "PATH", PK_OPT_TEXT, OPTION(path, const char *), .arg = "PATH", .help = "what perf script has printed; none or - is standard input",
     .flags = PK_OPT_POSITIONAL, .fallback = "-", .complete = flame_complete_texts},
    {0, "addrs", PK_OPT_FLAG, OPTION(addresses, bool), .help = "show the addresses of functions without a name"},
    {0, "kernel", PK_OPT_FLAG, OPTION(kernel, bool), .help = "_[k] behind functions of the kernel", .aliases = "annotate-kernel"},
    {0, "jit", PK_OPT_FLAG, OPTION(jit, bool), .help = "_[j] behind functions that were compiled while it ran", .aliases = "annotate-jit"},
    {0, "all", PK_OPT_FLAG, OPTION(all, bool), .help = "both", .aliases = "annotate-all"},
    {0, "pid", PK_OPT_FLAG, OPTION(pid, bool), .help = "the process's number behind the name of the thread"},
    {0, "tid", PK_OPT_FLAG, OPTION(tid, bool), .help = "the process's and the thread's number behind the name of the thread"},
    {0, "event-filter", PK_OPT_TEXT, OPTION(event, const char *), .arg = "event", .shown_default = "the first there is",
     .help = "only this event"},
    {0, "skip-after", PK_OPT_TEXT_LIST, OPTION(skip_after, pk_text_list), .arg = "function", .help = "leave out what calls this function"},
    {'n', "nthreads", PK_OPT_COUNT, OPTION(threads, uint64_t), .arg = "number", .help = "taken for inferno's sake; one is enough",
     .min = 1, .max = 65536, .flags = PK_OPT_HIDDEN},
    {'q', "quiet", PK_OPT_FLAG, OPTION(quiet, bool), .help = "no warnings"},
    {'v', "verbose", PK_OPT_TALLY, OPTION(verbose, int), .help = "taken for inferno's sake; there is nothing more to say",
     .flags = PK_OPT_HIDDEN},
    {0},
};
// clang-format on

static const pk_example fold_examples[] = {
    {"perf script | perfkit flame-fold > out.folded", "what perf script prints to folded stacks"},
    {0},
};

static bool fold(const fold_cli *cli, pk_flame_result *result, pk_err *err) {
    const char *path = cli->path;
    const pk_flame_options options = {
        .inputs = {.items = &path, .count = 1},
        .collapse = {.symbolise = {.addresses = cli->addresses,
                                   .annotate_kernel = cli->kernel || cli->all,
                                   .annotate_jit = cli->jit || cli->all,
                                   .skip_after = cli->skip_after},
                     .label = cli->tid   ? PK_LABEL_TID
                              : cli->pid ? PK_LABEL_PID
                                         : PK_LABEL_COMM,
                     .event = cli->event}};
    pk_strbuf text;
    if (!pk_flame_run(&options, NULL, result, err)) return false;
    pk_strbuf_init(&text, TEXT_BYTES_MAX);
    bool ok = pk_folded_write(&result->profile.tree, &text, err);
    if (ok) fwrite(text.data, 1, text.length, stdout);
    pk_strbuf_fini(&text);
    return ok;
}

static int fold_run(const pk_invocation *invocation, const void *parsed, pk_err *err) {
    const fold_cli *cli = parsed;
    pk_flame_result result;
    bool ok = fold(cli, &result, err);
    if (ok && !cli->quiet) flame_say_notes(invocation, &result);
    pk_flame_fini(&result);
    return ok ? 0 : EXIT_WRONG;
}

static const char *const fold_peers[] = {"inferno-collapse-perf", "stackcollapse-perf.pl", NULL};
static const char *const fold_peer_exits[] = {
    "0: folded; 1: the text cannot be read; 2: the command line is wrong",
    "as inferno-collapse-perf", NULL};

const pk_command pk_cmd_flame_fold = {
    .name = "flame-fold",
    .summary = "the text of perf script to folded stacks, as inferno-collapse-perf does it",
    .usage = "[options] [PATH]",
    .opts = fold_opts,
    .options_bytes = sizeof(fold_cli),
    .examples = fold_examples,
    .peers = fold_peers,
    .peer_exits = fold_peer_exits,
    .helper = true,
    .hidden = true,
    .peer_usage_exit = 2,
    .peer_setup_exit = 1,
    .run = fold_run,
};
