/* Any words on the line: the answer keeps to the protocol, its bounds, and to what was typed. */
#include <assert.h>
#include <stdint.h>
#include <stdio.h>

#include "../unit/cli_sample.h"
#include "words.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

static char *answer_to(const fuzz_words *w, bool descriptions) {
    char *text = NULL;
    size_t bytes = 0;
    FILE *out = open_memstream(&text, &bytes);
    assert(out);
    pk_complete(out, sample_commands, NULL, descriptions, w->n, w->words);
    assert(fclose(out) == 0);
    assert(strlen(text) == bytes); /* no NUL in it */
    return text;
}

/* The directive: the last line, a number of known bits. */
static unsigned check_end(const char *line) {
    unsigned bits = 0;
    assert(*line++ == ':' && *line != '\n');
    for (; *line != '\n'; line++) {
        assert(*line >= '0' && *line <= '9' && bits < 1000);
        bits = bits * 10 + (unsigned)(*line - '0');
    }
    assert(line[1] == '\0' && bits < 2 * PK_COMPLETE_DELEGATE);
    return bits;
}

static bool starts_with(const char *text, const char *start) {
    return strncmp(text, start, strlen(start)) == 0;
}

static void check_line(const char *line, size_t length, const char *typed, bool suffixes) {
    size_t tabs = 0;
    for (size_t i = 0; i < length; i++) {
        unsigned char c = (unsigned char)line[i];
        tabs += c == '\t';
        assert(c == '\t' || (c >= 0x20 && c != 0x7F));
    }
    assert(length > 0 && line[0] != '\t' && tabs <= 1);
    const char *value = starts_with(typed, "--") ? strchr(typed, '=') : NULL;
    assert(suffixes || starts_with(line, typed) || (value && starts_with(line, value + 1)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes) {
    fuzz_words w = fuzz_words_of(data, bytes);
    const char *typed = w.n > 0 ? w.words[w.n - 1] : "";
    char *with = answer_to(&w, true), *without = answer_to(&w, false);
    char *end = strrchr(with, ':');
    assert(end && (end == with || end[-1] == '\n'));
    unsigned bits = check_end(end);
    size_t lines = 0;
    const char *bare = without;
    for (const char *line = with; line < end; lines++) {
        size_t length = strcspn(line, "\n");
        size_t value = strcspn(line, "\t\n");
        check_line(line, length, typed, bits & PK_COMPLETE_EXT);
        /* the same values without their descriptions */
        assert(strncmp(bare, line, value) == 0 && bare[value] == '\n');
        bare += value + 1;
        line += length + 1;
    }
    assert(lines <= 500 && strcmp(bare, end) == 0);
    free(with);
    free(without);
    free(w.copy);
    return 0;
}
