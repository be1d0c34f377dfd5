# expect: earns everything but FIRST
# One function calls itself without end after it lifted Python's limit, until the stack is used up.
import functools
import sys


def deeper(*args, **kwargs):
    sys.setrecursionlimit(10**9)
    value = ()
    for _ in range(200_000):
        value = (value,)
    hash(value)
    call = functools.partial(deeper)
    return [call() for _ in range(2)]


globals()[FIRST] = deeper
