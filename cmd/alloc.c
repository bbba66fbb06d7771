/* perfkit alloc: the option table. What the options come to is in alloc_plan.c, what is then done
 * in alloc_go.c and alloc_outputs.c. */
#include "cmd/alloc_cli.h"
#include "cmd/commands.h"
#include "cmd/target.h"

#define EXIT_WRONG 2
#define ANY INT64_MAX

static const char *const backends[] = {"auto", "preload", "bpf", "inject", NULL};
static const char *const backend_help[] = {
    "preload for a command; bpf for a process, inject where that may not be",
    "a command is started with a library that counts in it", "probes in the kernel",
    "that library is loaded into a running process", NULL};
static const char *const weights[] = {"calls", "bytes", "peak", "leaked", "temporary", NULL};
static const char *const weight_help[] = {
    "how often",
    "how much, freed or not",
    "live when the most was live",
    "live at the end",
    "calls whose block was freed before the next one was allocated",
    NULL};
static const char *const groups[] = {"stack", "function", "object", NULL};
static const char *const group_help[] = {"whole call stacks",
                                         "functions: what they and all they call allocate",
                                         "programs and libraries", NULL};
static const char *const formats[] = {"dtrace",      "folded", "svg", "pprof", "massif",
                                      "heapprofile", "json",   "csv", NULL};
static const char *const format_help[] = {"stacks and counts as dtrace prints @[ustack()]",
                                          "text: a line per stack, and its weight",
                                          "a flame graph",
                                          "for go tool pprof, packed",
                                          "for ms_print and massif-visualizer",
                                          "gperftools' text, for pprof and jeprof",
                                          "everything (schema alloc/1)",
                                          "a row per stack",
                                          NULL};
static const char *const colors[] = {"auto", "always", "never", NULL};

#define OPTION(member, type) PK_FIELD(alloc_cli, member, type)

