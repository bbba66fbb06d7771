/* perfkit flame-draw: folded stacks to a flame graph, as inferno-flamegraph and flamegraph.pl do
 * it, and under their names. */
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "cmd/commands.h"
#include "cmd/flame_cli.h"
#include "cmd/flame_picture.h"
#include "profile/folded.h"

#define EXIT_WRONG 2
#define TEXT_BYTES_MAX ((size_t)16 << 30)

typedef struct draw_cli {
    flame_cli flame; /* the rows of the picture are its; first */
    pk_text_list files;
    uint64_t total;
    bool no_sort, quiet;
    int verbose;
} draw_cli;

#define OPTION(member, type) PK_FIELD(draw_cli, member, type)

// clang-format off
static const pk_opt draw_opts[] = {
    {0, "PATH", PK_OPT_TEXT_LIST, OPTION(files, pk_text_list), .arg = "PATH", .help = "folded stacks, added up; none or - is standard input",
     .complete = flame_complete_texts, .flags = PK_OPT_POSITIONAL},
    FLAME_PICTURE_ROWS('c'),
    {0, "total", PK_OPT_COUNT, OPTION(total, uint64_t), .arg = "number", .shown_default = "what the stacks add up to",
     .help = "the weight of the whole width", .group = "Picture", .min = 1, .max = FLAME_ANY},
    {0, "no-sort", PK_OPT_FLAG, OPTION(no_sort, bool), .help = "the lines are sorted already; an error if they are not", .group = "Stacks"},
    {'q', "quiet", PK_OPT_FLAG, OPTION(quiet, bool), .help = "no warnings", .group = "Output"},
    {'v', "verbose", PK_OPT_TALLY, OPTION(verbose, int), .help = "taken for inferno's sake; there is nothing more to say",
     .flags = PK_OPT_HIDDEN},
    {0},
};
// clang-format on

static const pk_example draw_examples[] = {
    {"perfkit flame-draw out.folded > out.svg", "folded stacks to a picture"},
    {0},
};

/* ---- lines ---- */

static bool read_all(const draw_cli *cli, pk_strbuf *text, pk_err *err) {
    static const char *const standard_input[] = {"-"};
    size_t n = cli->files.count ? cli->files.count : 1;
    for (size_t i = 0; i < n; i++) {
        const char *path = cli->files.count ? cli->files.items[i] : standard_input[0];
        if (!pk_file_read(path, TEXT_BYTES_MAX - text->length, text, err)) return false;
        if (text->length && text->data[text->length - 1] != '\n') pk_strbuf_add_char(text, '\n');
    }
    if (pk_strbuf_ok(text)) return true;
    pk_fail(err, PK_E_LIMIT, NULL, "no memory for the stacks");
    return false;
}

/* Lines in reverse: FlameGraph's collapsers write what came last first. */
static bool reverse_lines(const pk_strbuf *text, pk_strbuf *out, pk_err *err) {
    size_t end = text->length;
    while (end > 0) {
        size_t begin = end - 1;
        while (begin > 0 && text->data[begin - 1] != '\n') begin--;
        pk_strbuf_add(out, text->data + begin, end - begin);
        end = begin;
    }
    if (pk_strbuf_ok(out)) return true;
    pk_fail(err, PK_E_LIMIT, NULL, "no memory for the stacks");
    return false;
}

static int compare_lines(const char *a, size_t a_bytes, const char *b, size_t b_bytes) {
    int order = memcmp(a, b, a_bytes < b_bytes ? a_bytes : b_bytes);
    return order ? order : (a_bytes > b_bytes) - (a_bytes < b_bytes);
}

static bool check_sorted(const pk_strbuf *text, pk_err *err) {
    const char *before = "";
    size_t before_bytes = 0, number = 1;
    for (const char *line = text->data, *end = line + text->length; line < end; number++) {
        size_t bytes = (size_t)((const char *)memchr(line, '\n', (size_t)(end - line)) - line);
        if (compare_lines(line, bytes, before, before_bytes) < 0) {
            pk_fail(err, PK_E_INPUT, NULL, "line %zu is not sorted", number);
            pk_fix(err, "leave out --no-sort");
            return false;
        }
        before = line;
        before_bytes = bytes;
        line += bytes + 1;
    }
    return true;
}

/* ---- stacks ---- */

static bool add_stacks(const draw_cli *cli, pk_strbuf *text, pk_stack_tree *tree,
                       pk_folded_read *counts, pk_err *err) {
    pk_strbuf reversed;
    if (cli->no_sort && !cli->flame.picture.flamechart && !check_sorted(text, err)) return false;
    if (!cli->flame.picture.flamechart)
        return pk_folded_add(tree, text->data, text->length, counts, err);
    pk_strbuf_init(&reversed, TEXT_BYTES_MAX);
    bool ok = reverse_lines(text, &reversed, err) &&
              pk_folded_add(tree, reversed.data, reversed.length, counts, err);
    pk_strbuf_fini(&reversed);
    return ok;
}

