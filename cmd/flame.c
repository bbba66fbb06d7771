/* perfkit flame: the option table. What the options come to is in flame_plan.c, what is then done
 * in flame_go.c and flame_outputs.c. */
#include "cmd/commands.h"
#include "cmd/flame_cli.h"
#include "cmd/flame_picture.h"
#include "cmd/target.h"

#define EXIT_WRONG 2

static const char *const recorders[] = {"auto", "perf", "builtin", NULL};
static const char *const recorder_help[] = {"whichever does what was asked better",
                                            "perf record, read through a pipe",
                                            "perfkit's own, which needs no package", NULL};
static const char *const counts[] = {"period", "samples", NULL};
static const char *const count_help[] = {"the time or the events that each sample stands for",
                                         "each sample is 1", NULL};
static const char *const labels[] = {"comm", "pid", "tid", NULL};
static const char *const label_help[] = {"the name of the thread", "with its process",
                                         "with its process and thread", NULL};
static const char *const annotations[] = {"none", "kernel", "jit", "all", NULL};
static const char *const annotation_help[] = {
    "names as they are", "_[k] behind functions of the kernel",
    "_[j] behind functions that were compiled while it ran", "both", NULL};
static const char *const orders[] = {"self", "total", NULL};
static const char *const order_help[] = {"what runs itself", "with all it calls", NULL};
static const char *const formats[] = {"svg",   "folded", "speedscope", "firefox",
                                      "pprof", "json",   NULL};
static const char *const format_help[] = {"an interactive picture",
                                          "text: a line per stack, and its weight",
                                          "for https://www.speedscope.app",
                                          "for https://profiler.firefox.com",
                                          "for go tool pprof, packed",
                                          "functions and totals (schema flame/1)",
                                          NULL};
static const char *const colors[] = {"auto", "always", "never", NULL};

#define OPTION(member, type) PK_FIELD(flame_cli, member, type)

