#include "profile/demangle.h"

#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"

#ifdef HAVE_LIBIBERTY
#include <libiberty/demangle.h>
#endif

#define MANGLED_MAX (1u << 16) /* longer is no name */

/* The bytes of the symbol up to what linkers add: "@plt", "@@GLIBC_2.14". */
static size_t bytes_of_name(const char *symbol, size_t bytes) {
    const char *at = memchr(symbol, '@', bytes);
    return at && at > symbol ? (size_t)(at - symbol) : bytes;
}

/* Without ".llvm." and the digits behind it, which tell apart what ThinLTO made global. */
static size_t cut_llvm(const char *symbol, size_t bytes) {
    static const char mark[] = ".llvm.";
    size_t end = bytes;
    while (end > 0 && symbol[end - 1] >= '0' && symbol[end - 1] <= '9') end--;
    size_t n = sizeof mark - 1;
    bool marked = end < bytes && end > n && memcmp(symbol + end - n, mark, n) == 0;
    return marked ? end - n : bytes;
}

#ifdef HAVE_LIBIBERTY
typedef struct sink {
    char text[PK_DEMANGLED_MAX];
    size_t length;
    jmp_buf full;
} sink;

static void take(const char *part, size_t bytes, void *opaque) {
    sink *s = opaque;
    size_t room = sizeof s->text - s->length;
    size_t n = bytes < room ? bytes : room;
    memcpy(s->text + s->length, part, n);
    s->length += n;
    /* A mangled name refers back to its parts, so that a hundred bytes may stand for gigabytes of
     * text, and a callback has no other way to say that it has enough. All that is lost is the
     * buffer of a punycode identifier, if the text ends within one. */
    if (n < bytes) longjmp(s->full, 1);
}

/* ".isra.0.cold" as " [clone .isra.0] [clone .cold]". libiberty does so with the parameters only.
 */
static void take_clones(const char *clone, sink *s) {
    while (*clone == '.') {
        size_t n = 1 + strcspn(clone + 1, ".");
        while (clone[n] == '.' && clone[n + 1] >= '0' && clone[n + 1] <= '9')
            n += 1 + strcspn(clone + n + 1, ".");
        take(" [clone ", 8, s);
        take(clone, n, s);
        take("]", 1, s);
        clone += n;
    }
}

/* True: s->text has what there is, at most its size. */
static bool run(const char *mangled, sink *s) {
    if (setjmp(s->full) != 0) return true;
    if (rust_demangle_callback(mangled, DMGL_NO_OPTS, take, s)) return true;
    s->length = 0;
    if (!cplus_demangle_v3_callback(mangled, DMGL_NO_OPTS, take, s)) return false;
    take_clones(mangled + strcspn(mangled, "."), s);
    return true;
}

static bool add_readable(const char *mangled, pk_strbuf *out) {
    if (strncmp(mangled, "_Z", 2) != 0 && strncmp(mangled, "_R", 2) != 0 &&
        strncmp(mangled, "_GLOBAL_", 8) != 0)
        return false;
    sink *s = malloc(sizeof *s);
    if (!s) return false;
    s->length = 0;
    bool done = run(mangled, s);
    if (done) {
        bool cut = s->length == sizeof s->text;
        pk_strbuf_add(out, s->text, cut ? s->length - 3 : s->length);
        if (cut) pk_strbuf_add_str(out, "...");
    }
    free(s);
    return done;
}

bool pk_can_demangle(void) {
    return true;
}
#else
static bool add_readable(const char *mangled, pk_strbuf *out) {
    (void)mangled;
    (void)out;
    return false;
}

bool pk_can_demangle(void) {
    return false;
}
#endif

void pk_demangle(const char *symbol, pk_strbuf *out) {
    size_t all = strnlen(symbol, MANGLED_MAX);
    size_t bytes = bytes_of_name(symbol, all), kept = cut_llvm(symbol, bytes);
    char *mangled = all < MANGLED_MAX ? strndup(symbol, kept) : NULL;
    if (!mangled || !add_readable(mangled, out)) {
        bool cut = kept > PK_DEMANGLED_MAX;
        pk_strbuf_add(out, symbol, cut ? PK_DEMANGLED_MAX - 3 : kept);
        if (cut) pk_strbuf_add_str(out, "...");
    }
    /* A version's name is short; what is not is none. */
    if (all - bytes <= 256) pk_strbuf_add(out, symbol + bytes, all - bytes);
    free(mangled);
}

struct pk_demangler {
    pk_names *readable;
    pk_names *symbols;
    pk_array done; /* uint32_t for each of `symbols`: its readable name */
    pk_strbuf text;
};

pk_demangler *pk_demangler_new(pk_names *names, size_t limit_bytes) {
    pk_demangler *d = calloc(1, sizeof *d);
    if (!d) return NULL;
    d->readable = names;
    d->symbols = pk_names_new(limit_bytes);
    d->done = PK_ARRAY(uint32_t, UINT32_MAX);
    pk_strbuf_init(&d->text, 2 * PK_DEMANGLED_MAX);
    if (d->symbols) return d;
    pk_demangler_free(d);
    return NULL;
}

void pk_demangler_free(pk_demangler *demangler) {
    if (!demangler) return;
    pk_names_free(demangler->symbols);
    pk_array_fini(&demangler->done);
    pk_strbuf_fini(&demangler->text);
    free(demangler);
}

uint32_t pk_demangler_name(pk_demangler *demangler, const char *symbol) {
    uint32_t i = pk_names_intern(demangler->symbols, symbol, strlen(symbol));
    if (i == PK_NAME_NONE) return PK_NAME_NONE;
    if (i < demangler->done.count) return PK_AT(&demangler->done, uint32_t, i);
    pk_strbuf_clear(&demangler->text);
    pk_demangle(symbol, &demangler->text);
    uint32_t *name = pk_array_push(&demangler->done);
    if (!name) return PK_NAME_NONE;
    *name = pk_strbuf_ok(&demangler->text)
                ? pk_names_intern(demangler->readable, demangler->text.data, demangler->text.length)
                : PK_NAME_NONE;
    return *name;
}
