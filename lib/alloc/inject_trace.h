/* The threads of a process, traced (ptrace(2)) for a moment: without stopping them until that is
 * asked for, with a breakpoint, and without a signal of theirs getting lost. All of it belongs to
 * the thread that began it; when that ends, so does the tracing, whatever has happened. Linux,
 * x86-64. */
#ifndef PK_ALLOC_INJECT_TRACE_H
#define PK_ALLOC_INJECT_TRACE_H

#include "alloc/inject_target.h"
#include "base/array.h"

#define PK_TRACE_WAIT_NS 2000000000ull /* the longest wait for one thing */
#define PK_TRACE_THREADS_MAX 65536u

typedef struct pk_traced {
    pid_t tid;
    bool stopped;
    bool left;  /* it waits for something, and is not stopped at the end */
    int signal; /* that it is to get when it goes on */
} pk_traced;

typedef struct pk_trace {
    const pk_inject_target *target;
    pk_array threads;   /* pk_traced */
    uint64_t at;        /* of the breakpoint */
    uint8_t original;   /* what stands there without */
    bool wanted, armed; /* it is taken out while a child shares the memory */
    unsigned sharing;   /* such children */
    unsigned early;     /* of these, seen before what made them told of it */
    int copies;         /* children with a copy that are yet to be seen */
    bool replaced;      /* another program runs there (exec) */
} pk_trace;

/* Traces all threads, and those that begin. False: it is not allowed, or it has ended. */
bool pk_trace_begin(pk_trace *trace, const pk_inject_target *target, pk_err *err) PK_MUST_CHECK;
/* Lets go of it. Threads that run at a place where the breakpoint was are stopped for a moment;
 * those that wait for something are not touched. */
void pk_trace_end(pk_trace *trace);

/* A breakpoint at `at`; one at a time. */
bool pk_trace_break(pk_trace *trace, uint64_t at) PK_MUST_CHECK;
void pk_trace_unbreak(pk_trace *trace);
/* A thread at the breakpoint is taken over it. */
bool pk_trace_step_over(pk_trace *trace, pid_t tid) PK_MUST_CHECK;

/* The next stop that its thread does not go on from by itself: at the breakpoint (SIGTRAP, tid: of
 * any thread, its instruction pointer set back), or of `caller` by SIGSEGV. 0: not by deadline_ns,
 * or the program has ended or been replaced. */
int pk_trace_next(pk_trace *trace, pid_t caller, uint64_t deadline_ns, pid_t *tid);
/* One thread stops, wherever it is. False: not in time. */
bool pk_trace_stop(pk_trace *trace, pid_t tid);
/* All do. False: not in time; those that could not be are marked so. */
bool pk_trace_stop_all(pk_trace *trace);
bool pk_trace_go_on(pk_trace *trace, pid_t tid);

#endif
