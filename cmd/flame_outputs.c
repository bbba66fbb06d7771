/* perfkit flame: the picture, the other formats, and the text on standard output. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/units.h"
#include "cmd/compare_profiles.h"
#include "cmd/flame_cli.h"
#include "cmd/output.h"
#include "cmd/terminal.h"
#include "profile/difference.h"
#include "profile/firefox.h"
#include "profile/folded.h"
#include "profile/pprof.h"
#include "profile/speedscope.h"
#include "profile/top.h"
#include "report/escape.h"
#include "report/progress.h"
#include "report/quantity.h"
#include "timing/clock.h"

#define OUTPUT_BYTES_MAX ((size_t)4 << 30)
#define TEXT_BYTES_MAX (1u << 20)
#define COMMAND_CELLS 100 /* of it are shown in the subtitle */
#define ALPHA 0.05        /* of all changes of a difference together */

static bool is_stdout(const char *path) {
    return strcmp(path, "-") == 0;
}

/* ---- words about a profile ---- */

static void add_grouped(pk_strbuf *out, uint64_t n) {
    char digits[24];
    int length = snprintf(digits, sizeof digits, "%" PRIu64, n);
    for (int i = 0; i < length; i++) {
        if (i > 0 && (length - i) % 3 == 0) pk_strbuf_add_char(out, ',');
        pk_strbuf_add_char(out, digits[i]);
    }
}

static void add_part(pk_strbuf *out, uint64_t n, const char *what) {
    pk_strbuf_add_str(out, ", ");
    add_grouped(out, n);
    pk_strbuf_addf(out, " %s", what);
}

/* "99.8 %" of n_samples; what rounds to 100 and is less stays less. */
static void add_share(pk_strbuf *out, uint64_t part, uint64_t all) {
    double percent = all ? 100 * (double)part / (double)all : 0;
    if (part < all && percent > 99.9) percent = 99.9;
    if (part > 0 && percent < 0.1) percent = 0.1;
    pk_strbuf_addf(out, percent == 100 || percent == 0 ? "%.0f %%" : "%.1f %%", percent);
}

/* "cpu-clock at 997 Hz in 10 s" */
static void add_how(pk_strbuf *out, const pk_profile *p) {
    char text[PK_FORMAT_MAX];
    const char *event = p->off_cpu ? "time off the CPU" : p->event;
    if (event) pk_strbuf_addf(out, "%s", event);
    if (event && p->frequency_hz > 0)
        pk_strbuf_addf(out, " at %s Hz", pk_format_double(text, sizeof text, p->frequency_hz));
    if (event && p->period && !p->off_cpu) pk_strbuf_addf(out, " each %" PRIu64, p->period);
    if (p->duration_ns)
        pk_strbuf_addf(out, "%s%s", event ? " in " : "in ",
                       pk_format_duration(text, sizeof text, (double)p->duration_ns));
}

/* "6,929 samples, 3 lost, 0.1 % truncated; cpu-clock at 997 Hz in 10 s; ./program 10" */
static void add_subtitle(pk_strbuf *out, const pk_profile *p) {
    add_grouped(out, p->n_samples);
    pk_strbuf_add_str(out, p->n_samples == 1 ? " sample" : " samples");
    if (p->event || p->lost) add_part(out, p->lost, "lost");
    if (p->stacks_copied) {
        pk_strbuf_add_str(out, ", ");
        add_share(out, p->truncated, p->n_samples);
        pk_strbuf_add_str(out, " truncated");
    }
    if (p->incomplete) pk_strbuf_add_str(out, ", incomplete");
    if (p->event || p->duration_ns) {
        pk_strbuf_add_str(out, "; ");
        add_how(out, p);
    }
    if (!p->command) return;
    size_t length = strlen(p->command);
    bool cut = length > COMMAND_CELLS;
    pk_strbuf_addf(out, "; %.*s%s", cut ? COMMAND_CELLS : (int)length, p->command,
                   cut ? "..." : "");
}

/* ---- the picture ---- */

/* The weight of each sample where all have the same: known of clocks, whose period is a time that
 * they keep. */
