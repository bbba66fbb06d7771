/* perfkit compare, where what is compared are profiles. */
#include "cmd/compare_profiles.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/units.h"
#include "cmd/flame_cli.h"
#include "cmd/output.h"
#include "cmd/target.h"
#include "cmd/terminal.h"
#include "flame/saved_file.h"
#include "profile/difference.h"
#include "profile/flame_svg.h"

#define EXIT_WRONG 2
#define NAMES_BYTES_MAX ((size_t)1 << 30)
#define SVG_BYTES_MAX ((size_t)1 << 30)
#define SUBTITLE_MAX 512

typedef struct comparison {
    const compare_profiles_options *options;
    pk_flame_result sides[2];
    pk_names *names; /* of the picture */
} comparison;

bool compare_is_profile(const char *path) {
    return pk_saved_file_kind(path) != PK_SAVED_UNKNOWN;
}

static const char *path_of(const comparison *c, int i) {
    return i == 0 ? c->options->before : c->options->after;
}

static void say_notes(const char *invoked_as, const char *path, const pk_flame_result *result) {
    for (size_t i = 0; i < result->notes.count; i++) {
        const pk_flame_note *note = &PK_AT(&result->notes, pk_flame_note, i);
        fprintf(stderr, "%s: %s: %s%s%s\n", invoked_as, path, note->text, note->fix ? "; " : "",
                note->fix ? note->fix : "");
    }
}

static bool difference(const pk_profile *const profiles[2], const pk_difference_options *options,
                       pk_names *names, pk_stack_tree *tree, pk_err *err) {
    if (!pk_difference(&profiles[0]->tree, &profiles[1]->tree, options, names, tree, err))
        return false;
    pk_stack_tree_sum(tree);
    return true;
}

static bool write_changes(FILE *out, const pk_stack_tree *tree, const pk_side sides[2],
                          const pk_difference_view *view, bool json, pk_err *err) {
    if (!json) return pk_difference_text(out, tree, sides, view, err);
    pk_json *document = pk_difference_json(tree, sides, view, err);
    bool ok = document && pk_json_write(out, document, err);
    pk_json_free(document);
    return ok;
}

bool compare_print_changes(FILE *out, const pk_profile *const profiles[2],
                           const char *const names[2], const pk_difference_options *options,
                           const pk_difference_view *view, bool json, pk_err *err) {
    pk_side sides[2];
    pk_stack_tree tree;
    pk_names *all = pk_names_new(NAMES_BYTES_MAX);
    pk_sides_of(profiles, names, sides);
    bool made = all && difference(profiles, options, all, &tree, err);
    if (!all) pk_fail(err, PK_E_LIMIT, NULL, "out of memory");
    bool ok = made && write_changes(out, &tree, sides, view, json, err);
    if (made) pk_stack_tree_fini(&tree);
    pk_names_free(all);
    return ok;
}

static bool print(const comparison *c, pk_err *err) {
    const compare_profiles_options *o = c->options;
    const pk_difference_view view = {.rows = o->rows,
                                     .order = (pk_function_order)o->order,
                                     .alpha = o->alpha,
                                     .colour = o->colour,
                                     .width = isatty(STDOUT_FILENO) ? pk_help_columns(stdout) : 0};
    const pk_profile *const profiles[2] = {&c->sides[0].profile, &c->sides[1].profile};
    const pk_difference_options as_they_are = {0};
    return compare_print_changes(stdout, profiles, (const char *const[2]){o->before, o->after},
                                 &as_they_are, &view, o->json, err);
}

/* Scaled to one total, so that a longer recording is not red all over. */
static bool draw(const comparison *c, pk_err *err) {
    char subtitle[SUBTITLE_MAX], size[PK_FORMAT_MAX];
    pk_flame_style style = PK_FLAME_STYLE;
    const pk_profile *after = &c->sides[1].profile;
    pk_stack_tree tree;
    pk_strbuf svg;
    snprintf(subtitle, sizeof subtitle, "%.200s, against %.200s scaled to the same total",
             c->options->after, c->options->before);
    style.title = "Differential Flame Graph";
    style.subtitle = subtitle;
    style.weight_is_time = after->weight_is_time;
    if (after->unit && !after->weight_is_time) style.count_name = after->unit;
    style.max_frames = PK_FLAME_FRAMES_MAX;
    style.embed_stacks = true;
    const pk_profile *const profiles[2] = {&c->sides[0].profile, after};
    const pk_difference_options scaled = {.normalise = true};
    if (!difference(profiles, &scaled, c->names, &tree, err)) return false;
    pk_strbuf_init(&svg, SVG_BYTES_MAX);
    bool ok = pk_stack_tree_sort(&tree, err) && pk_flame_svg(&tree, &style, &svg, NULL, err) &&
              output_write(c->options->output, svg.data, svg.length, err);
    if (ok && strcmp(c->options->output, "-") != 0)
        fprintf(stderr, "%s: %s\n", c->options->output,
                pk_format_bytes(size, sizeof size, (double)svg.length));
    pk_strbuf_fini(&svg);
    pk_stack_tree_fini(&tree);
    return ok;
}

static bool read_sides(comparison *c, const pk_invocation *invocation, pk_err *err) {
    pk_debug_folders folders = {0};
    const pk_flame_options options = {.folders = &folders};
    if (!target_debug_folders(invocation->parsed->arena, &folders, err)) return false;
    for (int i = 0; i < 2; i++) {
        pk_flame_result *side = &c->sides[i];
        if (!pk_flame_run_file(path_of(c, i), &options, NULL, side, err)) return false;
        say_notes(invocation->name, path_of(c, i), side);
        if (side->profile.n_samples > 0) continue;
        pk_fail(err, PK_E_INPUT, path_of(c, i), "there is no sample in it");
        pk_fix(err, "record again, for longer");
        return false;
    }
    return true;
}

int compare_profiles(const compare_profiles_options *options, const pk_invocation *invocation,
                     pk_err *err) {
    comparison c = {.options = options, .names = pk_names_new(NAMES_BYTES_MAX)};
    if (!c.names) {
        pk_fail(err, PK_E_LIMIT, NULL, "out of memory");
        return EXIT_WRONG;
    }
    bool ok =
        read_sides(&c, invocation, err) && print(&c, err) && (!options->output || draw(&c, err));
    for (int i = 0; i < 2; i++) pk_flame_fini(&c.sides[i]);
    pk_names_free(c.names);
    return ok ? 0 : EXIT_WRONG;
}
