#include "bench/layout.h"

#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/fnv.h"
#include "bench/elf_sections.h"
#include "bench/program.h"
#include "bench/store.h"
#include "bench/toolchain.h"
#include "stats/random.h"

enum {
    FUNCTIONS_MAX = 1 << 20,
    OBJECT_BYTES_MAX = 1 << 30,
    SCRIPT_BYTES_MAX = 256 << 20,
    PADDING_MAX = 63, /* a cache line less one */
};

/* ---- the order ---- */

typedef struct function {
    const char *section;
    uint64_t key; /* random, of this layout and this name */
    unsigned padding;
} function;

static int compare_functions(const void *a, const void *b) {
    const function *x = a, *y = b;
    if (x->key != y->key) return x->key < y->key ? -1 : 1;
    return strcmp(x->section, y->section);
}

/* Key and padding come from name and layout alone, so a function that is added or removed leaves
 * the order of the others as it is. */
static void shuffle(function functions[], size_t n, unsigned layout) {
    for (size_t i = 0; i < n; i++) {
        pk_random random;
        const char *name = functions[i].section;
        pk_random_seed(&random, pk_fnv1a(PK_FNV_START, name, strlen(name)) + layout);
        functions[i].key = pk_random_next(&random);
        functions[i].padding = 1 + (unsigned)pk_random_below(&random, PADDING_MAX);
    }
    qsort(functions, n, sizeof functions[0], compare_functions);
}

/* A script that adds to the linker's own (INSERT; GNU ld and lld): its functions first, in this
 * order; what it does not name stays in .text. */
static void write_script(const function functions[], size_t n, pk_strbuf *out) {
    pk_strbuf_add_str(out, "SECTIONS\n{\n  .text.perfkit :\n  {\n");
    for (size_t i = 0; i < n; i++)
        pk_strbuf_addf(out, "    . = . + %u;\n    *(%s)\n", functions[i].padding,
                       functions[i].section);
    pk_strbuf_add_str(out, "  }\n}\nINSERT BEFORE .text;\n");
}

/* ---- what a layout is made of ---- */

typedef struct maker {
    const char *object;
    const pk_compile_options *options;
    pk_strbuf content; /* of the object */
    function *functions;
    size_t n;
    char folder[PATH_MAX - 64];
    pk_strbuf *messages;
} maker;

