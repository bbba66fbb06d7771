/* The history of a benchmark: one line of JSON per session, appended and never rewritten. */
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/array.h"
#include "base/file.h"
#include "bench/store_internal.h"
#include "report/json_read.h"

#define SESSION_SCHEMA "bench-session/1"
enum { SESSIONS_BYTES_MAX = 256 << 20, LINE_TREE_BYTES_MAX = 1 << 20, SESSIONS_MAX = 1000000 };

/* ---- writing ---- */

static void add_pair(pk_json *o, const char *key, const double pair[2]) {
    pk_json *list = pk_json_array(o, key);
    pk_json_double(list, NULL, pair[0]);
    pk_json_double(list, NULL, pair[1]);
}

static bool session_line(FILE *out, const pk_bench_session *s, bool continues, pk_err *err) {
    pk_json *o = pk_json_document(SESSION_SCHEMA);
    pk_json_uint(o, "time_unix_ns", s->time_unix_ns);
    pk_json_bool(o, "continues", continues);
    pk_json_text(o, "artefact", s->artefact);
    pk_json_text(o, "environment", s->environment);
    pk_json_uint(o, "workers", s->workers);
    add_pair(o, "location", s->location);
    add_pair(o, "standard_error", s->standard_error);
    add_pair(o, "spread", s->spread);
    pk_json_double(o, "typical_ns", s->typical_ns);
    pk_json_double(o, "low_ns", s->low_ns);
    pk_json_double(o, "high_ns", s->high_ns);
    pk_json_double(o, "throughput_per_iteration", s->throughput_per_iteration);
    pk_json_bool(o, "throughput_bytes", s->throughput_bytes);
    pk_json_text(o, "history_id", s->history_id);
    pk_json_text(o, "history_description", s->history_description);
    pk_json_text(o, "verdict", s->verdict);
    pk_json_double(o, "change", s->change);
    bool ok = pk_json_write_compact(out, o, err);
    pk_json_free(o);
    return ok && fputc('\n', out) != EOF;
}

/* In one write. After a torn line (a crash in the middle of one) a new one begins: `line` starts
 * with the line break for that case. */
