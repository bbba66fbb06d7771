/* What the parts of `perfkit flame` share: the options as they stand on the line, and what is made
 * of them. Private to the tool's files. */
#ifndef PK_CMD_FLAME_CLI_H
#define PK_CMD_FLAME_CLI_H

#include "cli/command.h"
#include "flame/flame.h"
#include "profile/flame_chart.h"
#include "profile/flame_svg.h"
#include "profile/reshape.h"

typedef enum flame_format { /* --format */
                            FLAME_SVG,
                            FLAME_FOLDED,
                            FLAME_SPEEDSCOPE,
                            FLAME_FIREFOX,
                            FLAME_PPROF,
                            FLAME_JSON,
                            FLAME_FORMATS
} flame_format;

/* Options of the picture; flame-draw has them too. */
typedef struct flame_picture {
    const char *title, *subtitle, *notes;
    bool inverted, flamechart, reverse, negate, no_sort;
    int palette;
    bool deterministic, hash, diffusion, consistent;
    const char *background, *search_colour, *stroke_colour, *ui_colour;
    uint64_t width, height, font_size;
    double font_width, min_width, factor;
    const char *font, *count_name, *name_type, *name_attributes;
    bool truncate_right, pretty;
    pk_text_list bases;
} flame_picture;

typedef struct flame_cli {
    pk_text_list words, argv; /* the command, before and after "--" */
    pk_text_list pids, folded, diff;
    bool normalise, strip_hex;
    bool all_cpus;
    const char *perf_data;

    int recorder;
    uint64_t frequency_hz, period, duration_ns, delay_ns, grace_ns;
    const char *event, *call_graph, *keep, *compression, *perf_words, *root;
    bool off_cpu, detach, ignore_status;

    bool no_inline, raw_names, addresses, fold_recursion, strip_suffixes, by_thread;
    int count, label, annotate;
    pk_text_list threads, skip_after, only, without;
    const char *time_range;

    flame_picture picture;

    uint64_t top;
    int order, color;
    const char *callers, *callees;
    bool modules;

    const char *output, *post_process;
    int format, completions;
    bool open, verbose, quiet;
} flame_cli;

/* One run, after all that the table cannot say. Texts live in the arena of `parsed`. */
typedef struct flame_plan {
    pk_flame_options flame;
    pk_debug_folders folders;
    const char *before, *after; /* two profiles to compare (--diff) instead of one; NULL */
    pk_reshape reshape;
    pk_flame_style style;
    bool own_title, own_subtitle, own_unit; /* they are made from what was recorded */
    bool lanes; /* a chart with a lane per thread, if the samples have times */
    flame_format format;
    const char *output;    /* "-": standard output */
    char **post_process;   /* argv, NULL behind; NULL: none */
    size_t top;            /* rows of the table; 0: all */
    bool silent, progress; /* no text on stdout; a progress line, where stderr is a terminal */
} flame_plan;

bool flame_plan_make(const pk_invocation *invocation, const flame_cli *cli, flame_plan *plan,
                     pk_err *err) PK_MUST_CHECK;

/* What a picture is to look like, from the options; shared with flame-draw. Without --title and
 * --countname: "Flame Graph" and "samples". */
bool flame_style_make(const flame_picture *picture, pk_flame_style *style,
                      pk_err *err) PK_MUST_CHECK;

/* Files that a picture uses: what frames link to, and colours that are kept. */
typedef struct flame_extras {
    pk_flame_attributes *attributes; /* NULL: none */
    pk_palette_map *palette_map;
} flame_extras;
/* flame_extras_free in any case. */
bool flame_extras_load(const flame_picture *picture, flame_extras *extras,
                       pk_err *err) PK_MUST_CHECK;
/* Writes the colours back. */
bool flame_extras_keep(const flame_extras *extras, pk_err *err) PK_MUST_CHECK;
void flame_extras_free(flame_extras *extras);

/* What a run has come to, as the outputs see it. */
typedef struct flame_session {
    const pk_invocation *invocation;
    const flame_cli *cli;
    const flame_plan *plan;
    pk_flame_result result;   /* what was profiled; of a difference: the profile after */
    pk_flame_result before;   /* of a difference */
    pk_stack_tree difference; /* with two weights, where plan->after is set */
    pk_names *names;          /* of the difference */
    bool compared;            /* there is a difference */
    size_t left_out;          /* frames too narrow to be drawn */
    size_t bytes;             /* that were written */
} flame_session;

/* The tree that is drawn. */
static inline pk_stack_tree *flame_tree(flame_session *s) {
    return s->plan->after ? &s->difference : &s->result.profile.tree;
}

/* ---- outputs ---- */

/* Writes the picture, or what --format asks for, to the plan's output, in one step. The tree is
 * summed, and sorted unless in_order. */
bool flame_write(flame_session *s, pk_err *err) PK_MUST_CHECK;
/* What there is to say of it on stdout. */
bool flame_summary(const flame_session *s, pk_err *err) PK_MUST_CHECK;

/* What is to be known of a profile, a line each, on stderr. */
void flame_say_notes(const pk_invocation *invocation, const pk_flame_result *result);

/* Everything after the line was understood; returns the exit code. */
int flame_go(const pk_invocation *invocation, const flame_cli *cli, const flame_plan *plan,
             pk_err *err);

/* ---- completers and checkers ---- */

pk_completer flame_complete_events, flame_complete_call_graphs, flame_complete_backgrounds,
    flame_complete_texts, flame_complete_profiles;
pk_checker flame_check_colour, flame_check_stroke, flame_check_background;

extern const pk_command pk_cmd_flame;

#endif
