/* What is printed of hand-made reports of commands, and its comparison. */
#ifndef PK_TESTS_UNIT_COMMAND_TEXTS_H
#define PK_TESTS_UNIT_COMMAND_TEXTS_H

#include "command_report.h"

#include "bench/command_render.h"

enum { TEXT_BYTES_MAX = 1 << 20 };

static const pk_command_style hyperfine_style = {.hyperfine = true, .width = 80};
static const pk_command_style own_style = {.histogram = true, .width = 80};

static inline char *text_of(pk_strbuf *sb) {
    char *text = pk_strbuf_detach(sb, NULL);
    assert_non_null(text);
    return text;
}

static inline char *result_text(const pk_command_report *report, size_t index,
                                const pk_command_style *style) {
    pk_strbuf out;
    pk_strbuf_init(&out, TEXT_BYTES_MAX);
    pk_command_render_start(report->results[index].of, index, style, &out);
    pk_command_render_result(report, index, style, &out);
    pk_command_render_end(style, &out);
    return text_of(&out);
}

static inline char *warning_text(const pk_command_report *report, size_t index,
                                 const pk_command_style *style) {
    pk_strbuf out;
    pk_strbuf_init(&out, TEXT_BYTES_MAX);
    pk_command_render_warnings(report, index, report->options, style, &out);
    return text_of(&out);
}

static inline char *summary_text(const pk_command_report *report, const pk_command_style *style,
                                 bool with_note) {
    pk_strbuf out, note;
    pk_strbuf_init(&out, TEXT_BYTES_MAX);
    pk_strbuf_init(&note, TEXT_BYTES_MAX);
    pk_command_render_summary(report, style, &out, &note);
    assert_true(pk_strbuf_ok(&note));
    assert_int_equal(note.length > 0, with_note);
    pk_strbuf_fini(&note);
    return text_of(&out);
}

static inline char *export_text(const pk_command_report *report, pk_command_export format,
                                const pk_command_style *style) {
    pk_strbuf out;
    pk_err err = {0};
    pk_strbuf_init(&out, TEXT_BYTES_MAX);
    assert_ok(pk_command_export_text(report, format, style, &out, &err), &err);
    return text_of(&out);
}

/* Everything that a terminal shows; without standard error, or with it. */
static inline char *shown_text(const pk_command_report *report, const pk_command_style *style,
                               bool with_errors) {
    pk_strbuf out, note;
    pk_strbuf_init(&out, TEXT_BYTES_MAX);
    pk_strbuf_init(&note, TEXT_BYTES_MAX);
    for (size_t i = 0; i < report->n_results; i++) {
        pk_command_render_start(report->results[i].of, i, style, &out);
        pk_command_render_result(report, i, style, &out);
        char *warnings = warning_text(report, i, style);
        if (with_errors) pk_strbuf_add_str(&out, warnings);
        free(warnings);
        pk_command_render_end(style, &out);
    }
    pk_command_render_summary(report, style, &out, &note);
    if (with_errors) pk_strbuf_add_str(&out, note.data);
    pk_strbuf_fini(&note);
    return text_of(&out);
}

static inline char *all_text(const pk_command_report *report, const pk_command_style *style) {
    return shown_text(report, style, true);
}

#define assert_text(text, expected) check_text((text), (expected), __FILE__, __LINE__)
/* Frees text. */
static inline void check_text(char *text, const char *expected, const char *file, int line) {
    bool same = strcmp(text, expected) == 0;
    if (!same) print_error("it is\n%s\nnot\n%s\n", text, expected);
    free(text);
    if (!same) _fail(file, line);
}

#define assert_says(text, what) check_says((text), (what), true, __FILE__, __LINE__)
#define assert_lacks(text, what) check_says((text), (what), false, __FILE__, __LINE__)
static inline void check_says(const char *text, const char *what, bool says, const char *file,
                              int line) {
    if ((strstr(text, what) != NULL) == says) return;
    print_error("\"%s\" is %sin:\n%.4000s\n", what, says ? "not " : "", text);
    _fail(file, line);
}

#endif
