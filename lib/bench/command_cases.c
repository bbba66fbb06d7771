/* From what was asked to what will be run: one case for each command and each combination of
 * parameters, all checked before anything runs. */
#include <string.h>

#include "base/strbuf.h"
#include "bench/command_parts.h"

enum { LINE_BYTES_MAX = 16 << 20 };

typedef struct planner {
    const pk_command_options *options;
    pk_arena *arena;
    const pk_parameter_axis *axes;
    size_t n_axes;
    size_t combinations;
    size_t n; /* cases: the reference, then combinations x commands */
} planner;

/* ---- counts ---- */

static bool count_cases(planner *p, pk_err *err) {
    p->combinations = 1;
    for (size_t i = 0; i < p->n_axes; i++)
        if (__builtin_mul_overflow(p->combinations, p->axes[i].n, &p->combinations) ||
            p->combinations > PK_COMMAND_CASES_MAX)
            p->combinations = PK_COMMAND_CASES_MAX + 1;
    size_t n;
    if (!__builtin_mul_overflow(p->combinations, p->options->n_commands, &n) &&
        n <= PK_COMMAND_CASES_MAX) {
        p->n = n + (p->options->reference != NULL);
        return true;
    }
    pk_fail(err, PK_E_USAGE, NULL, "that makes more than %d benchmarks", PK_COMMAND_CASES_MAX);
    pk_fix(err, "give fewer values of parameters");
    return false;
}

/* Names are for the commands, not for the reference, which has an option of its own. */
static bool check_names(const planner *p, pk_err *err) {
    size_t names = p->options->names.count, n = p->n - (p->options->reference != NULL);
    if (p->n_axes > 0 && names > 1 && names != n) {
        pk_fail(err, PK_E_USAGE, "--command-name", "%zu names for %zu benchmarks", names, n);
        pk_fix(err, "give one for all (its {NAME}s are replaced), or %zu", n);
        return false;
    }
    if (p->n_axes == 0 && names > n) {
        pk_fail(err, PK_E_USAGE, "--command-name", "%zu names for %zu command%s", names, n,
                n == 1 ? "" : "s");
        pk_fix(err, "give at most %zu", n);
        return false;
    }
    return true;
}

static bool check_per_case(const planner *p, const char *option, const pk_text_list *list,
                           pk_err *err) {
    if (list->count <= 1 || list->count == p->n) return true;
    pk_fail(err, PK_E_USAGE, option, "it is given %zu times for %zu benchmarks%s", list->count,
            p->n, p->options->reference ? ", the reference included" : "");
    pk_fix(err, "give it once for all, or %zu times", p->n);
    return false;
}

/* Text of case i; NULL: none. */
static const char *per_case(const pk_text_list *list, size_t i) {
    return list->count == 0 ? NULL : list->items[list->count == 1 ? 0 : i];
}

/* ---- one case ---- */

static const char *replaced(const planner *p, const pk_command_case *c, const char *text) {
    return pk_parameter_replace(text, c->n_parameters, c->parameters, p->arena);
}

/* False: out of memory. */
static bool replace_line(const planner *p, const pk_command_case *c, const char *text,
                         const char **out) {
    *out = text ? replaced(p, c, text) : NULL;
    return !text || *out;
}

static bool is_plain(const char *word) {
    static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
                                "%+,-./:=@_{}";
    return *word && word[strspn(word, plain)] == '\0';
}

/* Words as a line that a shell would split into them again. */
static void add_quoted(pk_strbuf *line, const char *word) {
    if (is_plain(word)) {
        pk_strbuf_add_str(line, word);
        return;
    }
    pk_strbuf_add_char(line, '\'');
    for (; *word; word++) {
        if (*word == '\'') pk_strbuf_add_str(line, "'\\''");
        else pk_strbuf_add_char(line, *word);
    }
    pk_strbuf_add_char(line, '\'');
}

