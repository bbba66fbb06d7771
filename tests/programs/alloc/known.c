/* A target with a known answer for counters of allocations: known WHAT [ARGUMENT...]. What it
 * allocates is said at each function; besides that it calls no allocator, so that sums are exact
 * where no thread is made and nothing is loaded. Text goes out by write(2). */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>

#ifdef __clang__
#define KEEP __attribute__((noinline))
#else
#define KEEP __attribute__((noinline, noclone))
#endif
#define THREADS_MAX 64

extern char **environ;

/* The compiler must believe that the block is used, and may not move the call. */
static void *use(void *block) {
    __asm__ volatile("" : "+r"(block) : : "memory");
    return block;
}

static void say(const char *text) {
    if (write(STDOUT_FILENO, text, strlen(text)) < 0) _exit(9);
}

/* ---- calls: 1000 from f, 500 from g ---- */

/* 1000 calls, 24,000 bytes; all freed at once, so all are temporary. */
KEEP static void f(void) {
    for (int i = 0; i < 1000; i++) free(use(malloc(24)));
}

KEEP static void g(size_t bytes, int times) {
    for (int i = 0; i < times; i++) free(use(malloc(bytes)));
}

/* 300 calls, 30,000 bytes. */
KEEP static void g_by_one(void) {
    g(100, 300);
    use(NULL);
}

/* 200 calls, 40,000 bytes. */
KEEP static void g_by_two(void) {
    g(200, 200);
    use(NULL);
}

KEEP static void chain(int depth) {
    if (depth > 0) {
        chain(depth - 1);
    } else {
        f();
        g_by_one();
        g_by_two();
    }
    use(NULL); /* not a tail call */
}

/* 1500 calls, 94,000 bytes, 1500 of them temporary, at the bottom of 10 calls of chain. */
KEEP static void calls(void) {
    chain(9);
    use(NULL);
}

/* ---- the other functions ---- */

/* malloc(100), to 1000, to 50, freed: ten times. 10 calls of malloc with 1,000 bytes, 20 of realloc
 * with 10,500; nothing stays. */
KEEP static void reallocs(void) {
    for (int i = 0; i < 10; i++) {
        void *block = use(malloc(100));
        block = use(realloc(block, 1000));
        block = use(realloc(block, 50));
        free(block);
    }
}

KEEP static void *posix_aligned(void) {
    void *block = NULL;
    return posix_memalign(&block, 256, 200) == 0 ? use(block) : NULL;
}

/* Each form three times; none of the blocks is freed. Per form: calloc 3 calls of 70 bytes,
 * reallocarray 100, aligned_alloc 128, memalign 150, posix_memalign 200, valloc 300, pvalloc 400.
 */
KEEP static void aligned(void) {
    for (int i = 0; i < 3; i++) {
        use(calloc(10, 7));
        use(reallocarray(NULL, 10, 10));
        use(aligned_alloc(64, 128));
        use(memalign(32, 150));
        posix_aligned();
        use(valloc(300));
#ifdef __GLIBC__
        use(pvalloc(400));
#endif
    }
}

/* strdup allocates in libc: 7 calls, 6 bytes each, freed. */
KEEP static void copies(void) {
    for (int i = 0; i < 7; i++) free(use(strdup("hello")));
}

/* ---- live bytes ---- */

KEEP static void leak_more(void) {
    for (int i = 0; i < 7; i++) use(malloc(1000));
}

KEEP static void leak_less(void) {
    for (int i = 0; i < 3; i++) use(malloc(10));
}

/* 7,030 bytes in 10 blocks stay; 5 of 500 bytes are freed. */
KEEP static void leak(void) {
    void *blocks[5];
    for (int i = 0; i < 5; i++) blocks[i] = use(malloc(500));
    leak_more();
    for (int i = 0; i < 5; i++) free(blocks[i]);
    leak_less();
}

KEEP static void *below(void) {
    return use(malloc(50000));
}

KEEP static void above(void) {
    void *blocks[10];
    for (int i = 0; i < 10; i++) blocks[i] = use(malloc(100000));
    for (int i = 0; i < 10; i++) free(blocks[i]);
}

