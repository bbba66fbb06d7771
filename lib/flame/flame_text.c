#include "flame/flame_text.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/strbuf.h"
#include "flame/perf_text.h"
#include "profile/folded.h"

#define PIECE_BYTES ((size_t)256 << 10)
/* What must be kept: a line of folded text that is not complete yet, or the beginning of a text
 * that says nothing. */
#define KEPT_BYTES_MAX ((size_t)64 << 20)

typedef struct reading {
    const char *path;
    const pk_collapse_options *options;
    pk_profile *profile;
    pk_flame_text_read *read;
    pk_text_kind kind;
    pk_strbuf kept;
    pk_perf_text *perf;
    pk_folded_read folded;
} reading;

static bool begin_kind(reading *r, bool whole, pk_err *err) {
    r->kind = pk_text_guess(r->kept.data, r->kept.length, whole);
    if (r->kind == PK_TEXT_PERF) {
        r->perf = pk_perf_text_new(r->options, r->profile, err);
        return r->perf != NULL;
    }
    r->read->folded = r->kind == PK_TEXT_FOLDED;
    if (r->kind != PK_TEXT_OTHER) return true;
    bool data = r->kept.length >= 8 && memcmp(r->kept.data, "PERFILE2", 8) == 0;
    pk_fail(err, PK_E_INPUT, r->path, "these are no stacks, neither folded nor of perf script");
    if (data) pk_fix(err, "it is a recording of perf: read it with --perfdata");
    else pk_fix(err, "folded stacks are lines such as main;work;inner 42");
    return false;
}

/* Takes what is kept, as far as its lines are complete or the text is at its end. */
static bool take(reading *r, bool whole, pk_err *err) {
    pk_strbuf *kept = &r->kept;
    if (r->kind == PK_TEXT_UNCLEAR && !begin_kind(r, whole, err)) return false;
    if (r->kind == PK_TEXT_UNCLEAR) return true;
    if (r->kind == PK_TEXT_PERF) {
        bool ok = pk_perf_text_add(r->perf, kept->data, kept->length, err);
        pk_strbuf_clear(kept);
        return ok;
    }
    size_t bytes = kept->length;
    while (!whole && bytes > 0 && kept->data[bytes - 1] != '\n') bytes--;
    if (bytes == 0) return true;
    if (!pk_folded_add(&r->profile->tree, kept->data, bytes, &r->folded, err)) return false;
    size_t left = kept->length - bytes;
    memmove(kept->data, kept->data + bytes, left + 1);
    kept->length = left;
    return true;
}

/* 1: something was read; 0: the end; -1: *err. */
static int read_piece(reading *r, int fd, pk_err *err) {
    char *place = pk_strbuf_reserve(&r->kept, PIECE_BYTES);
    if (!place) {
        pk_fail(err, PK_E_LIMIT, r->path, "a line of more than %zu MiB", KEPT_BYTES_MAX >> 20);
        pk_fix(err, "see whether this is the right file");
        return -1;
    }
    ssize_t n;
    do n = read(fd, place, PIECE_BYTES);
    while (n < 0 && errno == EINTR);
    if (n < 0) {
        pk_fail(err, PK_E_SYS, r->path, "cannot read it");
        pk_fix(err, "give a file or a pipe with text");
        return -1;
    }
    pk_strbuf_grown(&r->kept, (size_t)n);
    r->read->bytes += (uint64_t)n;
    return n > 0;
}

static uint64_t weight_of(pk_stack_tree *tree) {
    pk_stack_tree_sum(tree);
    return pk_node(tree, PK_NODE_ROOT)->total[0];
}

static bool finish(reading *r, uint64_t before, pk_err *err) {
    if (r->kind == PK_TEXT_PERF) {
        if (!pk_perf_text_end(r->perf, err)) return false;
        pk_perf_text_counts counts = pk_perf_text_counted(r->perf);
        r->read->samples = counts.samples;
        r->read->ignored = counts.ignored;
        r->read->without = counts.without;
        return true;
    }
    r->read->lines = r->folded.lines;
    r->read->ignored = r->folded.ignored;
    r->read->fraction = r->folded.fraction;
    r->read->samples = weight_of(&r->profile->tree) - before;
    r->profile->n_samples += r->read->samples;
    if (!r->profile->unit) r->profile->unit = "samples";
    return true;
}

static bool read_all(reading *r, int fd, uint64_t total, pk_collapse_progress *progress,
                     void *context, pk_err *err) {
    uint64_t before = weight_of(&r->profile->tree);
    for (;;) {
        int more = read_piece(r, fd, err);
        if (more < 0 || !take(r, more == 0, err)) return false;
        if (more == 0) return finish(r, before, err);
        if (!progress || total == 0) continue;
        if (progress(context, (double)r->read->bytes / (double)total)) continue;
        r->profile->incomplete = true;
        return finish(r, before, err);
    }
}

bool pk_flame_text_add(const char *path, const pk_collapse_options *options,
                       pk_collapse_progress *progress, void *context, pk_profile *profile,
                       pk_flame_text_read *read, pk_err *err) {
    bool standard = strcmp(path, "-") == 0;
    int fd = standard ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        pk_fail(err, PK_E_SYS, path, "cannot open it");
        pk_fix(err, "check the path");
        return false;
    }
    *read = (pk_flame_text_read){0};
    reading r = {.path = standard ? "standard input" : path,
                 .options = options,
                 .profile = profile,
                 .read = read};
    struct stat st;
    bool sized = fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size > 0;
    pk_strbuf_init(&r.kept, KEPT_BYTES_MAX);
    bool ok = read_all(&r, fd, sized ? (uint64_t)st.st_size : 0, progress, context, err);
    pk_strbuf_fini(&r.kept);
    if (r.perf) pk_perf_text_free(r.perf);
    if (!standard) close(fd);
    return ok;
}
