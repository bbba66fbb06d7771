/* Any words as a command line: refused with a reason and a remedy, or accepted with every value
 * within the bounds of its row. */
#include <assert.h>
#include <stdint.h>

#include "../unit/cli_sample.h"
#include "words.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

static const void *field(const sample_options *o, const pk_opt *row) {
    return (const char *)o + row->offset;
}

static void check_row(const sample_options *o, const pk_opt *row, int n) {
    const void *at = field(o, row);
    int choices = 0;
    switch (row->kind) {
    case PK_OPT_INT:
        assert(*(const int64_t *)at >= row->min && *(const int64_t *)at <= row->max);
        break;
    case PK_OPT_PID:
        assert(*(const int64_t *)at >= 1);
        break;
    case PK_OPT_COUNT:
    case PK_OPT_DURATION:
    case PK_OPT_BYTES:
        assert(*(const uint64_t *)at >= (uint64_t)row->min);
        assert(*(const uint64_t *)at <= (uint64_t)row->max);
        break;
    case PK_OPT_RATE:
        assert(*(const double *)at >= 0);
        break;
    case PK_OPT_RATIO:
        assert(*(const double *)at >= 0 && *(const double *)at <= 1);
        break;
    case PK_OPT_ENUM:
        while (row->values[choices]) choices++;
        assert(*(const int *)at >= 0 && *(const int *)at < choices);
        break;
    case PK_OPT_TALLY:
        assert(*(const int *)at > 0);
        break;
    case PK_OPT_FLAG:
        assert(*(const bool *)at);
        break;
    case PK_OPT_TEXT_LIST: {
        const pk_text_list *list = at;
        assert(list->count > 0 && list->count <= (size_t)n);
        for (size_t i = 0; i < list->count; i++) assert(strlen(list->items[i]) < FUZZ_BYTES_MAX);
        break;
    }
    default:
        assert(*(const char *const *)at);
    }
}

static void check_accepted(const sample_options *o, const pk_parsed *parsed, int n) {
    for (const pk_opt *row = sample_opts; row->name; row++)
        if (pk_parsed_given(&sample_command, parsed, row->name)) check_row(o, row, n);
    assert(o->url && strncmp(o->url, "http://", 7) == 0);
    assert(!(o->text && o->body_file)); /* they exclude each other */
    assert(!o->wait || o->duration_ns >= 1000000);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes) {
    fuzz_words w = fuzz_words_of(data, bytes);
    sample_options options;
    pk_parsed parsed;
    pk_err err = {0};
    if (pk_cli_parse(&sample_command, "perfkit sample", w.n, w.words, &options, &parsed, &err)) {
        if (!parsed.help && !parsed.version) check_accepted(&options, &parsed, w.n);
        pk_parsed_fini(&parsed);
    } else {
        char line[PK_ERR_LINE_MAX];
        assert(err.kind != PK_OK && err.kind != PK_E_INTERNAL && err.what[0] && err.fix[0]);
        assert(pk_err_format(&err, line, sizeof line) == strlen(line));
    }
    free(w.copy);
    return 0;
}
