/* What people type for `perfkit time`: lines, lists of values, ranges. What is read, printed and
 * read again is the same. */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "base/decimal.h"
#include "base/strbuf.h"
#include "bench/command_parts.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

enum { ARENA_BYTES = 32 << 20, INPUT_BYTES_MAX = 1 << 12 };

static void check_words(const char *line, pk_arena *arena) {
    const char *const *words, *const *again;
    pk_err err = {0};
    bool needs_shell = pk_command_needs_shell(line);
    if (!pk_command_words(line, arena, &words, &err)) {
        assert(err.kind == PK_E_INPUT && err.fix[0]);
        return;
    }
    assert(words[0] || needs_shell);
    pk_strbuf quoted;
    pk_strbuf_init(&quoted, 8 * INPUT_BYTES_MAX);
    for (size_t i = 0; words[i]; i++) {
        pk_strbuf_add_str(&quoted, " '");
        for (const char *p = words[i]; *p; p++)
            if (*p == '\'') pk_strbuf_add_str(&quoted, "'\\''");
            else pk_strbuf_add_char(&quoted, *p);
        pk_strbuf_add_char(&quoted, '\'');
    }
    assert(pk_strbuf_ok(&quoted));
    bool ok = pk_command_words(quoted.data, arena, &again, &err);
    assert(ok);
    size_t n = 0;
    for (; words[n]; n++) assert(again[n] && strcmp(again[n], words[n]) == 0);
    assert(!again[n]);
    pk_strbuf_fini(&quoted);
}

static void check_list(const char *text, pk_arena *arena) {
    size_t n, n_again;
    const char *const *items = pk_parameter_split(text, arena, &n);
    assert(items && n >= 1);
    pk_strbuf joined;
    pk_strbuf_init(&joined, 4 * INPUT_BYTES_MAX);
    for (size_t i = 0; i < n; i++) {
        if (i > 0) pk_strbuf_add_char(&joined, ',');
        for (const char *p = items[i]; *p; p++) {
            if (*p == ',' || *p == '\\') pk_strbuf_add_char(&joined, '\\');
            pk_strbuf_add_char(&joined, *p);
        }
    }
    assert(pk_strbuf_ok(&joined));
    const char *const *again = pk_parameter_split(joined.data, arena, &n_again);
    assert(again && n == n_again);
    for (size_t i = 0; i < n; i++) assert(strcmp(items[i], again[i]) == 0);
    pk_strbuf_fini(&joined);
}

static void check_decimal(const char *text) {
    pk_decimal d, again;
    pk_err err = {0};
    char printed[PK_DECIMAL_MAX];
    if (!pk_decimal_parse(text, &d, &err)) {
        assert(err.kind == PK_E_USAGE && err.what[0]);
        return;
    }
    bool ok = pk_decimal_parse(pk_decimal_format(printed, sizeof printed, d), &again, &err);
    assert(ok && d.digits == again.digits && d.scale == again.scale);
}

/* Four lines: the least, the greatest, the step, and a text with {x}. */
static void check_scan(char *text, pk_arena *arena) {
    const char *parts[4] = {text, text, text, text};
    for (size_t i = 0; i < 4 && text; i++) parts[i] = strsep(&text, "\n");
    pk_command_options options = {.scan = {"x", parts[0], parts[1], parts[2]}};
    pk_parameter_axis *axes;
    size_t n;
    pk_err err = {0};
    if (!pk_parameter_axes(&options, arena, &axes, &n, &err)) {
        assert(err.kind == PK_E_USAGE && err.fix[0]);
        return;
    }
    assert(n == 1 && axes->n >= 1 && axes->n <= PK_COMMAND_CASES_MAX);
    assert(strlen(axes->values[0]) > 0);
    pk_parameter_value value = {"x", axes->values[axes->n - 1]};
    const char *replaced = pk_parameter_replace(parts[3], 1, &value, arena);
    assert(replaced && !pk_parameter_used(replaced, "x"));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes) {
    if (bytes >= INPUT_BYTES_MAX) return 0;
    pk_arena *arena = pk_arena_new(ARENA_BYTES);
    assert(arena);
    char *text = pk_arena_strndup(arena, (const char *)data, bytes);
    assert(text);
    check_words(text, arena);
    check_list(text, arena);
    check_decimal(text);
    check_scan(text, arena);
    pk_arena_free(arena);
    return 0;
}
