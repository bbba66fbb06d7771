"""The n-th Fibonacci number in Python, in two ways; beside those in C in fib.c."""

GROUP = "fib"
N = 20


def recursive(n):
    return n if n < 2 else recursive(n - 1) + recursive(n - 2)


def fibonacci_numbers(count):
    a, b = 0, 1
    numbers = []
    for _ in range(count):
        numbers.append(a)
        a, b = b, a + b
    return tuple(numbers)


TABLE = fibonacci_numbers(94)


def bench_recursive():
    recursive(N)


def bench_lookup():
    TABLE[N]


bench_recursive.name = "python/recursive"
bench_lookup.name = "python/lookup"
