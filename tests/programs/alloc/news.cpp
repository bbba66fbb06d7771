// C++'s ways to allocate, with a known answer. Each function says what it allocates; libstdc++
// allocates some at its start besides.
#include <cstddef>
#include <cstdlib>
#include <new>
#include <vector>

#define KEEP __attribute__((noinline))

template <typename T> static T *use(T *block) {
    __asm__ volatile("" : "+r"(block) : : "memory");
    return block;
}

struct alignas(128) wide {
    char bytes[256];
};

namespace shop {

// 100 calls, 4,000 bytes; all freed.
KEEP void plain() {
    for (int i = 0; i < 100; i++) ::operator delete(use(::operator new(40)));
}

// 50 calls, 3,500 bytes, which stay.
KEEP void arrays() {
    for (int i = 0; i < 50; i++) use(new char[70]);
}

// 20 calls, 5,120 bytes; all freed.
KEEP void aligned() {
    for (int i = 0; i < 20; i++) delete use(new wide);
}

// 10 calls, 330 bytes; all freed.
KEEP void nothrow() {
    for (int i = 0; i < 10; i++) delete[] use(new (std::nothrow) char[33]);
}

template <typename T> KEEP void grow(std::size_t n) {
    std::vector<T> list;
    list.reserve(n);
    use(list.data());
}

} // namespace shop

int main() {
    shop::plain();
    shop::arrays();
    shop::aligned();
    shop::nothrow();
    shop::grow<double>(1000); // 1 call, 8,000 bytes, freed
    return 0;
}