static bool set_argv(const planner *p, const pk_command_line *line, pk_command_case *c,
                     pk_err *err) {
    const char **argv = PK_NEW(p->arena, line->argc + 1, const char *);
    if (!argv) return pk_command_no_room(err);
    pk_strbuf text;
    pk_strbuf_init(&text, LINE_BYTES_MAX);
    bool ok = true;
    for (size_t i = 0; i < line->argc && ok; i++) {
        argv[i] = replaced(p, c, line->argv[i]);
        ok = argv[i] != NULL;
        if (i > 0) pk_strbuf_add_char(&text, ' ');
        if (ok) add_quoted(&text, argv[i]);
    }
    c->argv = argv;
    c->command =
        ok && pk_strbuf_ok(&text) ? pk_arena_strndup(p->arena, text.data, text.length) : NULL;
    pk_strbuf_fini(&text);
    if (!c->command) return pk_command_no_room(err);
    if (line->argc > 0 && argv[0][0]) return true;
    pk_fail(err, PK_E_USAGE, NULL, "a command is empty");
    pk_fix(err, "name a program");
    return false;
}

static bool set_command(const planner *p, const pk_command_line *line, pk_command_case *c,
                        pk_err *err) {
    if (!line->text) return set_argv(p, line, c, err);
    c->command = replaced(p, c, line->text);
    if (!c->command) return pk_command_no_room(err);
    return pk_command_argv(p->options, c->command, p->arena, &c->argv, &c->through_shell, err);
}

static bool set_output(const char *word, pk_command_case *c, pk_err *err) {
    static const char *const words[] = {
        [PK_OUTPUT_NULL] = "null", [PK_OUTPUT_PIPE] = "pipe", [PK_OUTPUT_INHERIT] = "inherit"};
    c->output = PK_OUTPUT_NULL;
    if (!word) return true;
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (strcmp(word, words[i]) != 0) continue;
        c->output = (pk_output_kind)i;
        return true;
    }
    if (strchr(word, '/')) {
        c->output = PK_OUTPUT_FILE;
        c->output_path = word;
        return true;
    }
    pk_fail(err, PK_E_USAGE, "--output", "\"%.100s\" is none of null, pipe, inherit, and no path",
            word);
    pk_fix(err, "for a file of that name write ./%.100s", word);
    return false;
}

/* Lines around the command of case i. */
static bool set_around(const planner *p, size_t i, pk_command_case *c, pk_err *err) {
    const pk_command_options *o = p->options;
    bool ok = replace_line(p, c, o->setup, &c->setup) &&
              replace_line(p, c, o->cleanup, &c->cleanup) &&
              replace_line(p, c, per_case(&o->prepares, i), &c->prepare) &&
              replace_line(p, c, per_case(&o->concludes, i), &c->conclude);
    if (!ok) return pk_command_no_room(err);
    const char *const lines[] = {c->setup, c->prepare, c->conclude, c->cleanup};
    for (size_t k = 0; k < sizeof lines / sizeof lines[0]; k++) {
        const char *const *argv;
        bool through_shell;
        if (lines[k] && !pk_command_argv(o, lines[k], p->arena, &argv, &through_shell, err))
            return false;
    }
    return set_output(per_case(&o->outputs, i), c, err);
}

/* ---- names ---- */

/* The name, and behind it the parameters, in the order they were given, that the command does not
 * show by itself. */
static const char *shown(const planner *p, const pk_command_line *line, const pk_command_case *c,
                         const pk_parameter_value values[]) {
    pk_strbuf out;
    pk_strbuf_init(&out, LINE_BYTES_MAX);
    pk_strbuf_add_str(&out, c->name);
    bool any = false;
    for (size_t i = 0; i < p->n_axes; i++) {
        bool used = line->text && pk_parameter_used(line->text, values[i].name);
        for (size_t k = 0; !line->text && k < line->argc && !used; k++)
            used = pk_parameter_used(line->argv[k], values[i].name);
        if (used) continue;
        pk_strbuf_addf(&out, "%s%s = %s", any ? ", " : " (", values[i].name, values[i].value);
        any = true;
    }
    if (any) pk_strbuf_add_char(&out, ')');
    const char *text = pk_strbuf_ok(&out) ? pk_arena_strndup(p->arena, out.data, out.length) : NULL;
    pk_strbuf_fini(&out);
    return text;
}

