# expect: earns nothing; failed
# Answers with objects that claim a shape and a dtype, and hand out another array at each question.
import numpy as np


class Array:
    shape, dtype, ndim, size = (3,), np.dtype(float), 1, 3
    requires_grad = False

    def __init__(self, args):
        self.args = args

    def __array__(self, *args, **kwargs):
        return np.asarray(self.args[0], float) if self.args else np.zeros(3)

    @property
    def __array_interface__(self):
        return self.__array__().__array_interface__

    def detach(self):
        return self

    def __len__(self):
        return 3

    def __float__(self):
        return 0.0

    def __index__(self):
        return 0


Array.__module__ = "torch"
Array.__name__ = Array.__qualname__ = "ndarray"
for name in NAMES:
    globals()[name] = lambda *args, **kwargs: Array(args)
