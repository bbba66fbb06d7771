#include "tests/programs/conformance/cases.h"

#include <string.h>

#define EXPECTED_MOSTLY "ok 200 5 keepalive"

static const char *const request_names[REQUEST_KINDS] = {"get",      "head", "post",
                                                         "post-big", "idle", "timeout"};

const conformance_case *conformance_find(const char *name, size_t name_bytes) {
    for (size_t i = 0; i < conformance_cases_count; i++) {
        const conformance_case *c = &conformance_cases[i];
        if (strlen(c->name) == name_bytes && memcmp(c->name, name, name_bytes) == 0) return c;
    }
    return NULL;
}

const char *conformance_expected(const conformance_case *c) {
    return c->expected ? c->expected : EXPECTED_MOSTLY;
}

/* May a mixed case answer like this one? Only the answer's bytes are taken from it, and only those
 * of a length that can come byte by byte. */
static bool can_be_mixed(const conformance_case *c) {
    return !c->expected && c->ending == END_KEEP && c->mode == EVERY && c->request == GET &&
           !c->mixed && !c->unmixed && !c->repeat;
}

static const conformance_case *mixed_in_turn(uint64_t turn) {
    size_t n = 0;
    for (size_t i = 0; i < conformance_cases_count; i++) n += can_be_mixed(&conformance_cases[i]);
    size_t wanted = (size_t)(turn % n);
    for (size_t i = 0;; i++)
        if (can_be_mixed(&conformance_cases[i]) && wanted-- == 0) return &conformance_cases[i];
}

void conformance_answer(const conformance_case *c, uint64_t turn, pk_strbuf *out) {
    if (c->mixed) c = mixed_in_turn(turn);
    if (c->head) pk_strbuf_add(out, c->head, c->head_bytes);
    for (size_t i = 0; i < c->repeat_count; i++) pk_strbuf_add_str(out, c->repeat);
    if (c->tail) pk_strbuf_add(out, c->tail, c->tail_bytes);
}

static void list_case(const conformance_case *c, pk_strbuf *out) {
    pk_strbuf answer;
    pk_strbuf_init(&answer, out->max_bytes);
    conformance_answer(c, 0, &answer);
    pk_strbuf_addf(out, "%s %s %s %s %zu %s\n", c->name,
                   c->scheme == BOTH   ? "http,https"
                   : c->scheme == HTTP ? "http"
                                       : "https",
                   c->mode == WHOLE ? "whole" : "every", request_names[c->request], answer.length,
                   conformance_expected(c));
    if (!pk_strbuf_ok(&answer)) out->failed = true;
    pk_strbuf_fini(&answer);
}

void conformance_list(pk_strbuf *out) {
    for (size_t i = 0; i < conformance_cases_count; i++) list_case(&conformance_cases[i], out);
}
