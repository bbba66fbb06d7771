/* Any text as the name of an event: what is one has a type that the kernel knows, and what is none
 * gets a reason and an advice. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "flame/events.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes) {
    char *text = malloc(bytes + 1);
    if (!text) return 0;
    memcpy(text, data, bytes);
    text[bytes] = '\0';
    pk_event event;
    pk_err err = {0};
    if (pk_event_parse(text, "/nonexistent", &event, &err)) {
        assert(event.type < PERF_TYPE_MAX && event.precise <= 3);
        assert(!event.exclude_user || !event.exclude_kernel);
        assert(event.type != PERF_TYPE_TRACEPOINT); /* there is none in that folder */
    } else {
        assert(err.kind != PK_OK && err.what[0] && err.fix[0]);
    }
    free(text);
    return 0;
}
