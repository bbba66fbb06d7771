// Names as C++ has them. Usage: names SECONDS
#include <cstdlib>
#include "burn.h"

namespace kiln {
template <typename T> struct oven {
    __attribute__((noinline)) static T hot(T turns) { return spin(7 * turns); }
    __attribute__((noinline)) T operator()(T turns) { return spin(3 * turns); }
};
} // namespace kiln

int main(int argc, char **argv) {
    uint64_t end_ns = burn_now_ns() + static_cast<uint64_t>(1e9 * (argc > 1 ? std::atof(argv[1]) : 1));
    kiln::oven<uint64_t> oven;
    volatile uint64_t sum = 0;
    do {
        sum = sum + kiln::oven<uint64_t>::hot(burn_turns);
        sum = sum + oven(burn_turns);
    } while (burn_now_ns() < end_ns);
    return 0;
}
