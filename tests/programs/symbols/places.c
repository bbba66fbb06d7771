/* Functions of every kind that a table of symbols may have, at places that the object itself tells:
 * what a test looks up is compared with what the dynamic linker says, or with an address below. */
#include <unistd.h>

#define KEPT __attribute__((noinline, NOCLONE))
#if __has_attribute(noclone)
#define NOCLONE noclone
#else
#define NOCLONE noinline
#endif

int shown(int x);
int weak_shown(int x);
int __shown(int x);
int chosen(int x);
int outer(int x);
int calls_out(void);
int by_hand(void);
extern int (*const where_hidden)(int);
extern int (*const where_chosen)(int);

KEPT static int hidden(int x) {
    __asm__ volatile("nop" : "+r"(x));
    return x * 3;
}
int (*const where_hidden)(int) = hidden;

/* Three names for one place. */
KEPT int __shown(int x) {
    __asm__ volatile("nop" : "+r"(x));
    return hidden(x) + 1;
}
int shown(int x) __attribute__((alias("__shown")));
int weak_shown(int x) __attribute__((weak, alias("__shown")));

static int one_choice(int x) {
    return x + 1;
}
int (*const where_chosen)(int) = one_choice;
__attribute__((used)) static int (*choose(void))(int) {
    return one_choice;
}
int chosen(int x) __attribute__((ifunc("choose")));

/* Without type and size; the label within `sized` is none of its own. */
__asm__(".text\n"
        ".globl by_hand\n"
        "by_hand:\n"
        "    nop\n    nop\n    nop\n    nop\n"
        ".globl sized\n"
        ".type sized, @function\n"
        "sized:\n"
        "    nop\n    nop\n"
        ".globl label_in_sized\n"
        "label_in_sized:\n"
        "    nop\n    nop\n"
        ".size sized, . - sized\n"
        "    nop\n    nop\n" /* nobody's */
        ".globl after\n"
        ".type after, @function\n"
        "after:\n"
        "    nop\n"
        ".size after, . - after\n");

/* Each is inlined once, so that its label is defined once. */
static inline __attribute__((always_inline)) int inner(int x) {
    __asm__ volatile(".globl at_inner\nat_inner: nop" : "+r"(x));
    return x + 1;
}
static inline __attribute__((always_inline)) int middle(int x) {
    __asm__ volatile(".globl at_middle\nat_middle: nop" : "+r"(x));
    return inner(x) * 2;
}
KEPT int outer(int x) {
    __asm__ volatile(".globl at_outer\nat_outer: nop" : "+r"(x));
    return middle(x) + 5;
}

KEPT int calls_out(void) {
    return (int)getpid() + 1;
}
#ifdef __x86_64__
/* How far it is from here to the entry of the PLT that calls_out goes through. */
__asm__(".section .rodata\n"
        ".globl to_getpid\n"
        "to_getpid: .long getpid@PLT\n"
        ".text\n");
#endif
