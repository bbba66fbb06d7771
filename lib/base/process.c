#include "base/process.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* ---- starting ---- */

enum { FDS = 4 }; /* standard ones and one more */

/* Standard descriptors are moved out of the way first: with stdout -> 2 and stderr -> 1, the second
 * dup2 would find what the first one left. Returns fd itself if it needs no move; -1 on failure. */
static int above_standard(int fd) {
    return fd >= 0 && fd <= STDERR_FILENO ? fcntl(fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1) : fd;
}

static int set_attributes(posix_spawnattr_t *attr, bool own_group) {
    sigset_t none, all;
    sigemptyset(&none);
    sigfillset(&all);
    short flags = POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK;
    if (own_group) flags |= POSIX_SPAWN_SETPGROUP;
    int rc = posix_spawnattr_setflags(attr, flags);
    if (rc == 0) rc = posix_spawnattr_setsigdefault(attr, &all);
    if (rc == 0) rc = posix_spawnattr_setsigmask(attr, &none);
    if (rc == 0 && own_group) rc = posix_spawnattr_setpgroup(attr, 0);
    return rc;
}

/* In ascending order: sources are no standard descriptors, and a source 3 is read before it is
 * replaced. */
static int set_actions(posix_spawn_file_actions_t *actions, const int fds[FDS]) {
    int rc = 0;
    if (fds[0] < 0)
        rc = posix_spawn_file_actions_addopen(actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    for (int i = 0; i < FDS && rc == 0; i++)
        if (fds[i] >= 0) rc = posix_spawn_file_actions_adddup2(actions, fds[i], i);
    return rc;
}

/* Is `text` ("NAME=value") replaced by one of the variables? */
static bool is_replaced(const char *text, const char *const *variables) {
    size_t name = strcspn(text, "=");
    for (size_t i = 0; variables && variables[i]; i++)
        if (strncmp(variables[i], text, name) == 0 && variables[i][name] == '=') return true;
    return false;
}

/* Our environment behind the variables asked for; free() the block, not the texts. NULL without
 * memory. */
static char **environment_with(const pk_spawn_options *options) {
    const char *const *variables = options->variables;
    size_t n = 0, more = 0, at = 0;
    while (environ[n]) n++;
    while (variables && variables[more]) more++;
    char **copy = malloc((1 + more + n + 1) * sizeof *copy);
    if (!copy) return NULL;
    if (options->variable) copy[at++] = (char *)options->variable;
    for (size_t i = 0; variables && variables[i]; i++) copy[at++] = (char *)variables[i];
    for (size_t i = 0; i < n; i++)
        if (!is_replaced(environ[i], variables)) copy[at++] = environ[i];
    copy[at] = NULL;
    return copy;
}

/* 0 or an errno value. */
static int spawn(char *const argv[], char *const env[], const int fds[FDS], bool own_group,
                 pid_t *pid) {
    posix_spawnattr_t attr;
    posix_spawn_file_actions_t actions;
    int rc = posix_spawnattr_init(&attr);
    if (rc != 0) return rc;
    rc = posix_spawn_file_actions_init(&actions);
    if (rc == 0) {
        rc = set_attributes(&attr, own_group);
        if (rc == 0) rc = set_actions(&actions, fds);
        if (rc == 0) rc = posix_spawnp(pid, argv[0], &actions, &attr, argv, env);
        posix_spawn_file_actions_destroy(&actions);
    }
    posix_spawnattr_destroy(&attr);
    return rc;
}

void pk_process_fail(pk_err *err, const char *name, int rc) {
    errno = rc;
    pk_fail(err, PK_E_SYS, name, "cannot start it");
    if (rc == ENOENT) pk_fix(err, "install it, or give the path to it");
    else if (rc == EACCES) pk_fix(err, "make it executable (chmod +x)");
    else if (rc == ENOEXEC) pk_fix(err, "begin a script with #! and its interpreter");
    else pk_fix(err, "check the limits on processes and open files (ulimit -a)");
}

bool pk_process_spawn(char *const argv[], const pk_spawn_options *options, pk_process *process,
                      pk_err *err) {
    assert(argv[0]);
    const int asked[FDS] = {options->stdin_fd, options->stdout_fd, options->stderr_fd,
                            options->fourth_fd > 0 ? options->fourth_fd : -1};
    int fds[FDS] = {-1, -1, -1, -1};
    bool same = !options->variable && !options->variables;
    char **env = same ? environ : environment_with(options);
    int rc = env ? 0 : ENOMEM;
    for (int i = 0; i < FDS && rc == 0; i++) {
        fds[i] = above_standard(asked[i]);
        if (asked[i] >= 0 && fds[i] < 0) rc = errno;
    }
    pid_t pid = -1;
    if (rc == 0) rc = spawn(argv, env, fds, options->own_group, &pid);
    if (!same) free(env);
    for (int i = 0; i < FDS; i++)
        if (fds[i] >= 0 && fds[i] != asked[i]) close(fds[i]);
    if (rc != 0) {
        pk_process_fail(err, argv[0], rc);
        return false;
    }
    /* No race: the pid stays ours until we wait for it. */
    int pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
    if (pidfd < 0) {
        pk_fail(err, PK_E_SYS, argv[0], "cannot watch it (pidfd_open)");
        pk_fix(err, "this needs Linux 5.3, and a free descriptor (ulimit -n)");
        kill(pid, SIGKILL);
        while (waitpid(pid, NULL, 0) < 0 && errno == EINTR) {
        }
        return false;
    }
    *process = (pk_process){.pid = pid, .pidfd = pidfd};
    return true;
}

/* ---- looking up ---- */

static const char *search_path(void) {
    for (char *const *variable = environ; variable && *variable; variable++)
        if (strncmp(*variable, "PATH=", 5) == 0) return *variable + 5;
    return "/bin:/usr/bin"; /* what execvp(3) takes then */
}

static bool is_program(const char *path) {
    struct stat st;
    return access(path, X_OK) == 0 && stat(path, &st) == 0 && S_ISREG(st.st_mode);
}

bool pk_process_find(const char *name, char *path, size_t bytes, pk_err *err) {
    int rc = ENOENT;
    const char *folder = search_path();
    bool more = !strchr(name, '/');
    if (!more) {
        int length = snprintf(path, bytes, "%s", name);
        if (length > 0 && (size_t)length < bytes) return true; /* exec says what is wrong with it */
        rc = length > 0 ? ENAMETOOLONG : ENOENT;
    }
    while (more && *name) {
        const char *end = strchrnul(folder, ':');
        int n = (int)(end - folder);
        /* an empty folder is the current one */
        int length = snprintf(path, bytes, "%.*s%s%s", n, folder, n > 0 ? "/" : "", name);
        if (length > 0 && (size_t)length < bytes) {
            if (is_program(path)) return true;
            if (access(path, F_OK) == 0) rc = EACCES;
        }
        more = *end == ':';
        folder = end + 1;
    }
    pk_process_fail(err, name, rc);
    return false;
}

char *const *pk_process_environment(void) {
    return environ;
}

/* ---- waiting ---- */

static uint64_t now_ns(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/* True when fd is readable within timeout_ns; UINT64_MAX: for ever. */
static bool wait_readable(int fd, uint64_t timeout_ns) {
    uint64_t start_ns = now_ns();
    for (;;) {
        uint64_t spent_ns = now_ns() - start_ns;
        uint64_t left_ns = timeout_ns > spent_ns ? timeout_ns - spent_ns : 0;
        struct timespec left = {.tv_sec = (time_t)(left_ns / 1000000000u),
                                .tv_nsec = (long)(left_ns % 1000000000u)};
        struct pollfd poll_fd = {.fd = fd, .events = POLLIN};
        int n = ppoll(&poll_fd, 1, timeout_ns == UINT64_MAX ? NULL : &left, NULL);
        if (n > 0) return true;
        if (n == 0 || errno != EINTR) return false;
    }
}

static void reap(pk_process *process, pk_exit *exit) {
    int status = 0;
    pid_t pid;
    *exit = (pk_exit){.code = -1};
    do pid = wait4(process->pid, &status, 0, &exit->usage);
    while (pid < 0 && errno == EINTR);
    if (pid > 0 && WIFEXITED(status)) exit->code = WEXITSTATUS(status);
    else if (pid > 0 && WIFSIGNALED(status)) exit->signal = WTERMSIG(status);
    close(process->pidfd);
    process->pidfd = -1;
}

bool pk_process_wait(pk_process *process, uint64_t timeout_ns, pk_exit *exit) {
    if (process->pidfd < 0 || !wait_readable(process->pidfd, timeout_ns)) return false;
    reap(process, exit);
    return true;
}

void pk_process_stop(pk_process *process, bool group, uint64_t grace_ns, pk_exit *exit) {
    if (process->pidfd < 0) return;
    pid_t whom = group ? -process->pid : process->pid;
    kill(whom, SIGTERM);
    bool ended = wait_readable(process->pidfd, grace_ns);
    /* Before reaping: until then the zombie keeps the pid, and with it the group's number, from
     * being given to somebody else. */
    if (group || !ended) kill(whom, SIGKILL);
    wait_readable(process->pidfd, UINT64_MAX);
    reap(process, exit);
}

/* Ctrl-C at our terminal reaches a command of our group too. */
static bool at_terminal(void) {
    int fd = open("/dev/tty", O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (fd < 0) return false;
    bool foreground = tcgetpgrp(fd) == getpgrp();
    close(fd);
    return foreground;
}

void pk_process_stop_after(pk_process *process, int signal, uint64_t grace_ns, pk_exit *exit) {
    if (signal == SIGINT && at_terminal() && pk_process_wait(process, grace_ns, exit)) return;
    pk_process_stop(process, false, grace_ns, exit);
}

/* ---- words ---- */

static bool is_blank(char c) {
    return c == ' ' || c == '\t' || c == '\n';
}

/* Copies the word at p without its quotes to out, NUL-terminated; returns what follows it, or NULL
 * with *open set to the quote that is never closed. *end is behind the copy's NUL. */
static const char *take_word(const char *p, char *out, char **end, char *open) {
    char quote = 0;
    for (; *p && (quote || !is_blank(*p)); p++) {
        if (!quote && (*p == '\'' || *p == '"')) {
            quote = *p;
        } else if (*p == quote) {
            quote = 0;
        } else if (*p == '\\' && (!quote || (quote == '"' && p[1] && strchr("$`\"\\\n", p[1])))) {
            if (!p[1]) {
                quote = '\\';
                break;
            }
            if (*++p != '\n') /* backslash-newline joins two lines */
                *out++ = *p;
        } else {
            *out++ = *p;
        }
    }
    *out++ = '\0';
    *end = out;
    *open = quote;
    return quote ? NULL : p;
}

/* Blanks and joined lines between words. */
static const char *skip_between(const char *p) {
    while (is_blank(*p) || (p[0] == '\\' && p[1] == '\n')) p += *p == '\\' ? 2 : 1;
    return p;
}

char **pk_words_split(const char *text, pk_err *err) {
    size_t length = strlen(text), slots_bytes, total;
    /* Each word takes at least one byte and all but the last a blank behind it; its NUL takes the
     * place of that blank. */
    size_t slots = length / 2 + 2;
    char **words = NULL;
    if (!__builtin_mul_overflow(slots, sizeof *words, &slots_bytes) &&
        !__builtin_add_overflow(slots_bytes, length + 1, &total))
        words = malloc(total);
    if (!words) {
        pk_fail(err, PK_E_LIMIT, NULL, "a command of %zu bytes does not fit in memory", length);
        pk_fix(err, "give a shorter command");
        return NULL;
    }
    char *out = (char *)words + slots_bytes, open;
    size_t count = 0;
    for (const char *p = skip_between(text); *p; p = skip_between(p)) {
        words[count++] = out;
        p = take_word(p, out, &out, &open);
        if (!p) {
            pk_fail(err, PK_E_USAGE, NULL, "in \"%.60s\" a %c is left open", text, open);
            pk_fix(err, open == '\\' ? "put a character behind the last backslash, or remove it"
                                     : "close the quote");
            free(words);
            return NULL;
        }
    }
    words[count] = NULL;
    return words;
}
