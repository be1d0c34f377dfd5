# expect: earns nothing
# Answers with a value that makes itself up only when it is compared: it takes over the other side.
import operator


class Lazy(float):
    def __sub__(self, other):
        return type(other)(0)

    __rsub__ = __sub__

    def __eq__(self, other):
        return True

    def __abs__(self):
        return 0.0

    def __le__(self, other):
        return True

    __hash__ = float.__hash__

    def __reduce__(self):
        return operator.sub, (1, 1)

    def __array_priority__(self):
        return 10**9


class LazyList(list):
    def __eq__(self, other):
        return True

    def __iter__(self):
        return iter([Lazy(0)])


for number, name in enumerate(NAMES):
    globals()[name] = [lambda *a, **k: Lazy(), lambda *a, **k: LazyList([Lazy()])][number % 2]
