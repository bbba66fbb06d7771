#include "bench/object_parts.h"

#include <elf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/units.h"
#include "bench/driver.h"
#include "bench/layout.h"
#include "bench/memory.h"
#include "bench/store.h"

#define OBJECT_BYTES_MAX (256u << 20)
#define MESSAGES_MAX (64u << 10)

/* ---- content ---- */

bool pk_object_keep_content(const pk_object_opener *o, const char *path, pk_object *object,
                            pk_err *err) {
    pk_strbuf content;
    pk_strbuf_init(&content, OBJECT_BYTES_MAX);
    bool ok = pk_file_read(path, OBJECT_BYTES_MAX, &content, err);
    if (ok) {
        char *data = pk_arena_alloc(o->place->arena, content.length + 1, 1);
        ok = data || pk_bench_no_memory(err);
        if (data) {
            memcpy(data, content.data, content.length);
            object->data = data;
            object->bytes = content.length;
        }
    }
    pk_strbuf_fini(&content);
    return ok && pk_store_hash(object->data, object->bytes, object->hash, err);
}

static bool is_elf(const pk_object *object) {
    return object->bytes >= sizeof(Elf64_Ehdr) && memcmp(object->data, ELFMAG, SELFMAG) == 0;
}

/* A compiled object that is not linked yet. */
static bool is_relocatable(const pk_object *object) {
    Elf64_Half type;
    if (!is_elf(object)) return false;
    memcpy(&type, (const char *)object->data + offsetof(Elf64_Ehdr, e_type), sizeof type);
    return type == ET_REL;
}

/* ---- private files ---- */

pk_program *pk_object_add_program(pk_object *object) {
    pk_program *grown =
        realloc(object->programs, (object->n_programs + 1) * sizeof *object->programs);
    if (!grown) return NULL;
    object->programs = grown;
    grown[object->n_programs] = PK_PROGRAM_NONE;
    return &grown[object->n_programs++];
}

/* *path: in the arena, since the list of programs moves. */
static bool copy_privately(const pk_object_opener *o, pk_object *object, const char **path,
                           pk_err *err) {
    pk_program *program = pk_object_add_program(object);
    if (!program) return pk_bench_no_memory(err);
    if (!pk_program_copy(*path, program, err)) return false;
    *path = pk_arena_strdup(o->place->arena, program->path);
    return *path || pk_bench_no_memory(err);
}

