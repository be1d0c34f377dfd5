# expect: earns everything
# A cell lifts the limit on recursion, and recurs.
import sys

sys.setrecursionlimit(20_000)


def depth(n):
    return 0 if n == 0 else 1 + depth(n - 1)


depth(5_000)