static bool append(const pk_store *store, const char *place, const char *line, size_t bytes,
                   pk_err *err) {
    char last = '\n';
    int fd = openat(store->home_fd, place, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
    off_t end = fd >= 0 ? lseek(fd, 0, SEEK_END) : -1;
    bool ok = fd >= 0 && end >= 0 && (end == 0 || pread(fd, &last, 1, end - 1) == 1);
    size_t skip = last == '\n';
    ok = ok && pk_fd_write_all(fd, line + skip, bytes - skip) && fsync(fd) == 0;
    if (!ok) {
        char where[PATH_MAX];
        pk_store_where(store, place, where);
        pk_fail(err, PK_E_SYS, where, "cannot append to it");
        pk_fix(err, "free space there, or choose another place with --home");
        if (end >= 0) (void)!ftruncate(fd, end);
    }
    if (fd >= 0) close(fd);
    return ok;
}

static void sessions_place(const char *directory, char place[PATH_MAX]) {
    int length = snprintf(place, PATH_MAX, "%s/" PK_STORE_SESSIONS, directory);
    if (length < 0 || length >= PATH_MAX) place[PATH_MAX - 1] = '\0';
}

bool pk_store_append_session(pk_store *store, const char *directory,
                             const pk_bench_session *session, bool continues, pk_err *err) {
    char place[PATH_MAX], *line = NULL;
    size_t bytes = 0;
    FILE *out = open_memstream(&line, &bytes);
    bool ok = out && fputc('\n', out) != EOF && session_line(out, session, continues, err);
    if (out && fclose(out) != 0) ok = false;
    if (!ok) pk_fail(err, PK_E_LIMIT, directory, "out of memory");
    sessions_place(directory, place);
    ok = ok && append(store, place, line, bytes, err);
    free(line);
    return ok;
}

/* ---- reading ---- */

static bool read_pair(pk_json_reader *r, const pk_json_value *o, const char *key, double pair[2]) {
    const pk_json_value *list = pk_json_get_array(r, o, key);
    pair[0] = pair[1] = NAN;
    if (!list || list->count != 2) return false;
    pair[0] = pk_json_double_of(r, list->first);
    pair[1] = pk_json_double_of(r, list->first->next);
    return true;
}

static bool session_from(pk_json_reader *r, const pk_json_value *o, pk_bench_session *s) {
    const char *schema = pk_json_get_text(r, o, "schema");
    if (!schema || strcmp(schema, SESSION_SCHEMA) != 0) return false;
    *s = (pk_bench_session){.time_unix_ns = pk_json_get_uint(r, o, "time_unix_ns"),
                            .workers = pk_json_get_uint(r, o, "workers"),
                            .typical_ns = pk_json_get_double(r, o, "typical_ns"),
                            .low_ns = pk_json_get_double(r, o, "low_ns"),
                            .high_ns = pk_json_get_double(r, o, "high_ns"),
                            .throughput_per_iteration =
                                pk_json_get_double(r, o, "throughput_per_iteration"),
                            .throughput_bytes = pk_json_get_bool(r, o, "throughput_bytes"),
                            .change = pk_json_get_double(r, o, "change")};
    pk_json_get_chars(r, o, "artefact", s->artefact, sizeof s->artefact);
    pk_json_get_chars(r, o, "environment", s->environment, sizeof s->environment);
    pk_json_get_chars(r, o, "history_id", s->history_id, sizeof s->history_id);
    pk_json_get_chars(r, o, "history_description", s->history_description,
                      sizeof s->history_description);
    pk_json_get_chars(r, o, "verdict", s->verdict, sizeof s->verdict);
    return read_pair(r, o, "location", s->location) &&
           read_pair(r, o, "standard_error", s->standard_error) &&
           read_pair(r, o, "spread", s->spread) && !r->failed;
}

bool pk_store_session_parse(const char *text, size_t bytes, pk_bench_session *session,
                            bool *continues) {
    pk_err ignored;
    pk_json_reader r = {.where = "", .err = &ignored, .arena = pk_arena_new(LINE_TREE_BYTES_MAX)};
    if (!r.arena) return false;
    const pk_json_value *o = pk_json_read(&r, text, bytes);
    bool ok = o && session_from(&r, o, session);
    *continues = ok && pk_json_get_bool(&r, o, "continues");
    ok = ok && !r.failed;
    pk_arena_free(r.arena);
    return ok;
}

/* A session that continued another has its workers too, and stands in its place. */
static void drop_continued(pk_array *sessions, const pk_bench_session *by) {
    for (size_t i = sessions->count; i-- > 0;) {
        pk_bench_session *s = &PK_AT(sessions, pk_bench_session, i);
        if (strcmp(s->artefact, by->artefact) != 0 || strcmp(s->environment, by->environment) != 0)
            continue;
        memmove(s, s + 1, (sessions->count - i - 1) * sizeof *s);
        sessions->count--;
        return;
    }
}

static bool collect(const pk_strbuf *text, const char *hash, pk_array *sessions) {
    const char *line = text->data, *end = text->data + text->length;
    while (line < end) {
        const char *stop = memchr(line, '\n', (size_t)(end - line));
        size_t length = (size_t)((stop ? stop : end) - line);
        pk_bench_session s;
        bool continues;
        bool ok = length > 0 && pk_store_session_parse(line, length, &s, &continues);
        if (ok && (!hash || strcmp(s.artefact, hash) == 0)) {
            if (continues) drop_continued(sessions, &s);
            pk_bench_session *place = pk_array_push(sessions);
            if (!place) return false;
            *place = s;
        }
        line += length + 1;
    }
    return true;
}

static bool read_sessions_file(const pk_store *store, const char *id_directory, pk_strbuf *text,
                               pk_err *err) {
    char place[PATH_MAX], where[PATH_MAX];
    sessions_place(id_directory, place);
    pk_store_where(store, place, where);
    int fd = openat(store->home_fd, place, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (fd < 0 && (errno == ENOENT || errno == ENOTDIR)) return true;
    if (fd < 0) {
        pk_fail(err, PK_E_SYS, where, "cannot open it");
        pk_fix(err, "check its permissions");
        return false;
    }
    bool ok = pk_fd_read_all(fd, where, SESSIONS_BYTES_MAX, text, err);
    close(fd);
    return ok;
}

bool pk_store_sessions(pk_store *store, const char *id_directory, const char *hash, pk_arena *arena,
                       pk_bench_session **sessions, size_t *n, pk_err *err) {
    pk_strbuf text;
    pk_array found = PK_ARRAY(pk_bench_session, SESSIONS_MAX);
    pk_strbuf_init(&text, SESSIONS_BYTES_MAX);
    bool ok = read_sessions_file(store, id_directory, &text, err);
    if (ok) {
        ok = collect(&text, hash, &found);
        pk_bench_session *copy = ok ? PK_NEW(arena, found.count, pk_bench_session) : NULL;
        if (copy) {
            if (found.count > 0) memcpy(copy, found.items, found.count * sizeof *copy);
            *sessions = copy;
            *n = found.count;
        } else {
            pk_fail(err, PK_E_LIMIT, id_directory, "its history does not fit in memory");
            pk_fix(err, "remove old lines of its sessions.jsonl");
            ok = false;
        }
    }
    pk_array_fini(&found);
    pk_strbuf_fini(&text);
    return ok;
}