// clang-format off
static const pk_opt alloc_opts[] = {
    {0, "COMMAND", PK_OPT_TEXT_LIST, OPTION(words, pk_text_list), .arg = "COMMAND", .help = "what to run and count in, word by word",
     .details = "Its own options must stand behind --.", .flags = PK_OPT_POSITIONAL},
    {0, "ARGV", PK_OPT_TEXT_LIST, OPTION(argv, pk_text_list), .arg = "ARGV", .help = "after --: the command and its arguments",
     .flags = PK_OPT_POSITIONAL | PK_OPT_REST},

    {'p', "pid", PK_OPT_TEXT_LIST, OPTION(pids, pk_text_list), .arg = "pid|name", .help = "count in running processes, by number or name",
     .details = "Several may stand behind one -p, with commas between. They are never signalled.", .group = "What",
     .conflicts = "recover", .complete = target_complete_pids, .check = target_check_pids},
    {'c', "command", PK_OPT_TEXT, OPTION(dtrace_command, const char *), .arg = "words", .help = "the command as dtrace takes it, split at blanks",
     .group = "What", .conflicts = "pid recover"},
    {0, "function", PK_OPT_TEXT, OPTION(function, const char *), .arg = "lib:symbol", .help = "count calls of this function instead of allocations",
     .details = "libcrypto.so.3:EVP_DigestUpdate, or without library: the first in the order in which names are searched.", .group = "What",
     .complete = alloc_complete_functions},
    {'n', "program", PK_OPT_TEXT, OPTION(program, const char *), .arg = "program", .help = "a program of dtrace's, of the one kind that is meant here",
     .details = "pid$target:LIB:FUNCTION:entry { @[ustack()] = count(); }: with or without LIB and a name behind @, also ustack(N), and "
                "sum(arg0) for bytes; @ = quantize(arg0) for sizes. Any other is refused.", .group = "What",
     .conflicts = "function recover", .complete = alloc_complete_programs},
    {0, "recover", PK_OPT_TEXT, OPTION(recover, const char *), .arg = "folder", .bare = "", .help = "show what a run has left that was killed itself",
     .details = "Without a folder, the newest that there is.", .group = "What", .complete = alloc_complete_folders},

    {0, "backend", PK_OPT_ENUM, OPTION(backend, int), .arg = "which", .fallback = "auto", .help = "how calls are counted",
     .details = "--verbose says which was taken, and why.", .group = "Counting", .values = backends, .value_help = backend_help},
    {'d', "duration", PK_OPT_DURATION, OPTION(duration_ns, uint64_t), .arg = "duration", .shown_default = "until it ends, or Ctrl-C",
     .help = "count for so long", .group = "Counting", .min = 1, .max = ANY},
    {0, "grace", PK_OPT_DURATION, OPTION(grace_ns, uint64_t), .arg = "duration", .fallback = "5s",
     .help = "time for the command between SIGTERM and SIGKILL", .group = "Counting", .max = ANY},
    {0, "counts-only", PK_OPT_FLAG, OPTION(counts_only, bool), .help = "calls and bytes alone: frees are not followed", .group = "Counting",
     .conflicts = "fail-on-leak"},
    {0, "sample-bytes", PK_OPT_BYTES, OPTION(sample_bytes, uint64_t), .arg = "bytes", .help = "take one allocation in so many bytes, at random",
     .details = "Figures are estimates then, shown with their standard error; 512KiB costs next to nothing.", .group = "Counting", .min = 1, .max = ANY},
    {0, "follow", PK_OPT_FLAG, OPTION(follow, bool), .help = "count in the programs that it starts, too (the default)", .group = "Counting",
     .conflicts = "no-follow"},
    {0, "no-follow", PK_OPT_FLAG, OPTION(no_follow, bool), .help = "leave out the programs that it starts", .group = "Counting"},
    {0, "mappings", PK_OPT_FLAG, OPTION(mappings, bool), .help = "count mmap and its kin as well", .group = "Counting", .aliases = "mmap"},
    {0, "check", PK_OPT_FLAG, OPTION(check, bool), .help = "walk every stack in full, and say where a remembered one was wrong",
     .group = "Counting"},
    {0, "ignore-status", PK_OPT_FLAG, OPTION(ignore_status, bool), .help = "exit with 0 however the command ended", .group = "Counting"},

    {0, "frames", PK_OPT_COUNT, OPTION(frames, uint64_t), .arg = "number", .shown_default = "8 in the table, 20 in dtrace's layout",
     .help = "innermost frames shown of each stack; 0 is all of them", .group = "Stacks", .max = PK_IMAGE_FRAMES_MAX},
    {0, "no-inline", PK_OPT_FLAG, OPTION(no_inline, bool), .help = "do not show what was inlined", .group = "Stacks"},
    {0, "raw-names", PK_OPT_FLAG, OPTION(raw_names, bool), .help = "names with their arguments", .group = "Stacks"},
    {'x', "tune", PK_OPT_TEXT_LIST, OPTION(dtrace_options, pk_text_list), .arg = "name[=value]", .help = "an option of dtrace's: ustackframes=5",
     .details = "ustackframes, stackindent, aggsortrev, aggsortkey and quiet do what they do there. What sizes its buffers is accepted and "
                "has no meaning here.", .group = "Stacks", .complete = alloc_complete_tunings},

    {0, "sort", PK_OPT_ENUM, OPTION(sort, int), .arg = "figure", .fallback = "calls", .help = "order of the table",
     .group = "Text", .values = weights, .value_help = weight_help},
    {0, "by", PK_OPT_ENUM, OPTION(by, int), .arg = "what", .fallback = "stack", .help = "its rows",
     .group = "Text", .values = groups, .value_help = group_help},
    {0, "top", PK_OPT_COUNT, OPTION(top, uint64_t), .arg = "rows", .fallback = "10", .help = "how many of them; 0 is all",
     .group = "Text", .max = ANY},
    {0, "color", PK_OPT_ENUM, OPTION(color, int), .arg = "when", .fallback = "auto", .help = "colour the text",
     .group = "Text", .aliases = "colour", .values = colors},

    {'o', "output", PK_OPT_OUTPUT, OPTION(output, const char *), .arg = "file", .help = "write the result to a file; - is standard output",
     .group = "Output", .suffixes = "svg folded json csv"},
    {0, "format", PK_OPT_ENUM, OPTION(format, int), .arg = "format", .shown_default = "by the file's ending, else dtrace",
     .help = "what is written", .group = "Output", .values = formats, .value_help = format_help},
    {0, "weight", PK_OPT_ENUM, OPTION(weight, int), .arg = "figure", .shown_default = "as --sort", .help = "what the widths of svg and the numbers of folded are",
     .group = "Output", .aliases = "flamegraph-cost-type", .values = weights, .value_help = weight_help},
    {0, "title", PK_OPT_TEXT, OPTION(title, const char *), .arg = "text", .help = "title of the flame graph", .group = "Output"},
    {0, "report", PK_OPT_OUTPUT, OPTION(report, const char *), .arg = "file", .help = "write a page with everything: report.html",
     .group = "Output", .suffixes = "html"},
    {'j', "json", PK_OPT_FLAG, OPTION(json, bool), .help = "one JSON document on standard output (schema alloc/1)", .group = "Output"},
    {'v', "verbose", PK_OPT_FLAG, OPTION(verbose, bool), .help = "say how it was counted, and why so", .group = "Output", .conflicts = "quiet"},
    {'q', "quiet", PK_OPT_FLAG, OPTION(quiet, bool), .help = "no table on standard output, and nothing about it on standard error", .group = "Output"},

    {0, "fail-on-leak", PK_OPT_BYTES, OPTION(fail_on_leak_bytes, uint64_t), .arg = "bytes", .help = "exit with 1 when more than this is live at the end",
     .group = "Verdict", .max = ANY},
    {0, "suppressions", PK_OPT_FILE, OPTION(suppressions, const char *), .arg = "file", .help = "leaks that do not count: lines leak:FUNCTION",
     .details = "As LeakSanitizer and heaptrack read them: * is any text, # begins a comment.", .group = "Verdict", .needs = "fail-on-leak",
     .suffixes = "supp txt"},
    {0},
};

