#include "flame/collapse_threads.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/strbuf.h"
#include "base/units.h"
#include "profile/tidy.h"

#define THREADS_MAX (1u << 23)
#define LABEL_BYTES_MAX 4096u
#define SLOTS_FIRST 256u /* a power of two */

void pk_collapse_threads_init(pk_collapse_threads *threads, const pk_collapse_options *options,
                              const pk_spaces *spaces, pk_names *names) {
    *threads = (pk_collapse_threads){.options = options,
                                     .spaces = spaces,
                                     .names = names,
                                     .all = PK_ARRAY(pk_collapse_thread, THREADS_MAX)};
    pk_strbuf_init(&threads->text, LABEL_BYTES_MAX);
}

void pk_collapse_threads_fini(pk_collapse_threads *threads) {
    pk_array_fini(&threads->all);
    pk_strbuf_fini(&threads->text);
    free(threads->slots);
    *threads = (pk_collapse_threads){0};
}

/* ---- finding ---- */

static pk_collapse_thread *at(const pk_collapse_threads *threads, size_t i) {
    return &PK_AT(&threads->all, pk_collapse_thread, i);
}

static uint32_t *slot_of(const pk_collapse_threads *threads, uint32_t pid, uint32_t tid) {
    size_t mask = threads->n_slots - 1;
    uint64_t hash = ((uint64_t)pid << 32 | tid) * UINT64_C(0x9e3779b97f4a7c15);
    for (size_t i = hash >> 32 & mask;; i = (i + 1) & mask) {
        uint32_t *slot = &threads->slots[i];
        if (!*slot) return slot;
        const pk_collapse_thread *t = at(threads, *slot - 1);
        if (t->pid == pid && t->tid == tid) return slot;
    }
}

static bool grow(pk_collapse_threads *threads) {
    size_t n = threads->n_slots ? threads->n_slots * 2 : SLOTS_FIRST;
    uint32_t *slots = calloc(n, sizeof *slots);
    if (!slots) return false;
    free(threads->slots);
    threads->slots = slots;
    threads->n_slots = n;
    for (uint32_t i = 0; i < threads->all.count; i++)
        *slot_of(threads, at(threads, i)->pid, at(threads, i)->tid) = i + 1;
    return true;
}

pk_collapse_thread *pk_collapse_thread_find(const pk_collapse_threads *threads, uint32_t pid,
                                            uint32_t tid) {
    uint32_t slot = threads->n_slots ? *slot_of(threads, pid, tid) : 0;
    return slot ? at(threads, slot - 1) : NULL;
}

static pk_collapse_thread *add(pk_collapse_threads *threads, uint32_t pid, uint32_t tid) {
    if (threads->all.count * 2 >= threads->n_slots && !grow(threads)) return NULL;
    pk_collapse_thread *t = pk_array_push(&threads->all);
    if (!t) return NULL;
    *t = (pk_collapse_thread){
        .pid = pid, .tid = tid, .comm = PK_NAME_NONE, .label = PK_NAME_NONE, .number = UINT32_MAX};
    *slot_of(threads, pid, tid) = (uint32_t)threads->all.count;
    return t;
}

/* ---- names ---- */

/* A number as perf writes it: those of threads that are gone are -1. */
static void add_id(pk_strbuf *to, uint32_t id) {
    pk_strbuf_addf(to, "%" PRId32, (int32_t)id);
}

/* As perf calls threads whose names no record tells. */
static void add_comm(const pk_collapse_threads *threads, const pk_collapse_thread *t,
                     pk_strbuf *to) {
    if (t->comm != PK_NAME_NONE) {
        pk_piece comm;
        comm.at = pk_names_text(threads->names, t->comm, &comm.bytes);
        pk_tidy_comm(comm, to);
    } else if (t->tid == 0) {
        pk_strbuf_add_str(to, "swapper");
    } else {
        pk_strbuf_add_char(to, ':');
        add_id(to, t->tid);
    }
}

static bool make_label(pk_collapse_threads *threads, pk_collapse_thread *t) {
    pk_strbuf *text = &threads->text;
    pk_stack_label label = threads->options->by_thread ? PK_LABEL_TID : threads->options->label;
    pk_strbuf_clear(text);
    add_comm(threads, t, text);
    if (label != PK_LABEL_COMM) {
        pk_strbuf_add_char(text, '-');
        add_id(text, t->pid);
    }
    if (label == PK_LABEL_TID) {
        pk_strbuf_add_char(text, '/');
        add_id(text, t->tid);
    }
    if (pk_strbuf_ok(text)) t->label = pk_names_intern(threads->names, text->data, text->length);
    return t->label != PK_NAME_NONE;
}

/* By its number, its name, or its name as it stands in stacks. */
static bool is_wanted(pk_collapse_threads *threads, const pk_collapse_thread *t) {
    const pk_text_list *list = &threads->options->threads;
    const char *comm = t->comm == PK_NAME_NONE ? "" : pk_names_text(threads->names, t->comm, NULL);
    pk_strbuf *text = &threads->text;
    pk_strbuf_clear(text);
    add_comm(threads, t, text);
    for (size_t i = 0; i < list->count; i++) {
        int64_t number;
        pk_err err;
        if (strcmp(list->items[i], comm) == 0 || strcmp(list->items[i], text->data) == 0)
            return true;
        if (pk_parse_int(list->items[i], 0, UINT32_MAX, &number, &err) && number == t->tid)
            return true;
    }
    return list->count == 0;
}

pk_collapse_thread *pk_collapse_thread_now(pk_collapse_threads *threads, uint32_t pid, uint32_t tid,
                                           pk_err *err) {
    pk_collapse_thread *t = pk_collapse_thread_find(threads, pid, tid);
    if (!t) t = add(threads, pid, tid);
    uint32_t comm = t ? pk_spaces_name(threads->spaces, pid, tid) : PK_NAME_NONE;
    if (t && (t->label == PK_NAME_NONE || t->comm != comm)) {
        t->comm = comm;
        if (comm != PK_NAME_NONE) {
            pk_piece name;
            name.at = pk_names_text(threads->names, comm, &name.bytes);
            t->java = pk_tidy_is_java(name);
        }
        t->wanted = is_wanted(threads, t);
        if (!make_label(threads, t)) t = NULL;
    }
    if (!t) pk_fail(err, PK_E_LIMIT, NULL, "not enough memory for %zu threads", threads->all.count);
    return t;
}
