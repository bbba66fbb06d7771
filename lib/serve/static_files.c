#include "serve/static_files.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "serve/endpoints.h"
#include "serve/media_type.h"
#include "serve/range.h"
#include "serve/reply.h"

static const int open_flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY;

static int walk(int directory, const char *path) {
    int fd = directory;
    for (;;) {
        char name[NAME_MAX + 1];
        size_t bytes = strcspn(path, "/");
        int next = -1;
        errno = ENOENT;
        if (bytes > 0 && bytes < sizeof name) {
            memcpy(name, path, bytes);
            name[bytes] = '\0';
            bool up = strcmp(name, "..") == 0;
            if (!up) next = openat(fd, name, open_flags | O_NOFOLLOW);
        }
        int saved = errno;
        if (fd != directory) close(fd);
        errno = saved;
        path += bytes;
        if (next < 0 || !*path) return next;
        path++;
        fd = next;
    }
}

int pk_open_beneath(int directory, const char *path, pk_beneath how) {
    if (how == PK_BENEATH_KERNEL) {
        const struct open_how rules = {.flags = (uint64_t)open_flags,
                                       .resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS};
        long fd = syscall(SYS_openat2, directory, path, &rules, sizeof rules);
        /* EPERM: a container's filter that does not know the call yet */
        if (fd >= 0 || (errno != ENOSYS && errno != EPERM)) return (int)fd;
    }
    return walk(directory, path);
}

bool pk_static_path_allowed(const char *path) {
    if (*path != '/' || strchr(path, '\\')) return false;
    for (const char *part = path; part; part = strchr(part, '/')) {
        part++;
        bool last = !*part; /* "/" and "/a/" name a directory */
        if (*part == '.' || (*part == '/' && !last)) return false;
    }
    return true;
}

typedef struct found_file {
    int fd;
    struct stat st;
    const char *type;
    char etag[64];
    char modified[PK_HTTP_DATE_MAX];
} found_file;

/* Opens a regular file, or the index.html of a directory. */
static int open_file(const pk_server *server, const char *path, found_file *file, bool *is_dir) {
    char name[PATH_MAX];
    const char *relative = path + 1;
    size_t bytes = strlen(relative);
    static const char index_html[] = "index.html";
    bool in_dir = bytes == 0 || relative[bytes - 1] == '/';
    *is_dir = false;
    if (bytes + sizeof index_html > sizeof name) return ENAMETOOLONG;
    memcpy(name, relative, bytes + 1);
    if (in_dir) memcpy(name + bytes, index_html, sizeof index_html);
    file->fd = pk_open_beneath(server->static_fd, name, PK_BENEATH_KERNEL);
    if (file->fd < 0) return errno;
    if (fstat(file->fd, &file->st) == 0) {
        if (S_ISREG(file->st.st_mode)) {
            file->type = pk_media_type(name);
            return 0;
        }
        *is_dir = S_ISDIR(file->st.st_mode) && !in_dir;
    }
    close(file->fd);
    return ENOENT;
}

static const char *field(const pk_conn *conn, const char *name) {
    return MHD_lookup_connection_value(conn->mhd, MHD_HEADER_KIND, name);
}

/* RFC 9110, 13.2.2: If-None-Match decides alone where it is there. */
static bool is_unchanged(const pk_conn *conn, const found_file *file) {
    const char *none_match = field(conn, MHD_HTTP_HEADER_IF_NONE_MATCH);
    if (none_match) return pk_etag_listed(none_match, file->etag);
    const char *since = field(conn, MHD_HTTP_HEADER_IF_MODIFIED_SINCE);
    time_t when;
    return since && pk_http_date_parse(since, &when) && file->st.st_mtime <= when;
}

/* If-Range: the range counts only for the very same file. */
static bool range_applies(const pk_conn *conn, const found_file *file) {
    const char *condition = field(conn, MHD_HTTP_HEADER_IF_RANGE);
    return !condition || strcmp(condition, file->etag) == 0 ||
           strcmp(condition, file->modified) == 0;
}

static enum MHD_Result reply_file(pk_conn *conn, unsigned status, struct MHD_Response *response,
                                  const found_file *file, const char *content_range,
                                  uint64_t bytes) {
    bool ok = pk_response_field(response, MHD_HTTP_HEADER_ETAG, file->etag) &&
              pk_response_field(response, MHD_HTTP_HEADER_LAST_MODIFIED, file->modified) &&
              pk_response_field(response, MHD_HTTP_HEADER_ACCEPT_RANGES, "bytes") &&
              (status == MHD_HTTP_RANGE_NOT_SATISFIABLE || status == MHD_HTTP_NOT_MODIFIED ||
               pk_response_field(response, MHD_HTTP_HEADER_CONTENT_TYPE, file->type)) &&
              (!*content_range ||
               pk_response_field(response, MHD_HTTP_HEADER_CONTENT_RANGE, content_range));
    if (ok) return pk_reply(conn, status, response, bytes);
    if (response) MHD_destroy_response(response);
    return MHD_NO;
}

