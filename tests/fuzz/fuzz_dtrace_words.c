/* Any text as a program of dtrace's and as an option: it is understood, or refused with a line. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "alloc/dtrace_words.h"
#include "alloc/image.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes) {
    char *text = malloc(bytes + 1);
    pk_arena *arena = pk_arena_new(1 << 20);
    if (text && arena && bytes < 4096) {
        pk_err err = {0};
        pk_dtrace_program program;
        pk_dtrace_tuning tuning = {0};
        memcpy(text, data, bytes);
        text[bytes] = '\0';
        if (pk_dtrace_parse(text, arena, &program, &err)) {
            assert(program.module && program.function[0]);
            size_t length = strlen(program.description);
            assert(length < strlen(text) && strncmp(text, program.description, length) == 0);
        } else {
            assert(err.kind == PK_E_USAGE && err.fix[0]);
        }
        if (!pk_dtrace_tune(text, &tuning, &err)) assert(err.kind == PK_E_USAGE && err.fix[0]);
        else assert(tuning.frames <= PK_IMAGE_FRAMES_MAX);
    }
    free(text);
    pk_arena_free(arena);
    return 0;
}