KEEP static void afterwards(void) {
    free(use(malloc(900000)));
}

/* At the peak 1,050,000 bytes live: 50,000 of below, 1,000,000 of above; later less. Nothing
 * stays. */
KEEP static void peak(void) {
    void *block = below();
    above();
    afterwards();
    free(block);
}

/* 40 of the 60 calls are temporary: freed as the next thing. */
KEEP static void temporary(void) {
    for (int i = 0; i < 40; i++) free(use(malloc(64)));
    for (int i = 0; i < 10; i++) {
        void *first = use(malloc(64)), *second = use(malloc(64));
        free(first);
        use(NULL);
        free(second);
    }
}

/* ---- threads ---- */

static pthread_key_t key;

/* 13 calls, 130 bytes in each thread; after its function has ended. */
KEEP static void at_thread_end(void *value) {
    (void)value;
    for (int i = 0; i < 13; i++) free(use(malloc(10)));
}

static void *thread_calls(void *unused) {
    calls();
    return unused;
}

static void *thread_key(void *value) {
    pthread_setspecific(key, value);
    return NULL;
}

static void *thread_leak(void *unused) {
    leak();
    return unused;
}

static int in_threads(int n, void *run(void *)) {
    pthread_t threads[THREADS_MAX];
    int started = 0;
    while (started < n && pthread_create(&threads[started], NULL, run, &key) == 0) started++;
    for (int i = 0; i < started; i++) pthread_join(threads[i], NULL);
    return started == n ? 0 : 9;
}

/* One thread allocates, another frees: 100 blocks of 80 bytes, none stays. */
static void *blocks_of_one[100];
static void *thread_allocate(void *unused) {
    for (int i = 0; i < 100; i++) blocks_of_one[i] = use(malloc(80));
    return unused;
}
static void *thread_free(void *unused) {
    for (int i = 0; i < 100; i++) free(blocks_of_one[i]);
    return unused;
}

/* ---- where code does not usually run ---- */

/* 11 calls, 77 bytes before main; freed. */
__attribute__((constructor)) KEEP static void before_main(void) {
    for (int i = 0; i < 11; i++) free(use(malloc(7)));
}

/* 5 calls, 50 bytes at each signal. */
KEEP static void on_signal(int number) {
    (void)number;
    for (int i = 0; i < 5; i++) free(use(malloc(10)));
}

/* 10 signals on a stack of their own. */
KEEP static int signals(void) {
    static char stack[1 << 16];
    stack_t other = {.ss_sp = stack, .ss_size = sizeof stack};
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_ONSTACK};
    if (sigaltstack(&other, NULL) != 0 || sigaction(SIGUSR1, &action, NULL) != 0) return 9;
    for (int i = 0; i < 10; i++) raise(SIGUSR1);
    return 0;
}

#ifdef __GLIBC__
static ucontext_t outside, inside;

/* 6 calls, 60 bytes on a stack that is no thread's. */
KEEP static void coroutine(void) {
    for (int i = 0; i < 6; i++) free(use(malloc(10)));
    swapcontext(&inside, &outside);
}

