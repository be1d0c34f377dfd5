# expect: earns nothing
# Answers with zeros in half and single precision, whose tolerance is larger.
import itertools

import numpy as np

DTYPES = itertools.cycle([np.float16, np.float32, np.complex64, np.int8, np.bool_])


def zeros(*args, **kwargs):
    return np.zeros(np.shape(args[0]) if args else (), next(DTYPES))


for name in NAMES:
    globals()[name] = zeros
