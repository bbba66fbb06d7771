// Names and inlined functions of C++.
namespace house {
struct room {
    template <class T> static inline __attribute__((always_inline)) T open(T x) {
        __asm__ volatile(".globl at_open\nat_open: nop" : "+r"(x));
        return x + 1;
    }
};
__attribute__((noinline)) int enter(int x) {
    __asm__ volatile(".globl at_enter\nat_enter: nop" : "+r"(x));
    return room::open<int>(x) * 3;
}
} // namespace house
