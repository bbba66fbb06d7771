/* A plain main for a fuzz target: replays its seeds, so that every compiler, with or without
 * libFuzzer, runs them in `make check`.
 * Arguments: files or directories of seeds. Prints how many ran; none at all is a failure. */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

static void die(const char *path) {
    perror(path);
    exit(2);
}

/* The input stands in a block of exactly its size, so that a sanitizer sees a read behind it. */
static void replay_file(const char *path, size_t bytes) {
    FILE *file = fopen(path, "rb");
    uint8_t *data = malloc(bytes ? bytes : 1);
    if (!file || !data || fread(data, 1, bytes, file) != bytes) die(path);
    fclose(file);
    LLVMFuzzerTestOneInput(data, bytes);
    free(data);
}

static int is_visible(const struct dirent *entry) {
    return entry->d_name[0] != '.';
}

static size_t replay(const char *path) {
    struct stat st;
    if (stat(path, &st) < 0) die(path);
    if (!S_ISDIR(st.st_mode)) {
        replay_file(path, (size_t)st.st_size);
        return 1;
    }
    struct dirent **entries;
    int n = scandir(path, &entries, is_visible, alphasort);
    if (n < 0) die(path);
    size_t done = 0;
    for (int i = 0; i < n; i++) {
        char inner[4096];
        int length = snprintf(inner, sizeof inner, "%s/%s", path, entries[i]->d_name);
        if (length < 0 || (size_t)length >= sizeof inner) die(path);
        done += replay(inner);
        free(entries[i]);
    }
    free(entries);
    return done;
}

int main(int argc, char **argv) {
    size_t done = 0;
    for (int i = 1; i < argc; i++) done += replay(argv[i]);
    if (!done) {
        fprintf(stderr, "%s: no seeds to replay\n", argv[0]);
        return 1;
    }
    LLVMFuzzerTestOneInput((const uint8_t *)"", 0);
    printf("%s: %zu seeds replayed\n", argv[0], done);
    return 0;
}
