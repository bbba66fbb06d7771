/* What is hard on a counter of allocations that runs in the program: corners WHAT. What it
 * allocates is said at each function. */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#define KEEP __attribute__((noinline))

static void *use(void *block) {
    __asm__ volatile("" : "+r"(block) : : "memory");
    return block;
}

/* 10 calls, 100 bytes below 600 calls of itself. */
KEEP static void deep(int left) {
    if (left > 0) deep(left - 1);
    else
        for (int i = 0; i < 10; i++) free(use(malloc(10)));
    use(NULL);
}

/* 2^n stacks, each of n frames, with one call of 16 bytes. */
KEEP static void tree(int left) {
    if (left == 0) {
        free(use(malloc(16)));
        return;
    }
    tree(left - 1);
    use(NULL);
    tree(left - 1);
    use(NULL);
}

/* 2^13 stacks; all descriptors that the program does not know are closed before, as daemons do,
 * and their numbers given to another file. */
KEEP static int closes(const char *path) {
    free(use(malloc(1)));
    for (int fd = 3; fd < 1100; fd++) close(fd);
    if (path && dup2(STDIN_FILENO, 900) < 0) return 9;
    tree(13);
    return 0;
}

/* 2^13 stacks with a limit that leaves no room for their counters. */
KEEP static int limited(__rlimit_resource_t resource, rlim_t most) {
    struct rlimit limit = {most, most};
    free(use(malloc(1)));
    if (setrlimit(resource, &limit) != 0) return 9;
    tree(13);
    return 0;
}

/* 3 blocks of 5 GiB, 2 of them freed; one of 100 bytes grown to 6 GiB and freed. */
KEEP static int large(void) {
    void *blocks[3];
    for (int i = 0; i < 3; i++)
        if (!(blocks[i] = use(malloc((size_t)5 << 30)))) return 9;
    free(blocks[0]);
    free(blocks[1]);
    void *grown = use(realloc(use(malloc(100)), (size_t)6 << 30));
    if (!grown) return 9;
    free(grown);
    return 0;
}

/* One block of 1000 bytes, which cannot be grown and stays; errno says so. */
KEEP static int refused(void) {
    volatile size_t much = PTRDIFF_MAX;
    void *block = use(malloc(1000));
    errno = 0;
    if (use(realloc(block, much)) || errno != ENOMEM) return 9;
    if (use(calloc(much, much)) || use(reallocarray(NULL, much, much))) return 9;
    return 0;
}

/* errno is as it was, also when the stack is new. */
KEEP static int keeps_errno(void) {
    errno = 77;
    free(use(malloc(123)));
    return errno == 77 ? 0 : 9;
}

/* Code without call frame information that keeps frame records: 20 calls of 30 bytes by a function
 * made at run time. push rbp; mov rbp, rsp; call *rdi; pop rbp; ret. */
KEEP static void by_jit(void) {
    for (int i = 0; i < 20; i++) free(use(malloc(30)));
}

KEEP static int jit(void) {
    static const unsigned char code[] = {0x55, 0x48, 0x89, 0xe5, 0xff, 0xd7, 0x5d, 0xc3};
    void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (page == MAP_FAILED) return 9;
    memcpy(page, code, sizeof code);
    if (mprotect(page, 4096, PROT_READ | PROT_EXEC) != 0) return 9;
    void (*run)(void (*)(void)) = (void (*)(void (*)(void)))(uintptr_t)page;
    run(by_jit);
    return 0;
}

/* A frame whose stack was aligned to 64 bytes: 25 calls of 40 bytes below it. */
KEEP static void below_aligned(const char *bytes) {
    use((void *)(uintptr_t)bytes);
    for (int i = 0; i < 25; i++) free(use(malloc(40)));
    use(NULL);
}

KEEP static void aligned_frame(int n) {
    _Alignas(64) char bytes[64];
    memset(bytes, n, sizeof bytes);
    below_aligned(bytes);
    use(bytes);
}

/* 100 signals that interrupt a program that allocates all the time, each with 3 calls of 10 bytes
 * in the handler. C forbids it; glibc takes small blocks that were there before from a list of
 * their size, which only the handler touches. */
static volatile sig_atomic_t signals;
KEEP static void on_alarm(int number) {
    (void)number;
    for (int i = 0; i < 3; i++) free(use(malloc(10)));
    signals++;
}

static void *sends(void *to) {
    for (int i = 0; i < 100; i++) {
        int before = signals;
        pthread_kill(*(pthread_t *)to, SIGUSR1);
        while (signals == before) sched_yield();
    }
    return NULL;
}

KEEP static int interrupted(void) {
    struct sigaction action = {.sa_handler = on_alarm};
    pthread_t self = pthread_self(), sender;
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    on_alarm(0);
    signals = 0;
    if (sigaction(SIGUSR1, &action, NULL) != 0) return 9;
    if (pthread_create(&sender, NULL, sends, &self) != 0) return 9;
    while (signals < 100) free(use(malloc(100)));
    return pthread_join(sender, NULL) == 0 ? 0 : 9;
}

