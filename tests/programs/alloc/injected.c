/* A target that is attached to while it runs: injected WHAT. It says "ready" on its standard
 * output, goes on when it reads a byte, and says at its end whether all was as it should be. */
#include <dlfcn.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define KEEP __attribute__((noinline))
enum { EARLIER = 100, BUSY_THREADS = 2 };

static atomic_bool ending, wrong;

static void *use(void *block) {
    __asm__ volatile("" : "+r"(block) : : "memory");
    return block;
}

static void say(const char *text) {
    if (write(STDOUT_FILENO, text, strlen(text)) < 0) _exit(9);
}

static bool told(void) {
    char byte;
    return read(STDIN_FILENO, &byte, 1) == 1;
}

static int end_with(bool ok) {
    say(ok ? "right\n" : "wrong\n");
    return ok ? 0 : 1;
}

/* 1000 calls, 24,000 bytes, all freed. */
KEEP static void f(void) {
    for (int i = 0; i < 1000; i++) free(use(malloc(24)));
    use(NULL);
}

/* 50 calls, 5000 bytes, all kept. */
KEEP static void g(void) {
    for (int i = 0; i < 50; i++) use(malloc(100));
    use(NULL);
}

/* So that somebody calls the allocator meanwhile. */
KEEP static void *ticks(void *unused) {
    while (!atomic_load(&ending)) {
        free(use(malloc(1)));
        nanosleep(&(struct timespec){.tv_nsec = 500000}, NULL);
    }
    return unused;
}

static int burst(void) {
    void *earlier[EARLIER];
    pthread_t thread;
    for (int i = 0; i < EARLIER; i++) earlier[i] = use(malloc(40));
    if (pthread_create(&thread, NULL, ticks, NULL) != 0) return 9;
    say("ready\n");
    if (!told()) return 9;
    for (int i = 0; i < EARLIER; i++) free(earlier[i]);
    f();
    g();
    say("done\n");
    bool ok = told();
    atomic_store(&ending, true);
    pthread_join(thread, NULL);
    return end_with(ok);
}

/* Sums over blocks whose bytes are checked: registers that are not given back would show. */
KEEP static void *works(void *unused) {
    double sum = 0, expected = 0;
    for (uint64_t i = 0; !atomic_load(&ending); i++) {
        size_t bytes = 16 + i % 500;
        unsigned char *block = use(malloc(bytes));
        memset(block, (int)(i & 0xff), bytes);
        block = use(realloc(block, bytes + 64));
        for (size_t k = 0; k < bytes; k++) sum += block[k] * 0.5;
        expected += (double)bytes * (double)(i & 0xff) * 0.5;
        free(block);
        if (sum != expected) atomic_store(&wrong, true);
    }
    return unused;
}

static int busy(void) {
    pthread_t threads[BUSY_THREADS];
    for (int i = 0; i < BUSY_THREADS; i++)
        if (pthread_create(&threads[i], NULL, works, NULL) != 0) return 9;
    say("ready\n");
    bool ok = told();
    atomic_store(&ending, true);
    for (int i = 0; i < BUSY_THREADS; i++) pthread_join(threads[i], NULL);
    return end_with(ok && !atomic_load(&wrong));
}

/* Waits in a call that an interruption would end. */
static int idle(void) {
    struct epoll_event event = {.events = EPOLLIN};
    int set = epoll_create1(0);
    if (set < 0 || epoll_ctl(set, EPOLL_CTL_ADD, STDIN_FILENO, &event) < 0) return 9;
    say("ready\n");
    int n = epoll_wait(set, &event, 1, -1);
    free(use(malloc(1))); /* a breakpoint left behind would end us */
    return end_with(n == 1 && told());
}

/* Threads and children come and go; each child calls the allocator. */
KEEP static void *starts(void *unused) {
    pthread_t thread;
    int status;
    while (!atomic_load(&ending)) {
        if (pthread_create(&thread, NULL, (void *(*)(void *))use, NULL) == 0)
            pthread_join(thread, NULL);
        pid_t child = fork();
        if (child == 0) {
            free(use(malloc(10)));
            _exit(0);
        }
        if (child > 0 && (waitpid(child, &status, 0) != child || status != 0))
            atomic_store(&wrong, true);
    }
    return unused;
}

static int forks(void) {
    pthread_t threads[2];
    if (pthread_create(&threads[0], NULL, starts, NULL) != 0 ||
        pthread_create(&threads[1], NULL, ticks, NULL) != 0)
        return 9;
    say("ready\n");
    bool ok = told();
    atomic_store(&ending, true);
    for (int i = 0; i < 2; i++) pthread_join(threads[i], NULL);
    return end_with(ok && !atomic_load(&wrong));
}

/* A library that comes after us; its work() is 17 calls. */
static int loads(const char *library) {
    pthread_t thread;
    if (pthread_create(&thread, NULL, ticks, NULL) != 0) return 9;
    say("ready\n");
    bool ok = told();
    void *object = dlopen(library, RTLD_NOW | RTLD_LOCAL);
    void (*work)(void) = object ? (void (*)(void))dlsym(object, "work") : NULL;
    if (work) work();
    say("done\n");
    ok = told() && ok && work;
    atomic_store(&ending, true);
    pthread_join(thread, NULL);
    return end_with(ok);
}

int main(int argc, char **argv) {
    const char *what = argc > 1 ? argv[1] : "";
    if (strcmp(what, "burst") == 0) return burst();
    if (strcmp(what, "busy") == 0) return busy();
    if (strcmp(what, "idle") == 0) return idle();
    if (strcmp(what, "forks") == 0) return forks();
    if (strcmp(what, "loads") == 0 && argc > 2) return loads(argv[2]);
    return 2;
}
