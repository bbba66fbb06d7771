/* perfkit alloc: files, and the text on standard output. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/units.h"
#include "cmd/alloc_cli.h"
#include "cmd/terminal.h"

#define OUTPUT_BYTES_MAX ((size_t)4 << 30)
#define MASSIF_THRESHOLD 0.01 /* massif's own */
#define TABLE_FRAMES 8

static bool is_stdout(const char *path) {
    return strcmp(path, "-") == 0;
}

/* ---- files ---- */

static bool put(const alloc_session *s, const char *path, const void *bytes, size_t n,
                pk_err *err) {
    char size[PK_FORMAT_MAX];
    if (is_stdout(path)) {
        fwrite(bytes, 1, n, stdout); /* main checks stdout */
        return true;
    }
    if (!pk_file_replace(path, bytes, n, err)) return false;
    if (!s->plan->silent) printf("%s: %s\n", path, pk_format_bytes(size, sizeof size, (double)n));
    return true;
}

static bool render_dtrace(const alloc_session *s, pk_strbuf *out, pk_err *err) {
    const alloc_plan *plan = s->plan;
    const pk_alloc_dtrace_style style = {.aggregation = plan->dtrace.aggregation,
                                         .frames = (unsigned)plan->dtrace_frames,
                                         .indent = (unsigned)plan->tuning.indent,
                                         .reversed = plan->tuning.reversed,
                                         .by_key = plan->tuning.by_key};
    return pk_alloc_dtrace(&s->result, &style, out, err);
}

static bool render_flame(const alloc_session *s, pk_strbuf *out, pk_err *err) {
    pk_flame_style style = PK_FLAME_STYLE;
    size_t left_out;
    style.title = s->cli->title;
    style.embed_stacks = true;
    style.max_frames = PK_FLAME_FRAMES_MAX;
    return pk_alloc_flame(&s->result, s->plan->weight, &style, out, &left_out, err);
}

static bool render_json(const alloc_session *s, pk_strbuf *out, pk_err *err) {
    char *text = NULL;
    size_t bytes = 0;
    pk_json *document = pk_alloc_to_json(&s->result, err);
    FILE *file = document ? open_memstream(&text, &bytes) : NULL;
    if (document && !file) pk_fail(err, PK_E_LIMIT, NULL, "out of memory");
    bool ok = file && pk_json_write(file, document, err);
    if (file) fclose(file);
    if (ok) pk_strbuf_add(out, text, bytes);
    free(text);
    pk_json_free(document);
    return ok;
}

static bool render(const alloc_session *s, pk_strbuf *out, pk_err *err) {
    const pk_alloc_result *result = &s->result;
    switch (s->plan->format) {
    case ALLOC_FOLDED:
        return pk_alloc_folded(result, s->plan->weight, out, err);
    case ALLOC_SVG:
        return render_flame(s, out, err);
    case ALLOC_PPROF:
        return pk_alloc_pprof(result, out, err);
    case ALLOC_MASSIF:
        return pk_alloc_massif(result, MASSIF_THRESHOLD, out, err);
    case ALLOC_HEAPPROFILE:
        return pk_alloc_heapprofile(result, out, err);
    case ALLOC_JSON:
        return render_json(s, out, err);
    case ALLOC_CSV:
        return pk_alloc_csv(result, out, err);
    default:
        return render_dtrace(s, out, err);
    }
}

typedef bool renderer(const alloc_session *s, pk_strbuf *out, pk_err *err);

static bool write_with(const alloc_session *s, renderer *how, const char *path, pk_err *err) {
    pk_strbuf out;
    pk_strbuf_init(&out, OUTPUT_BYTES_MAX);
    bool ok = how(s, &out, err);
    if (ok && !pk_strbuf_ok(&out)) {
        pk_fail(err, PK_E_LIMIT, path, "no memory for the result");
        ok = false;
    }
    ok = ok && put(s, path, out.data, out.length, err);
    pk_strbuf_fini(&out);
    return ok;
}

static bool write_page(const alloc_session *s, pk_err *err) {
    char *text = NULL;
    size_t bytes = 0;
    FILE *page = open_memstream(&text, &bytes);
    if (!page) {
        pk_fail(err, PK_E_LIMIT, s->cli->report, "out of memory");
        return false;
    }
    bool ok = pk_alloc_page(page, &s->result, err);
    if (fclose(page) != 0 && ok) {
        pk_fail(err, PK_E_LIMIT, s->cli->report, "no memory for the page");
        ok = false;
    }
    ok = ok && put(s, s->cli->report, text, bytes, err);
    free(text);
    return ok;
}

/* ---- the terminal ---- */

static bool print_table(const alloc_session *s, pk_err *err) {
    const alloc_cli *cli = s->cli;
    bool frames = pk_parsed_given(&pk_cmd_alloc, s->invocation->parsed, "frames");
    pk_alloc_weight sort = (pk_alloc_weight)cli->sort;
    if (!pk_alloc_weight_known(&s->result, sort)) {
        fprintf(stderr, "%s: %s is not known of this run; sorted by calls\n", s->invocation->name,
                pk_alloc_weight_name(sort));
        sort = PK_WEIGHT_CALLS;
    }
    const pk_alloc_view view = {.sort = sort,
                                .by = (pk_alloc_by)cli->by,
                                .rows = (size_t)cli->top,
                                .frames = frames ? (size_t)cli->frames : TABLE_FRAMES,
                                .colour = pk_terminal_colour(stdout, (pk_colour_when)cli->color),
                                .width = isatty(STDOUT_FILENO) ? pk_help_columns(stdout) : 0};
    return pk_alloc_text(stdout, &s->result, &view, err);
}

/* What the table would have said at its end. */
static void say_notes(const alloc_session *s) {
    for (size_t i = 0; i < s->result.notes.count; i++) {
        const pk_alloc_note *note = &PK_AT(&s->result.notes, pk_alloc_note, i);
        fprintf(stderr, "%s: %s%s%s\n", s->invocation->name, note->text, note->fix ? "; " : "",
                note->fix ? note->fix : "");
    }
}

bool alloc_write(const alloc_session *s, pk_err *err) {
    const alloc_plan *plan = s->plan;
    if (!plan->silent && !print_table(s, err)) return false;
    if (plan->output && !write_with(s, render, plan->output, err)) return false;
    if (s->cli->report && !write_page(s, err)) return false;
    if (s->cli->json && !write_with(s, render_json, "-", err)) return false;
    fflush(stdout); /* before what stderr says of it */
    if (plan->silent && !s->cli->quiet) say_notes(s);
    return true;
}
