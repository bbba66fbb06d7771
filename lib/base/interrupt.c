#include "base/interrupt.h"

#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum { EXIT_SECOND_SIGNAL = 130 };

struct pk_interrupt {
    atomic_bool active;
    atomic_int fd;
    atomic_int first_signal;
    struct sigaction old_int, old_term, old_pipe;
};

/* The one state at file scope: a signal handler gets no context. Static and not on the heap, so
 * that a handler which is still running in another thread at the end finds valid memory. */
static pk_interrupt the_interrupt;

static void on_signal(int signal) {
    int saved = errno;
    int none = 0;
    if (!atomic_compare_exchange_strong(&the_interrupt.first_signal, &none, signal))
        _exit(EXIT_SECOND_SIGNAL);
    /* Cannot fail: the counter is 0 before this one write. If it did, the signal number stands. */
    ssize_t n = write(atomic_load(&the_interrupt.fd), &(uint64_t){1}, sizeof(uint64_t));
    (void)n;
    errno = saved;
}

pk_interrupt *pk_interrupt_begin(pk_err *err) {
    pk_interrupt *intr = &the_interrupt;
    if (atomic_exchange(&intr->active, true)) {
        pk_fail(err, PK_E_INTERNAL, NULL, "signals are handled already");
        return NULL;
    }
    int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (fd < 0) {
        pk_fail(err, PK_E_SYS, NULL, "cannot make an event descriptor for Ctrl-C");
        pk_fix(err, "raise the limit on open files (ulimit -n)");
        atomic_store(&intr->active, false);
        return NULL;
    }
    atomic_store(&intr->fd, fd);
    atomic_store(&intr->first_signal, 0);

    /* SA_RESTART: the wish to end is told by the descriptor, not by EINTR in some library. */
    struct sigaction handle = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
    struct sigaction ignore = {.sa_handler = SIG_IGN};
    sigemptyset(&handle.sa_mask);
    sigemptyset(&ignore.sa_mask);
    /* These fail only for an invalid signal number (sigaction(2)). */
    sigaction(SIGPIPE, &ignore, &intr->old_pipe);
    sigaction(SIGINT, &handle, &intr->old_int);
    sigaction(SIGTERM, &handle, &intr->old_term);
    return intr;
}

void pk_interrupt_end(pk_interrupt *intr) {
    if (!intr) return;
    sigaction(SIGTERM, &intr->old_term, NULL);
    sigaction(SIGINT, &intr->old_int, NULL);
    sigaction(SIGPIPE, &intr->old_pipe, NULL);
    close(atomic_exchange(&intr->fd, -1));
    atomic_store(&intr->active, false);
}

int pk_interrupt_fd(const pk_interrupt *intr) {
    return intr ? atomic_load(&intr->fd) : -1;
}

int pk_interrupt_signal(const pk_interrupt *intr) {
    return intr ? atomic_load(&intr->first_signal) : 0;
}
