// Stacks as deep as C++ makes them: a regular expression, and functions that call functions through
// std::function. Usage: deep SECONDS
#include <cstdlib>
#include <functional>
#include <regex>
#include <string>
#include "burn.h"

static std::size_t matches(const std::string &text) {
    static const std::regex pattern("(a|b)*c(d|e)+f?");
    std::size_t n = 0;
    for (std::sregex_iterator it(text.begin(), text.end(), pattern), end; it != end; ++it) n++;
    return n;
}

static std::size_t descend(int depth, const std::function<std::size_t(int)> &next) {
    return depth > 0 ? descend(depth - 1, [&next](int d) { return next(d) + 1; }) : next(0);
}

int main(int argc, char **argv) {
    uint64_t end_ns = burn_now_ns() + static_cast<uint64_t>(1e9 * (argc > 1 ? std::atof(argv[1]) : 1));
    std::string text;
    for (int i = 0; i < 12; i++) text += "ababacdedef ";
    volatile std::size_t sum = 0;
    do sum = sum + descend(12, [&text](int) { return matches(text); });
    while (burn_now_ns() < end_ns);
    return 0;
}