/* 300 threads, one after another, each with 4 calls of 25 bytes. */
static void *short_thread(void *unused) {
    for (int i = 0; i < 4; i++) free(use(malloc(25)));
    return unused;
}

KEEP static int many_threads(void) {
    for (int i = 0; i < 300; i++) {
        pthread_t thread;
        if (pthread_create(&thread, NULL, short_thread, NULL) != 0) return 9;
        if (pthread_join(thread, NULL) != 0) return 9;
    }
    return 0;
}

/* A quarter of a million blocks, of 100 bytes and of 10,000 in turn; all stay. */
KEEP static void small_ones(void) {
    use(malloc(100));
    use(NULL);
}

KEEP static void large_ones(void) {
    use(malloc(10000));
    use(NULL);
}

KEEP static void samples(void) {
    for (int i = 0; i < 125000; i++) {
        small_ones();
        large_ones();
    }
}

/* Three mappings of 1 MiB: one goes, of one the first half goes, one grows to 2 MiB; and one that
 * takes the place of half of that. */
KEEP static void *map_one(void *at, int fixed) {
    return use(mmap(at, 1 << 20, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | fixed, -1, 0));
}

KEEP static int maps(void) {
    char *all[3];
    for (int i = 0; i < 3; i++)
        if ((all[i] = map_one(NULL, 0)) == MAP_FAILED) return 9;
    if (munmap(all[0], 1 << 20) != 0 || munmap(all[1], 1 << 19) != 0) return 9;
    char *grown = use(mremap(all[2], 1 << 20, 1 << 21, MREMAP_MAYMOVE));
    if (grown == MAP_FAILED) return 9;
    return map_one(grown + (1 << 20), MAP_FIXED) == MAP_FAILED ? 9 : 0;
}

/* Loads the hook as injection does, and has it count 60 times, while a second thread goes on all
 * the time: 10 calls of 70 bytes by this thread each time. From the tenth time on no mapping and no
 * descriptor is added. */
static void *(*hooked_malloc)(size_t);
static void (*hooked_free)(void *);
static volatile int done;

static void *goes_on(void *unused) {
    while (!done) hooked_free(use(hooked_malloc(33)));
    return unused;
}

static int lines_of(const char *path) {
    char text[4096];
    int n = 0, fd = open(path, O_RDONLY | O_CLOEXEC);
    for (ssize_t got; (got = read(fd, text, sizeof text)) > 0;)
        for (ssize_t i = 0; i < got; i++) n += text[i] == '\n';
    close(fd);
    return n;
}

KEEP static int attaches(const char *hook, const char *settings) {
    void *object = dlopen(hook, RTLD_NOW | RTLD_LOCAL);
    int (*attach)(const char *) = object ? dlsym(object, "pk_alloc_hook_attach") : NULL;
    void (*detach)(void) = object ? dlsym(object, "pk_alloc_hook_detach") : NULL;
    pthread_t other;
    int lines = 0, fd = 0;
    if (!attach || !detach) return 9;
    hooked_malloc = dlsym(object, "malloc");
    hooked_free = dlsym(object, "free");
    if (attach("nonsense") == 0 || attach("/nowhere:1:0") == 0) return 8;
    if (pthread_create(&other, NULL, goes_on, NULL) != 0) return 9;
    for (int i = 0; i < 60; i++) {
        if (attach(settings) != 0) return 7;
        for (int j = 0; j < 10; j++) hooked_free(use(hooked_malloc(70)));
        detach();
        hooked_free(use(hooked_malloc(70)));
        if (i == 10) lines = lines_of("/proc/self/maps"), fd = dup(0);
    }
    int more = lines_of("/proc/self/maps") - lines, last = dup(0);
    done = 1;
    if (pthread_join(other, NULL) != 0) return 9;
    return last != fd + 1 ? 6 : more > 8 ? 5 : 0; /* two chunks may or may not lie side by side */
}

int main(int argc, char **argv) {
    const char *what = argc > 1 ? argv[1] : "";
    if (strcmp(what, "deep") == 0) deep(600);
    else if (strcmp(what, "closes") == 0) return closes(argv[1]);
    else if (strcmp(what, "file-size") == 0) return limited(RLIMIT_FSIZE, 1 << 20);
    else if (strcmp(what, "memory") == 0) return limited(RLIMIT_AS, 0);
    else if (strcmp(what, "large") == 0) return large();
    else if (strcmp(what, "refused") == 0) return refused();
    else if (strcmp(what, "errno") == 0) return keeps_errno();
    else if (strcmp(what, "jit") == 0) return jit();
    else if (strcmp(what, "aligned-frame") == 0) aligned_frame(argc);
    else if (strcmp(what, "interrupted") == 0) return interrupted();
    else if (strcmp(what, "many-threads") == 0) return many_threads();
    else if (strcmp(what, "samples") == 0) samples();
    else if (strcmp(what, "maps") == 0) return maps();
    else if (strcmp(what, "attaches") == 0 && argc == 4) return attaches(argv[2], argv[3]);
    else return 2;
    return 0;
}