static int compare_names(const void *a, const void *b) {
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Each name once: a group of C++ may hold the same twice. */
static bool take_names(maker *m, pk_array *names, pk_err *err) {
    m->functions = calloc(names->count ? names->count : 1, sizeof *m->functions);
    if (!m->functions) {
        pk_fail(err, PK_E_LIMIT, m->options->source, "no memory for %zu functions", names->count);
        pk_fix(err, "make the source smaller");
        return false;
    }
    if (!names->items) return true; /* none */
    qsort(names->items, names->count, names->item_bytes, compare_names);
    const char *last = NULL;
    for (size_t i = 0; i < names->count; i++) {
        const char *name = PK_AT(names, const char *, i);
        if (last && strcmp(last, name) == 0) continue;
        m->functions[m->n++].section = last = name;
    }
    return true;
}

static bool find_functions(maker *m, pk_err *err) {
    pk_array names = PK_ARRAY(const char *, FUNCTIONS_MAX);
    bool ok = pk_file_read(m->object, OBJECT_BYTES_MAX, &m->content, err) &&
              pk_elf_code_sections(m->content.data, m->content.length, &names, err) &&
              take_names(m, &names, err);
    pk_array_fini(&names);
    return ok;
}

/* For the store, which clears up: what the layouts are of (a symbolic link, so that it is there
 * whole or not at all), and that they are in use now. Without it they are merely made again. */
static bool mark_folder(const maker *m, pk_err *err) {
    char hash[65], path[PATH_MAX];
    if (!pk_store_hash(m->content.data, m->content.length, hash, err)) return false;
    snprintf(path, sizeof path, "%s/" PK_LAYOUTS_OF, m->folder);
    (void)!symlink(hash, path);
    (void)utimensat(AT_FDCWD, m->folder, NULL, 0);
    return true;
}

/* Everything that decides what the linker makes of a layout's number. */
static bool choose_folder(maker *m, const char *home, pk_err *err) {
    static const char version[] = "layout 1";
    const char *const parts[] = {version, m->options->compiler ? m->options->compiler : "",
                                 m->options->cflags ? m->options->cflags : ""};
    pk_strbuf all;
    char hash[65];
    pk_strbuf_init(&all, OBJECT_BYTES_MAX + (1u << 20));
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
        pk_strbuf_add(&all, parts[i], strlen(parts[i]) + 1);
    pk_strbuf_add(&all, m->content.data, m->content.length);
    bool ok = pk_strbuf_ok(&all);
    if (!ok) {
        pk_fail(err, PK_E_LIMIT, m->object, "no memory to hash it");
        pk_fix(err, "free some memory");
    }
    ok = ok && pk_store_hash(all.data, all.length, hash, err);
    pk_strbuf_fini(&all);
    if (!ok) return false;
    int length = snprintf(m->folder, sizeof m->folder, "%s/.perfkit/layouts/%s", home, hash);
    if (length < 0 || (size_t)length >= sizeof m->folder) {
        pk_fail(err, PK_E_INPUT, home, "the path is too long");
        pk_fix(err, "choose another --home");
        return false;
    }
    return pk_folder_make(m->folder, err) && mark_folder(m, err);
}

static bool open_script(maker *m, unsigned layout, pk_program *script, pk_err *err) {
    pk_strbuf text;
    pk_strbuf_init(&text, SCRIPT_BYTES_MAX);
    shuffle(m->functions, m->n, layout);
    write_script(m->functions, m->n, &text);
    bool ok = pk_strbuf_ok(&text);
    if (!ok) {
        pk_fail(err, PK_E_LIMIT, m->options->source, "no memory for its layout");
        pk_fix(err, "make the source smaller");
    }
    ok = ok && pk_program_of(text.data, text.length, script, err);
    pk_strbuf_fini(&text);
    return ok;
}

/* Under another name first: what bears the right name is whole, whoever links at the same time. */
static bool link_layout(maker *m, unsigned layout, const char *path, pk_err *err) {
    char temporary[PATH_MAX];
    pk_program script;
    if (!open_script(m, layout, &script, err)) return false;
    snprintf(temporary, sizeof temporary, "%s/.%d-%u.so", m->folder, (int)getpid(), layout);
    bool ok = pk_toolchain_link(m->options, m->object, script.path, temporary, m->messages, err);
    pk_program_close(&script);
    if (ok && rename(temporary, path) != 0) {
        pk_fail(err, PK_E_SYS, path, "cannot put a layout there");
        pk_fix(err, "choose another --home");
        ok = false;
    }
    if (!ok) unlink(temporary);
    return ok;
}

static bool make_layouts(maker *m, unsigned count, pk_interrupt *intr, pk_arena *arena,
                         const char **paths, pk_err *err) {
    for (unsigned i = 0; i < count; i++) {
        paths[i] = pk_arena_printf(arena, "%s/%u.so", m->folder, i);
        if (!paths[i]) {
            pk_fail(err, PK_E_LIMIT, NULL, "no memory for %u layouts", count);
            pk_fix(err, "ask for fewer");
            return false;
        }
        if (pk_interrupt_signal(intr)) {
            pk_fail(err, PK_E_LIMIT, m->options->source, "interrupted while linking its layouts");
            pk_fix(err, "run it again: those that are linked are kept");
            return false;
        }
        if (access(paths[i], R_OK) != 0 && !link_layout(m, i, paths[i], err)) return false;
    }
    return true;
}

bool pk_layouts(const char *object, const pk_compile_options *options, unsigned count,
                const char *home, pk_interrupt *intr, pk_arena *arena, const char *const **paths,
                pk_strbuf *messages, pk_err *err) {
    const char **made = PK_NEW(arena, count, const char *);
    if (!made || count == 0 || count > PK_LAYOUTS_MAX) {
        pk_fail(err, PK_E_USAGE, NULL, "%u layouts cannot be made", count);
        pk_fix(err, "use 1 to %d", PK_LAYOUTS_MAX);
        return false;
    }
    maker m = {.object = object, .options = options, .messages = messages};
    pk_strbuf_init(&m.content, OBJECT_BYTES_MAX);
    bool ok = find_functions(&m, err) && choose_folder(&m, home, err) &&
              make_layouts(&m, count, intr, arena, made, err);
    free(m.functions);
    pk_strbuf_fini(&m.content);
    if (ok) *paths = made;
    return ok;
}
