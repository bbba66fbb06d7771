/* What the built-in recorder is tested on: copies of the test itself, which burn time, sleep, crash
 * or start one another. */
#ifndef PK_TESTS_UNIT_SAMPLED_PROGRAM_H
#define PK_TESTS_UNIT_SAMPLED_PROGRAM_H

#include "check.h"

#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>

#define S 1000000000ull
#define MS 1000000ull

/* What is recorded are copies of this very program, so that where its functions lie is known: each
 * of the two is alone in a section, whose ends the linker names. */
extern const char __start_pk_burn_heavy[], __stop_pk_burn_heavy[];
extern const char __start_pk_burn_light[], __stop_pk_burn_light[];

/* Threads burn each for themselves: a word that they shared would be fought over. */
__attribute__((noinline, section("pk_burn_heavy"),
               no_sanitize("thread", "address", "undefined"))) static void
burn_heavy(int rounds) {
    for (volatile int i = 0; i < 70 * rounds;) i++;
}

__attribute__((noinline, section("pk_burn_light"),
               no_sanitize("thread", "address", "undefined"))) static void
burn_light(int rounds) {
    for (volatile int i = 0; i < 30 * rounds;) i++;
}

static uint64_t clock_ns(clockid_t clock) {
    struct timespec t;
    clock_gettime(clock, &t);
    return (uint64_t)t.tv_sec * S + (uint64_t)t.tv_nsec;
}

/* Until the thread has used so much CPU time. Never twice for equally long: else the time between
 * two samples could be a multiple of both, and all samples fall into the same one. */
static void *burn(void *ms) {
    uint32_t chance = 1;
    while (clock_ns(CLOCK_THREAD_CPUTIME_ID) < *(const uint64_t *)ms * MS) {
        chance = chance * 1664525u + 1013904223u;
        int rounds = 500 + (int)(chance >> 22);
        burn_heavy(rounds);
        burn_light(rounds);
    }
    return NULL;
}

static int burn_threads(uint64_t ms, int n) {
    pthread_t threads[8];
    for (int i = 1; i < n; i++)
        if (pthread_create(&threads[i], NULL, burn, &ms) != 0) return 1;
    burn(&ms);
    for (int i = 1; i < n; i++) pthread_join(threads[i], NULL);
    return 0;
}

static int nap(long times) {
    for (long i = 0; i < times; i++) nanosleep(&(struct timespec){.tv_nsec = 2 * (long)MS}, NULL);
    return 0;
}

static int crash(void) {
    setrlimit(RLIMIT_CORE, &(struct rlimit){0});
    signal(SIGSEGV, SIG_DFL); /* not a sanitizer's */
    raise(SIGSEGV);
    return 0;
}

/* A child that becomes another program. */
static int start_other(char *self, char *ms) {
    pid_t pid = fork();
    if (pid == 0) {
        execv(self, (char *[]){self, "burn", ms, "1", NULL});
        _exit(127);
    }
    int status = 1;
    waitpid(pid, &status, 0);
    return status != 0;
}

#endif