static uint64_t weight_per_sample(const pk_profile *p) {
    uint64_t all = pk_node(&p->tree, PK_NODE_ROOT)->total[0];
    bool clock = p->event && strstr(p->event, "-clock");
    if (!p->weight_is_time || p->off_cpu || !clock || p->n_samples == 0) return 0;
    return all % p->n_samples == 0 ? all / p->n_samples : 0;
}

static pk_flame_style style_of(const flame_session *s, pk_strbuf *subtitle) {
    const flame_plan *plan = s->plan;
    const pk_profile *p = &s->result.profile;
    pk_flame_style style = plan->style;
    bool ours = !s->invocation->as_peer;
    style.plain = !ours;
    style.embed_stacks = ours;
    style.max_frames = ours ? PK_FLAME_FRAMES_MAX : 0;
    if (plan->own_title)
        style.title = plan->after  ? "Differential Flame Graph"
                      : p->off_cpu ? "Off-CPU Time Flame Graph"
                                   : NULL;
    if (plan->own_subtitle && !plan->after) {
        add_subtitle(subtitle, p);
        style.subtitle = subtitle->data;
    }
    if (plan->own_unit) {
        style.weight_is_time = p->weight_is_time;
        style.sample_weight = plan->after ? 0 : weight_per_sample(p);
        if (p->unit && !p->weight_is_time) style.count_name = p->unit;
    }
    return style;
}

static bool draw(flame_session *s, const pk_flame_style *style, pk_strbuf *out, pk_err *err) {
    const pk_profile *p = &s->result.profile;
    if (s->plan->lanes && pk_flame_chart_possible(p))
        return pk_flame_chart_svg(p, style, out, &s->left_out, err);
    return pk_flame_svg(flame_tree(s), style, out, &s->left_out, err);
}

static bool picture(flame_session *s, pk_strbuf *out, pk_err *err) {
    pk_strbuf subtitle;
    flame_extras extras;
    pk_strbuf_init(&subtitle, TEXT_BYTES_MAX);
    pk_flame_style style = style_of(s, &subtitle);
    bool ok = flame_extras_load(&s->cli->picture, &extras, err);
    style.attributes = extras.attributes;
    style.palette_map = extras.palette_map;
    ok = ok && draw(s, &style, out, err) && flame_extras_keep(&extras, err);
    flame_extras_free(&extras);
    pk_strbuf_fini(&subtitle);
    return ok;
}

/* ---- the other formats ---- */

static pk_top_options top_options(const flame_session *s) {
    return (pk_top_options){.rows = s->plan->top,
                            .order = (pk_function_order)s->cli->order,
                            .colour = pk_terminal_colour(stdout, (pk_colour_when)s->cli->color),
                            .width = isatty(STDOUT_FILENO) ? pk_help_columns(stdout) : 0};
}

/* What changed, of a difference. */
static bool print_changes(FILE *out, const flame_session *s, bool json, pk_err *err) {
    const pk_top_options options = top_options(s);
    const pk_difference_view view = {.rows = options.rows,
                                     .order = options.order,
                                     .alpha = ALPHA,
                                     .colour = options.colour && !json,
                                     .width = options.width};
    const pk_difference_options counted = {.strip_hex = s->cli->strip_hex};
    const pk_profile *const profiles[2] = {&s->before.profile, &s->result.profile};
    const char *const names[2] = {s->plan->before, s->plan->after};
    return compare_print_changes(out, profiles, names, &counted, &view, json, err);
}

static bool print_json(FILE *out, const flame_session *s, pk_err *err) {
    pk_top_options options = top_options(s);
    const char *around = s->cli->callers ? s->cli->callers : s->cli->callees;
    if (!pk_parsed_given(&pk_cmd_flame, s->invocation->parsed, "top")) options.rows = 0;
    pk_json *document = pk_top_json(&s->result.profile, &options, around, err);
    bool ok = document && pk_json_write(out, document, err);
    pk_json_free(document);
    return ok;
}

static bool json(const flame_session *s, pk_strbuf *out, pk_err *err) {
    char *text = NULL;
    size_t bytes = 0;
    FILE *file = open_memstream(&text, &bytes);
    if (!file) {
        pk_fail(err, PK_E_LIMIT, NULL, "out of memory");
        return false;
    }
    bool ok = s->plan->after ? print_changes(file, s, true, err) : print_json(file, s, err);
    fclose(file);
    if (ok) pk_strbuf_add(out, text, bytes);
    free(text);
    return ok;
}

