/* Any bytes as a result of perfkit alloc, and as suppressions: what is read can be written, reads
 * back as the same, and can be shown in every way; what is not says why. */
#include <assert.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alloc/change.h"
#include "alloc/render.h"
#include "alloc/suppress.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

enum { OUT_BYTES = 64 << 20 };

static char *written(const pk_alloc_result *result) {
    pk_err err = {0};
    char *text = NULL;
    size_t length;
    FILE *out = open_memstream(&text, &length);
    pk_json *document = pk_alloc_to_json(result, &err);
    assert(out && document && pk_json_write(out, document, &err));
    pk_json_free(document);
    fclose(out);
    return text;
}

static void compare(const pk_alloc_result *result, FILE *nowhere) {
    static const char *const names[2] = {"a", "b"};
    pk_err err = {0};
    for (int by = 0; by < 3; by++) {
        pk_alloc_changes changes;
        assert(pk_alloc_compare(result, result, names, (pk_alloc_by)by, PK_WEIGHT_CALLS, &changes,
                                &err));
        assert(changes.rows.count == 0);
        assert(pk_alloc_changes_text(nowhere, &changes, &(pk_alloc_view){0}, &err));
        pk_alloc_changes_fini(&changes);
    }
}

static void show(const pk_alloc_result *result) {
    pk_err err = {0};
    pk_strbuf out;
    FILE *nowhere = fopen("/dev/null", "w");
    assert(nowhere);
    pk_strbuf_init(&out, OUT_BYTES);
    for (int w = 0; w < PK_WEIGHTS; w++) {
        const pk_alloc_weight weight = (pk_alloc_weight)w;
        bool known = pk_alloc_weight_known(result, weight);
        assert(pk_alloc_folded(result, weight, &out, &err) == known);
        for (int by = 0; by < 3; by++) {
            const pk_alloc_view view = {.sort = weight, .by = (pk_alloc_by)by, .width = 80};
            assert(pk_alloc_text(nowhere, result, &view, &err) == known);
        }
    }
    assert(pk_alloc_dtrace(result, &(pk_alloc_dtrace_style){0}, &out, &err));
    assert(pk_alloc_pprof(result, &out, &err));
    assert(pk_alloc_massif(result, 0.01, &out, &err) == result->live_known);
    assert(pk_alloc_heapprofile(result, &out, &err));
    assert(pk_alloc_csv(result, &out, &err));
    assert(pk_alloc_page(nowhere, result, &err));
    compare(result, nowhere);
    pk_strbuf_fini(&out);
    fclose(nowhere);
}

static void check_result(const char *text, size_t bytes) {
    pk_err err = {0};
    pk_alloc_result result, back;
    if (pk_alloc_from_json("input", text, bytes, &result, &err)) {
        char *once = written(&result);
        assert(pk_alloc_is_json(once, strlen(once)));
        assert(pk_alloc_from_json("input", once, strlen(once), &back, &err));
        char *twice = written(&back);
        assert(strcmp(once, twice) == 0);
        pk_alloc_fini(&back);
        free(once);
        free(twice);
        show(&result);
    } else {
        assert(err.kind != PK_OK && err.what[0]);
    }
    pk_alloc_fini(&result);
}

static void check_suppressions(const char *text, size_t bytes) {
    pk_err err = {0};
    pk_alloc_suppressions *all = pk_alloc_suppressions_read("input", text, bytes, &err);
    assert(all || err.kind != PK_OK);
    pk_alloc_suppressions_free(all);
    char *copy = strndup(text, bytes);
    assert(copy);
    size_t length = strlen(copy);
    if (length < 256 && !strpbrk(copy, "*^$")) assert(pk_alloc_pattern_matches(copy, copy));
    if (length < 256) pk_alloc_pattern_matches(copy, "main<foo>(bar)aaaaaaaaaaaaaaaa");
    free(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes) {
    char *text = malloc(bytes + 1); /* exactly as long: what reads further is seen */
    assert(text);
    if (bytes) memcpy(text, data, bytes);
    text[bytes] = '\0';
    check_result(text, bytes);
    check_suppressions(text, bytes);
    free(text);
    return 0;
}