KEEP static int coroutines(void) {
    char *stack = mmap(NULL, 1 << 16, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (stack == MAP_FAILED || getcontext(&inside) != 0) return 9;
    inside.uc_stack.ss_sp = stack;
    inside.uc_stack.ss_size = 1 << 16;
    inside.uc_link = &outside;
    makecontext(&inside, coroutine, 0);
    return swapcontext(&outside, &inside) == 0 ? 0 : 9;
}
#else
static int coroutines(void) {
    return 9;
}
#endif

#ifndef PK_STATIC
/* Each library's function is called, and the library is unloaded before the next is there: 17 calls
 * of 170 bytes each. */
KEEP static int libraries(char **paths) {
    for (; *paths; paths++) {
        void *library = dlopen(*paths, RTLD_NOW | RTLD_LOCAL);
        void (*work)(void) = library ? (void (*)(void))(uintptr_t)dlsym(library, "work") : NULL;
        if (!work) return 9;
        work();
        dlclose(library);
    }
    return 0;
}
#else
static int libraries(char **paths) {
    (void)paths;
    return 9;
}
#endif

/* ---- processes ---- */

static int wait_for(pid_t child) {
    int status;
    while (waitpid(child, &status, 0) < 0)
        if (errno != EINTR) return 9;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* The parent as f does, the child, which is a copy of it, as peak does and is gone. */
KEEP static int forks(void) {
    f();
    pid_t child = fork();
    if (child == 0) {
        peak();
        _exit(0);
    }
    g_by_one();
    return child < 0 ? 9 : wait_for(child);
}

/* A child after exec runs "calls". */
KEEP static int spawns(char *self) {
    char what[] = "calls";
    char *argv[] = {self, what, NULL};
    pid_t child;
    g_by_two();
    return posix_spawn(&child, self, NULL, NULL, argv, environ) == 0 ? wait_for(child) : 9;
}

/* The process itself becomes another program. */
KEEP static int execs(char *self) {
    char what[] = "calls";
    char *argv[] = {self, what, NULL};
    g_by_two();
    execv(self, argv);
    return 9;
}

/* ---- ends ---- */

/* After f: how it ends. */
KEEP static int ends(const char *how) {
    f();
    leak_less();
    if (strcmp(how, "_exit") == 0) _exit(3);
    if (strcmp(how, "quick_exit") == 0) quick_exit(4);
    if (strcmp(how, "abort") == 0) abort();
    if (strcmp(how, "kill") == 0) raise(SIGKILL);
    if (strcmp(how, "crash") == 0) raise(SIGSEGV);
    return 5;
}

/* f, then "ready" on stdout, then nothing until it is killed; or, with "busy", f again and again.
 */
KEEP static int waits(int busy) {
    f();
    say("ready\n");
    while (busy) f();
    pause();
    return 0;
}

/* Waits for a line on stdin, then calls: whoever attached before it saw all. */
KEEP static int on_request(void) {
    char byte;
    say("ready\n");
    while (read(STDIN_FILENO, &byte, 1) == 1)
        if (byte == '\n') calls();
    say("done\n");
    return 0;
}

/* ---- the words ---- */

KEEP static int run(char **argv) {
    const char *what = argv[1];
    int n = argv[2] ? (int)strtol(argv[2], NULL, 10) : 8;
    if (n > THREADS_MAX) n = THREADS_MAX;
    if (strcmp(what, "nothing") == 0) return 0;
    if (strcmp(what, "calls") == 0) calls();
    else if (strcmp(what, "reallocs") == 0) reallocs();
    else if (strcmp(what, "aligned") == 0) aligned();
    else if (strcmp(what, "copies") == 0) copies();
    else if (strcmp(what, "leak") == 0) leak();
    else if (strcmp(what, "peak") == 0) peak();
    else if (strcmp(what, "temporary") == 0) temporary();
    else if (strcmp(what, "signals") == 0) return signals();
    else if (strcmp(what, "coroutines") == 0) return coroutines();
    else if (strcmp(what, "libraries") == 0) return libraries(argv + 2);
    else if (strcmp(what, "forks") == 0) return forks();
    else if (strcmp(what, "spawns") == 0) return spawns(argv[0]);
    else if (strcmp(what, "execs") == 0) return execs(argv[0]);
    else if (strcmp(what, "ends") == 0) return ends(argv[2] ? argv[2] : "");
    else if (strcmp(what, "waits") == 0) return waits(argv[2] != NULL);
    else if (strcmp(what, "on-request") == 0) return on_request();
    else if (strcmp(what, "threads") == 0) return in_threads(n, thread_calls);
    else if (strcmp(what, "thread-leaks") == 0) return in_threads(n, thread_leak);
    else if (strcmp(what, "thread-ends") == 0)
        return pthread_key_create(&key, at_thread_end) ? 9 : in_threads(n, thread_key);
    else if (strcmp(what, "two-threads") == 0)
        return in_threads(1, thread_allocate) | in_threads(1, thread_free);
    else return 2;
    return 0;
}

int main(int argc, char **argv) {
    if (argc < 2) {
        say("usage: known WHAT [ARGUMENT...]\n");
        return 2;
    }
    int status = run(argv);
    if (status == 2) say("known: no such thing\n");
    return status;
}