static bool render(flame_session *s, pk_strbuf *out, pk_err *err) {
    const pk_profile *profile = &s->result.profile;
    switch (s->plan->format) {
    case FLAME_FOLDED:
        return pk_folded_write(flame_tree(s), out, err);
    case FLAME_SPEEDSCOPE:
        return pk_speedscope(profile, NULL, out, err);
    case FLAME_FIREFOX:
        return pk_firefox(profile, out, err);
    case FLAME_PPROF:
        return pk_pprof(profile, out, err);
    case FLAME_JSON:
        return json(s, out, err);
    default:
        return picture(s, out, err);
    }
}

bool flame_write(flame_session *s, pk_err *err) {
    const char *path = s->plan->output;
    pk_strbuf out;
    pk_strbuf_init(&out, OUTPUT_BYTES_MAX);
    bool ok = render(s, &out, err);
    if (ok && !pk_strbuf_ok(&out)) {
        pk_fail(err, PK_E_LIMIT, path, "no memory for the result");
        ok = false;
    }
    if (ok && is_stdout(path)) fwrite(out.data, 1, out.length, stdout); /* main checks stdout */
    else ok = ok && output_write(path, out.data, out.length, err);
    s->bytes = out.length;
    pk_strbuf_fini(&out);
    return ok;
}

/* ---- text ---- */

static bool print_tables(const flame_session *s, pk_err *err) {
    const pk_profile *profile = &s->result.profile;
    const flame_cli *cli = s->cli;
    pk_top_options options = top_options(s);
    const char *around = cli->callers ? cli->callers : cli->callees;
    bool both = cli->callers && cli->callees && strcmp(cli->callers, cli->callees) != 0;
    if (around && !pk_top_around(stdout, profile, around, cli->callers != NULL,
                                 cli->callees != NULL && !both, &options, err))
        return false;
    if (both && !pk_top_around(stdout, profile, cli->callees, false, true, &options, err))
        return false;
    bool table = !around || pk_parsed_given(&pk_cmd_flame, s->invocation->parsed, "top");
    if (table && !pk_top_functions(stdout, profile, &options, err)) return false;
    return !cli->modules || pk_top_modules(stdout, profile, &options, err);
}

/* "6,929 samples, cpu-clock at 997 Hz in 10 s: 99.8 % of stacks whole, 3 lost" */
static void print_line(const pk_profile *p) {
    pk_strbuf text;
    pk_strbuf_init(&text, TEXT_BYTES_MAX);
    add_grouped(&text, p->n_samples);
    pk_strbuf_add_str(&text, p->n_samples == 1 ? " sample" : " samples");
    if (p->event || p->duration_ns) {
        pk_strbuf_add_str(&text, ", ");
        add_how(&text, p);
    }
    if (p->stacks_copied) {
        pk_strbuf_add_str(&text, "; ");
        add_share(&text, p->whole, p->n_samples);
        pk_strbuf_add_str(&text, " of stacks are whole");
    }
    if (p->event) add_part(&text, p->lost, "lost");
    puts(text.data);
    pk_strbuf_fini(&text);
}

static void print_written(const flame_session *s) {
    char size[PK_FORMAT_MAX];
    if (s->invocation->as_peer) {
        printf("writing flamegraph to \"%s\"\n", s->plan->output);
        return;
    }
    printf("%s: %s\n", s->plan->output, pk_format_bytes(size, sizeof size, (double)s->bytes));
}

bool flame_summary(const flame_session *s, pk_err *err) {
    if (s->plan->silent) return true;
    if (s->invocation->as_peer) {
        print_written(s);
        return true;
    }
    if (!s->plan->after) print_line(&s->result.profile);
    if (s->plan->after && !print_changes(stdout, s, false, err)) return false;
    /* of a difference: the tables of "after", where they were asked for */
    bool tables = !s->plan->after || s->cli->callers || s->cli->callees || s->cli->modules;
    if (tables && !print_tables(s, err)) return false;
    print_written(s);
    return true;
}