// clang-format off
static const pk_opt flame_opts[] = {
    {0, "COMMAND", PK_OPT_TEXT_LIST, OPTION(words, pk_text_list), .arg = "COMMAND", .help = "what to run and profile, word by word",
     .details = "Its own options must stand behind --.", .flags = PK_OPT_POSITIONAL},
    {0, "ARGV", PK_OPT_TEXT_LIST, OPTION(argv, pk_text_list), .arg = "ARGV", .help = "after --: the command and its arguments",
     .flags = PK_OPT_POSITIONAL | PK_OPT_REST},

    {'p', "pid", PK_OPT_TEXT_LIST, OPTION(pids, pk_text_list), .arg = "pid|name", .help = "profile running processes, by number or name",
     .details = "Several may stand behind one -p, with commas between. They are never signalled.", .group = "What",
     .conflicts = "all-cpus perfdata folded diff", .complete = target_complete_pids, .check = target_check_pids},
    {'a', "all-cpus", PK_OPT_FLAG, OPTION(all_cpus, bool), .help = "profile the whole machine", .group = "What",
     .conflicts = "perfdata folded diff"},
    {0, "perfdata", PK_OPT_FILE, OPTION(perf_data, const char *), .arg = "file", .help = "draw what perf record has recorded",
     .group = "What", .conflicts = "folded diff", .suffixes = "data"},
    {0, "folded", PK_OPT_TEXT_LIST, OPTION(folded, pk_text_list), .arg = "file",
     .help = "draw folded stacks, or the text of perf script; - is standard input",
     .details = "Given several times, they are added up. Flame graphs (SVG) are read back too.", .group = "What",
     .conflicts = "diff", .complete = flame_complete_texts},
    {0, "diff", PK_OPT_TEXT_LIST, OPTION(diff, pk_text_list), .arg = "before after",
     .help = "draw the difference of two profiles: perf.data, folded text or flame graphs", .group = "What",
     .flags = PK_OPT_ONCE, .words = 2, .complete = flame_complete_profiles},
    {0, "normalize", PK_OPT_FLAG, OPTION(normalise, bool), .help = "scale the weights before to the total after", .group = "What",
     .needs = "diff", .aliases = "normalise"},
    {0, "strip-hex", PK_OPT_FLAG, OPTION(strip_hex, bool), .help = "addresses in names count as the same one", .group = "What",
     .needs = "diff"},

    {0, "recorder", PK_OPT_ENUM, OPTION(recorder, int), .arg = "which", .fallback = "auto", .help = "what records",
     .details = "--verbose says which was taken, and why.", .group = "Recording", .values = recorders, .value_help = recorder_help},
    {'F', "freq", PK_OPT_COUNT, OPTION(frequency_hz, uint64_t), .arg = "hertz", .fallback = "997", .help = "samples a second, for each thread that runs",
     .group = "Recording", .conflicts = "period cmd", .aliases = "frequency", .min = 1, .max = 1000000},
    {0, "period", PK_OPT_COUNT, OPTION(period, uint64_t), .arg = "number", .help = "a sample every so many events instead",
     .group = "Recording", .min = 1, .max = FLAME_ANY},
    {'e', "event", PK_OPT_TEXT, OPTION(event, const char *), .arg = "event", .shown_default = "cycles, or cpu-clock without a counter",
     .help = "what is sampled; of a file: which of its events is drawn", .group = "Recording", .aliases = "event-filter",
     .complete = flame_complete_events},
    {0, "call-graph", PK_OPT_TEXT, OPTION(call_graph, const char *), .arg = "how", .fallback = "dwarf,65528",
     .help = "how callers are found: dwarf[,bytes], fp, lbr or none",
     .details = "dwarf copies the stack, so many bytes of it, and unwinds the copy: right for all programs. fp follows frame pointers, "
                "which few programs have. lbr asks the processor.", .group = "Recording", .complete = flame_complete_call_graphs},
    {0, "off-cpu", PK_OPT_FLAG, OPTION(off_cpu, bool), .help = "draw the time that threads wait instead of run",
     .group = "Recording", .conflicts = "event period freq"},
    {'d', "duration", PK_OPT_DURATION, OPTION(duration_ns, uint64_t), .arg = "duration", .shown_default = "until it ends, or Ctrl-C",
     .help = "record for so long", .group = "Recording", .min = 1, .max = FLAME_ANY},
    {'D', "delay", PK_OPT_DURATION, OPTION(delay_ns, uint64_t), .arg = "duration", .help = "begin so long after the command has started",
     .group = "Recording", .min = 0, .max = FLAME_ANY},
    {0, "detach", PK_OPT_FLAG, OPTION(detach, bool), .help = "let a command go on that is still running when the recording is over",
     .group = "Recording"},
    {0, "grace", PK_OPT_DURATION, OPTION(grace_ns, uint64_t), .arg = "duration", .fallback = "5s",
     .help = "time for the command between SIGTERM and SIGKILL", .group = "Recording", .min = 0, .max = FLAME_ANY},
    {0, "keep", PK_OPT_TEXT, OPTION(keep, const char *), .arg = "file", .bare = "perf.data", .help = "keep what perf has recorded",
     .details = "perf writes to this file, and it is read afterwards; without, nothing is left behind.", .group = "Recording", .suffixes = "data"},
    {'z', "compression-level", PK_OPT_TEXT, OPTION(compression, const char *), .arg = "level", .bare = "1",
     .help = "pack what --keep keeps (zstd), 1 to 22", .group = "Recording"},
    {'c', "cmd", PK_OPT_TEXT, OPTION(perf_words, const char *), .arg = "words", .help = "what stands behind perf, in place of what perfkit would say",
     .details = "Split at blanks, without quotes. The command is appended.", .group = "Recording"},
    {0, "root", PK_OPT_TEXT, OPTION(root, const char *), .arg = "words", .bare = "", .help = "run perf through sudo, with these words behind it",
     .group = "Recording"},
    {0, "ignore-status", PK_OPT_FLAG, OPTION(ignore_status, bool), .help = "exit with 0 however the command ended", .group = "Recording"},

    {0, "no-inline", PK_OPT_FLAG, OPTION(no_inline, bool), .help = "do not show what was inlined", .group = "Stacks"},
    {0, "count", PK_OPT_ENUM, OPTION(count, int), .arg = "what", .fallback = "period", .help = "the weight of a sample",
     .group = "Stacks", .values = counts, .value_help = count_help},
    {0, "time-range", PK_OPT_TEXT, OPTION(time_range, const char *), .arg = "from-to", .help = "only this part of the recording: 5s-10s, 5s-, -10s",
     .group = "Stacks"},
    {0, "thread", PK_OPT_TEXT_LIST, OPTION(threads, pk_text_list), .arg = "name|tid", .help = "only this thread", .group = "Stacks"},
    {0, "by-thread", PK_OPT_FLAG, OPTION(by_thread, bool), .help = "each thread's stacks apart", .group = "Stacks"},
    {0, "label", PK_OPT_ENUM, OPTION(label, int), .arg = "what", .fallback = "comm", .help = "the lowest frame of each stack",
     .group = "Stacks", .conflicts = "by-thread", .values = labels, .value_help = label_help},
    {0, "skip-after", PK_OPT_TEXT_LIST, OPTION(skip_after, pk_text_list), .arg = "function", .help = "leave out what calls this function",
     .group = "Stacks"},
    {0, "only", PK_OPT_TEXT_LIST, OPTION(only, pk_text_list), .arg = "regex", .help = "only stacks with a function in whose name this is found",
     .group = "Stacks"},
    {0, "without", PK_OPT_TEXT_LIST, OPTION(without, pk_text_list), .arg = "regex", .help = "no stacks with such a function", .group = "Stacks"},
    {0, "fold-recursion", PK_OPT_FLAG, OPTION(fold_recursion, bool), .help = "a function that calls itself is shown once", .group = "Stacks"},
    {0, "strip-suffixes", PK_OPT_FLAG, OPTION(strip_suffixes, bool), .help = "f.constprop.0, f.cold and the like are f", .group = "Stacks"},
    {0, "annotate", PK_OPT_ENUM, OPTION(annotate, int), .arg = "what", .fallback = "none", .help = "mark functions by where they are from",
     .group = "Stacks", .values = annotations, .value_help = annotation_help},
    {0, "addrs", PK_OPT_FLAG, OPTION(addresses, bool), .help = "show the addresses of functions without a name", .group = "Stacks"},
    {0, "raw-names", PK_OPT_FLAG, OPTION(raw_names, bool), .help = "names with their arguments", .group = "Stacks"},
    FLAME_PICTURE_ROWS(0),

    {0, "top", PK_OPT_COUNT, OPTION(top, uint64_t), .arg = "rows", .shown_default = "5", .help = "functions in the table; 0 is all of them",
     .group = "Text", .max = FLAME_ANY},
    {0, "sort", PK_OPT_ENUM, OPTION(order, int), .arg = "figure", .fallback = "self", .help = "its order",
     .group = "Text", .values = orders, .value_help = order_help},
    {0, "callers", PK_OPT_TEXT, OPTION(callers, const char *), .arg = "function", .help = "what calls this function, and how much",
     .details = "The function of that name, else all in whose name it is found.", .group = "Text"},
    {0, "callees", PK_OPT_TEXT, OPTION(callees, const char *), .arg = "function", .help = "what this function calls", .group = "Text"},
    {0, "modules", PK_OPT_FLAG, OPTION(modules, bool), .help = "a table of programs and libraries: what is known of them", .group = "Text"},
    {0, "color", PK_OPT_ENUM, OPTION(color, int), .arg = "when", .fallback = "auto", .help = "colour the text",
     .group = "Text", .aliases = "colour", .values = colors},

    {'o', "output", PK_OPT_OUTPUT, OPTION(output, const char *), .arg = "file", .shown_default = "flamegraph.svg",
     .help = "where the result is written; - is standard output", .group = "Output", .suffixes = "svg folded json"},
    {0, "format", PK_OPT_ENUM, OPTION(format, int), .arg = "format", .shown_default = "by the file's ending, else svg",
     .help = "what is written", .group = "Output", .values = formats, .value_help = format_help},
    {0, "open", PK_OPT_FLAG, OPTION(open, bool), .help = "open it afterwards (xdg-open)", .group = "Output"},
    {0, "post-process", PK_OPT_TEXT, OPTION(post_process, const char *), .arg = "command",
     .help = "give the folded stacks to this command, and draw what it prints", .details = "Split into words as a shell would, and run without one.",
     .group = "Output"},
    {'v', "verbose", PK_OPT_FLAG, OPTION(verbose, bool), .help = "say what is run, and why", .group = "Output", .conflicts = "quiet"},
    {'q', "quiet", PK_OPT_FLAG, OPTION(quiet, bool), .help = "no text on standard output", .group = "Output"},
    {0, "completions", PK_OPT_ENUM, OPTION(completions, int), .arg = "shell", .help = "print the shell's completion script",
     .values = pk_cmd_shells, .flags = PK_OPT_HIDDEN},
    {0},
};
// clang-format on

