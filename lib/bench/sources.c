#include "bench/sources.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/units.h"
#include "bench/elf_sections.h"
#include "bench/memory.h"

#define COMPILE_TIMEOUT_NS (120 * PK_NS_PER_S)
#define OBJECT_BYTES_MAX (256u << 20)
#define MESSAGES_MAX (64u << 10)

/* ---- messages and folders ---- */

static void quote_first_error(const char *messages, pk_err *err) {
    const char *first = strstr(messages, "error:");
    if (!first) return;
    while (first > messages && first[-1] != '\n') first--;
    pk_err said = *err;
    pk_fail(err, said.kind, said.where, "%s: %.*s", said.what, (int)strcspn(first, "\n"), first);
    pk_fix(err, "%s", said.fix);
}

void pk_sources_tell(const pk_sources *s, const pk_strbuf *messages, bool ok, pk_err *err) {
    bool heard = s->hooks && s->hooks->compiler;
    if (heard && messages->length > 0) s->hooks->compiler(s->hooks->context, messages->data);
    if (!heard && !ok) quote_first_error(messages->data, err);
}

bool pk_sources_folder(char path[], const char *name, pk_err *err) {
    if (mkdtemp(path)) return true;
    pk_fail(err, PK_E_SYS, "/tmp", "cannot make a folder to compile %s in", name);
    pk_fix(err, "make /tmp writable");
    return false;
}

/* ---- one source ---- */

static pk_compile_options how_of(const pk_sources *s, const char *name, bool cplusplus) {
    const char *cc = s->options->cc ? s->options->cc : "cc";
    const char *cxx = s->options->cxx ? s->options->cxx : "c++";
    return (pk_compile_options){.source = name,
                                .compiler = cplusplus ? cxx : cc,
                                .cflags = s->options->cflags,
                                .timeout_ns = COMPILE_TIMEOUT_NS};
}

/* Keeps the file in memory and looks at its symbols. */
static bool take_object(const char *path, pk_source *source, pk_err *err) {
    pk_strbuf content;
    bool defined = false, cplusplus = false;
    pk_strbuf_init(&content, OBJECT_BYTES_MAX);
    bool ok = pk_file_read(path, OBJECT_BYTES_MAX, &content, err) &&
              pk_elf_symbols(content.data, content.length, "perfkit_benchmarks", &defined,
                             &cplusplus, err) &&
              pk_program_of(content.data, content.length, &source->object, err);
    pk_strbuf_fini(&content);
    source->is_part = !defined;
    source->cplusplus |= cplusplus;
    return ok;
}

static bool compile_source(const pk_sources *s, pk_source *source, pk_err *err) {
    char folder[] = "/tmp/perfkit-XXXXXX", object[64];
    if (!pk_sources_folder(folder, source->name, err)) return false;
    pk_strbuf messages;
    pk_strbuf_init(&messages, MESSAGES_MAX);
    snprintf(object, sizeof object, "%s/object.o", folder);
    const pk_compile_options how = how_of(s, source->name, source->cplusplus);
    bool ok = pk_compile_object(&how, object, &messages, err);
    pk_sources_tell(s, &messages, ok, err);
    ok = ok && take_object(object, source, err);
    pk_strbuf_fini(&messages);
    unlink(object);
    rmdir(folder);
    return ok;
}

static pk_source *find(const pk_sources *s, const char *name) {
    for (size_t i = 0; i < s->n; i++)
        if (strcmp(s->items[i].name, name) == 0) return &s->items[i];
    return NULL;
}

static pk_source *add(pk_sources *s, const char *name, pk_err *err) {
    pk_source *grown = realloc(s->items, (s->n + 1) * sizeof *grown);
    if (!grown) {
        pk_bench_no_memory(err);
        return NULL;
    }
    s->items = grown;
    pk_source *source = &grown[s->n];
    *source = (pk_source){
        .name = name, .object = PK_PROGRAM_NONE, .cplusplus = pk_compile_is_cplusplus(name)};
    if (!compile_source(s, source, err)) return NULL;
    s->n++;
    return source;
}

/* ---- all of them ---- */

bool pk_sources_open(const pk_bench_options *options, const pk_bench_hooks *hooks, pk_sources *s,
                     pk_err *err) {
    *s = (pk_sources){.options = options, .hooks = hooks};
    bool has_table = false;
    for (size_t i = 0; i < options->objects.count; i++) {
        const char *name = options->objects.items[i];
        if (!pk_compile_takes(name) || find(s, name)) continue;
        const pk_source *source = add(s, name, err);
        if (!source) return false;
        has_table |= !source->is_part;
    }
    if (!has_table && s->n > 0) s->items[0].is_part = false;
    return true;
}

void pk_sources_close(pk_sources *s) {
    for (size_t i = 0; i < s->n; i++) pk_program_close(&s->items[i].object);
    free(s->items);
    *s = (pk_sources){0};
}

bool pk_sources_is_part(const pk_sources *s, const char *name) {
    const pk_source *source = find(s, name);
    return source && source->is_part;
}

const pk_source *pk_sources_get(pk_sources *s, const char *name, pk_err *err) {
    pk_source *source = find(s, name);
    if (source) return source;
    source = add(s, name, err);
    if (source) source->is_part = false;
    return source;
}

/* ---- linking ---- */

bool pk_sources_join(const pk_sources *s, const pk_source *source, const char *object,
                     pk_compile_options *how, pk_strbuf *messages, pk_err *err) {
    bool cplusplus = source->cplusplus;
    const char **paths = calloc(s->n + 2, sizeof *paths);
    if (!paths) return pk_bench_no_memory(err);
    size_t n = 0;
    paths[n++] = source->object.path;
    for (size_t i = 0; i < s->n; i++) {
        if (!s->items[i].is_part) continue;
        paths[n++] = s->items[i].object.path;
        cplusplus |= s->items[i].cplusplus;
    }
    *how = how_of(s, source->name, cplusplus);
    bool ok = pk_compile_merge(how, paths, object, messages, err);
    free(paths);
    return ok;
}

pk_compile_options pk_sources_how(const pk_sources *s, const char *name, const void *object,
                                  size_t bytes) {
    bool defined, cplusplus;
    pk_err ignored;
    if (!pk_elf_symbols(object, bytes, "perfkit_benchmarks", &defined, &cplusplus, &ignored))
        cplusplus = false; /* linking it will say what is wrong */
    return how_of(s, name, cplusplus);
}
