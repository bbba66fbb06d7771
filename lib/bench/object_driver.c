/* Objects whose benchmarks a driver measures: a file in its language, or what it brings itself. */
#include <string.h>
#include <sys/stat.h>

#include "base/embed.h"
#include "base/file.h"
#include "bench/driver.h"
#include "bench/memory.h"
#include "bench/object_parts.h"
#include "bench/store.h"

PK_EMBED(pk_python_suite, "lib/bench/suite/fib.py");

#define COMMAND_BYTES_MAX (256u << 20)

bool pk_object_open_driver_file(const pk_object_opener *o, const char *name, pk_object *object,
                                pk_err *err) {
    object->path = name;
    object->driver = pk_driver_of_file(name, o->options, o->place->arena, err);
    if (!object->driver) return pk_object_opened(o, object, false, err);
    if (o->group) object->driver->group = o->group;
    return pk_object_opened(o, object, pk_object_keep_content(o, name, object, err), err);
}

/* ---- commands ---- */

/* The words, and the content of those that name files: so much of what is measured can be seen. */
static bool hash_command(const pk_driver *driver, pk_object *object, pk_err *err) {
    pk_strbuf all;
    pk_strbuf_init(&all, COMMAND_BYTES_MAX);
    bool ok = true;
    for (size_t i = 0; ok && driver->words[i]; i++) {
        struct stat st;
        pk_strbuf_add_str(&all, driver->words[i]);
        pk_strbuf_add_char(&all, '\0');
        if (stat(driver->words[i], &st) == 0 && S_ISREG(st.st_mode))
            ok = pk_file_read(driver->words[i], COMMAND_BYTES_MAX, &all, err);
    }
    if (ok && !pk_strbuf_ok(&all)) ok = pk_bench_no_memory(err);
    if (ok) ok = pk_store_hash(all.data, all.length, object->hash, err);
    pk_strbuf_fini(&all);
    return ok;
}

bool pk_object_open_command(const pk_object_opener *o, const char *command, pk_object *object,
                            pk_err *err) {
    *object = (pk_object){.name = command, .path = ""};
    object->driver = pk_driver_of_command(command, o->place->arena, err);
    bool ok = object->driver && hash_command(object->driver, object, err);
    return pk_object_opened(o, object, ok, err);
}

/* ---- the shipped ones ---- */

/* What the file offers, known without Python: a list has to be quick. Settings: so little beside
 * the others that a run of the suite stays short. */
#define SHIPPED(name)                                                                          \
    {                                                                                          \
        .group = "fib", .function = (name), .measurement_time_s = 0.9, .warm_up_time_s = 0.15, \
        .start_ns = 30000000                                                                   \
    }
static const pk_worker_offer shipped[] = {SHIPPED("python/recursive"), SHIPPED("python/lookup")};

bool pk_object_open_python_suite(const pk_object_opener *o, pk_object *object, pk_err *err) {
    pk_arena *arena = o->place->arena;
    *object = (pk_object){.name = "built-in",
                          .data = pk_embed_data(pk_python_suite),
                          .bytes = pk_embed_bytes(pk_python_suite),
                          .offers = shipped,
                          .n_offers = sizeof shipped / sizeof shipped[0],
                          .shipped = true};
    pk_program *program = pk_object_add_program(object);
    bool ok = (program || pk_bench_no_memory(err)) &&
              pk_program_of(object->data, object->bytes, program, err) &&
              pk_store_hash(object->data, object->bytes, object->hash, err);
    if (ok && o->options->python) {
        object->driver = pk_driver_of_file("fib.py", o->options, arena, err);
        ok = object->driver != NULL;
    }
    if (ok) {
        object->path = pk_arena_strdup(arena, program->path);
        ok = object->path || pk_bench_no_memory(err);
    }
    if (!ok) pk_object_close(object);
    return ok;
}

bool pk_object_start_shipped(const pk_object_opener *o, pk_object *object, pk_err *err) {
    pk_object asked = *object; /* what it says is checked by a test; what is kept is the rest */
    if (!pk_object_ask(o, &asked, err)) return false;
    object->failure = asked.failure;
    return true;
}

/* ---- what LIST told ---- */

void pk_object_driver_listed(pk_object *object, const pk_worker_outcome *outcome) {
    const char *program = outcome->reply.program;
    for (size_t i = 0; i < outcome->reply.n_offers; i++)
        outcome->reply.offers[i].start_ns = outcome->duration_ns;
    if (program && program[0]) object->driver->words[0] = program;
}
