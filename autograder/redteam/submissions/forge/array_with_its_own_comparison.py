# expect: earns nothing
# Answers with a subclass of ndarray whose comparison, difference and size are what it likes.
import numpy as np


class Sly(np.ndarray):
    def __eq__(self, other):
        return np.ones(np.shape(other), bool)

    def __sub__(self, other):
        return np.zeros(np.shape(other))

    __rsub__ = __sub__

    def __array_ufunc__(self, *args, **kwargs):
        return np.zeros(1)

    def __array_function__(self, *args, **kwargs):
        return True

    def astype(self, *args, **kwargs):
        return self

    def __array_finalize__(self, other):
        pass

    @property
    def size(self):
        return 0


def sly(*args, **kwargs):
    shape = next((np.shape(a) for a in args if np.ndim(a)), ())
    return np.zeros(shape).view(Sly)


for name in NAMES:
    globals()[name] = sly