static struct MHD_Response *empty_response(void) {
    return MHD_create_response_from_buffer(0, NULL, MHD_RESPMEM_PERSISTENT);
}

/* Takes file->fd. */
static enum MHD_Result send_file(pk_conn *conn, found_file *file) {
    uint64_t size = (uint64_t)file->st.st_size;
    uint64_t first = 0, last = size ? size - 1 : 0;
    char content_range[96] = "";
    unsigned status = MHD_HTTP_OK;
    snprintf(file->etag, sizeof file->etag, "\"%" PRIx64 "-%" PRIx64 "-%" PRIx64 "\"",
             (uint64_t)file->st.st_ino,
             (uint64_t)file->st.st_mtim.tv_sec * 1000000000u + (uint64_t)file->st.st_mtim.tv_nsec,
             size);
    pk_http_date_format(file->st.st_mtime, file->modified);
    if (is_unchanged(conn, file)) {
        close(file->fd);
        return reply_file(conn, MHD_HTTP_NOT_MODIFIED, empty_response(), file, "", 0);
    }
    const char *range = field(conn, MHD_HTTP_HEADER_RANGE);
    if (range && conn->request->method == PK_GET && range_applies(conn, file)) {
        switch (pk_range_parse(range, size, &first, &last)) {
        case PK_RANGE_PART:
            status = MHD_HTTP_PARTIAL_CONTENT;
            snprintf(content_range, sizeof content_range, "bytes %" PRIu64 "-%" PRIu64 "/%" PRIu64,
                     first, last, size);
            break;
        case PK_RANGE_UNSATISFIABLE:
            close(file->fd);
            snprintf(content_range, sizeof content_range, "bytes */%" PRIu64, size);
            return reply_file(conn, MHD_HTTP_RANGE_NOT_SATISFIABLE, empty_response(), file,
                              content_range, 0);
        case PK_RANGE_WHOLE:
            break;
        }
    }
    uint64_t bytes = size ? last - first + 1 : 0;
    struct MHD_Response *response = MHD_create_response_from_fd_at_offset64(bytes, file->fd, first);
    if (!response) close(file->fd);
    return reply_file(conn, status, response, file, content_range, bytes);
}

/* To the same path with a slash behind, so that relative links in the index work. The path is
 * encoded again: what was decoded must not break out of the field. */
static enum MHD_Result add_slash(pk_conn *conn) {
    pk_strbuf location;
    pk_strbuf_init(&location, 16 * 1024);
    for (const char *c = conn->request->target.path; *c; c++) {
        bool plain = (*c >= '0' && *c <= '9') || ((*c | 0x20) >= 'a' && (*c | 0x20) <= 'z') ||
                     (*c && strchr("-._~/", *c));
        if (plain) pk_strbuf_add_char(&location, *c);
        else pk_strbuf_addf(&location, "%%%02X", (unsigned char)*c);
    }
    pk_strbuf_add_char(&location, '/');
    struct MHD_Response *response = empty_response();
    enum MHD_Result result = MHD_NO;
    if (pk_strbuf_ok(&location) &&
        pk_response_field(response, MHD_HTTP_HEADER_LOCATION, location.data))
        result = pk_reply(conn, MHD_HTTP_MOVED_PERMANENTLY, response, 0);
    else if (response) MHD_destroy_response(response);
    pk_strbuf_fini(&location);
    return result;
}

enum MHD_Result pk_answer_file(pk_conn *conn) {
    const pk_target *target = &conn->request->target;
    found_file file = {0};
    bool is_dir = false;
    int why = ENOENT;
    if (pk_static_path_allowed(target->path) && !target->encoded_slash)
        why = open_file(conn->server, target->path, &file, &is_dir);
    if (why == 0) return send_file(conn, &file);
    if (is_dir) return add_slash(conn);
    if (why == EMFILE || why == ENFILE || why == ENOMEM)
        return pk_reply_text(conn, MHD_HTTP_SERVICE_UNAVAILABLE, "no descriptor left for the file");
    /* /index.html need not be there: then "/" greets as ever */
    if (strcmp(target->path, "/") == 0) return pk_answer_prepared(conn);
    return pk_answer_not_found(conn);
}
