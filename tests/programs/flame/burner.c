/* A target with a known answer for profilers. Usage: burner [OPTION...]
 *   --seconds S      burn for so long (1)
 *   --threads N      in so many threads besides main's, which waits for them
 *   --library FILE   by the function burn_here of this shared object
 *   --depth N        at the bottom of so many calls with frames of 330 bytes
 *   --exec           start anew as this program with the other options first
 *   --ready FILE     make this file when burning begins
 *   --ignore-int     SIGINT and SIGTERM change nothing
 *   --sleep S        then do nothing for so long
 *   --exit N         end with this status
 *   --crash          end with SIGSEGV */
#include "burn.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define THREADS_MAX 64
#define FRAME_BYTES 330

typedef struct options {
    double seconds, sleep_s;
    int threads, depth, exit_code;
    const char *library, *ready;
    int exec, ignore, crash;
} options;

typedef uint64_t burn_fn(uint64_t end_ns);

static volatile uint64_t result;

static __attribute__((noinline)) uint64_t burn(uint64_t end_ns) {
    uint64_t sum = burn_until(end_ns);
    result = sum;
    return sum;
}

static __attribute__((noinline)) uint64_t dive(int depth, uint64_t end_ns) {
    volatile char frame[FRAME_BYTES];
    memset((void *)frame, depth, sizeof frame);
    uint64_t sum = depth > 0 ? dive(depth - 1, end_ns) : burn(end_ns);
    return sum + (uint64_t)frame[depth % FRAME_BYTES]; /* not the last thing: the frame must stay */
}

static void *work(void *end) {
    const uint64_t *end_ns = end;
    uint64_t sum = burn(*end_ns);
    result = sum;
    return NULL;
}

static int burn_in_threads(int n, uint64_t end_ns) {
    pthread_t threads[THREADS_MAX];
    for (int i = 0; i < n; i++)
        if (pthread_create(&threads[i], NULL, work, &end_ns) != 0) return 0;
    for (int i = 0; i < n; i++) pthread_join(threads[i], NULL);
    return 1;
}

static int burn_in_library(const char *path, uint64_t end_ns) {
    burn_fn *burn_here;
    void *library = dlopen(path, RTLD_NOW);
    void *symbol = library ? dlsym(library, "burn_here") : NULL;
    if (!symbol) {
        fprintf(stderr, "burner: %s\n", dlerror());
        return 0;
    }
    memcpy(&burn_here, &symbol, sizeof burn_here);
    result = burn_here(end_ns);
    return 1;
}

static int parse(int argc, char **argv, options *o) {
    for (int i = 1; i < argc; i++) {
        const char *word = argv[i], *value = i + 1 < argc ? argv[i + 1] : "";
        if (strcmp(word, "--exec") == 0) o->exec = i;
        else if (strcmp(word, "--ignore-int") == 0) o->ignore = 1;
        else if (strcmp(word, "--crash") == 0) o->crash = 1;
        else {
            i++;
            if (strcmp(word, "--seconds") == 0) o->seconds = strtod(value, NULL);
            else if (strcmp(word, "--sleep") == 0) o->sleep_s = strtod(value, NULL);
            else if (strcmp(word, "--threads") == 0) o->threads = (int)strtol(value, NULL, 10);
            else if (strcmp(word, "--depth") == 0) o->depth = (int)strtol(value, NULL, 10);
            else if (strcmp(word, "--exit") == 0) o->exit_code = (int)strtol(value, NULL, 10);
            else if (strcmp(word, "--library") == 0) o->library = value;
            else if (strcmp(word, "--ready") == 0) o->ready = value;
            else return 0;
        }
    }
    return o->threads >= 0 && o->threads <= THREADS_MAX;
}

static void start_anew(char **argv, int at) {
    for (int i = at; argv[i]; i++) argv[i] = argv[i + 1];
    execv("/proc/self/exe", argv);
    perror("burner: cannot start anew");
    _exit(2);
}

static int burn_as_asked(const options *o) {
    uint64_t end_ns = burn_now_ns() + (uint64_t)(o->seconds * 1e9);
    if (o->library) return burn_in_library(o->library, end_ns);
    if (o->threads > 0) return burn_in_threads(o->threads, end_ns);
    result = o->depth > 0 ? dive(o->depth, end_ns) : burn(end_ns);
    return 1;
}

int main(int argc, char **argv) {
    options o = {.seconds = 1};
    if (!parse(argc, argv, &o)) {
        fputs("burner: wrong options\n", stderr);
        return 2;
    }
    if (o.exec) start_anew(argv, o.exec);
    if (o.ignore) {
        signal(SIGINT, SIG_IGN);
        signal(SIGTERM, SIG_IGN);
    }
    if (o.ready) {
        int fd = open(o.ready, O_WRONLY | O_CREAT, 0600);
        if (fd >= 0) close(fd);
    }
    if (!burn_as_asked(&o)) return 2;
    if (o.sleep_s > 0) {
        struct timespec rest = {(time_t)o.sleep_s,
                                (long)((o.sleep_s - (double)(time_t)o.sleep_s) * 1e9)};
        nanosleep(&rest, NULL);
    }
    if (o.crash) {
        signal(SIGSEGV, SIG_DFL);
        raise(SIGSEGV);
    }
    return o.exit_code;
}