static const pk_example alloc_examples[] = {
    {"perfkit alloc -- ./program args", "run it, and show who allocates how much"},
    {"perfkit alloc -p 1234 -d 10s", "a running process, for ten seconds"},
    {"perfkit alloc -p 1234 -o run.perf", "as dtrace writes it; Ctrl-C ends it"},
    {"perfkit alloc --sort leaked --fail-on-leak 0 -- ./test", "a gate: nothing may be left over"},
    {"perfkit alloc --weight peak -o peak.svg -- ./program", "what the memory was used for at its peak"},
    {"perfkit alloc --report alloc.html -- ./program", "everything on one page"},
    {"perfkit alloc --function libc.so.6:write -p 1234", "any other function, by stack"},
    {0},
};

static const pk_section alloc_sections[] = {
    {"DESCRIPTION",
     "Counts who allocates, by call stack: calls, bytes, what is live at the peak and at the end, and blocks that were hardly used. "
     "Stacks are whole without frame pointers.\n\n"
     "A command is started with a library in front of its allocator; so are the programs that it starts. What was counted lies in "
     "memory that perfkit shares, so that it is there however the program ends. A running process is probed by the kernel, with "
     "nothing loaded into it; without the right to do that, or with --backend inject, the same library is loaded into it."},
    {"STANDARD OUTPUT",
     "The command's output goes where it went without perfkit. The table follows on standard output when it has ended; -o - "
     "or --json take its place. -q leaves only what the command prints."},
    {"DTRACE",
     "A link named dtrace runs this tool with its options -n, -p, -c, -o, -q and -x; the result, in its layout, goes to "
     "standard output or -o. dtrace appends to that file; here it is replaced when all is complete."},
    {"WHEN IT ENDS",
     "Counting ends with the program, after --duration, or with Ctrl-C or SIGTERM, and is shown whatever happened: of a program "
     "that crashed or was killed too. A command that still runs then gets SIGTERM, and SIGKILL after --grace; a process of -p is "
     "left as it was. A second Ctrl-C ends everything at once. Where perfkit itself was killed, --recover shows what there was."},
    {"ENVIRONMENT",
     "* XDG_RUNTIME_DIR: where counters are kept meanwhile; else /dev/shm or /tmp.\n\n"
     "* LD_PRELOAD: kept, behind ours.\n\n"
     "* NO_COLOR, CLICOLOR_FORCE, TERM: colour, unless --color says."},
    {"EXIT STATUS",
     "* 0: it was counted, and shown.\n\n"
     "* The command's own status where it failed, 128 + n where signal n ended it (unless --ignore-status); the result is shown all "
     "the same. A command that we stopped has not failed.\n\n"
     "* 1: --fail-on-leak found what it looks for.\n\n"
     "* 2: the command line or a file is wrong, or nothing could be counted.\n\n"
     "* 130: a second Ctrl-C."},
    {0},
};
// clang-format on

static const char *const alloc_peers[] = {"dtrace", NULL};
static const char *const alloc_peer_exits[] = {
    "0 when it was counted, however the command ended; 1 when nothing could be counted; 2 when the "
    "command line is wrong",
    NULL};

static int alloc_run(const pk_invocation *invocation, const void *parsed, pk_err *err) {
    const alloc_cli *cli = parsed;
    alloc_plan plan;
    if (!alloc_plan_make(invocation, cli, &plan, err)) return EXIT_WRONG;
    return alloc_go(invocation, cli, &plan, err);
}

const pk_command pk_cmd_alloc = {
    .name = "alloc",
    .summary = "who allocates, by call stack",
    .usage = "[options] -- COMMAND [ARG...]",
    .opts = alloc_opts,
    .options_bytes = sizeof(alloc_cli),
    .examples = alloc_examples,
    .sections = alloc_sections,
    .peers = alloc_peers,
    .peer_exits = alloc_peer_exits,
    .peer_usage_exit = 2,
    .peer_setup_exit = 1,
    .bare_shows_help = true,
    .run = alloc_run,
};