static const pk_example flame_examples[] = {
    {"perfkit flame -- ./program args", "run it, profile it, and write flamegraph.svg"},
    {"perfkit flame -p 1234 -d 10s", "a running process, for ten seconds"},
    {"perfkit flame --off-cpu -p postgres", "what processes of this name wait for"},
    {"perfkit flame --perfdata perf.data -o out.folded", "a recording, as text"},
    {"perf script | perfkit flame -o out.svg", "in place of stackcollapse and flamegraph.pl"},
    {"perfkit flame --diff before.svg after.svg", "what has become slower: red, faster: blue"},
    {"perfkit flame --top 20 --callers malloc -- ./program", "in the terminal"},
    {0},
};

// clang-format off
static const pk_section flame_sections[] = {
    {"DESCRIPTION",
     "Samples a command, processes or the whole machine, and draws where the time goes: a flame graph, one SVG that zooms, "
     "searches and shows details in every browser. The options are those of flamegraph (cargo-flamegraph) and of "
     "inferno-flamegraph; a link of one of these names runs this tool with its defaults.\n\n"
     "Stacks are whole: the stack is copied with each sample and unwound here, so that programs and libraries without frame "
     "pointers show their callers too. What could not be unwound, or was lost, is counted and said."},
    {"WHEN IT ENDS",
     "A recording ends with the command, after --duration, or with Ctrl-C or SIGTERM, and is drawn whatever happened: a command "
     "that failed, crashed or was stopped too. A command that still runs then gets SIGTERM, and SIGKILL after --grace; a process "
     "of -p is left alone. With a second Ctrl-C perfkit ends at once and draws nothing."},
    {"FILES",
     "What is written appears in one step: a file that was there stays until the new one is complete."},
    {"ENVIRONMENT",
     "* PERF: the perf to run.\n\n"
     "* NO_COLOR, CLICOLOR_FORCE, TERM: colour, unless --color says."},
    {"EXIT STATUS",
     "* 0: it was recorded and drawn.\n\n"
     "* The command's own status where it failed, 128 + n where signal n ended it (unless --ignore-status); what was sampled is "
     "drawn all the same. A command that we stopped has not failed.\n\n"
     "* 1: there was no sample.\n\n"
     "* 2: the command line or a file is wrong, or nothing could be recorded.\n\n"
     "* 130: a second Ctrl-C."},
    {0},
};
// clang-format on

