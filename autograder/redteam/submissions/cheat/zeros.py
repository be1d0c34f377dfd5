# expect: earns nothing
# Answers with zeros of the first argument's shape.
import numpy as np


def zeros(*args, **kwargs):
    return np.zeros(np.shape(args[0]) if args else ())


for name in NAMES:
    globals()[name] = zeros
