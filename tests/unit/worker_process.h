/* Starts the real worker on a job and waits for it, bounded in time. */
#ifndef PK_TESTS_UNIT_WORKER_PROCESS_H
#define PK_TESTS_UNIT_WORKER_PROCESS_H

#include "tests/unit/check.h"

#include <sys/mman.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/process.h"
#include "bench/program.h"
#include "bench/protocol.h"

typedef struct worker_end {
    bool timed_out; /* and was ended by us */
    pk_exit exit;
    bool replied; /* with something that is a reply */
    pk_worker_reply reply;
    char output[4096]; /* the beginning of stdout and stderr */
    pk_arena *arena;
} worker_end;

static inline int worker_memory(void) {
    int fd = memfd_create("test", MFD_CLOEXEC);
    assert_true(fd >= 0);
    return fd;
}

static inline void worker_read_reply(int fd, worker_end *end) {
    struct stat st;
    pk_err err;
    assert_int_equal(fstat(fd, &st), 0);
    char *text = malloc((size_t)st.st_size + 1);
    assert_non_null(text);
    assert_int_equal(pread(fd, text, (size_t)st.st_size, 0), st.st_size);
    end->replied = pk_worker_reply_parse(text, (size_t)st.st_size, end->arena, &end->reply, &err);
    free(text);
}

/* worker_end_free it afterwards. */
static inline void worker_run(const pk_program *worker, const pk_worker_job *job,
                              uint64_t timeout_ns, worker_end *end) {
    *end = (worker_end){.arena = pk_arena_new(16 << 20)};
    assert_non_null(end->arena);
    int in = worker_memory(), out = worker_memory(), reply = worker_memory();
    pk_strbuf text;
    pk_err err;
    pk_strbuf_init(&text, PK_WORKER_TEXT_MAX);
    pk_worker_job_print(job, &text);
    assert_true(pk_strbuf_ok(&text) && pk_fd_write_all(in, text.data, text.length));
    assert_int_equal(lseek(in, 0, SEEK_SET), 0);
    pk_strbuf_fini(&text);

    char *argv[] = {(char *)(uintptr_t)worker->path, NULL};
    pk_spawn_options options = PK_SPAWN_DEFAULT;
    options.stdin_fd = in;
    options.stdout_fd = options.stderr_fd = out;
    options.fourth_fd = reply;
    options.own_group = true;
    pk_process process;
    assert_ok(pk_process_spawn(argv, &options, &process, &err), &err);
    if (!pk_process_wait(&process, timeout_ns, &end->exit)) {
        end->timed_out = true;
        pk_process_stop(&process, true, 1000000000, &end->exit);
    }
    worker_read_reply(reply, end);
    assert_true(pread(out, end->output, sizeof end->output - 1, 0) >= 0);
    close(in);
    close(out);
    close(reply);
}

static inline void worker_end_free(worker_end *end) {
    pk_arena_free(end->arena);
}

/* BUILD/tests/objects/NAME, from where this test lies: BUILD/tests/unit/. */
static inline char *worker_object(char out[CHECK_PATH_MAX], const char *name) {
    char self[CHECK_PATH_MAX - 64];
    ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
    assert_true(n > 0);
    self[n] = '\0';
    *strrchr(self, '/') = '\0';
    snprintf(out, CHECK_PATH_MAX, "%s/../objects/%s", self, name);
    return out;
}

#endif