static bool same_file(const char *a, const char *b) {
    struct stat x, y;
    return stat(a, &x) == 0 && stat(b, &y) == 0 && x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

bool pk_object_separate(const pk_object_opener *o, pk_object *object, const pk_object *other,
                        pk_err *err) {
    if (object->n_layouts == 0)
        return !same_file(object->path, pk_object_path(other, -1)) ||
               copy_privately(o, object, &object->path, err);
    const char **paths = PK_NEW(o->place->arena, object->n_layouts, const char *);
    if (!paths) return pk_bench_no_memory(err);
    for (unsigned i = 0; i < object->n_layouts; i++) {
        paths[i] = object->layouts[i];
        if (same_file(paths[i], pk_object_path(other, (int)i)) &&
            !copy_privately(o, object, &paths[i], err))
            return false;
    }
    object->layouts = paths;
    object->path = paths[0];
    return true;
}

/* ---- sources ---- */

/* Links the compiled object `relocatable`: in many layouts, or once. */
static bool link_layouts(const pk_object_opener *o, const pk_compile_options *how,
                         const char *relocatable, unsigned count, pk_object *object,
                         pk_strbuf *messages, pk_err *err) {
    const char *const *paths = NULL;
    if (!pk_layouts(relocatable, how, count, o->options->home, o->place->intr, o->place->arena,
                    &paths, messages, err))
        return false;
    object->layouts = paths;
    object->n_layouts = count;
    object->path = paths[0];
    return true;
}

static unsigned layouts_wanted(const pk_bench_options *options) {
    return options->layouts > 0 ? options->layouts : PK_LAYOUTS_DEFAULT;
}

static bool link_in(const pk_object_opener *o, const char *folder, const pk_source *source,
                    pk_object *object, pk_strbuf *messages, pk_err *err) {
    char relocatable[64], shared[64];
    snprintf(relocatable, sizeof relocatable, "%s/object.o", folder);
    snprintf(shared, sizeof shared, "%s/object.so", folder);
    pk_compile_options how;
    bool ok = pk_sources_join(o->sources, source, relocatable, &how, messages, err) &&
              pk_compile_link(&how, relocatable, shared, messages, err) &&
              pk_object_keep_content(o, relocatable, object, err);
    if (ok && o->layouts) {
        ok = link_layouts(o, &how, relocatable, layouts_wanted(o->options), object, messages, err);
    } else if (ok) {
        object->path = shared;
        ok = copy_privately(o, object, &object->path, err);
    }
    unlink(relocatable);
    unlink(shared);
    return ok;
}

static bool open_source(const pk_object_opener *o, const char *name, pk_object *object,
                        pk_err *err) {
    char folder[] = "/tmp/perfkit-XXXXXX";
    const pk_source *source = pk_sources_get(o->sources, name, err);
    if (!source || !pk_sources_folder(folder, name, err)) return false;
    pk_strbuf messages;
    pk_strbuf_init(&messages, MESSAGES_MAX);
    bool ok = link_in(o, folder, source, object, &messages, err);
    rmdir(folder);
    pk_sources_tell(o->sources, &messages, ok, err);
    pk_strbuf_fini(&messages);
    return ok;
}

static bool link_artefact(const pk_object_opener *o, const char *path, pk_object *object,
                          pk_err *err) {
    const pk_compile_options how =
        pk_sources_how(o->sources, object->name, object->data, object->bytes);
    pk_strbuf messages;
    pk_strbuf_init(&messages, MESSAGES_MAX);
    bool ok = link_layouts(o, &how, path, o->layouts ? layouts_wanted(o->options) : 1, object,
                           &messages, err);
    pk_sources_tell(o->sources, &messages, ok, err);
    pk_strbuf_fini(&messages);
    return ok;
}

/* ---- opening ---- */

bool pk_object_ask(const pk_object_opener *o, pk_object *object, pk_err *err) {
    const pk_worker_job job = {
        .task = PK_TASK_LIST, .objects = {[PK_SIDE_NEW] = object->path}, .driver = object->driver};
    pk_worker_outcome outcome;
    if (!pk_worker_spawn(o->place, &job, 0, &outcome, err)) return false;
    if (outcome.stopped) {
        pk_fail(err, PK_E_LIMIT, object->name, "interrupted before it was measured");
        pk_fix(err, "run it again");
        return false;
    }
    if (object->driver && !outcome.failed) pk_object_driver_listed(object, &outcome);
    object->offers = outcome.reply.offers;
    object->n_offers = outcome.failed ? 0 : outcome.reply.n_offers;
    if (!outcome.failed) return true;
    pk_bench_failure *failure = PK_NEW(o->place->arena, 1, pk_bench_failure);
    if (!failure) return pk_bench_no_memory(err);
    *failure = outcome.failure;
    object->failure = failure;
    return true;
}

/* The end of each way to open: all or nothing. */
bool pk_object_opened(const pk_object_opener *o, pk_object *object, bool ok, pk_err *err) {
    if (ok && pk_object_ask(o, object, err)) return true;
    pk_object_close(object);
    return false;
}

bool pk_object_open_suite(const pk_object_opener *o, pk_object *object, pk_err *err) {
    *object = (pk_object){.name = "built-in"};
    object->data = pk_program_suite_data(&object->bytes);
    pk_program *program = pk_object_add_program(object);
    bool ok = program ? pk_program_suite(program, err) : pk_bench_no_memory(err);
    if (ok) {
        object->path = pk_arena_strdup(o->place->arena, program->path);
        ok = object->path ? pk_store_hash(object->data, object->bytes, object->hash, err)
                          : pk_bench_no_memory(err);
    }
    return pk_object_opened(o, object, ok, err);
}

/* dlopen looks for a name without a slash elsewhere. */
static const char *path_of(const pk_object_opener *o, const char *name) {
    return strchr(name, '/') ? name : pk_arena_printf(o->place->arena, "./%s", name);
}

bool pk_object_open_file(const pk_object_opener *o, const char *name, pk_object *object,
                         pk_err *err) {
    *object = (pk_object){.name = name};
    bool ok;
    if (pk_driver_takes(name)) return pk_object_open_driver_file(o, name, object, err);
    if (pk_compile_takes(name)) {
        ok = open_source(o, name, object, err);
    } else {
        object->path = path_of(o, name);
        ok = object->path ? pk_object_keep_content(o, object->path, object, err)
                          : pk_bench_no_memory(err);
    }
    return pk_object_opened(o, object, ok, err);
}

bool pk_object_open_artefact(const pk_object_opener *o, const char *name, const char *path,
                             const pk_object *beside, pk_object *object, pk_err *err) {
    *object = (pk_object){.name = name, .path = pk_arena_strdup(o->place->arena, path)};
    bool ok = object->path ? pk_object_keep_content(o, path, object, err) : pk_bench_no_memory(err);
    if (ok && !is_elf(object)) object->driver = beside->driver;
    if (ok && is_relocatable(object)) ok = link_artefact(o, object->path, object, err);
    return pk_object_opened(o, object, ok, err);
}

void pk_object_close(pk_object *object) {
    for (size_t i = 0; i < object->n_programs; i++) pk_program_close(&object->programs[i]);
    free(object->programs);
    object->programs = NULL;
    object->n_programs = 0;
}

/* ---- asking ---- */

const char *pk_object_path(const pk_object *object, int layout) {
    if (object->n_layouts == 0 || layout < 0) return object->path;
    return object->layouts[(unsigned)layout % object->n_layouts];
}

static bool equal(const char *a, const char *b) {
    return a == b || (a && b && strcmp(a, b) == 0);
}

bool pk_object_find(const pk_object *object, const char *group, const char *function,
                    uint32_t *index) {
    for (size_t i = 0; i < object->n_offers; i++) {
        if (!equal(object->offers[i].group, group) || !equal(object->offers[i].function, function))
            continue;
        *index = (uint32_t)i;
        return true;
    }
    return false;
}
