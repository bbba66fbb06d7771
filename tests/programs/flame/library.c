/* What burner --library loads. */
#include "burn.h"

uint64_t burn_here(uint64_t end_ns);
uint64_t burn_here(uint64_t end_ns) {
    volatile uint64_t sum = burn_until(end_ns);
    return sum;
}