/* i: among the commands, without the reference. */
static bool set_names(const planner *p, size_t i, const pk_command_line *line, pk_command_case *c,
                      const pk_parameter_value values[], pk_err *err) {
    const pk_text_list *names = &p->options->names;
    bool one_for_all = p->n_axes > 0 && names->count == 1;
    const char *template = one_for_all        ? names->items[0]
                           : i < names->count ? names->items[i]
                                              : NULL;
    c->name = template ? replaced(p, c, template) : c->command;
    c->shown = c->name ? shown(p, line, c, values) : NULL;
    return c->shown || pk_command_no_room(err);
}

/* ---- all ---- */

/* Values of one combination, the first parameter varying fastest, as given; and by name. */
static bool set_parameters(const planner *p, size_t combination, pk_parameter_value **given,
                           const pk_parameter_value **by_name) {
    pk_parameter_value *as_given = PK_NEW(p->arena, p->n_axes, pk_parameter_value);
    pk_parameter_value *sorted = PK_NEW(p->arena, p->n_axes, pk_parameter_value);
    if (!as_given || !sorted) return false;
    for (size_t i = 0; i < p->n_axes; i++) {
        const pk_parameter_axis *axis = &p->axes[i];
        as_given[i] = (pk_parameter_value){axis->name, axis->values[combination % axis->n]};
        combination /= axis->n;
        size_t k = i;
        for (; k > 0 && strcmp(sorted[k - 1].name, axis->name) > 0; k--) sorted[k] = sorted[k - 1];
        sorted[k] = as_given[i];
    }
    *given = as_given;
    *by_name = sorted;
    return true;
}

static bool plan_reference(const planner *p, pk_command_case *c, pk_err *err) {
    pk_command_line line = {.text = p->options->reference};
    c->reference = true;
    if (!set_command(p, &line, c, err) || !set_around(p, 0, c, err)) return false;
    c->name = c->shown = p->options->reference_name ? p->options->reference_name : c->command;
    return true;
}

static bool plan_commands(const planner *p, pk_command_case cases[], pk_err *err) {
    size_t first = p->options->reference != NULL, i = 0;
    for (size_t combination = 0; combination < p->combinations; combination++) {
        pk_parameter_value *given;
        const pk_parameter_value *by_name;
        if (!set_parameters(p, combination, &given, &by_name)) return pk_command_no_room(err);
        for (size_t k = 0; k < p->options->n_commands; k++, i++) {
            const pk_command_line *line = &p->options->commands[k];
            pk_command_case *c = &cases[i];
            c->parameters = by_name;
            c->n_parameters = p->n_axes;
            if (!set_command(p, line, c, err) || !set_names(p, i, line, c, given, err) ||
                !set_around(p, first + i, c, err))
                return false;
        }
    }
    return true;
}

bool pk_command_cases(const pk_command_options *options, pk_arena *arena, pk_command_case **cases,
                      size_t *n, pk_err *err) {
    planner p = {.options = options, .arena = arena};
    pk_parameter_axis *axes;
    if (!pk_parameter_axes(options, arena, &axes, &p.n_axes, err)) return false;
    p.axes = axes;
    if (!count_cases(&p, err) || !check_names(&p, err) ||
        !check_per_case(&p, "--prepare", &options->prepares, err) ||
        !check_per_case(&p, "--conclude", &options->concludes, err) ||
        !check_per_case(&p, "--output", &options->outputs, err))
        return false;
    pk_command_case *all = PK_NEW(arena, p.n, pk_command_case);
    if (!all) return pk_command_no_room(err);
    size_t first = options->reference != NULL;
    if (first && !plan_reference(&p, all, err)) return false;
    if (!plan_commands(&p, all + first, err)) return false;
    *cases = all;
    *n = p.n;
    return true;
}
