/* Benchmarks that go wrong, each in its own way, and some that only look so. */
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "perfkit.h"

/* Something to measure: a few ns. */
static void some_work(void) {
    uint64_t x = 1;
    for (int i = 0; i < 20; i++) {
        x = x * 6364136223846793005u + 1;
        perfkit_hide(x);
    }
    perfkit_keep(x);
}

static void work_often(uint64_t n) {
    for (uint64_t i = 0; i < n; i++) some_work();
}

static void fine(perfkit_run *run) {
    work_often(run->iterations);
}

/* ---- those that end it ---- */

static void crash(perfkit_run *run) {
    volatile int *nowhere = NULL;
    perfkit_hide(nowhere);
    *nowhere = (int)run->iterations;
}

static void fail_assertion(perfkit_run *run) {
    (void)run;
    printf("about to fail\n");
    fprintf(stderr, "assertion failed: 2 + 2 == 5\n");
    abort();
}

static void hang(perfkit_run *run) {
    (void)run;
    printf("hanging\n");
    for (volatile int forever = 1; forever;) pause();
}

static void leave(perfkit_run *run) {
    (void)run;
    printf("leaving early\n");
    exit(3);
}

static void leave_well(perfkit_run *run) {
    (void)run;
    exit(0);
}

static void *crash_in_setup(int64_t param, const char *text) {
    (void)param, (void)text;
    raise(SIGSEGV);
    return NULL;
}

static void crash_in_teardown(void *data) {
    (void)data;
    raise(SIGBUS);
}

/* Of the processes that share the file FLAKY_FILE, every FLAKY_EVERY-th crashes (200). */
static void flaky(perfkit_run *run) {
    if (!run->data) work_often(run->iterations);
    else raise(SIGSEGV);
}

static void *count_processes(int64_t param, const char *text) {
    (void)param, (void)text;
    const char *path = getenv("FLAKY_FILE"), *every = getenv("FLAKY_EVERY");
    int fd = path ? open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600) : -1;
    if (fd < 0) return NULL;
    off_t count = write(fd, "x", 1) == 1 ? lseek(fd, 0, SEEK_CUR) : 0;
    close(fd);
    return count && count % (every ? atoi(every) : 200) == 0 ? "crash" : NULL;
}

/* ---- those that disturb ---- */

/* Descriptor 3 is where a worker replies. */
static void garbage(perfkit_run *run) {
    static const char text[] = "reply done\nworker\nnew.trimmed -1\n\xff\xfe garbage\n";
    if (run->iterations == 1) {
        (void)!write(STDOUT_FILENO, text, sizeof text - 1);
        (void)!write(3, text, sizeof text - 1);
    }
    work_often(run->iterations);
}

static void talk(perfkit_run *run) {
    for (uint64_t i = 0; i < run->iterations; i++) {
        printf("%d plus %d makes %d, and that is what this is all about\n", 2, 2, 4);
        some_work();
    }
}

static void *count_in_thread(void *n) {
    work_often(*(const uint64_t *)n);
    return NULL;
}

static void threads(perfkit_run *run) {
    uint64_t share = 1000;
    for (uint64_t i = 0; i < run->iterations; i++) {
        pthread_t thread;
        if (pthread_create(&thread, NULL, count_in_thread, &share) != 0) abort();
        work_often(share);
        pthread_join(thread, NULL);
    }
}

static void tick(int signal_number) {
    (void)signal_number;
}

static void *start_timer(int64_t param, const char *text) {
    (void)param, (void)text;
    struct sigaction action = {.sa_handler = tick}; /* without SA_RESTART */
    struct itimerval every_ms = {{0, 1000}, {0, 1000}};
    sigaction(SIGALRM, &action, NULL);
    setitimer(ITIMER_REAL, &every_ms, NULL);
    return NULL;
}

static void stop_timer(void *data) {
    (void)data;
    setitimer(ITIMER_REAL, &(struct itimerval){0}, NULL);
}

/* ---- those whose time means nothing ---- */

/* The compiler computes the sum beforehand, and nobody uses it. */
static void removed(perfkit_run *run) {
    uint64_t sum = 0;
    for (uint64_t i = 0; i < run->iterations; i++) sum += i;
    (void)sum;
}

/* Does the same whatever is asked. */
static void constant(perfkit_run *run) {
    (void)run;
    work_often(5000);
}

/* ---- those that take long ---- */

/* Of CPU time: the same work on a busy machine. */
static void spend_ms(int64_t ms) {
    struct timespec start, now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &start);
    do {
        work_often(100);
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    } while ((now.tv_sec - start.tv_sec) * 1000 + (now.tv_nsec - start.tv_nsec) / 1000000 < ms);
}

static void slow(perfkit_run *run) {
    for (uint64_t i = 0; i < run->iterations; i++) spend_ms(run->param);
}

/* 200 us, in which a CPU is needed for almost none of it. */
static void sleepy(perfkit_run *run) {
    for (uint64_t i = 0; i < run->iterations; i++)
        nanosleep(&(struct timespec){.tv_nsec = 200000}, NULL);
}

/* Once slow, then quick: what should be in its setup is in its body. */
static void slow_start(perfkit_run *run) {
    static int started;
    if (!started) spend_ms(run->param);
    started = 1;
    work_often(run->iterations);
}

#define NASTY(name) .group = "nasty", .function = #name, .body = name
PERFKIT_BENCHMARKS(
    {NASTY(fine)}, {NASTY(crash)}, {NASTY(fail_assertion)}, {NASTY(hang)}, {NASTY(leave)},
    {NASTY(leave_well)}, {NASTY(garbage)}, {NASTY(flaky), .setup = count_processes},
    {.group = "nasty", .function = "setup", .body = fine, .setup = crash_in_setup},
    {.group = "nasty", .function = "teardown", .body = fine, .teardown = crash_in_teardown},
    {NASTY(talk)}, {NASTY(threads)},
    {.group = "nasty",
     .function = "signals",
     .body = fine,
     .setup = start_timer,
     .teardown = stop_timer},
    {NASTY(removed)}, {NASTY(constant)}, {NASTY(slow), .params = "200"}, {NASTY(sleepy)},
    {NASTY(slow_start), .params = "150"});
