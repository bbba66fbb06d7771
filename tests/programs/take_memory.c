/* take_memory [X...]: writes to 64 MiB per argument and ends. Static, so that it takes half a MiB
 * by itself: what a measurement of peak memory should read is known. */
#include <stdlib.h>
#include <string.h>

int main(int argc, char **argv) {
    (void)argv;
    if (argc == 1) return 0;
    size_t bytes = (size_t)(argc - 1) << 26;
    char *memory = malloc(bytes);
    if (!memory) return 1;
    memset(memory, argc, bytes);
    return memory[bytes / 2] == argc ? 0 : 1;
}
