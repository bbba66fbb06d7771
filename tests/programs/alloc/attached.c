/* A target that allocates when it is told to, for counters that attach to running processes. Each
 * letter on stdin is one piece of work; what that allocates is said at its function. */
#include <dlfcn.h>
#include <malloc.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#ifdef __clang__
#define KEEP __attribute__((noinline))
#else
#define KEEP __attribute__((noinline, noclone))
#endif

/* The compiler must believe that the block is used, and may not move the call. */
static void *use(void *block) {
    __asm__ volatile("" : "+r"(block) : : "memory");
    return block;
}

/* 'c': 1000 calls, 24,000 bytes. */
KEEP static void calls(void) {
    for (int i = 0; i < 1000; i++) free(use(malloc(24)));
}

/* 'q': in libc's qsort, one call of 8 bytes at each of 100 comparisons. */
static volatile int compared;
KEEP static int compare(const void *a, const void *b) {
    if (compared++ < 100) free(use(malloc(8)));
    return *(const int *)a - *(const int *)b;
}
KEEP static void callback(void) {
    int numbers[64];
    for (int i = 0; i < 64; i++) numbers[i] = i * 37 % 64;
    compared = 0;
    qsort(numbers, 64, sizeof *numbers, compare);
    use(numbers);
}

/* 's': 100 calls by libc's strdup, 600 bytes. */
KEEP static void copies(void) {
    for (int i = 0; i < 100; i++) free(use(strdup("hello")));
}

/* 'f': 10 calls of each of ten kinds; some of these functions call another one. Bytes: 10 * (10 +
 * 1000 + 100 + 48 + 96 + 64 + 128 + 21 + 10 + 32). */
KEEP static void family(void) {
    for (int i = 0; i < 10; i++) {
        void *block = use(realloc(use(NULL), 10));
        free(use(realloc(block, 1000)));
        free(use(reallocarray(use(NULL), 10, 10)));
        if (posix_memalign(&block, 16, 48) == 0) free(use(block));
        if (posix_memalign(&block, 256, 96) == 0) free(use(block));
        free(use(memalign(64, 64)));
        free(use(aligned_alloc(16, 128)));
        free(use(calloc(3, 7)));
        free(use(valloc(10)));
        free(use(malloc(32)));
    }
}

/* 'd': 1000 calls, 24,000 bytes, below 300 frames of 100 bytes and more. */
KEEP static void deep(int n) {
    char room[100];
    use(room);
    if (n > 0) deep(n - 1);
    else calls();
    use(room);
}

/* 'e': the same below 600 frames: more than are kept. */

/* 'a': 1000 calls below a function that aligns its stack. */
KEEP static void aligned(void) {
    _Alignas(128) char room[256];
    use(room);
    calls();
    use(room);
}

/* 'v': 1000 calls below a function whose frame is as large as it is asked for. */
KEEP static void varying(size_t bytes) {
    char room[bytes];
    use(room);
    calls();
    use(room);
}

/* 'g': in a handler of a signal, one call of 333 bytes; the handler has a stack of its own. */
KEEP static void on_signal(int signal) {
    (void)signal;
    free(use(malloc(333)));
}
KEEP static void signalled(void) {
    static char stack[65536];
    stack_t other = {.ss_sp = stack, .ss_size = sizeof stack};
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_ONSTACK};
    sigaltstack(&other, NULL);
    sigaction(SIGUSR1, &action, NULL);
    raise(SIGUSR1);
}

/* 't': 1000 calls, 24,000 bytes in each of four threads, besides what making them takes: calloc by
 * libc. */
KEEP static void *thread(void *unused) {
    calls();
    return unused;
}
KEEP static void threads(void) {
    pthread_t made[4];
    for (int i = 0; i < 4; i++)
        if (pthread_create(&made[i], NULL, thread, NULL)) _exit(9);
    for (int i = 0; i < 4; i++) pthread_join(made[i], NULL);
}

/* 'k': 1000 calls in a child, which is another process. */
KEEP static void child(void) {
    pid_t pid = fork();
    if (pid == 0) {
        calls();
        _exit(0);
    }
    waitpid(pid, NULL, 0);
}

/* 'l': loads the library that it was given, besides what that takes; 'w': its work. */
static void (*work)(void);
KEEP static void load(const char *path) {
    void *library = dlopen(path, RTLD_NOW);
    *(void **)&work = library ? dlsym(library, "work") : NULL;
    if (!work) _exit(8);
}

int main(int argc, char **argv) {
    char what;
    while (read(STDIN_FILENO, &what, 1) == 1) {
        if (what == 'c') calls();
        if (what == 'q') callback();
        if (what == 's') copies();
        if (what == 'f') family();
        if (what == 'd') deep(299);
        if (what == 'e') deep(599);
        if (what == 'a') aligned();
        if (what == 'v') varying((size_t)argc * 1000);
        if (what == 'g') signalled();
        if (what == 't') threads();
        if (what == 'k') child();
        if (what == 'l' && argc > 1) load(argv[1]);
        if (what == 'w' && work) work();
        if (write(STDOUT_FILENO, &what, 1) != 1) return 7;
    }
    return 3;
}
