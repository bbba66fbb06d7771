#include "load/curl_answer.h"

#include <stdlib.h>
#include <string.h>

#define HELD_BYTES_MIN 512u

void pk_curl_answer_begin(pk_curl_answer *a, bool request_is_head, bool request_is_connect) {
    pk_http1_begin(&a->parser, request_is_head, request_is_connect);
    a->step = PK_HTTP1_MORE;
    a->held_bytes = 0;
}

void pk_curl_answer_fini(pk_curl_answer *a) {
    free(a->held);
    *a = (pk_curl_answer){0};
}

/* A head has at most PK_HTTP1_HEAD_BYTES_MAX bytes before the parser refuses it, and libcurl hands
 * over at most a line beyond that, so this stays bounded. */
static bool hold(pk_curl_answer *a, const char *data, size_t bytes) {
    size_t needed = a->held_bytes + bytes;
    if (needed > a->held_capacity) {
        size_t capacity = a->held_capacity ? a->held_capacity : HELD_BYTES_MIN;
        while (capacity < needed) capacity *= 2;
        char *held = realloc(a->held, capacity);
        if (!held) return false;
        a->held = held;
        a->held_capacity = capacity;
    }
    memcpy(a->held + a->held_bytes, data, bytes);
    a->held_bytes = needed;
    return true;
}

static bool fail_for_memory(pk_curl_answer *a) {
    a->step = PK_HTTP1_ERROR;
    a->parser.error = PK_LOAD_E_MEMORY;
    return false;
}

static void end_before(pk_curl_answer *a, size_t bytes_left) {
    a->held_bytes = 0;
    if (bytes_left == 0) return;
    a->parser.suspicious = true;
    a->parser.keep_alive = false;
}

bool pk_curl_answer_take(pk_curl_answer *a, const char *data, size_t bytes) {
    size_t used = 0;
    bool is_held = a->held_bytes > 0;
    if (a->step == PK_HTTP1_ERROR) return false;
    if (a->step == PK_HTTP1_DONE) {
        end_before(a, bytes);
        return true;
    }
    if (is_held && !hold(a, data, bytes)) return fail_for_memory(a);
    if (is_held) {
        data = a->held;
        bytes = a->held_bytes;
    }
    a->step = pk_http1_feed(&a->parser, data, bytes, &used);
    if (a->step == PK_HTTP1_ERROR) return false;
    if (a->step == PK_HTTP1_DONE) {
        end_before(a, bytes - used);
    } else if (is_held) {
        a->held_bytes -= used;
        memmove(a->held, a->held + used, a->held_bytes);
    } else if (used < bytes && !hold(a, data + used, bytes - used)) {
        return fail_for_memory(a);
    }
    return true;
}

bool pk_curl_answer_has_begun(const pk_curl_answer *a) {
    return pk_curl_answer_head_bytes(a) > 0;
}

uint64_t pk_curl_answer_head_bytes(const pk_curl_answer *a) {
    return a->parser.head_bytes + a->held_bytes;
}
