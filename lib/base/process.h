/* Child processes: posix_spawn, never a shell, watched by pidfd, reaped with their rusage. */
#ifndef PK_BASE_PROCESS_H
#define PK_BASE_PROCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/types.h>
#include "base/error.h"

typedef struct pk_process {
    pid_t pid;
    int pidfd; /* readable when it has ended; -1 after reaping */
} pk_process;

typedef struct pk_spawn_options {
    int stdin_fd;   /* -1: /dev/null */
    int stdout_fd;  /* -1: inherited */
    int stderr_fd;  /* -1: inherited */
    bool own_group; /* so that pk_process_stop reaches its children too */
    int fourth_fd;  /* becomes descriptor 3, in place of what the child would inherit there; 0 or
                       less: nothing */
    const char *variable;         /* "NAME=value", first in its environment; NULL: none */
    const char *const *variables; /* more of them, NULL behind, in place of those of the same names;
                                     NULL: none */
} pk_spawn_options;
#define PK_SPAWN_DEFAULT ((pk_spawn_options){.stdin_fd = -1, .stdout_fd = -1, .stderr_fd = -1})

typedef struct pk_exit {
    int code;   /* exit status, or -1 if a signal ended it */
    int signal; /* 0, or the signal */
    struct rusage usage;
} pk_exit;

/* argv[0] is searched in PATH. The child gets default signal handling, an empty mask and our
 * environment; of our descriptors those without close-on-exec. A failed exec is reported here. */
bool pk_process_spawn(char *const argv[], const pk_spawn_options *options, pk_process *process,
                      pk_err *err) PK_MUST_CHECK;
/* The error of a program that could not be started, with the errno value that says why. */
void pk_process_fail(pk_err *err, const char *name, int rc);
/* The file that a command of this name is, as execvp(3) looks it up: name itself with a slash in
 * it, else the first executable file of that name in our PATH, into path[0..bytes). Says why not as
 * pk_process_spawn does. */
bool pk_process_find(const char *name, char *path, size_t bytes, pk_err *err) PK_MUST_CHECK;
/* Our environment, NULL behind: for who hands it on by itself. */
char *const *pk_process_environment(void);
/* Waits at most timeout_ns (UINT64_MAX: for ever). False, *exit untouched, when it is still running
 * or was reaped before. */
bool pk_process_wait(pk_process *process, uint64_t timeout_ns, pk_exit *exit);
/* SIGTERM to the process, SIGKILL if it has not ended after grace_ns; reaps it. `group` (only with
 * own_group) sends both to its children too; those that outlive the process are killed at once.
 * Does nothing, *exit untouched, when it was reaped before. */
void pk_process_stop(pk_process *process, bool group, uint64_t grace_ns, pk_exit *exit);

/* The same for a command of our own group that a signal of ours ends (0: something else does):
 * after Ctrl-C at a terminal, which it got as well, it first has grace_ns to end by itself. */
void pk_process_stop_after(pk_process *process, int signal, uint64_t grace_ns, pk_exit *exit);

/* Splits text into words without a shell: blanks separate; '...', "..." and \ quote as in POSIX
 * sh (XCU 2.2), nothing is expanded and | & ; < > # are letters like any other. The returned
 * NULL-terminated block, empty for an empty text, is one allocation; free() it.
 * An open quote or a backslash at the end is an error. */
char **pk_words_split(const char *text, pk_err *err) PK_MUST_CHECK;

#endif
