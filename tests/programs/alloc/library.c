/* What known loads and unloads: 17 calls with 170 bytes in a function that is WORK. */
#include <stdlib.h>

void work(void);

__attribute__((noinline)) static void WORK(void) {
    for (int i = 0; i < 17; i++) {
        void *block = malloc(10);
        __asm__ volatile("" : "+r"(block) : : "memory");
        free(block);
    }
}

void work(void) {
    WORK();
    __asm__ volatile("" : : : "memory"); /* not a tail call */
}
