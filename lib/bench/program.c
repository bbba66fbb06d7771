#include "bench/program.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/embed.h"
#include "base/file.h"
#include "base/strbuf.h"

/* The Makefile builds both and says where they lie. */
PK_EMBED(pk_worker_program, PK_WORKER_PATH);
PK_EMBED(pk_suite_object, PK_SUITE_PATH);

enum { OBJECT_BYTES_MAX = 1 << 30 };

#ifndef MFD_EXEC /* Linux 6.3: says that the memory is to be executable */
#define MFD_EXEC 0x0010U
#endif

/* In a child the low numbers are taken: standard descriptors, the worker's reply. */
static int above_the_known(int fd) {
    enum { LEAST = 10 };
    if (fd < 0) return -1;
    int moved = fcntl(fd, F_DUPFD, LEAST);
    int kept = errno;
    close(fd);
    errno = kept;
    return moved;
}

static void set_path(pk_program *program, int fd) {
    program->fd = fd;
    snprintf(program->path, sizeof program->path, "/proc/self/fd/%d", fd);
}

/* Also false on a file system mounted noexec, and where a security module forbids it. */
static bool may_execute(int fd) {
    pk_program program;
    set_path(&program, fd);
    return access(program.path, X_OK) == 0;
}

/* Fills and seals; closes on failure. */
static int fill_memory(int fd, const void *data, size_t bytes) {
    if (fd < 0) return -1;
    if (pk_fd_write_all(fd, data, bytes) && fchmod(fd, 0500) == 0 && may_execute(fd)) {
        (void)fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL);
        return fd;
    }
    int kept = errno;
    close(fd);
    errno = kept;
    return -1;
}

/* -1 where the kernel has no executable memory files, or an administrator forbids them. */
static int in_memory(const void *data, size_t bytes) {
    int fd = memfd_create("perfkit", MFD_ALLOW_SEALING | MFD_EXEC);
    if (fd < 0 && errno == EINVAL) fd = memfd_create("perfkit", MFD_ALLOW_SEALING); /* older */
    return fill_memory(above_the_known(fd), data, bytes);
}

/* A file without a name, open for reading only: one open for writing cannot be executed. */
static int in_folder(const char *folder, const void *data, size_t bytes) {
    char path[64];
    snprintf(path, sizeof path, "%s/perfkit-XXXXXX", folder);
    int writer = mkostemp(path, O_CLOEXEC);
    if (writer < 0) return -1;
    int reader = -1;
    if (pk_fd_write_all(writer, data, bytes) && fchmod(writer, 0500) == 0)
        reader = above_the_known(open(path, O_RDONLY)); /* not close-on-exec: for the children */
    int kept = errno;
    unlink(path);
    close(writer);
    errno = kept;
    if (reader >= 0 && !may_execute(reader)) {
        kept = errno;
        close(reader);
        errno = kept;
        return -1;
    }
    return reader;
}

bool pk_program_of(const void *data, size_t bytes, pk_program *program, pk_err *err) {
    static const char *const folders[] = {"/tmp", "/var/tmp"};
    int fd = in_memory(data, bytes);
    for (size_t i = 0; i < sizeof folders / sizeof folders[0] && fd < 0; i++)
        fd = in_folder(folders[i], data, bytes);
    if (fd < 0) {
        pk_fail(err, PK_E_SYS, NULL, "no place for a program to run: neither memory nor /tmp");
        pk_fix(err, "allow one of them: sysctl vm.memfd_noexec=1, or a /tmp without noexec");
        return false;
    }
    set_path(program, fd);
    return true;
}

bool pk_program_worker(pk_program *program, pk_err *err) {
    return pk_program_of(pk_embed_data(pk_worker_program), pk_embed_bytes(pk_worker_program),
                         program, err);
}

bool pk_program_suite(pk_program *program, pk_err *err) {
    size_t bytes;
    const void *data = pk_program_suite_data(&bytes);
    return pk_program_of(data, bytes, program, err);
}

const void *pk_program_suite_data(size_t *bytes) {
    *bytes = pk_embed_bytes(pk_suite_object);
    return pk_embed_data(pk_suite_object);
}

bool pk_program_copy(const char *path, pk_program *program, pk_err *err) {
    pk_strbuf content;
    pk_strbuf_init(&content, OBJECT_BYTES_MAX);
    bool ok = pk_file_read(path, OBJECT_BYTES_MAX, &content, err) &&
              pk_program_of(content.data, content.length, program, err);
    pk_strbuf_fini(&content);
    return ok;
}

void pk_program_close(pk_program *program) {
    if (program->fd >= 0) close(program->fd);
    *program = PK_PROGRAM_NONE;
}