static const char *const flame_peers[] = {"flamegraph", NULL};
static const char *const flame_peer_exits[] = {
    "0 when there is a picture; 1 when the command failed (it is drawn all the same; not with "
    "--ignore-status), or nothing could be recorded; 2 when the command line is wrong",
    NULL};

static int flame_run(const pk_invocation *invocation, const void *parsed, pk_err *err) {
    const flame_cli *cli = parsed;
    flame_plan plan;
    if (pk_parsed_given(&pk_cmd_flame, invocation->parsed, "completions")) {
        pk_cmd_print_completion(cli->completions, invocation->peer);
        return 0;
    }
    if (!flame_plan_make(invocation, cli, &plan, err)) return EXIT_WRONG;
    return flame_go(invocation, cli, &plan, err);
}

const pk_command pk_cmd_flame = {
    .name = "flame",
    .summary = "flame graphs of commands, processes and recordings",
    .usage = "[options] -- COMMAND [ARG...]",
    .opts = flame_opts,
    .options_bytes = sizeof(flame_cli),
    .examples = flame_examples,
    .sections = flame_sections,
    .peers = flame_peers,
    .peer_exits = flame_peer_exits,
    .peer_usage_exit = 2,
    .peer_setup_exit = 1,
    .run = flame_run,
};