/* Two numbers at the end of the line. */
static bool has_two_counts(const char *line, size_t bytes) {
    const char *at = line + bytes;
    for (int numbers = 0; numbers < 2; numbers++) {
        const char *end = at;
        while (at > line && strchr("0123456789.", at[-1])) at--;
        if (at == end || at == line || at[-1] != ' ') return false;
        at--;
    }
    return true;
}

static bool is_difference(const pk_strbuf *text) {
    for (const char *line = text->data; *line;) {
        size_t bytes = strcspn(line, "\n");
        if (has_two_counts(line, bytes)) return true;
        line += bytes + (line[bytes] == '\n');
    }
    return false;
}

static void warn(const draw_cli *cli, const pk_folded_read *counts) {
    if (cli->quiet) return;
    if (counts->ignored)
        fprintf(stderr, "ignored %llu lines that end in no count\n",
                (unsigned long long)counts->ignored);
    if (counts->fraction)
        fprintf(stderr, "cut the fraction off the counts of %llu lines\n",
                (unsigned long long)counts->fraction);
}

static bool make_tree(const draw_cli *cli, pk_strbuf *text, pk_stack_tree *tree, pk_err *err) {
    const flame_picture *picture = &cli->flame.picture;
    const pk_reshape reshape = {.reverse = picture->reverse, .bases = picture->bases};
    pk_folded_read counts = {0};
    pk_stack_tree changed;
    if (!add_stacks(cli, text, tree, &counts, err)) return false;
    warn(cli, &counts);
    if (pk_reshape_any(&reshape)) {
        if (!pk_reshape_tree(tree, &reshape, &changed, NULL, err)) return false;
        pk_stack_tree_fini(tree);
        *tree = changed;
    }
    pk_stack_tree_sum(tree);
    return tree->in_order || pk_stack_tree_sort(tree, err);
}

/* ---- the picture ---- */

static bool draw(const draw_cli *cli, const pk_stack_tree *tree, pk_err *err) {
    const flame_picture *picture = &cli->flame.picture;
    pk_flame_style style;
    flame_extras extras;
    pk_strbuf out;
    if (!flame_style_make(picture, &style, err)) return false;
    pk_strbuf_init(&out, TEXT_BYTES_MAX);
    bool ok = flame_extras_load(picture, &extras, err);
    style.plain = true;
    style.total = cli->total;
    style.attributes = extras.attributes;
    style.palette_map = extras.palette_map;
    if (!picture->title) style.title = NULL;
    ok = ok && pk_flame_svg(tree, &style, &out, NULL, err);
    fwrite(out.data, 1, out.length, stdout); /* without stacks: a picture that says so */
    ok = ok && flame_extras_keep(&extras, err);
    flame_extras_free(&extras);
    pk_strbuf_fini(&out);
    return ok;
}

static int draw_run(const pk_invocation *invocation, const void *parsed, pk_err *err) {
    const draw_cli *cli = parsed;
    pk_strbuf text;
    pk_stack_tree tree;
    (void)invocation;
    pk_names *names = pk_names_new(TEXT_BYTES_MAX);
    pk_strbuf_init(&text, TEXT_BYTES_MAX);
    bool ok = read_all(cli, &text, err);
    if (ok && (ok = names && pk_stack_tree_init(&tree, names, is_difference(&text) ? 2 : 1,
                                                cli->flame.picture.flamechart, err))) {
        ok = make_tree(cli, &text, &tree, err) && draw(cli, &tree, err);
        pk_stack_tree_fini(&tree);
    }
    pk_strbuf_fini(&text);
    pk_names_free(names);
    return ok ? 0 : EXIT_WRONG;
}

static const char *const draw_peers[] = {"inferno-flamegraph", "flamegraph.pl", NULL};
static const char *const draw_peer_exits[] = {
    "0: drawn; 1: the stacks cannot be read, or there are none; 2: the command line is wrong",
    "as inferno-flamegraph", NULL};

const pk_command pk_cmd_flame_draw = {
    .name = "flame-draw",
    .summary = "folded stacks to a flame graph, as inferno-flamegraph does it",
    .usage = "[options] [PATH...]",
    .opts = draw_opts,
    .options_bytes = sizeof(draw_cli),
    .examples = draw_examples,
    .peers = draw_peers,
    .peer_exits = draw_peer_exits,
    .helper = true,
    .hidden = true,
    .peer_usage_exit = 2,
    .peer_setup_exit = 1,
    .run = draw_run,
};
