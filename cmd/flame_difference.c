/* perfkit flame-difference: two folded profiles to one with two counts a line, as
 * inferno-diff-folded and difffolded.pl do it, and under their names. */
#include "base/file.h"
#include "cmd/commands.h"
#include "cmd/flame_cli.h"
#include "profile/difference.h"
#include "profile/folded.h"

#define EXIT_WRONG 2
#define TEXT_BYTES_MAX ((size_t)16 << 30)

typedef struct difference_cli {
    const char *before, *after;
    bool normalise, strip_hex, quiet;
    int verbose;
} difference_cli;

#define OPTION(member, type) PK_FIELD(difference_cli, member, type)

// clang-format off
static const pk_opt difference_opts[] = {
    {0, "PATH1", PK_OPT_TEXT, OPTION(before, const char *), .arg = "PATH1", .help = "folded stacks before",
     .complete = flame_complete_texts, .flags = PK_OPT_POSITIONAL | PK_OPT_REQUIRED},
    {0, "PATH2", PK_OPT_TEXT, OPTION(after, const char *), .arg = "PATH2", .help = "... and after",
     .complete = flame_complete_texts, .flags = PK_OPT_POSITIONAL | PK_OPT_REQUIRED},
    {'n', "normalize", PK_OPT_FLAG, OPTION(normalise, bool), .help = "scale the counts before to the total after",
     .aliases = "normalise"},
    {'s', "strip-hex", PK_OPT_FLAG, OPTION(strip_hex, bool), .help = "all addresses count as the same one"},
    {'q', "quiet", PK_OPT_FLAG, OPTION(quiet, bool), .help = "no warnings"},
    {'v', "verbose", PK_OPT_TALLY, OPTION(verbose, int), .help = "taken for inferno's sake; there is nothing more to say",
     .flags = PK_OPT_HIDDEN},
    {0},
};
// clang-format on

static const pk_example difference_examples[] = {
    {"perfkit flame-difference before.folded after.folded | perfkit flame-draw > out.svg",
     "what has become more, and less"},
    {0},
};

static bool read_tree(const difference_cli *cli, const char *path, pk_stack_tree *tree,
                      pk_err *err) {
    pk_strbuf text;
    pk_folded_read counts = {0};
    pk_strbuf_init(&text, TEXT_BYTES_MAX);
    bool ok = pk_file_read(path, TEXT_BYTES_MAX, &text, err) &&
              pk_folded_add(tree, text.data, text.length, &counts, err);
    if (ok && counts.ignored && !cli->quiet)
        fprintf(stderr, "%s: ignored %llu lines that end in no count\n", path,
                (unsigned long long)counts.ignored);
    pk_strbuf_fini(&text);
    return ok;
}

static bool print_difference(const difference_cli *cli, const pk_stack_tree *before,
                             const pk_stack_tree *after, pk_err *err) {
    const pk_difference_options options = {cli->normalise, cli->strip_hex};
    pk_stack_tree tree;
    pk_strbuf text;
    if (!pk_difference(before, after, &options, after->names, &tree, err)) return false;
    pk_strbuf_init(&text, TEXT_BYTES_MAX);
    bool ok = pk_folded_write(&tree, &text, err);
    if (ok) fwrite(text.data, 1, text.length, stdout);
    pk_strbuf_fini(&text);
    pk_stack_tree_fini(&tree);
    return ok;
}

static bool compare_files(const difference_cli *cli, pk_names *names, pk_err *err) {
    pk_stack_tree before, after;
    if (!pk_stack_tree_init(&before, names, 1, false, err)) return false;
    bool ok = pk_stack_tree_init(&after, names, 1, false, err);
    if (ok) {
        ok = read_tree(cli, cli->before, &before, err) && read_tree(cli, cli->after, &after, err) &&
             print_difference(cli, &before, &after, err);
        pk_stack_tree_fini(&after);
    }
    pk_stack_tree_fini(&before);
    return ok;
}

static int difference_run(const pk_invocation *invocation, const void *parsed, pk_err *err) {
    (void)invocation;
    pk_names *names = pk_names_new(TEXT_BYTES_MAX);
    bool ok = names && compare_files(parsed, names, err);
    if (!names) pk_fail(err, PK_E_LIMIT, NULL, "out of memory");
    pk_names_free(names);
    return ok ? 0 : EXIT_WRONG;
}

static const char *const difference_peers[] = {"inferno-diff-folded", "difffolded.pl", NULL};
static const char *const difference_peer_exits[] = {
    "0: compared; 1: a file cannot be read; 2: the command line is wrong", "as inferno-diff-folded",
    NULL};

const pk_command pk_cmd_flame_difference = {
    .name = "flame-difference",
    .summary = "two folded profiles to one of both counts, as inferno-diff-folded does it",
    .usage = "[options] PATH1 PATH2",
    .opts = difference_opts,
    .options_bytes = sizeof(difference_cli),
    .examples = difference_examples,
    .peers = difference_peers,
    .peer_exits = difference_peer_exits,
    .helper = true,
    .hidden = true,
    .peer_usage_exit = 2,
    .peer_setup_exit = 1,
    .run = difference_run,
};
